-- OAuth clients. What they are and what is kept of their secrets is sealed.

CREATE TABLE clients (
    tenant_id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    definition BLOB NOT NULL,
    secrets BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
) STRICT, WITHOUT ROWID;

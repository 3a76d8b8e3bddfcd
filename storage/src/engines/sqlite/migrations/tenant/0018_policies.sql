-- Versions of a tenant's policies, and which of them is active. Sources are sealed: they may name people.

CREATE TABLE policy_sets (
    tenant_id BLOB NOT NULL,
    latest INTEGER NOT NULL,
    active INTEGER,
    activations INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE policy_versions (
    tenant_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    source BLOB NOT NULL,
    note BLOB NOT NULL,
    policies INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, number)
) STRICT, WITHOUT ROWID;

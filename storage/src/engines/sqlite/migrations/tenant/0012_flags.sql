-- Feature flags. The definition is sealed: rules may name people's addresses.

CREATE TABLE flags (
    tenant_id BLOB NOT NULL,
    flag_key TEXT NOT NULL,
    definition BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, flag_key)
) STRICT, WITHOUT ROWID;

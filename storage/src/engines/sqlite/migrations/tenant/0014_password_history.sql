-- Passwords that were replaced, sealed, as many as the tenant's policy remembers.

CREATE TABLE password_history (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    secret BLOB NOT NULL,
    replaced_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, version),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

-- Imports of users, and what was wrong with their lines. Nothing of a line is kept.

CREATE TABLE user_imports (
    tenant_id BLOB NOT NULL,
    import_id BLOB NOT NULL CHECK (length(import_id) = 16),
    dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
    on_conflict TEXT NOT NULL,
    source TEXT,
    state TEXT NOT NULL CHECK (state IN ('open', 'completed', 'cancelled')),
    lines INTEGER NOT NULL,
    imported INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, import_id)
) STRICT, WITHOUT ROWID;

-- place is the number of the line and of the error in it, big endian, so that errors are in order of their lines
CREATE TABLE user_import_errors (
    tenant_id BLOB NOT NULL,
    import_id BLOB NOT NULL,
    place BLOB NOT NULL CHECK (length(place) = 10),
    field TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (tenant_id, import_id, place),
    FOREIGN KEY (tenant_id, import_id) REFERENCES user_imports (tenant_id, import_id)
) STRICT, WITHOUT ROWID;

-- Addresses of a user in the order in which they are listed. With nothing but the two columns the planner, which knows of
-- no statistics, read all addresses of the tenant by the primary key instead.
DROP INDEX user_emails_user;
CREATE INDEX user_emails_user ON user_emails (tenant_id, user_id, created_at, email_index);

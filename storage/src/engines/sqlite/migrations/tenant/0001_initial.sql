-- Everything of one tenant. tenant_id comes first in every key and index, as it must in engines that
-- hold all tenants in one database; here file_identity says which single value it may have.

CREATE TABLE file_identity (
    tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    state TEXT NOT NULL CHECK (state IN ('active', 'blocked')),
    name BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

-- email_index is a keyed hash of the normalized address, email is sealed
CREATE TABLE user_emails (
    tenant_id BLOB NOT NULL,
    email_index BLOB NOT NULL CHECK (length(email_index) = 32),
    user_id BLOB NOT NULL,
    email BLOB NOT NULL,
    verified_at INTEGER,
    is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, email_index),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_emails_user ON user_emails (tenant_id, user_id);

CREATE TABLE credentials (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, kind),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    tenant_id BLOB NOT NULL,
    session_id BLOB NOT NULL CHECK (length(session_id) = 16),
    user_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    amr TEXT NOT NULL,
    client BLOB,
    refresh_generation INTEGER NOT NULL,
    refresh_hash BLOB NOT NULL CHECK (length(refresh_hash) = 32),
    key_version INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_reason TEXT,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (tenant_id, user_id, session_id);

CREATE TABLE signing_keys (
    tenant_id BLOB NOT NULL,
    kid TEXT NOT NULL,
    alg TEXT NOT NULL,
    private_key BLOB NOT NULL,
    public_jwk TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'retiring')),
    created_at INTEGER NOT NULL,
    not_after INTEGER,
    PRIMARY KEY (tenant_id, kid)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_heads (
    tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_entries (
    tenant_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

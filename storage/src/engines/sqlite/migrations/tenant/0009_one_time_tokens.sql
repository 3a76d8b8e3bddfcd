-- Links and codes that are good once, by keyed hashes; the address one was sent to is sealed. user_id is NULL where there
-- is no such account: asking for a link does the same work for every address.

CREATE TABLE one_time_tokens (
    tenant_id BLOB NOT NULL,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    purpose TEXT NOT NULL,
    user_id BLOB,
    email BLOB NOT NULL,
    sent_hash BLOB CHECK (sent_hash IS NULL OR length(sent_hash) = 32),
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, token_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_tokens_user ON one_time_tokens (tenant_id, user_id, purpose);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (tenant_id, expires_at);

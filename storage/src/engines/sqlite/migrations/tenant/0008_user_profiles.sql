-- What else is known of a user, and by what users are found. Everything personal is sealed; *_index are keyed hashes.

-- Unix milliseconds; null where there is no lock, or no deletion under way.
ALTER TABLE users ADD COLUMN locked_until INTEGER;
ALTER TABLE users ADD COLUMN purge_at INTEGER;
ALTER TABLE users ADD COLUMN username BLOB;
ALTER TABLE users ADD COLUMN username_index BLOB CHECK (username_index IS NULL OR length(username_index) = 32);
ALTER TABLE users ADD COLUMN external_id BLOB;
ALTER TABLE users ADD COLUMN external_id_index BLOB
    CHECK (external_id_index IS NULL OR length(external_id_index) = 32);
ALTER TABLE users ADD COLUMN phone BLOB;
ALTER TABLE users ADD COLUMN phone_index BLOB CHECK (phone_index IS NULL OR length(phone_index) = 32);
ALTER TABLE users ADD COLUMN public_metadata BLOB;
ALTER TABLE users ADD COLUMN private_metadata BLOB;
ALTER TABLE users ADD COLUMN unsafe_metadata BLOB;

-- null is never the same as null, so users without one do not collide
CREATE UNIQUE INDEX users_username ON users (tenant_id, username_index);
CREATE UNIQUE INDEX users_external_id ON users (tenant_id, external_id_index);
CREATE UNIQUE INDEX users_phone ON users (tenant_id, phone_index);
CREATE INDEX users_blocked ON users (tenant_id, user_id) WHERE state = 'blocked';
CREATE INDEX users_locked ON users (tenant_id, user_id) WHERE locked_until IS NOT NULL;
CREATE INDEX users_deleted ON users (tenant_id, user_id) WHERE purge_at IS NOT NULL;

-- keyed hashes of the beginnings of names and addresses
CREATE TABLE user_search (
    tenant_id BLOB NOT NULL,
    token_index BLOB NOT NULL CHECK (length(token_index) = 16),
    user_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, token_index, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_search_user ON user_search (tenant_id, user_id);

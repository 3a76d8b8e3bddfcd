-- What else is known of a user, and by what users are found. Everything personal is sealed; *_index are keyed hashes.

-- unix milliseconds; null where there is no lock, or no deletion under way
ALTER TABLE users
    ADD COLUMN locked_until bigint,
    ADD COLUMN purge_at bigint,
    ADD COLUMN username bytea,
    ADD COLUMN username_index bytea CHECK (octet_length(username_index) = 32),
    ADD COLUMN external_id bytea,
    ADD COLUMN external_id_index bytea CHECK (octet_length(external_id_index) = 32),
    ADD COLUMN phone bytea,
    ADD COLUMN phone_index bytea CHECK (octet_length(phone_index) = 32),
    ADD COLUMN public_metadata bytea,
    ADD COLUMN private_metadata bytea,
    ADD COLUMN unsafe_metadata bytea;

-- null is never the same as null, so users without one do not collide
CREATE UNIQUE INDEX "users.username" ON users (tenant_id, username_index);
CREATE UNIQUE INDEX "users.external_id" ON users (tenant_id, external_id_index);
CREATE UNIQUE INDEX "users.phone" ON users (tenant_id, phone_index);
CREATE INDEX users_blocked ON users (tenant_id, user_id) WHERE state = 'blocked';
CREATE INDEX users_locked ON users (tenant_id, user_id) WHERE locked_until IS NOT NULL;
CREATE INDEX users_deleted ON users (tenant_id, user_id) WHERE purge_at IS NOT NULL;

-- keyed hashes of the beginnings of names and addresses
CREATE TABLE user_search (
    tenant_id uuid NOT NULL,
    token_index bytea NOT NULL CHECK (octet_length(token_index) = 16),
    user_id uuid NOT NULL,
    CONSTRAINT "user_search.token" PRIMARY KEY (tenant_id, token_index, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

CREATE INDEX user_search_user ON user_search (tenant_id, user_id);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    ALTER TABLE user_search ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY tenant ON user_search USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)',
        scope);
END
$$;

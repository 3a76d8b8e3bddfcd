-- Links and codes that are good once, by keyed hashes; the address one was sent to is sealed. user_id is NULL where there
-- is no such account: asking for a link does the same work for every address.

CREATE TABLE one_time_tokens (
    tenant_id uuid NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    purpose text COLLATE "C" NOT NULL,
    user_id uuid,
    email bytea NOT NULL,
    sent_hash bytea,
    attempts bigint NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    version bigint NOT NULL,
    CONSTRAINT "one_time_tokens.token_hash" PRIMARY KEY (tenant_id, token_hash)
);

CREATE INDEX one_time_tokens_user ON one_time_tokens (tenant_id, user_id, purpose);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (tenant_id, expires_at);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE one_time_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON one_time_tokens USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)', scope);
END
$$;

-- Pictures of users, sealed.

CREATE TABLE user_avatars (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    version bigint NOT NULL,
    image bytea NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT "user_avatars.user_id" PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE user_avatars ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON user_avatars USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)', scope);
END
$$;

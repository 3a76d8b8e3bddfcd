-- Passwords that were replaced, sealed, as many as the tenant's policy remembers.

CREATE TABLE password_history (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    version bigint NOT NULL,
    secret bytea NOT NULL,
    replaced_at bigint NOT NULL,
    CONSTRAINT "password_history.version" PRIMARY KEY (tenant_id, user_id, version),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE password_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON password_history USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)', scope);
END
$$;

-- OAuth clients. What they are and what is kept of their secrets is sealed.

CREATE TABLE clients (
    tenant_id uuid NOT NULL,
    client_id uuid NOT NULL,
    definition bytea NOT NULL,
    secrets bytea NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "clients.client_id" PRIMARY KEY (tenant_id, client_id)
);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE clients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON clients USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)',
        scope);
END
$$;

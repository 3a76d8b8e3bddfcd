-- Versions of a tenant's policies, and which of them is active. Sources are sealed: they may name people.

CREATE TABLE policy_sets (
    tenant_id uuid NOT NULL,
    latest bigint NOT NULL,
    active bigint,
    activations bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "policy_sets.tenant_id" PRIMARY KEY (tenant_id)
);

CREATE TABLE policy_versions (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    source bytea NOT NULL,
    note bytea NOT NULL,
    policies bigint NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT "policy_versions.number" PRIMARY KEY (tenant_id, number)
);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['policy_sets', 'policy_versions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
END
$$;

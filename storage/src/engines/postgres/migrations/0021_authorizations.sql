-- What users granted OAuth clients, and what they let them have without being asked again. Terms are sealed.

CREATE TABLE authorizations (
    tenant_id uuid NOT NULL,
    authorization_id uuid NOT NULL,
    client_id uuid NOT NULL,
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    terms bytea NOT NULL,
    code_expires_at bigint NOT NULL,
    redeemed_at bigint,
    generation bigint NOT NULL,
    rotated_at bigint,
    refresh_expires_at bigint NOT NULL,
    proof_key text,
    revoked_at bigint,
    created_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "authorizations.authorization_id" PRIMARY KEY (tenant_id, authorization_id)
);

CREATE INDEX authorizations_of_user ON authorizations (tenant_id, user_id, client_id);
CREATE INDEX authorizations_of_session ON authorizations (tenant_id, session_id, client_id);
CREATE INDEX authorizations_by_end ON authorizations (tenant_id, refresh_expires_at);

CREATE TABLE client_consents (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id uuid NOT NULL,
    scope text NOT NULL,
    created_at bigint NOT NULL,
    given_at bigint NOT NULL,
    CONSTRAINT "client_consents.client_id" PRIMARY KEY (tenant_id, user_id, client_id)
);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['authorizations', 'client_consents'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
END
$$;

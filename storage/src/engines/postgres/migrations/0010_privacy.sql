-- Where a ledger begins once its oldest entries are pruned, what must be kept, and what users consented to.

-- a signed note and the key it is checked with; never changed
CREATE TABLE ledger_checkpoints (
    tenant_id uuid NOT NULL,
    seq bigint NOT NULL,
    verifier text COLLATE "C" NOT NULL,
    note text COLLATE "C" NOT NULL,
    CONSTRAINT "ledger_checkpoints.seq" PRIMARY KEY (tenant_id, seq)
);

-- the nil user_id is everybody; the reason is sealed
CREATE TABLE legal_holds (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    reason bytea NOT NULL,
    placed_by text COLLATE "C" NOT NULL,
    placed_at bigint NOT NULL,
    CONSTRAINT "legal_holds.user_id" PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE consents (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    consent_id uuid NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    document text COLLATE "C" NOT NULL,
    granted bigint NOT NULL CHECK (granted IN (0, 1)),
    actor text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    CONSTRAINT "consents.consent_id" PRIMARY KEY (tenant_id, user_id, consent_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_checkpoints', 'legal_holds', 'consents'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
END
$$;

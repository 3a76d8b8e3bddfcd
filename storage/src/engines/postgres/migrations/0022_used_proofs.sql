-- What is good once and was used: client assertions, proofs of possession.

CREATE TABLE used_proofs (
    tenant_id uuid NOT NULL,
    proof_hash bytea NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT "used_proofs.proof_hash" PRIMARY KEY (tenant_id, proof_hash)
);

CREATE INDEX used_proofs_by_end ON used_proofs (tenant_id, expires_at);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE used_proofs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON used_proofs USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)',
        scope);
END
$$;

-- Answers to requests with an Idempotency-Key: a request sent again is answered as the first time.

-- request_index is a keyed hash of caller and key, fingerprint one of the request, answer is sealed
CREATE TABLE kept_answers (
    tenant_id uuid NOT NULL,
    request_index bytea NOT NULL CHECK (octet_length(request_index) = 32),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    took_effect bigint NOT NULL CHECK (took_effect IN (0, 1)),
    answer bytea,
    reserved_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "kept_answers.request" PRIMARY KEY (tenant_id, request_index)
);

CREATE INDEX kept_answers_expiry ON kept_answers (tenant_id, expires_at);

ALTER TABLE kept_answers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON kept_answers
    USING ((tenant_id = (SELECT nullif(current_setting('plinto.scope', true), '')::uuid)) IS TRUE)
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('plinto.scope', true), '')::uuid));

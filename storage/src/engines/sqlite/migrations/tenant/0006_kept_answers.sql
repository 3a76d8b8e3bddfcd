-- Answers to requests with an Idempotency-Key: a request sent again is answered as the first time.

-- request_index is a keyed hash of caller and key, fingerprint one of the request, answer is sealed
CREATE TABLE kept_answers (
    tenant_id BLOB NOT NULL,
    request_index BLOB NOT NULL CHECK (length(request_index) = 32),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    took_effect INTEGER NOT NULL CHECK (took_effect IN (0, 1)),
    answer BLOB,
    reserved_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, request_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_answers_expiry ON kept_answers (tenant_id, expires_at);

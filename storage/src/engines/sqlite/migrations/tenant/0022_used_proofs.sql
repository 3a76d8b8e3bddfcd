-- What is good once and was used: client assertions, proofs of possession.

CREATE TABLE used_proofs (
    tenant_id BLOB NOT NULL,
    proof_hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, proof_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX used_proofs_by_end ON used_proofs (tenant_id, expires_at);

-- Where the ledger begins once its oldest entries are pruned, what must be kept, and what users consented to.

-- a signed note and the key it is checked with; never changed
CREATE TABLE ledger_checkpoints (
    tenant_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    verifier TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

-- the nil user_id is everybody; the reason is sealed
CREATE TABLE legal_holds (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    reason BLOB NOT NULL,
    placed_by TEXT NOT NULL,
    placed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    consent_id BLOB NOT NULL CHECK (length(consent_id) = 16),
    purpose TEXT NOT NULL,
    document TEXT NOT NULL,
    granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, consent_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

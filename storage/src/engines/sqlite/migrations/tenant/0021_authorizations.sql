-- What users granted OAuth clients, and what they let them have without being asked again. Terms are sealed.

CREATE TABLE authorizations (
    tenant_id BLOB NOT NULL,
    authorization_id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    terms BLOB NOT NULL,
    code_expires_at INTEGER NOT NULL,
    redeemed_at INTEGER,
    generation INTEGER NOT NULL,
    rotated_at INTEGER,
    refresh_expires_at INTEGER NOT NULL,
    proof_key TEXT,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, authorization_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX authorizations_of_user ON authorizations (tenant_id, user_id, client_id);
CREATE INDEX authorizations_of_session ON authorizations (tenant_id, session_id, client_id);
CREATE INDEX authorizations_by_end ON authorizations (tenant_id, refresh_expires_at);

CREATE TABLE client_consents (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    scope TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    given_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, client_id)
) STRICT, WITHOUT ROWID;

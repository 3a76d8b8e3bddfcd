-- Invitations to become a user: there is none before one is accepted. The address and what is known besides are sealed;
-- the token of the link is known by its keyed hash.

CREATE TABLE user_invitations (
    tenant_id BLOB NOT NULL,
    invitation_id BLOB NOT NULL,
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    email_index BLOB NOT NULL CHECK (length(email_index) = 32),
    email BLOB NOT NULL,
    profile BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, invitation_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_invitations_token ON user_invitations (tenant_id, token_hash);
CREATE INDEX user_invitations_email ON user_invitations (tenant_id, email_index);
CREATE INDEX user_invitations_expiry ON user_invitations (tenant_id, expires_at);

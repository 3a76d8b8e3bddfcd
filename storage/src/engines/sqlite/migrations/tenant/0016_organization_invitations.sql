-- Invitations to organizations, the domains they claim, and who left them.

-- email is sealed and found by the index under which it is an address of a user; token_hash is there while the invitation
-- is open; user_id is who accepted
CREATE TABLE organization_invitations (
    tenant_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    invitation_id BLOB NOT NULL CHECK (length(invitation_id) = 16),
    email_index BLOB NOT NULL CHECK (length(email_index) = 32),
    email BLOB NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked', 'expired')),
    token_hash BLOB,
    invited_by TEXT NOT NULL,
    user_id BLOB,
    created_at INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, organization_id, invitation_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX organization_invitations_pending ON organization_invitations
    (tenant_id, organization_id, email_index) WHERE state = 'pending';
CREATE UNIQUE INDEX organization_invitations_token ON organization_invitations (tenant_id, token_hash);
CREATE INDEX organization_invitations_email ON organization_invitations (tenant_id, email_index, invitation_id);
CREATE INDEX organization_invitations_user ON organization_invitations (tenant_id, user_id);

-- domain is sealed; challenge is public, it stands in the DNS
CREATE TABLE organization_domains (
    tenant_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    domain_id BLOB NOT NULL CHECK (length(domain_id) = 16),
    domain_index BLOB NOT NULL CHECK (length(domain_index) = 32),
    domain BLOB NOT NULL,
    challenge TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('automatic', 'suggested')),
    role TEXT NOT NULL,
    verified_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, organization_id, domain_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX organization_domains_domain ON organization_domains (tenant_id, organization_id, domain_index);
CREATE UNIQUE INDEX organization_domains_verified ON organization_domains (tenant_id, domain_index)
    WHERE verified_at IS NOT NULL;

-- whoever left or was removed does not come back by the domain of an address
CREATE TABLE organization_departures (
    tenant_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    left_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, organization_id, user_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX organization_departures_user ON organization_departures (tenant_id, user_id);

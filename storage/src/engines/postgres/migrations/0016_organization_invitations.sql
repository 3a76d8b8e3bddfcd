-- Invitations to organizations, the domains they claim, and who left them.

-- email is sealed and found by the index under which it is an address of a user; token_hash is there while the invitation
-- is open; user_id is who accepted
CREATE TABLE organization_invitations (
    tenant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    email_index bytea NOT NULL CHECK (octet_length(email_index) = 32),
    email bytea NOT NULL,
    role text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked', 'expired')),
    token_hash bytea,
    invited_by text COLLATE "C" NOT NULL,
    user_id uuid,
    created_at bigint NOT NULL,
    sent_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    ended_at bigint,
    version bigint NOT NULL,
    CONSTRAINT "organization_invitations.invitation_id" PRIMARY KEY (tenant_id, organization_id, invitation_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
);

CREATE UNIQUE INDEX "organization_invitations.pending" ON organization_invitations
    (tenant_id, organization_id, email_index) WHERE state = 'pending';
CREATE UNIQUE INDEX "organization_invitations.token" ON organization_invitations (tenant_id, token_hash);
CREATE INDEX organization_invitations_email ON organization_invitations (tenant_id, email_index, invitation_id);
CREATE INDEX organization_invitations_user ON organization_invitations (tenant_id, user_id);

-- domain is sealed; challenge is public, it stands in the DNS
CREATE TABLE organization_domains (
    tenant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    domain_id uuid NOT NULL,
    domain_index bytea NOT NULL CHECK (octet_length(domain_index) = 32),
    domain bytea NOT NULL,
    challenge text COLLATE "C" NOT NULL,
    mode text COLLATE "C" NOT NULL CHECK (mode IN ('automatic', 'suggested')),
    role text COLLATE "C" NOT NULL,
    verified_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "organization_domains.domain_id" PRIMARY KEY (tenant_id, organization_id, domain_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
);

CREATE UNIQUE INDEX "organization_domains.domain" ON organization_domains (tenant_id, organization_id, domain_index);
CREATE UNIQUE INDEX "organization_domains.verified" ON organization_domains (tenant_id, domain_index)
    WHERE verified_at IS NOT NULL;

-- whoever left or was removed does not come back by the domain of an address
CREATE TABLE organization_departures (
    tenant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    left_at bigint NOT NULL,
    CONSTRAINT "organization_departures.user_id" PRIMARY KEY (tenant_id, organization_id, user_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
);

CREATE INDEX organization_departures_user ON organization_departures (tenant_id, user_id);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    name text;
BEGIN
    FOREACH name IN ARRAY
        ARRAY['organization_invitations', 'organization_domains', 'organization_departures'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
END
$$;

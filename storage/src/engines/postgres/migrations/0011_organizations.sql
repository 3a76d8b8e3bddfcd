-- Groups of users, and who belongs to them.

-- name and metadata are sealed; owners counts the members of that role, so that none of them can be the last to go
CREATE TABLE organizations (
    tenant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    slug text COLLATE "C" NOT NULL,
    name bytea NOT NULL,
    metadata bytea NOT NULL,
    owners bigint NOT NULL CHECK (owners > 0),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "organizations.organization_id" PRIMARY KEY (tenant_id, organization_id)
);

CREATE UNIQUE INDEX "organizations.slug" ON organizations (tenant_id, slug);

CREATE TABLE organization_members (
    tenant_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "organization_members.user_id" PRIMARY KEY (tenant_id, organization_id, user_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

CREATE INDEX organization_members_user ON organization_members (tenant_id, user_id, organization_id);

-- What other nodes look for, with the events of this capability.
DROP INDEX ledger_entries_changes;
CREATE INDEX ledger_entries_changes ON ledger_entries (tenant_id, seq)
    WHERE event IN ('api_key.issued', 'api_key.revoked', 'api_key.rotated', 'flag.changed', 'flag.deleted',
                    'grant.created', 'grant.deleted', 'organization.deleted', 'organization.member.added',
                    'organization.member.removed', 'organization.member.role_changed', 'policy.activated',
                    'role.changed', 'role.created', 'role.deleted', 'service_account.changed',
                    'service_account.deleted', 'session.revoked', 'tenant.changed', 'tenant.data_key.rotated',
                    'tenant.deleted', 'tenant.signing_key.rotated', 'user.sessions_revoked');

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['organizations', 'organization_members'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
END
$$;

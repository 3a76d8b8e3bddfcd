-- Roles, and what is granted to whom.

-- one row for a tenant: the version of the set of all its roles, so that of two changes at once one is refused
CREATE TABLE role_sets (
    tenant_id uuid NOT NULL CONSTRAINT "role_sets.tenant_id" PRIMARY KEY,
    version bigint NOT NULL
);

-- permissions and inherits are JSON lists of texts
CREATE TABLE roles (
    tenant_id uuid NOT NULL,
    role_id uuid NOT NULL,
    role_key text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    level text COLLATE "C" NOT NULL CHECK (level IN ('tenant', 'organization')),
    permissions text COLLATE "C" NOT NULL,
    inherits text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "roles.role_id" PRIMARY KEY (tenant_id, role_id),
    CONSTRAINT "roles.key" UNIQUE (tenant_id, role_key)
);

-- resource is sealed, resource_index and fingerprint (of all a grant says but its expiry) are keyed hashes
CREATE TABLE grants (
    tenant_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    subject_kind text COLLATE "C" NOT NULL CHECK (subject_kind IN ('user', 'service_account')),
    subject_id uuid NOT NULL,
    role_id uuid,
    permission text COLLATE "C",
    organization_id uuid,
    resource_index bytea CHECK (octet_length(resource_index) = 32),
    resource bytea,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    created_at bigint NOT NULL,
    expires_at bigint,
    CONSTRAINT "grants.grant_id" PRIMARY KEY (tenant_id, grant_id),
    CONSTRAINT "grants.fingerprint" UNIQUE (tenant_id, fingerprint),
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, role_id),
    CHECK ((role_id IS NULL) <> (permission IS NULL)),
    CHECK ((resource IS NULL) = (resource_index IS NULL)),
    CHECK (resource IS NULL OR organization_id IS NULL)
);

CREATE INDEX grants_subject ON grants (tenant_id, subject_id, grant_id);
CREATE INDEX grants_resource ON grants (tenant_id, resource_index, grant_id) WHERE resource_index IS NOT NULL;
CREATE INDEX grants_organization ON grants (tenant_id, organization_id, subject_id) WHERE organization_id IS NOT NULL;
CREATE INDEX grants_everywhere ON grants (tenant_id, subject_id)
    WHERE organization_id IS NULL AND resource_index IS NULL;
CREATE INDEX grants_role ON grants (tenant_id, role_id) WHERE role_id IS NOT NULL;

-- what other nodes look for; the list is the one of the query, or the planner would not use it
DROP INDEX ledger_entries_changes;
CREATE INDEX ledger_entries_changes ON ledger_entries (tenant_id, seq)
    WHERE event IN ('api_key.issued', 'api_key.revoked', 'api_key.rotated', 'flag.changed',
                    'flag.deleted', 'grant.created', 'grant.deleted', 'role.changed',
                    'role.created', 'role.deleted', 'service_account.changed', 'service_account.deleted',
                    'session.revoked', 'tenant.changed', 'tenant.data_key.rotated', 'tenant.deleted',
                    'tenant.signing_key.rotated', 'user.sessions_revoked');

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['role_sets', 'roles', 'grants'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        -- IS TRUE for the reason given in 0001
        EXECUTE format('CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
END
$$;

-- One database for the platform and all tenants.
--
-- A transaction says whose rows it is about: SET LOCAL plinto.scope = '<tenant id>', the nil id for the platform.
-- Row-level security is forced on every table, so without a scope nothing is seen, not even by the owner.
-- tenant_id comes first in every key and index of a tenant's table, as distribution by tenant needs it.
-- Uniqueness rules carry the names by which the application knows them.

-- The platform.

CREATE TABLE schema_migrations (
    version bigint NOT NULL CONSTRAINT "schema_migrations.version" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    -- the oldest build, by the schema it knows, that may serve with this schema
    oldest_compatible bigint NOT NULL
);

-- tenants that have storage
CREATE TABLE tenant_storage (
    tenant_id uuid NOT NULL CONSTRAINT "tenant_storage.tenant_id" PRIMARY KEY
);

CREATE TABLE master_checks (
    name text COLLATE "C" NOT NULL CONSTRAINT "master_checks.name" PRIMARY KEY,
    check_value bytea NOT NULL CHECK (octet_length(check_value) = 32)
);

-- name and settings are sealed, and gone once the tenant is deleted
CREATE TABLE tenants (
    tenant_id uuid NOT NULL CONSTRAINT "tenants.tenant_id" PRIMARY KEY,
    slug text COLLATE "C" NOT NULL,
    name bytea,
    settings bytea,
    state text COLLATE "C" NOT NULL CHECK (state IN ('active', 'deleted')),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CHECK ((state = 'active') = (name IS NOT NULL AND settings IS NOT NULL))
);

-- a slug is free again when its tenant is deleted
CREATE UNIQUE INDEX "tenants.slug" ON tenants (slug) WHERE state = 'active';
CREATE INDEX tenants_deleted ON tenants (tenant_id) WHERE state = 'deleted';

-- the nil tenant_id is the platform; no foreign key, because it is in no other table
CREATE TABLE tenant_keys (
    tenant_id uuid NOT NULL,
    purpose text COLLATE "C" NOT NULL CHECK (purpose IN ('data', 'index')),
    version bigint NOT NULL CHECK (version > 0),
    wrapped bytea NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT "tenant_keys.version" PRIMARY KEY (tenant_id, purpose, version)
);

CREATE TABLE api_keys (
    key_id uuid NOT NULL CONSTRAINT "api_keys.key_id" PRIMARY KEY,
    tenant_id uuid,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('platform', 'service')),
    name text COLLATE "C" NOT NULL,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at bigint NOT NULL,
    revoked_at bigint
);

CREATE INDEX api_keys_active ON api_keys (key_id) WHERE revoked_at IS NULL;

-- written only to learn whether a server that refused a write has recovered
CREATE TABLE write_probes (
    name text COLLATE "C" NOT NULL CONSTRAINT "write_probes.name" PRIMARY KEY,
    writes bigint NOT NULL
);

-- Tenants.

CREATE TABLE users (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('active', 'blocked')),
    name bytea,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "users.user_id" PRIMARY KEY (tenant_id, user_id)
);

-- email_index is a keyed hash of the normalized address, email is sealed
CREATE TABLE user_emails (
    tenant_id uuid NOT NULL,
    email_index bytea NOT NULL CHECK (octet_length(email_index) = 32),
    user_id uuid NOT NULL,
    email bytea NOT NULL,
    verified_at bigint,
    is_primary bigint NOT NULL CHECK (is_primary IN (0, 1)),
    created_at bigint NOT NULL,
    CONSTRAINT "user_emails.email" PRIMARY KEY (tenant_id, email_index),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

CREATE INDEX user_emails_user ON user_emails (tenant_id, user_id);

CREATE TABLE credentials (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    secret bytea NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "credentials.kind" PRIMARY KEY (tenant_id, user_id, kind),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

CREATE TABLE sessions (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at bigint NOT NULL,
    authenticated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    amr text COLLATE "C" NOT NULL,
    client bytea,
    refresh_generation bigint NOT NULL,
    refresh_hash bytea NOT NULL CHECK (octet_length(refresh_hash) = 32),
    key_version bigint NOT NULL,
    revoked_at bigint,
    revoked_reason text COLLATE "C",
    version bigint NOT NULL,
    -- when and by which client (a keyed hash) the refresh token was last rotated
    rotated_at bigint NOT NULL DEFAULT 0,
    refresh_client bytea,
    CONSTRAINT "sessions.session_id" PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
-- room for the next version of a row on its own page, so that a refresh touches no index
) WITH (fillfactor = 70);

CREATE INDEX sessions_user ON sessions (tenant_id, user_id, session_id);

CREATE TABLE signing_keys (
    tenant_id uuid NOT NULL,
    kid text COLLATE "C" NOT NULL,
    alg text COLLATE "C" NOT NULL,
    private_key bytea NOT NULL,
    public_jwk text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('active', 'retiring')),
    created_at bigint NOT NULL,
    not_after bigint,
    CONSTRAINT "signing_keys.kid" PRIMARY KEY (tenant_id, kid)
);

-- The ledgers of the tenants and, under the nil id, of the platform.

-- the row is locked by whoever commits for its scope, so a chain has neither fork nor gap
CREATE TABLE ledger_heads (
    tenant_id uuid NOT NULL CONSTRAINT "ledger_heads.tenant_id" PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);

CREATE TABLE ledger_entries (
    tenant_id uuid NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    event text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    data text COLLATE "C" NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT "ledger_entries.seq" PRIMARY KEY (tenant_id, seq)
);

-- what other nodes look for; the list is the one of the query, or the planner would not use it
CREATE INDEX ledger_entries_changes ON ledger_entries (tenant_id, seq)
    WHERE event IN ('api_key.issued', 'session.revoked', 'tenant.data_key.rotated', 'tenant.deleted',
                    'tenant.signing_key.rotated', 'user.sessions_revoked');

-- Who sees what.

DO $$
DECLARE
    -- a query of its own is run once for a statement, the bare expression once for every row
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
    platform constant text := quote_literal('00000000-0000-0000-0000-000000000000') || '::uuid';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'schema_migrations', 'tenant_storage', 'master_checks', 'tenants', 'tenant_keys', 'api_keys', 'write_probes'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY platform ON %1$I USING (%2$s = %3$s) WITH CHECK (%2$s = %3$s)',
            name, scope, platform);
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'users', 'user_emails', 'credentials', 'sessions', 'signing_keys', 'ledger_heads', 'ledger_entries'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        -- IS TRUE keeps the planner from using the policy to find rows: it would think that the whole tenant is a
        -- few rows, where its statistics are old. Statements name the tenant themselves.
        EXECUTE format('CREATE POLICY tenant ON %1$I USING ((tenant_id = %2$s) IS TRUE) WITH CHECK (tenant_id = %2$s)',
            name, scope);
    END LOOP;
    -- The platform may see how far every ledger is (sequence and hash, nothing else), so that one query tells a
    -- node which tenants others have written to.
    EXECUTE format('CREATE POLICY platform_sees ON ledger_heads FOR SELECT USING (%s = %s)', scope, platform);
END
$$;

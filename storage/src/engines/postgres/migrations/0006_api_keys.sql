-- Rights, expiry, rotation and owners of API keys. A key of the kind 'service' is a tenant's; whether it is secret or
-- publishable, `publishable` says. The previous version reads such keys as services' and refuses them by their hash.

ALTER TABLE api_keys
    ADD COLUMN publishable bigint NOT NULL DEFAULT 0 CHECK (publishable IN (0, 1)),
    -- separated by spaces; of no meaning for keys of the kind 'platform', which may do everything
    ADD COLUMN scopes text COLLATE "C" NOT NULL DEFAULT 'tokens:read',
    -- 0: secret_hash is a bare SHA-256; otherwise an HMAC under a key derived from the data key of this version
    ADD COLUMN hash_key_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN previous_hash bytea CHECK (octet_length(previous_hash) = 32),
    ADD COLUMN previous_key_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN previous_until bigint NOT NULL DEFAULT 0,
    ADD COLUMN service_account_id uuid,
    ADD COLUMN expires_at bigint,
    ADD COLUMN last_used_at bigint,
    ADD COLUMN version bigint NOT NULL DEFAULT 1;

CREATE INDEX api_keys_tenant ON api_keys (tenant_id, key_id);
CREATE INDEX api_keys_account ON api_keys (service_account_id) WHERE service_account_id IS NOT NULL;

CREATE TABLE service_accounts (
    account_id uuid NOT NULL CONSTRAINT "service_accounts.account_id" PRIMARY KEY,
    tenant_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    disabled bigint NOT NULL CHECK (disabled IN (0, 1)),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE INDEX service_accounts_tenant ON service_accounts (tenant_id, account_id);

ALTER TABLE service_accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON service_accounts
    USING ((SELECT nullif(current_setting('plinto.scope', true), '')::uuid)
        = '00000000-0000-0000-0000-000000000000'::uuid)
    WITH CHECK ((SELECT nullif(current_setting('plinto.scope', true), '')::uuid)
        = '00000000-0000-0000-0000-000000000000'::uuid);

-- More events that other nodes look for. An older build's list is within this one, so its query still finds the index.
DROP INDEX ledger_entries_changes;
CREATE INDEX ledger_entries_changes ON ledger_entries (tenant_id, seq)
    WHERE event IN ('api_key.issued', 'api_key.revoked', 'api_key.rotated', 'flag.changed', 'flag.deleted',
                    'service_account.changed', 'service_account.deleted', 'session.revoked', 'tenant.changed',
                    'tenant.data_key.rotated', 'tenant.deleted', 'tenant.signing_key.rotated',
                    'user.sessions_revoked');

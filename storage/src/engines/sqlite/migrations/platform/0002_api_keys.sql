-- Rights, expiry, rotation and owners of API keys. A key of the kind 'service' is a tenant's; whether it is secret or
-- publishable, `publishable` says.

ALTER TABLE api_keys ADD COLUMN publishable INTEGER NOT NULL DEFAULT 0 CHECK (publishable IN (0, 1));
-- separated by spaces; of no meaning for keys of the kind 'platform', which may do everything
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'tokens:read';
-- 0: secret_hash is a bare SHA-256; otherwise an HMAC under a key derived from the data key of this version
ALTER TABLE api_keys ADD COLUMN hash_key_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN previous_hash BLOB CHECK (previous_hash IS NULL OR length(previous_hash) = 32);
ALTER TABLE api_keys ADD COLUMN previous_key_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN previous_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN service_account_id BLOB
    CHECK (service_account_id IS NULL OR length(service_account_id) = 16);
ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
ALTER TABLE api_keys ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

CREATE INDEX api_keys_tenant ON api_keys (tenant_id, key_id);
CREATE INDEX api_keys_account ON api_keys (service_account_id) WHERE service_account_id IS NOT NULL;

CREATE TABLE service_accounts (
    account_id BLOB NOT NULL PRIMARY KEY CHECK (length(account_id) = 16),
    tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 16),
    name TEXT NOT NULL,
    description TEXT,
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX service_accounts_tenant ON service_accounts (tenant_id, account_id);

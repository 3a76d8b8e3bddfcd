-- The register of tenants and everything that belongs to the platform itself.

CREATE TABLE file_identity (
    tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE master_checks (
    name TEXT NOT NULL PRIMARY KEY,
    check_value BLOB NOT NULL CHECK (length(check_value) = 32)
) STRICT, WITHOUT ROWID;

-- name and settings are sealed, and gone once the tenant is deleted
CREATE TABLE tenants (
    tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    slug TEXT NOT NULL,
    name BLOB,
    settings BLOB,
    state TEXT NOT NULL CHECK (state IN ('active', 'deleted')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK ((state = 'active') = (name IS NOT NULL AND settings IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- a slug is free again when its tenant is deleted
CREATE UNIQUE INDEX tenants_slug ON tenants (slug) WHERE state = 'active';
CREATE INDEX tenants_deleted ON tenants (tenant_id) WHERE state = 'deleted';

-- the nil tenant_id is the platform; no foreign key, because it is in no other table
CREATE TABLE tenant_keys (
    tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 16),
    purpose TEXT NOT NULL CHECK (purpose IN ('data', 'index')),
    version INTEGER NOT NULL CHECK (version > 0),
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, purpose, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    key_id BLOB NOT NULL PRIMARY KEY CHECK (length(key_id) = 16),
    tenant_id BLOB CHECK (tenant_id IS NULL OR length(tenant_id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('platform', 'service')),
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_active ON api_keys (key_id) WHERE revoked_at IS NULL;

-- written only to learn whether a disk that refused a write has recovered
CREATE TABLE write_probes (
    name TEXT NOT NULL PRIMARY KEY,
    writes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_heads (
    tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_entries (
    tenant_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL,
    prev_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

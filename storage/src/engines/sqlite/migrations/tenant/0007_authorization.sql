-- Roles, and what is granted to whom.

-- one row: the version of the set of all roles, so that of two changes at once one is refused
CREATE TABLE role_sets (
    tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- permissions and inherits are JSON lists of texts
CREATE TABLE roles (
    tenant_id BLOB NOT NULL,
    role_id BLOB NOT NULL CHECK (length(role_id) = 16),
    role_key TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('tenant', 'organization')),
    permissions TEXT NOT NULL,
    inherits TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, role_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX roles_key ON roles (tenant_id, role_key);

-- resource is sealed, resource_index and fingerprint (of all a grant says but its expiry) are keyed hashes
CREATE TABLE grants (
    tenant_id BLOB NOT NULL,
    grant_id BLOB NOT NULL CHECK (length(grant_id) = 16),
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('user', 'service_account')),
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    role_id BLOB,
    permission TEXT,
    organization_id BLOB CHECK (organization_id IS NULL OR length(organization_id) = 16),
    resource_index BLOB CHECK (resource_index IS NULL OR length(resource_index) = 32),
    resource BLOB,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (tenant_id, grant_id),
    FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, role_id),
    CHECK ((role_id IS NULL) <> (permission IS NULL)),
    CHECK ((resource IS NULL) = (resource_index IS NULL)),
    CHECK (resource IS NULL OR organization_id IS NULL)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX grants_fingerprint ON grants (tenant_id, fingerprint);
CREATE INDEX grants_subject ON grants (tenant_id, subject_id, grant_id);
CREATE INDEX grants_resource ON grants (tenant_id, resource_index, grant_id) WHERE resource_index IS NOT NULL;
CREATE INDEX grants_organization ON grants (tenant_id, organization_id, subject_id) WHERE organization_id IS NOT NULL;
CREATE INDEX grants_everywhere ON grants (tenant_id, subject_id)
    WHERE organization_id IS NULL AND resource_index IS NULL;
CREATE INDEX grants_role ON grants (tenant_id, role_id) WHERE role_id IS NOT NULL;

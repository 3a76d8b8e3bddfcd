-- Groups of users, and who belongs to them.

-- name and metadata are sealed; owners counts the members of that role, so that none of them can be the last to go
CREATE TABLE organizations (
    tenant_id BLOB NOT NULL,
    organization_id BLOB NOT NULL CHECK (length(organization_id) = 16),
    slug TEXT NOT NULL,
    name BLOB NOT NULL,
    metadata BLOB NOT NULL,
    owners INTEGER NOT NULL CHECK (owners > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, organization_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX organizations_slug ON organizations (tenant_id, slug);

CREATE TABLE organization_members (
    tenant_id BLOB NOT NULL,
    organization_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, organization_id, user_id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX organization_members_user ON organization_members (tenant_id, user_id, organization_id);

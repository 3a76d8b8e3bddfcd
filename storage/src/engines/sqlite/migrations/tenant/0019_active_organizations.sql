-- The organization a session is active in, and what organizations ask of such sessions.

-- null in one is null in all but the end, which not every organization sets; a role is that of the member
ALTER TABLE sessions ADD COLUMN organization_id BLOB;
ALTER TABLE sessions ADD COLUMN organization_role TEXT;
ALTER TABLE sessions ADD COLUMN organization_until INTEGER;

-- for what ends with a membership
CREATE INDEX sessions_organization ON sessions (tenant_id, organization_id, user_id)
    WHERE organization_id IS NOT NULL;

ALTER TABLE organizations ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE organizations ADD COLUMN policy_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE organizations ADD COLUMN policy_updated_at INTEGER NOT NULL DEFAULT 0;

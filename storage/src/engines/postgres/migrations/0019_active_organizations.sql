-- The organization a session is active in, and what organizations ask of such sessions.

-- null in one is null in all but the end, which not every organization sets; a role is that of the member
ALTER TABLE sessions
    ADD COLUMN organization_id uuid,
    ADD COLUMN organization_role text COLLATE "C",
    ADD COLUMN organization_until bigint;

-- for what ends with a membership
CREATE INDEX sessions_organization ON sessions (tenant_id, organization_id, user_id)
    WHERE organization_id IS NOT NULL;

ALTER TABLE organizations
    ADD COLUMN policy text COLLATE "C" NOT NULL DEFAULT '{}',
    ADD COLUMN policy_version bigint NOT NULL DEFAULT 1,
    ADD COLUMN policy_updated_at bigint NOT NULL DEFAULT 0;

-- What other nodes look for, with the events of this capability.
DROP INDEX ledger_entries_changes;
CREATE INDEX ledger_entries_changes ON ledger_entries (tenant_id, seq)
    WHERE event IN ('api_key.issued', 'api_key.revoked', 'api_key.rotated', 'flag.changed', 'flag.created',
                    'flag.deleted', 'grant.created', 'grant.deleted', 'organization.deleted',
                    'organization.member.added', 'organization.member.removed',
                    'organization.member.role_changed', 'policy.activated', 'role.changed', 'role.created',
                    'role.deleted', 'service_account.changed', 'service_account.deleted', 'session.organization_changed',
                    'session.revoked', 'tenant.changed', 'tenant.data_key.rotated', 'tenant.deleted', 'tenant.signing_key.rotated',
                    'user.changed', 'user.email_added', 'user.email_proved', 'user.email_removed',
                    'user.email_verified', 'user.erased', 'user.primary_email_changed', 'user.purged',
                    'user.sessions_revoked');

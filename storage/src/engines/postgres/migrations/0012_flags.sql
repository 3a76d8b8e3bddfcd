-- Feature flags. The definition is sealed: rules may name people's addresses.

CREATE TABLE flags (
    tenant_id uuid NOT NULL,
    flag_key text COLLATE "C" NOT NULL,
    definition bytea NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "flags.flag_key" PRIMARY KEY (tenant_id, flag_key)
);

-- What other nodes look for, with the events of this capability and those of the attributes that flags ask for.
DROP INDEX ledger_entries_changes;
CREATE INDEX ledger_entries_changes ON ledger_entries (tenant_id, seq)
    WHERE event IN ('api_key.issued', 'api_key.revoked', 'api_key.rotated', 'flag.changed', 'flag.created',
                    'flag.deleted', 'grant.created', 'grant.deleted', 'organization.deleted',
                    'organization.member.added', 'organization.member.removed',
                    'organization.member.role_changed', 'policy.activated', 'role.changed', 'role.created',
                    'role.deleted', 'service_account.changed', 'service_account.deleted', 'session.revoked',
                    'tenant.changed', 'tenant.data_key.rotated', 'tenant.deleted', 'tenant.signing_key.rotated',
                    'user.changed', 'user.email_added', 'user.email_proved', 'user.email_removed',
                    'user.email_verified', 'user.erased', 'user.primary_email_changed', 'user.purged',
                    'user.sessions_revoked');

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE flags ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON flags USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)',
        scope);
END
$$;

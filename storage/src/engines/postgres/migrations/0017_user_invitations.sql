-- Invitations to become a user: there is none before one is accepted. The address and what is known besides are sealed;
-- the token of the link is known by its keyed hash.

CREATE TABLE user_invitations (
    tenant_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    email_index bytea NOT NULL CHECK (octet_length(email_index) = 32),
    email bytea NOT NULL,
    profile bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT "user_invitations.invitation_id" PRIMARY KEY (tenant_id, invitation_id)
);

CREATE INDEX user_invitations_token ON user_invitations (tenant_id, token_hash);
CREATE INDEX user_invitations_email ON user_invitations (tenant_id, email_index);
CREATE INDEX user_invitations_expiry ON user_invitations (tenant_id, expires_at);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE user_invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON user_invitations USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)', scope);
END
$$;

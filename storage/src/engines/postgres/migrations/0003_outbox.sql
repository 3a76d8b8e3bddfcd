-- Mail to be sent, committed with what causes it. message (recipient and content) is sealed, and NULL once the mail was
-- sent or given up; next_attempt_at then says when the row may go.

CREATE TABLE outbox (
    tenant_id uuid NOT NULL,
    mail_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts bigint NOT NULL,
    next_attempt_at bigint NOT NULL,
    useful_until bigint NOT NULL,
    created_at bigint NOT NULL,
    once text COLLATE "C",
    message bytea,
    version bigint NOT NULL,
    CONSTRAINT "outbox.mail_id" PRIMARY KEY (tenant_id, mail_id),
    CONSTRAINT "outbox.once" UNIQUE (tenant_id, once)
);

CREATE INDEX outbox_due ON outbox (tenant_id, state, next_attempt_at, mail_id);

DO $$
DECLARE
    scope constant text := '(SELECT nullif(current_setting(''plinto.scope'', true), '''')::uuid)';
BEGIN
    EXECUTE 'ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY';
    EXECUTE format('CREATE POLICY tenant ON outbox USING ((tenant_id = %1$s) IS TRUE) WITH CHECK (tenant_id = %1$s)', scope);
END
$$;

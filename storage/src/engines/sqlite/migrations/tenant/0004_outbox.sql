-- Mail to be sent, committed with what causes it. message (recipient and content) is sealed, and NULL once the mail was
-- sent or given up; next_attempt_at then says when the row may go.

CREATE TABLE outbox (
    tenant_id BLOB NOT NULL,
    mail_id BLOB NOT NULL CHECK (length(mail_id) = 16),
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    useful_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    once TEXT,
    message BLOB,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, mail_id),
    UNIQUE (tenant_id, once)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (tenant_id, state, next_attempt_at, mail_id);

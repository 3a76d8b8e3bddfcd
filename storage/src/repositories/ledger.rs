//! Texts for the ledger of a scope: its head and its entries. Only engines write them.

use uuid::Uuid;

use crate::engine::Statement;
use crate::ledger::Head;

statements! {
    HEAD = "SELECT seq, hash FROM ledger_heads WHERE tenant_id = $1";
    SET_HEAD = "UPDATE ledger_heads SET seq = $2, hash = $3 WHERE tenant_id = $1";
    CREATE_HEAD = "INSERT INTO ledger_heads (tenant_id, seq, hash) VALUES ($1, $2, $3) \
                   ON CONFLICT (tenant_id) DO NOTHING";
    APPEND = "INSERT INTO ledger_entries (tenant_id, seq, at, event, actor, subject, data, prev_hash, hash) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    PAGE = "SELECT seq, at, event, actor, subject, data, prev_hash, hash FROM ledger_entries \
            WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    CHANGES = "SELECT seq, event, subject FROM ledger_entries WHERE tenant_id = $1 AND seq > $2 \
               AND event IN ('api_key.issued', 'session.revoked', 'tenant.data_key.rotated', 'tenant.deleted', \
               'tenant.signing_key.rotated', 'user.sessions_revoked') ORDER BY seq LIMIT $3";
}

/// The events [`changes`] finds. They stand in its text as literals, so that a partial index can serve it.
pub(crate) const CHANGING: &[&str] = &[
    "api_key.issued",
    "session.revoked",
    "tenant.data_key.rotated",
    "tenant.deleted",
    "tenant.signing_key.rotated",
    "user.sessions_revoked",
];

pub(crate) fn head(id: Uuid) -> Statement {
    Statement::new(HEAD, vec![id.into()])
}

pub(crate) fn set_head(id: Uuid, head: &Head) -> Statement {
    Statement::new(SET_HEAD, vec![id.into(), head.seq.into(), head.hash.into()])
}

pub(crate) fn page(id: Uuid, after_seq: i64, limit: u32) -> Statement {
    Statement::new(PAGE, vec![id.into(), after_seq.into(), limit.into()])
}

pub(crate) fn changes(id: Uuid, after_seq: i64, limit: u32) -> Statement {
    Statement::new(CHANGES, vec![id.into(), after_seq.into(), limit.into()])
}

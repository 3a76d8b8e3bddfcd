//! Texts for the ledger of a scope: its head and its entries. Only engines write them, and pruning removes the oldest.
//!
//! Names are compared together with sequences, as one value, because only then does SQLite take the index over both.

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
    AT = "SELECT seq, at FROM ledger_entries WHERE tenant_id = $1 AND seq >= $2 ORDER BY seq LIMIT 1";
    ALL_UPWARD = "SELECT seq, at, event, actor, subject, data, prev_hash, hash FROM ledger_entries \
                  WHERE tenant_id = $1 AND seq > $2 AND seq < $3 ORDER BY seq LIMIT $4";
    ALL_DOWNWARD = "SELECT seq, at, event, actor, subject, data, prev_hash, hash FROM ledger_entries \
                    WHERE tenant_id = $1 AND seq > $2 AND seq < $3 ORDER BY seq DESC LIMIT $4";
    OF_SUBJECT_UPWARD = "SELECT seq, at, event, actor, subject, data, prev_hash, hash FROM ledger_entries \
                         WHERE tenant_id = $1 AND (subject, seq) > ($5, $2) AND (subject, seq) < ($5, $3) \
                         AND event <> 'session.refreshed' ORDER BY subject, seq LIMIT $4";
    OF_SUBJECT_DOWNWARD = "SELECT seq, at, event, actor, subject, data, prev_hash, hash FROM ledger_entries \
                           WHERE tenant_id = $1 AND (subject, seq) > ($5, $2) AND (subject, seq) < ($5, $3) \
                           AND event <> 'session.refreshed' ORDER BY subject DESC, seq DESC LIMIT $4";
    OF_ACTOR_UPWARD = "SELECT seq, at, event, actor, subject, data, prev_hash, hash FROM ledger_entries \
                       WHERE tenant_id = $1 AND (actor, seq) > ($5, $2) AND (actor, seq) < ($5, $3) \
                       AND event <> 'session.refreshed' ORDER BY actor, seq LIMIT $4";
    OF_ACTOR_DOWNWARD = "SELECT seq, at, event, actor, subject, data, prev_hash, hash FROM ledger_entries \
                         WHERE tenant_id = $1 AND (actor, seq) > ($5, $2) AND (actor, seq) < ($5, $3) \
                         AND event <> 'session.refreshed' ORDER BY actor DESC, seq DESC LIMIT $4";
    FIRST_SINCE = "SELECT seq FROM ledger_entries WHERE tenant_id = $1 AND at >= $2 ORDER BY seq LIMIT 1";
    PRUNE = "DELETE FROM ledger_entries WHERE tenant_id = $1 AND seq > $2 AND seq <= $3";
    CHANGES = "SELECT seq, event, subject FROM ledger_entries WHERE tenant_id = $1 AND seq > $2 \
               AND event IN ('api_key.issued', 'api_key.revoked', 'api_key.rotated', 'flag.changed', 'flag.created', \
               'flag.deleted', 'grant.created', 'grant.deleted', \
               'organization.deleted', 'organization.member.added', 'organization.member.removed', \
               'organization.member.role_changed', 'policy.activated', 'role.changed', 'role.created', 'role.deleted', 'service_account.changed', 'service_account.deleted', \
               'session.organization_changed', 'session.revoked', 'tenant.changed', 'tenant.data_key.rotated', 'tenant.deleted', \
               'tenant.signing_key.rotated', 'user.changed', 'user.email_added', 'user.email_proved', \
               'user.email_removed', 'user.email_verified', 'user.erased', 'user.primary_email_changed', \
               'user.purged', 'user.sessions_revoked') ORDER BY seq LIMIT $3";
}

/// The events [`changes`] finds. They stand in its text as literals, so that a partial index can serve it.
pub(crate) const CHANGING: &[&str] = &[
    "api_key.issued",
    "api_key.revoked",
    "api_key.rotated",
    "flag.changed",
    "flag.created",
    "flag.deleted",
    "grant.created",
    "grant.deleted",
    "organization.deleted",
    "organization.member.added",
    "organization.member.removed",
    "organization.member.role_changed",
    "policy.activated",
    "role.changed",
    "role.created",
    "role.deleted",
    "service_account.changed",
    "service_account.deleted",
    "session.organization_changed",
    "session.revoked",
    "tenant.changed",
    "tenant.data_key.rotated",
    "tenant.deleted",
    "tenant.signing_key.rotated",
    "user.changed",
    "user.email_added",
    "user.email_proved",
    "user.email_removed",
    "user.email_verified",
    "user.erased",
    "user.primary_email_changed",
    "user.purged",
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

/// The first entry of a time or later, in order of sequence: it reads through what is older.
pub(crate) fn first_since(id: Uuid, at: i64) -> Statement {
    Statement::new(FIRST_SINCE, vec![id.into(), at.into()])
}

/// Removes the entries behind `after` up to `last`; all of them must be there, or it is the conflict `ledger_prefix`.
pub(crate) fn prune(id: Uuid, after: i64, last: i64) -> Statement {
    let count = last.abs_diff(after);
    Statement::new(PRUNE, vec![id.into(), after.into(), last.into()]).expecting(count, "ledger_prefix")
}

/// The event the indexes over actors and subjects leave out; it stands in their texts as a literal.
pub(crate) const ROUTINE: &str = "session.refreshed";

/// Sequence and time of the first entry at or behind a sequence.
pub(crate) fn at(id: Uuid, seq: i64) -> Statement {
    Statement::new(AT, vec![id.into(), seq.into()])
}

/// Entries between two sequences, both exclusive, in the order and by the index that `text` stands for.
pub(crate) fn between(
    text: &'static str,
    id: Uuid,
    (above, below): (i64, i64),
    limit: u32,
    name: Option<&str>,
) -> Statement {
    let mut params = vec![id.into(), above.into(), below.into(), limit.into()];
    params.extend(name.map(Into::into));
    Statement::new(text, params)
}

pub(crate) fn changes(id: Uuid, after_seq: i64, limit: u32) -> Statement {
    Statement::new(CHANGES, vec![id.into(), after_seq.into(), limit.into()])
}

//! Checkpoints at which pruned ledgers begin. They are signed, and never changed.

use uuid::Uuid;

use crate::engine::Statement;
use crate::ledger::Checkpoint;

statements! {
    INSERT = "INSERT INTO ledger_checkpoints (tenant_id, seq, verifier, note) VALUES ($1, $2, $3, $4)";
    LATEST = "SELECT seq, verifier, note FROM ledger_checkpoints WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1";
    LIST = "SELECT seq, verifier, note FROM ledger_checkpoints WHERE tenant_id = $1 ORDER BY seq DESC LIMIT $2";
}

pub(crate) fn insert(tenant: Uuid, checkpoint: &Checkpoint) -> Statement {
    Statement::new(
        INSERT,
        vec![
            tenant.into(),
            checkpoint.seq.into(),
            checkpoint.verifier.as_str().into(),
            checkpoint.note.as_str().into(),
        ],
    )
}

pub(crate) fn latest(tenant: Uuid) -> Statement {
    Statement::new(LATEST, vec![tenant.into()])
}

pub(crate) fn list(tenant: Uuid, limit: u32) -> Statement {
    Statement::new(LIST, vec![tenant.into(), limit.into()])
}

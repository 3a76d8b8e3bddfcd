//! How long a tenant's ledger is kept: pruning by its settings, on demand and once a day.

use super::{Inner, Platform};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::privacy::{LEGAL_HOLD, PrivacyEvent, cutoff};
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::Unit;
use plinto_storage::ledger::{self, Checkpoint, NoteSigner, VerifyError};
use plinto_storage::repositories::legal_holds;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Entries removed in one transaction: others of the tenant wait no longer than for that.
const BATCH: u32 = 5_000;
/// Transactions of one request.
const BATCHES: usize = 20;
/// From the start to the first sweep.
const FIRST_SWEEP: Duration = Duration::from_secs(600);
/// From one sweep to the next.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(86_400);
/// Time one tenant has in a sweep for each request's worth of entries.
const OF_ONE_TENANT: Duration = Duration::from_secs(60);
/// Tenants looked at together.
const TENANTS: u32 = 200;

/// Where a pruned ledger begins.
#[derive(Clone, Debug)]
pub struct CheckpointView {
    /// First entry that was removed with it.
    pub first_seq: i64,
    /// Last one.
    pub seq: i64,
    /// SHA-256 of that one: the next entry names it.
    pub hash: [u8; 32],
    /// Time of the first one.
    pub oldest_at: Timestamp,
    /// Time of the last one.
    pub newest_at: Timestamp,
    /// When they were removed.
    pub pruned_at: Timestamp,
    /// The signed note (C2SP signed-note).
    pub note: String,
    /// Whether this tenant's key signed it.
    pub is_ours: bool,
}

/// What pruning did.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// Entries removed.
    pub entries: u64,
    /// Whether there is more to remove: ask again.
    pub more: bool,
    /// Where the ledger begins now, if anything was ever removed.
    pub checkpoint: Option<CheckpointView>,
}

impl Platform {
    /// Removes the entries of a tenant's ledger that are older than its settings keep them, and leaves a signed
    /// checkpoint in their place.
    pub async fn prune_audit(
        &self,
        tenant: TenantId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<Pruned, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let now = work.now();
        let held = work.read(|| legal_holds::any(work.engine(), work.vault())).await?.is_some();
        let before = cutoff(work.cell().settings.audit.retention_days, held, now)?;
        let (mut entries, mut more) = (0, true);
        for _ in 0..BATCHES {
            let (before, at) = (before.as_millis(), now.as_millis());
            let pruning =
                work.read(|| ledger::prunable(work.engine(), work.vault(), before, at, BATCH)).await?;
            let Some(pruning) = pruning else {
                more = false;
                break;
            };
            let (first, through) = (pruning.summary.first_seq, pruning.summary.head.seq);
            let removed = through.abs_diff(first) + 1;
            let event = Event::Privacy(PrivacyEvent::Pruned { tenant, through, entries: removed });
            let unit =
                Unit { statements: pruning.statements, entries: persist::entries(&[event], actor, now) };
            work.commit(unit).await?.map_err(refused)?;
            entries += removed;
        }
        let scope = plinto_storage::Scope::Tenant(tenant.uuid());
        let newest = work.read(|| ledger::checkpoint(work.engine(), scope)).await?;
        let own = NoteSigner::of(work.vault()).verifier();
        let checkpoint = newest.map(|checkpoint| view(tenant, checkpoint, &own)).transpose()?;
        Ok(Pruned { entries, more, checkpoint })
    }

    /// The key that signs a tenant's checkpoints, for who wants to keep it elsewhere, and the newest checkpoints.
    pub async fn audit_checkpoints(
        &self,
        tenant: TenantId,
        limit: u32,
        deadline: Deadline,
    ) -> Result<(String, Vec<CheckpointView>), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let found = work.read(|| ledger::checkpoints(work.engine(), tenant.uuid(), limit)).await?;
        let own = NoteSigner::of(work.vault()).verifier();
        let views = found.into_iter().map(|checkpoint| view(tenant, checkpoint, &own));
        let views = views.collect::<Result<_, _>>()?;
        Ok((own, views))
    }

    /// Prunes the ledger of every tenant whose settings ask for it. A tenant that fails does not hold up the others.
    pub async fn sweep_audit(&self) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let tenants = self.tenants(after, TENANTS).await?;
            let Some(last) = tenants.last() else { return Ok(()) };
            after = Some(last.id);
            for tenant in tenants.iter().filter(|tenant| tenant.settings.audit.retention_days.is_some()) {
                if let Err(error) = self.prune_all(tenant.id).await {
                    tracing::warn!(tenant = %tenant.id, %error, "the ledger is not pruned");
                }
            }
        }
    }

    async fn prune_all(&self, tenant: TenantId) -> Result<(), ServiceError> {
        loop {
            let deadline = Deadline::after(OF_ONE_TENANT);
            match self.prune_audit(tenant, Actor::System, deadline).await {
                Ok(Pruned { more: true, .. }) => {}
                // What is held is kept: nothing to report every day.
                Ok(_) | Err(ServiceError::Denied(LEGAL_HOLD)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The platform, whose ledgers are swept once a day from now on.
pub(super) fn sweeping(platform: Platform) -> Platform {
    let this = Arc::downgrade(&platform.0);
    let sweep = move || sweeps(Weak::clone(&this));
    platform.0.system.service("/services/retention", "service", sweep);
    platform
}

async fn sweeps(platform: Weak<Inner>) {
    tokio::time::sleep(FIRST_SWEEP).await;
    loop {
        let Some(inner) = platform.upgrade() else { return };
        if let Err(error) = Platform(inner).sweep_audit().await {
            tracing::warn!(%error, "tenants whose ledgers may be pruned are not known; the next sweep comes tomorrow");
        }
        tokio::time::sleep(BETWEEN_SWEEPS).await;
    }
}

fn refused(error: CommitError) -> ServiceError {
    match error {
        CommitError::Conflict("legal_hold") => LEGAL_HOLD.into(),
        other => other.into(),
    }
}

fn view(tenant: TenantId, checkpoint: Checkpoint, own: &str) -> Result<CheckpointView, ServiceError> {
    let summary = checkpoint.open(tenant.uuid()).map_err(|bad| {
        tracing::error!(error = %VerifyError::Bad { tenant: tenant.uuid(), bad }, "a checkpoint is damaged");
        ServiceError::Damaged("checkpoint of a ledger")
    })?;
    Ok(CheckpointView {
        first_seq: summary.first_seq,
        seq: summary.head.seq,
        hash: summary.head.hash,
        oldest_at: Timestamp::from_millis(summary.oldest_at),
        newest_at: Timestamp::from_millis(summary.newest_at),
        pruned_at: Timestamp::from_millis(summary.pruned_at),
        is_ours: checkpoint.verifier == own,
        note: checkpoint.note,
    })
}

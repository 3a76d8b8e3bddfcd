use parking_lot::Mutex;
use plinto_storage::{Engine, StorageError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a tenant's actor must have been away before its ledger is no longer followed: longer than any reload.
const ABSENT_FOR: Duration = Duration::from_secs(30);

/// The ledgers this node follows, because it holds something of their tenants in memory.
///
/// What must hold: **whatever is resident of a tenant was read after the tenant's cursor was taken**, so that every
/// change since then lies behind the cursor and will be found.
///
/// * Loading keeps to it: [`Watch::reading`] takes the head of the ledger *before* the rows are read, and afterwards
///   looks whether the tenant has been followed all along (same watch, not another one that began meanwhile). If not,
///   it reads again.
/// * Letting go keeps to it: [`Watch::forget_absent`] stops following *first*; only then its caller drains the
///   tenant's sessions and the tenant. A load that looked before that was in its directory by then (an actor is there
///   from the moment its activation begins), so the drain sends it away. A load that looks after that finds its watch
///   gone and reads again under a new one.
pub(crate) struct Watch {
    engine: Arc<dyn Engine>,
    /// Whether anybody else writes; without others nothing is followed and nothing costs.
    shared: bool,
    followed: Mutex<Followed>,
}

#[derive(Default)]
struct Followed {
    cursors: HashMap<Uuid, Cursor>,
    begun: u64,
}

struct Cursor {
    /// Which watch this is; another number means that following was interrupted.
    watch: u64,
    /// Everything up to this sequence has been applied.
    seq: i64,
    /// Everything up to this sequence that concerns sessions has been made right by doubting all of them.
    doubted: i64,
    absent_since: Option<Instant>,
}

/// Where to go on reading a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) tenant: Uuid,
    pub(super) watch: u64,
    pub(super) seq: i64,
    pub(super) doubted: i64,
}

impl Position {
    /// Whether changes could not be read in time when they were last looked for.
    pub(super) fn is_behind(&self) -> bool {
        self.doubted > self.seq
    }
}

impl Watch {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { shared: engine.is_shared(), engine, followed: Mutex::default() }
    }

    /// Reads rows of a tenant that will stay in memory.
    pub(crate) async fn reading<T, E, F>(&self, tenant: Uuid, mut read: impl FnMut() -> F) -> Result<T, E>
    where
        E: From<StorageError>,
        F: Future<Output = Result<T, E>>,
    {
        if !self.shared {
            return read().await;
        }
        loop {
            let Some(watch) = self.follow(tenant).await? else {
                // It has no ledger: never made, or being erased, which the platform's ledger tells.
                return read().await;
            };
            let rows = read().await?;
            if self.is_followed(tenant, watch) {
                return Ok(rows);
            }
        }
    }

    /// Follows a ledger from its present head on, unless it is followed already. The number of the watch; `None` if
    /// there is no ledger.
    pub(crate) async fn follow(&self, tenant: Uuid) -> Result<Option<u64>, StorageError> {
        if let Some(cursor) = self.followed.lock().cursors.get(&tenant) {
            return Ok(Some(cursor.watch));
        }
        let heads = self.engine.ledger_heads(&[tenant]).await?;
        let Some((_, seq)) = heads.into_iter().find(|(id, _)| *id == tenant) else { return Ok(None) };
        let followed = &mut *self.followed.lock();
        let cursor = followed.cursors.entry(tenant).or_insert_with(|| {
            followed.begun += 1;
            Cursor { watch: followed.begun, seq, doubted: seq, absent_since: None }
        });
        Ok(Some(cursor.watch))
    }

    fn is_followed(&self, tenant: Uuid, watch: u64) -> bool {
        self.followed.lock().cursors.get(&tenant).is_some_and(|cursor| cursor.watch == watch)
    }

    pub(super) fn positions(&self) -> Vec<Position> {
        let followed = self.followed.lock();
        let position = |(tenant, cursor): (&Uuid, &Cursor)| Position {
            tenant: *tenant,
            watch: cursor.watch,
            seq: cursor.seq,
            doubted: cursor.doubted,
        };
        followed.cursors.iter().map(position).collect()
    }

    /// Everything up to the position has been applied, or doubted.
    pub(super) fn advance(&self, to: Position) {
        if let Some(cursor) = self.followed.lock().cursors.get_mut(&to.tenant)
            && cursor.watch == to.watch
        {
            cursor.seq = cursor.seq.max(to.seq);
            cursor.doubted = cursor.doubted.max(to.doubted);
        }
    }

    /// Stops following a tenant. What is resident of it must be drained afterwards.
    pub(super) fn forget(&self, tenant: Uuid) {
        self.followed.lock().cursors.remove(&tenant);
    }

    /// Stops following the tenants that have been away for a while, and names them: what is resident of them must be
    /// drained now.
    pub(super) fn forget_absent(&self, is_present: impl Fn(Uuid) -> bool) -> Vec<Uuid> {
        let now = Instant::now();
        let mut gone = Vec::new();
        self.followed.lock().cursors.retain(|tenant, cursor| {
            if is_present(*tenant) {
                cursor.absent_since = None;
                return true;
            }
            let since = *cursor.absent_since.get_or_insert(now);
            let stays = now.duration_since(since) < ABSENT_FOR;
            if !stays {
                gone.push(*tenant);
            }
            stays
        });
        gone
    }
}

#[cfg(test)]
mod tests;

//! Pictures people send, made into ones that are safe to show: decoded within bounds, cut to a square, and encoded anew,
//! so that nothing of the file that was sent is left but what can be seen.

mod convert;
#[cfg(test)]
mod tests;

use crate::error::ServiceError;
use crate::passwords::give_way;
use bytes::Bytes;
use plinto_domain::user::avatar::{Picture, Unfit};
use plinto_domain::{InvalidInput, TenantId};
use plinto_runtime::{ActorSystem, Deadline, FairPool, GivingWay, PoolConfig, Refusal};
use std::time::Duration;

/// Pictures in work at once: each may take some 200 MB for a moment.
const WORKERS: usize = 1;
/// Pictures of one tenant that may wait.
const WAITING: usize = 16;
/// How often a picture in work is looked after.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes pictures in a bounded pool that serves tenants fairly.
#[derive(Clone)]
pub(crate) struct PictureMaker {
    pool: FairPool<TenantId, ()>,
}

impl PictureMaker {
    pub(crate) fn start(system: &ActorSystem) -> Self {
        let config = PoolConfig {
            name: "pictures",
            workers: WORKERS,
            depth_per_key: WAITING,
            ..PoolConfig::default()
        };
        let giving_way = GivingWay { prepare: give_way, patience: PATIENCE };
        Self { pool: FairPool::giving_way(config, giving_way, || ()).observed_by(system) }
    }

    /// Makes a file into a picture.
    pub(crate) async fn make(
        &self,
        tenant: TenantId,
        file: Bytes,
        deadline: Deadline,
    ) -> Result<Picture, ServiceError> {
        // Once only, however long it takes: two at a time may be more than there is memory for.
        let job = move |(): &mut ()| convert::convert(&file);
        let made = match self.pool.run(&tenant, 1_u32, deadline, job).await {
            Ok(made) => made,
            Err(Refusal::Crashed) => {
                // A file no decoder was ready for is as bad as a damaged one.
                tracing::warn!(%tenant, "a decoder of pictures panicked");
                Err(Unfit::Unreadable)
            }
            Err(refusal) => return Err(refusal.into()),
        };
        made.map_err(|unfit| InvalidInput::from(unfit).into())
    }
}

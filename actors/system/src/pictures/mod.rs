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
use plinto_runtime::{ActorSystem, Deadline, FairPool, PoolConfig, Refusal};

/// Pictures in work at once: each may take some 200 MB for a moment.
const WORKERS: usize = 1;
/// Pictures of one tenant that may wait.
const WAITING: usize = 16;

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
        Self { pool: FairPool::start(config, || ()).observed_by(system) }
    }

    /// Makes a file into a picture.
    pub(crate) async fn make(
        &self,
        tenant: TenantId,
        file: Bytes,
        deadline: Deadline,
    ) -> Result<Picture, ServiceError> {
        let job = move |_: &mut ()| {
            give_way();
            convert::convert(&file)
        };
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

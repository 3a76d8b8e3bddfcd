//! Policies made ready for questions: parsed and validated within bounds, which takes up to a second.

use crate::error::ServiceError;
use plinto_domain::policy::{Compiled, PolicySource};
use plinto_domain::{InvalidInput, TenantId};
use plinto_runtime::{ActorSystem, Deadline, FairPool, PoolConfig};

/// Versions in work at once.
const WORKERS: usize = 1;
/// Versions of one tenant that may wait.
const WAITING: usize = 16;

/// Compiles policies in a bounded pool that serves tenants fairly.
#[derive(Clone)]
pub(crate) struct PolicyCompiler {
    pool: FairPool<TenantId, ()>,
}

impl PolicyCompiler {
    pub(crate) fn start(system: &ActorSystem) -> Self {
        let config = PoolConfig {
            name: "policies",
            workers: WORKERS,
            depth_per_key: WAITING,
            ..PoolConfig::default()
        };
        Self { pool: FairPool::start(config, || ()).observed_by(system) }
    }

    /// Compiles a version, or says what is wrong with it.
    pub(crate) async fn compile(
        &self,
        tenant: TenantId,
        source: PolicySource,
        deadline: Deadline,
    ) -> Result<Result<Compiled, Vec<InvalidInput>>, ServiceError> {
        let job = move |_: &mut ()| Compiled::of(&source);
        Ok(self.pool.run(&tenant, 1_u32, deadline, job).await?)
    }
}

//! Compares metadata with a tenant's schemas, away from the threads that serve requests: a schema within its bounds may
//! still take milliseconds.

use crate::error::ServiceError;
use crate::tenant::TenantCell;
use plinto_domain::user::profile::Profile;
use plinto_domain::{InvalidInput, TenantId};
use plinto_runtime::{ActorSystem, Deadline, FairPool, PoolConfig};
use std::sync::Arc;

/// Comparisons at once.
const WORKERS: usize = 2;
/// Comparisons of one tenant that may wait.
const WAITING: usize = 64;

/// Compares in a bounded pool that serves tenants fairly.
#[derive(Clone)]
pub(crate) struct MetadataChecker {
    pool: FairPool<TenantId, ()>,
}

impl MetadataChecker {
    pub(crate) fn start(system: &ActorSystem) -> Self {
        let config = PoolConfig {
            name: "metadata",
            workers: WORKERS,
            depth_per_key: WAITING,
            ..PoolConfig::default()
        };
        Self { pool: FairPool::start(config, || ()).observed_by(system) }
    }

    /// What of a profile that is to be written does not match the tenant's schemas, if anything.
    pub(crate) async fn compare(
        &self,
        cell: &TenantCell,
        before: &Profile,
        after: &Profile,
        deadline: Deadline,
    ) -> Result<Result<(), Vec<InvalidInput>>, ServiceError> {
        let rules = cell.metadata.as_ref().ok_or(ServiceError::Damaged("metadata schemas of a tenant"))?;
        if !rules.ask_something() {
            return Ok(Ok(()));
        }
        let (rules, before, after) = (Arc::clone(rules), before.clone(), after.clone());
        let job = move |_: &mut ()| rules.check_written(&before, &after);
        Ok(self.pool.run(&cell.id, 1_u32, deadline, job).await?)
    }

    /// Refuses to write what does not match them.
    pub(crate) async fn check(
        &self,
        cell: &TenantCell,
        before: &Profile,
        after: &Profile,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        Ok(self.compare(cell, before, after, deadline).await??)
    }
}

use super::actor::LedgerActor;
use super::messages::{CommitError, LedgerMessage};
use crate::error::ServiceError;
use plinto_domain::TenantId;
use plinto_runtime::{Deadline, Directory};
use plinto_storage::{Receipt, Unit};

/// Appends to tenants' ledgers.
#[derive(Clone)]
pub(crate) struct LedgerHandle {
    directory: Directory<LedgerActor>,
}

impl LedgerHandle {
    pub(crate) fn new(directory: Directory<LedgerActor>) -> Self {
        Self { directory }
    }

    /// Commits a unit of work. The answer comes after the fsync. An abandoned or expired request that has not begun
    /// is not committed; one that has begun may be committed although the caller left.
    pub(crate) async fn append(
        &self,
        tenant: TenantId,
        unit: Unit,
        deadline: Deadline,
    ) -> Result<Result<Receipt, CommitError>, ServiceError> {
        let appended = self
            .directory
            .call_unlimited(&tenant, deadline, |reply| LedgerMessage::Append { unit, reply })
            .await?;
        Ok(appended)
    }

    /// Drains and forgets the tenant's ledger.
    pub(crate) async fn drain(&self, tenant: TenantId) {
        self.directory.passivate(&tenant).await;
    }
}

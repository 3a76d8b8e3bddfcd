//! What an operation on a tenant works with: admitted by the tenant, reading through its vault, committing through
//! its ledger.

use super::authorization::facts;
use super::{Platform, kept_answers};
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::metadata_rules::MetadataChecker;
use crate::passwords::PasswordHasher;
use crate::persist;
use crate::pictures::PictureMaker;
use crate::policies::PolicyCompiler;
use crate::session::SessionHandle;
use crate::tenant::{AttemptLimits, TenantActor, TenantCell};
use plinto_domain::audit::{Actor, Event};
use plinto_domain::authorization::Subject;
use plinto_domain::{Decision, TenantId, Timestamp};
use plinto_runtime::{Deadline, Entered};
use plinto_storage::{Engine, Receipt, StorageError, TenantVault, Unit};
use std::sync::Arc;

/// One operation. While it lives it counts as the tenant's work.
pub(super) struct Work {
    platform: Platform,
    entered: Entered<TenantActor>,
    deadline: Deadline,
}

impl Platform {
    /// Passes the tenant's limiter and takes one of its permits.
    pub(super) async fn work(&self, tenant: TenantId, deadline: Deadline) -> Result<Work, ServiceError> {
        let entered = self.0.tenants.enter(tenant, deadline).await?;
        Ok(Work { platform: self.clone(), entered, deadline })
    }
}

impl Work {
    pub(super) fn cell(&self) -> &TenantCell {
        &self.entered.shared
    }

    pub(super) fn vault(&self) -> &TenantVault {
        &self.cell().vault
    }

    pub(super) fn engine(&self) -> &dyn Engine {
        &**self.platform.0.store.engine()
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.platform.0.environment
    }

    pub(super) fn hasher(&self) -> &PasswordHasher {
        &self.platform.0.hasher
    }

    pub(super) fn metadata(&self) -> &MetadataChecker {
        &self.platform.0.metadata
    }

    pub(super) fn pictures(&self) -> &PictureMaker {
        &self.platform.0.pictures
    }

    pub(super) fn policy_compiler(&self) -> &PolicyCompiler {
        &self.platform.0.policies
    }

    pub(super) fn attempts(&self) -> &AttemptLimits {
        &self.platform.0.attempts
    }

    pub(super) fn sessions(&self) -> &SessionHandle {
        &self.platform.0.sessions
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether no other node writes what the tenant stores.
    pub(super) fn is_alone(&self) -> bool {
        self.platform.0.follower.is_none()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.environment().now()
    }

    /// Reads rows, also such that another node sealed under a key it made a moment ago. `read` may run twice.
    pub(super) async fn read<T, F>(&self, read: impl FnMut() -> F) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        super::within(self.deadline, self.platform.0.rows.read(self.cell().id, read)).await
    }

    /// Commits what was decided, and then gives the reply.
    pub(super) async fn carry_out<R>(
        &self,
        decision: Decision<R>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<R, ServiceError> {
        Ok(self.try_to_carry_out(decision, actor, now, |_| {}).await??)
    }

    /// The same, where a value may be somebody else's already: `taken` says what the caller hears for which rule.
    pub(super) async fn carry_out_uniquely<R>(
        &self,
        decision: Decision<R>,
        actor: Actor,
        now: Timestamp,
        taken: impl FnOnce(&str) -> Option<ServiceError>,
    ) -> Result<R, ServiceError> {
        let done = self.try_to_carry_out(decision, actor, now, |_| {}).await?;
        if let Err(CommitError::Unique(rule)) = &done
            && let Some(taken) = taken(rule)
        {
            return Err(taken);
        }
        Ok(done?)
    }

    /// The same, where what is stored may be in the way: the inner error says so. `forget` is told what happened as soon as
    /// the commit has ended, however it did: what memory has of it may be out of date.
    pub(super) async fn try_to_carry_out<R>(
        &self,
        decision: Decision<R>,
        actor: Actor,
        now: Timestamp,
        forget: impl FnOnce(&[Event]),
    ) -> Result<Result<R, CommitError>, ServiceError> {
        let Decision { writes, events, reply } = decision;
        if writes.is_empty() && events.is_empty() {
            return Ok(Ok(reply));
        }
        let committed = self.commit(persist::unit(self.vault(), writes, &events, actor, now)).await;
        forget(&events);
        Ok(committed?.map(|_receipt| reply))
    }

    /// The same work, with another bound on its time.
    pub(super) fn with_deadline(self, deadline: Deadline) -> Self {
        Self { deadline, ..self }
    }

    /// Commits a unit of work through the tenant's ledger. The inner error says that it was not committed because of
    /// what is stored: a version, a unique value.
    pub(super) async fn commit(&self, mut unit: Unit) -> Result<Result<Receipt, CommitError>, ServiceError> {
        unit.statements.extend(kept_answers::mark(self.cell().id));
        let described = facts::described(&unit.entries);
        let (platform, cell, deadline) =
            (self.platform.clone(), Arc::clone(&self.entered.shared), self.deadline);
        if described.is_empty() {
            return platform.0.ledger.append(cell.id, unit, deadline).await;
        }
        // What is known of these users is read again after the commit, also when nobody waits for it any more.
        super::to_the_end(async move {
            let outcome = platform.0.ledger.append(cell.id, unit, deadline).await;
            described.into_iter().for_each(|user| cell.rights.forget(Subject::User(user)));
            outcome
        })
        .await
    }
}

//! Policies of a tenant: versions, the active one, and trying one without activating it.

mod dry_run;

pub use dry_run::{DryRun, DryRunResult, DryRunSource};

use super::work::Work;
use super::{Platform, to_the_end};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use crate::tenant::ActivePolicies;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::policy::{
    Compiled, MOST_VERSIONS, PolicySource, UNKNOWN_POLICY_VERSION, activate, create_version, delete_version,
};
use plinto_domain::precondition::Precondition;
use plinto_domain::{Decision, InvalidInput, TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::policies::{self, PolicySetRow, PolicyVersionRow};
use std::sync::Arc;

/// A decision that another one overtook is made once more.
const ATTEMPTS: usize = 3;

/// A version that is to be.
#[derive(Clone)]
pub struct NewPolicyVersion {
    /// What it is made of.
    pub source: PolicySource,
    /// What it is for.
    pub note: String,
}

/// A version as those who administer it see it.
#[derive(Clone)]
pub struct PolicyVersionView {
    /// Its number.
    pub version: i64,
    /// What it is for.
    pub note: String,
    /// How many policies it has.
    pub policies: i64,
    /// Whether it is the active one.
    pub active: bool,
    /// When it was stored.
    pub created_at: Timestamp,
    /// What it is made of; lists leave it out.
    pub source: Option<PolicySource>,
}

/// Which version is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveVersion {
    /// Its number.
    pub version: Option<i64>,
    /// How often another one became active: the version of that choice.
    pub activations: i64,
}

fn view(row: PolicyVersionRow, set: &PolicySetRow, source: Option<PolicySource>) -> PolicyVersionView {
    PolicyVersionView {
        version: row.number,
        note: row.note,
        policies: row.policies,
        active: set.active == Some(row.number),
        created_at: Timestamp::from_millis(row.created_at),
        source,
    }
}

impl Platform {
    /// Stores a version, if it is valid. It is not active.
    pub async fn create_policy_version(
        &self,
        tenant: TenantId,
        new: NewPolicyVersion,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<PolicyVersionView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let count = work.compiled(new.source.clone()).await??.len();
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.policy_set().await?, work.now());
                let present = work.policy_rows(None, MOST_VERSIONS).await?.len();
                let present = u32::try_from(present).unwrap_or(u32::MAX);
                let (state, source, note) =
                    (persist::policies::state(&set), new.source.clone(), new.note.clone());
                let decision = create_version(state, present, source, note, count, now)?;
                match work.carry_out_policies(decision, actor, now).await? {
                    Ok(version) => return work.policy_version(version).await,
                    Err(CommitError::Conflict(_) | CommitError::Unique(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Versions without their sources, the newest first, before the number `before`, at most `limit`.
    pub async fn policy_versions(
        &self,
        tenant: TenantId,
        before: Option<i64>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<PolicyVersionView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let set = work.policy_set().await?;
        let rows = work.policy_rows(before, limit).await?;
        Ok(rows.into_iter().map(|row| view(row, &set, None)).collect())
    }

    /// One version with its source.
    pub async fn policy_version(
        &self,
        tenant: TenantId,
        version: i64,
        deadline: Deadline,
    ) -> Result<PolicyVersionView, ServiceError> {
        self.work(tenant, deadline).await?.policy_version(version).await
    }

    /// Which version is active.
    pub async fn active_policy_version(
        &self,
        tenant: TenantId,
        deadline: Deadline,
    ) -> Result<ActiveVersion, ServiceError> {
        let set = self.work(tenant, deadline).await?.policy_set().await?;
        Ok(ActiveVersion { version: set.active, activations: set.activations })
    }

    /// Makes a version the active one, or none, if the choice before is one the precondition admits.
    pub async fn activate_policy_version(
        &self,
        tenant: TenantId,
        version: Option<i64>,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<ActiveVersion, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.policy_set().await?, work.now());
                let is_there = match version {
                    Some(version) => work.policy_row(version).await?.is_some(),
                    None => true,
                };
                let state = persist::policies::state(&set);
                let decision = activate(state, version, is_there, &precondition, now)?;
                match work.carry_out_policies(decision, actor, now).await? {
                    Ok(()) => {
                        let set = work.policy_set().await?;
                        return Ok(ActiveVersion { version: set.active, activations: set.activations });
                    }
                    Err(CommitError::Conflict(_) | CommitError::Unique(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Removes a version that is not active.
    pub async fn delete_policy_version(
        &self,
        tenant: TenantId,
        version: i64,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.policy_set().await?, work.now());
                let is_there = work.policy_row(version).await?.is_some();
                let decision = delete_version(persist::policies::state(&set), version, is_there, now)?;
                match work.carry_out_policies(decision, actor, now).await? {
                    Ok(()) => return Ok(()),
                    Err(CommitError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }
}

impl Work {
    /// A version ready for questions, or what is wrong with it.
    async fn compiled(
        &self,
        source: PolicySource,
    ) -> Result<Result<Compiled, Vec<InvalidInput>>, ServiceError> {
        self.policy_compiler().compile(self.cell().id, source, self.deadline()).await
    }

    async fn policy_set(&self) -> Result<PolicySetRow, ServiceError> {
        let tenant = self.cell().id.uuid();
        self.read(|| policies::set(self.engine(), tenant)).await
    }

    async fn policy_rows(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<PolicyVersionRow>, ServiceError> {
        self.read(|| policies::list(self.engine(), self.vault(), before, limit)).await
    }

    async fn policy_row(&self, version: i64) -> Result<Option<(PolicyVersionRow, String)>, ServiceError> {
        self.read(|| policies::get(self.engine(), self.vault(), version)).await
    }

    async fn policy_version(&self, version: i64) -> Result<PolicyVersionView, ServiceError> {
        let set = self.policy_set().await?;
        let (row, source) = self.policy_row(version).await?.ok_or(UNKNOWN_POLICY_VERSION)?;
        Ok(view(row, &set, Some(persist::policies::source(&source)?)))
    }

    /// The active policies, from memory if they are there; none without any.
    pub(super) async fn active_policies(&self) -> Result<Option<Arc<ActivePolicies>>, ServiceError> {
        let policies = match self.cell().policies.get() {
            Some(policies) => policies,
            None => self.read_active_policies().await?,
        };
        Ok(policies.active.is_some().then_some(policies))
    }

    async fn read_active_policies(&self) -> Result<Arc<ActivePolicies>, ServiceError> {
        let stamp = self.cell().policies.stamp();
        let active = match self.policy_set().await?.active {
            None => None,
            Some(version) => {
                let (_, source) =
                    self.policy_row(version).await?.ok_or(ServiceError::Damaged("the active policies"))?;
                let source = persist::policies::source(&source)?;
                let valid = self.compiled(source).await?;
                Some((version, valid.map_err(|_| ServiceError::Damaged("the active policies"))?))
            }
        };
        let policies = Arc::new(ActivePolicies { active });
        self.cell().policies.keep(stamp, &policies);
        Ok(policies)
    }

    /// Commits a decision about policies, and has what it changes read again, also if nobody learns how the commit ended.
    /// Callers run it to its end.
    async fn carry_out_policies<R>(
        &self,
        decision: Decision<R>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Result<R, CommitError>, ServiceError> {
        let forget = |events: &[Event]| {
            if events.iter().any(Event::concerns_other_nodes) {
                self.cell().forget_policies();
            }
        };
        self.try_to_carry_out(decision, actor, now, forget).await
    }
}

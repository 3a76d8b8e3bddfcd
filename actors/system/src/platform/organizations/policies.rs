//! What organizations ask of the sessions that are active in them.

use super::super::work::Work;
use super::super::{Platform, to_the_end};
use super::{ATTEMPTS, AskedBy};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::{
    OrganizationName, OrganizationPolicy, Permission, PolicyChange, StoredPolicy, UNKNOWN_ORGANIZATION,
    change_policy,
};
use plinto_domain::precondition::Precondition;
use plinto_domain::session::{Proved, Unmet, admit};
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::organization_policies::{self, OrganizationPolicyRow};
use plinto_storage::repositories::session_organizations;

/// A policy as those who may see the organization see it.
#[derive(Clone, Debug)]
pub struct OrganizationPolicyView {
    /// The policy.
    pub policy: OrganizationPolicy,
    /// When it was last changed, if ever.
    pub updated_at: Option<Timestamp>,
    /// Grows by one with each change.
    pub version: i64,
}

impl OrganizationPolicyView {
    fn of(row: &OrganizationPolicyRow) -> Result<Self, ServiceError> {
        Ok(Self {
            policy: persist::organizations::policy(&row.policy)?,
            updated_at: (row.updated_at > 0).then(|| Timestamp::from_millis(row.updated_at)),
            version: row.version,
        })
    }
}

impl Platform {
    /// The policy of an organization.
    pub async fn organization_policy(
        &self,
        tenant: TenantId,
        id: OrganizationId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<OrganizationPolicyView, ServiceError> {
        let (work, by) = self.organization_work(tenant, id, by, deadline).await?;
        by.standing.require(Permission::ReadOrganization)?;
        work.policy_view(id).await
    }

    /// Changes the policy of an organization, if its version is one the precondition admits. A member who does so must
    /// meet the present one. It holds when a session enters the organization, and at the next refresh of one that is
    /// active in it.
    pub async fn change_organization_policy(
        &self,
        tenant: TenantId,
        id: OrganizationId,
        wanted: PolicyChange,
        precondition: Precondition,
        asked_by: AskedBy,
        deadline: Deadline,
    ) -> Result<OrganizationPolicyView, ServiceError> {
        let (mut work, by) = self.organization_work(tenant, id, asked_by.clone(), deadline).await?;
        let platform = self.clone();
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                by.standing.require(Permission::ReadOrganization)?;
                let met = platform.meets_policy(&work, id, &asked_by, deadline).await?;
                let known = work.policy_view(id).await?;
                let stored = StoredPolicy { organization: id, policy: known.policy, version: known.version };
                let settings = &work.cell().settings.session;
                let asking = (&by.standing, met);
                let decision =
                    change_policy(asking, &stored, wanted.clone(), settings, &precondition, work.now())?;
                let (same, outcome) = work.carry_out_membership(decision, by.actor).await;
                work = same;
                match outcome? {
                    Ok(()) => return work.policy_view(id).await,
                    Err(CommitError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Whether who asks meets the present policy; the tenant itself always does.
    async fn meets_policy(
        &self,
        work: &Work,
        id: OrganizationId,
        by: &AskedBy,
        deadline: Deadline,
    ) -> Result<Result<(), Unmet>, ServiceError> {
        let AskedBy::User(token) = by else { return Ok(Ok(())) };
        let (cell, now) = (work.cell(), work.now());
        let verified = self.verify(cell, token, now, deadline).await?;
        let (tenant, name) = (cell.id.uuid(), OrganizationName::Id(id));
        let name = persist::organizations::name(&name);
        let user = verified.user.uuid();
        let row = work.read(|| session_organizations::candidate(work.engine(), tenant, name, user)).await?;
        // Whoever is no member is refused for that.
        let Some(row) = row else { return Ok(Ok(())) };
        let candidate = persist::organizations::candidate(&row)?;
        let seconds = verified.claims.auth_time.unwrap_or(0);
        let at = Timestamp::from_millis(seconds.saturating_mul(1_000));
        let proved = Proved { amr: &verified.claims.amr, at };
        Ok(admit(&candidate, proved, &cell.settings.session, now).map(drop))
    }
}

impl Work {
    async fn policy_view(&self, id: OrganizationId) -> Result<OrganizationPolicyView, ServiceError> {
        let (tenant, id) = (self.cell().id.uuid(), id.uuid());
        let row = self.read(|| organization_policies::get(self.engine(), tenant, id)).await?;
        OrganizationPolicyView::of(&row.ok_or(UNKNOWN_ORGANIZATION)?)
    }
}

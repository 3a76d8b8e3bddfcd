//! Domains of organizations, by those who manage members.

use super::super::work::Work;
use super::super::{COMMIT_WAIT, Platform, to_the_end};
use super::{ATTEMPTS, AskedBy, By};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist::invitations::domain;
use plinto_domain::id::{DomainId, OrganizationId};
use plinto_domain::organization::domain::{
    ClaimedDomain, DNS_UNAVAILABLE, DOMAIN_CLAIMED, DOMAIN_TAKEN, DomainChange, MOST_DOMAINS, NewDomain,
    UNKNOWN_DOMAIN, change, claim, release, verify,
};
use plinto_domain::organization::{Permission, UNKNOWN_ORGANIZATION};
use plinto_domain::precondition::Precondition;
use plinto_domain::{Decision, TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::constraint;
use plinto_storage::repositories::organization_domains::{self, DomainRow};

/// Purpose of the blind index under which looks at a domain are counted.
const LOOKS: &str = "attempts.domain";
/// Random bytes of a challenge.
const CHALLENGE: usize = 16;

/// A domain as those who manage members see it.
#[derive(Clone, Debug)]
pub struct DomainView {
    /// The domain.
    pub domain: ClaimedDomain,
    /// When it was proved.
    pub verified_at: Option<Timestamp>,
    /// When it was claimed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl DomainView {
    fn of(row: &DomainRow) -> Result<Self, ServiceError> {
        Ok(Self {
            domain: domain(row)?,
            verified_at: row.verified_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
        })
    }
}

impl Platform {
    /// Claims a domain for an organization.
    pub async fn claim_domain(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        new: NewDomain,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<DomainView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        to_the_end(async move {
            work.organization_row(organization).await?;
            let there = work.domain_rows(organization, None, MOST_DOMAINS as u32).await?.len();
            let (now, randomness) = (work.now(), work.environment().randomness());
            let mut challenge = [0; CHALLENGE];
            randomness.fill(&mut challenge);
            let challenge = hex::encode(challenge);
            let decision = claim(&by.standing, organization, new, there, challenge, now, randomness)?;
            let (work, outcome) = work.carry_out_membership(decision, by.actor).await;
            match outcome? {
                Ok(id) => DomainView::of(&work.domain_row(organization, id).await?),
                Err(CommitError::Unique(rule)) if rule == constraint::ORGANIZATION_DOMAIN => {
                    Err(DOMAIN_CLAIMED.into())
                }
                Err(CommitError::Invalid) => Err(UNKNOWN_ORGANIZATION.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// Domains of an organization in order of id, after `after`, at most `limit`.
    pub async fn domains(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        after: Option<DomainId>,
        limit: u32,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<Vec<DomainView>, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        work.organization_row(organization).await?;
        work.domain_rows(organization, after, limit).await?.iter().map(DomainView::of).collect()
    }

    /// One domain.
    pub async fn domain(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        id: DomainId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<DomainView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        DomainView::of(&work.domain_row(organization, id).await?)
    }

    /// Looks whether the DNS has the record that proves a domain.
    pub async fn verify_domain(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        id: DomainId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<DomainView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        let known = domain(&work.domain_row(organization, id).await?)?;
        let found = if known.verified { Vec::new() } else { work.look_up(&known).await? };
        to_the_end(work.change_domain(organization, id, by, move |by, known, now| {
            Ok(verify(&by.standing, known, &found, now)?)
        }))
        .await?
        .ok_or(ServiceError::Conflict)
    }

    /// Changes what a domain does, if its version is one the precondition admits.
    pub async fn change_domain(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        (id, wanted, precondition): (DomainId, DomainChange, Precondition),
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<DomainView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        to_the_end(work.change_domain(organization, id, by, move |by, known, now| {
            Ok(change(&by.standing, known, wanted.clone(), &precondition, now)?)
        }))
        .await?
        .ok_or(ServiceError::Conflict)
    }

    /// Lets a domain go.
    pub async fn release_domain(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        id: DomainId,
        precondition: Precondition,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        to_the_end(work.change_domain(organization, id, by, move |by, known, _| {
            Ok(release(&by.standing, known, &precondition)?)
        }))
        .await?;
        Ok(())
    }
}

impl Work {
    async fn look_up(&self, known: &ClaimedDomain) -> Result<Vec<String>, ServiceError> {
        let index = self.vault().blind_index(LOOKS, known.id.uuid().as_bytes());
        self.attempts().domain(&index).await?;
        let name = known.record_name();
        let asked = self.environment().dns().txt(&name);
        match tokio::time::timeout_at(self.deadline().instant(), asked).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(_)) | Err(_) => Err(DNS_UNAVAILABLE.into()),
        }
    }

    /// Decides on a domain and commits; once more if another change was faster. The domain afterwards, if it is still
    /// there.
    async fn change_domain(
        self,
        organization: OrganizationId,
        id: DomainId,
        by: By,
        decide: impl Fn(&By, ClaimedDomain, Timestamp) -> Result<Decision<()>, ServiceError>,
    ) -> Result<Option<DomainView>, ServiceError> {
        let work = self.with_deadline(Deadline::after(COMMIT_WAIT));
        for _ in 0..ATTEMPTS {
            let known = domain(&work.domain_row(organization, id).await?)?;
            let decision = decide(&by, known, work.now())?;
            match work.carry_out_rights(decision, by.actor, work.now()).await? {
                Ok(()) => {
                    return work
                        .find_domain(organization, id)
                        .await?
                        .as_ref()
                        .map(DomainView::of)
                        .transpose();
                }
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::Unique(rule)) if rule == constraint::VERIFIED_DOMAIN => {
                    return Err(DOMAIN_TAKEN.into());
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn domain_rows(
        &self,
        organization: OrganizationId,
        after: Option<DomainId>,
        limit: u32,
    ) -> Result<Vec<DomainRow>, ServiceError> {
        let (id, after) = (organization.uuid(), after.map(DomainId::uuid));
        self.read(|| organization_domains::list(self.engine(), self.vault(), id, after, limit)).await
    }

    async fn find_domain(
        &self,
        organization: OrganizationId,
        id: DomainId,
    ) -> Result<Option<DomainRow>, ServiceError> {
        let (of, id) = (organization.uuid(), id.uuid());
        self.read(|| organization_domains::get(self.engine(), self.vault(), of, id)).await
    }

    async fn domain_row(
        &self,
        organization: OrganizationId,
        id: DomainId,
    ) -> Result<DomainRow, ServiceError> {
        if let Some(row) = self.find_domain(organization, id).await? {
            return Ok(row);
        }
        self.organization_row(organization).await?;
        Err(UNKNOWN_DOMAIN.into())
    }
}

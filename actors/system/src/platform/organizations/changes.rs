//! Organizations made, read, changed and deleted.

use super::super::{Platform, to_the_end};
use super::{ATTEMPTS, AskedBy};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist::organizations::{metadata, organization};
use plinto_domain::audit::Actor;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::{
    NewOrganization, OrganizationChange, Permission, SLUG_TAKEN, UNKNOWN_ORGANIZATION, change, create, delete,
};
use plinto_domain::precondition::Precondition;
use plinto_domain::user::UNKNOWN_USER;
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::constraint;
use plinto_storage::repositories::organizations::{self, OrganizationRow};
use serde_json::{Map, Value};

/// An organization as those who may see it see it.
#[derive(Clone)]
pub struct OrganizationView {
    /// Which.
    pub id: OrganizationId,
    /// Its name in URLs; unique in the tenant.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What the tenant keeps with it.
    pub metadata: Map<String, Value>,
    /// How many owners it has.
    pub owners: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for OrganizationView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrganizationView").field("id", &self.id).finish_non_exhaustive()
    }
}

impl OrganizationView {
    pub(super) fn of(row: OrganizationRow) -> Result<Self, ServiceError> {
        Ok(Self {
            id: OrganizationId::from_uuid(row.organization_id),
            metadata: metadata(&row)?.into_object(),
            slug: row.slug,
            name: row.name,
            owners: row.owners,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        })
    }
}

impl Platform {
    /// Makes an organization with its first owner.
    pub async fn create_organization(
        &self,
        tenant: TenantId,
        new: NewOrganization,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<OrganizationView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            if work.user_row(new.owner).await?.standing.purge_at.is_some() {
                return Err(UNKNOWN_USER.into());
            }
            let id = OrganizationId::generate(work.now(), work.environment().randomness());
            let decision = create(id, new, work.now());
            let (work, outcome) = work.carry_out_membership(decision, actor).await;
            match outcome? {
                Ok(id) => OrganizationView::of(work.organization_row(id).await?),
                Err(CommitError::Unique(rule)) if rule == constraint::ORGANIZATION_SLUG => {
                    Err(SLUG_TAKEN.into())
                }
                // The owner was there a moment ago.
                Err(CommitError::Invalid) => Err(UNKNOWN_USER.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// One organization.
    pub async fn organization(
        &self,
        tenant: TenantId,
        id: OrganizationId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<OrganizationView, ServiceError> {
        let (work, by) = self.organization_work(tenant, id, by, deadline).await?;
        by.standing.require(Permission::ReadOrganization)?;
        OrganizationView::of(work.organization_row(id).await?)
    }

    /// The organization of a slug, if there is one.
    pub async fn organization_of_slug(
        &self,
        tenant: TenantId,
        slug: &str,
        deadline: Deadline,
    ) -> Result<Option<OrganizationView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let row = work.read(|| organizations::find_by_slug(work.engine(), work.vault(), slug)).await?;
        row.map(OrganizationView::of).transpose()
    }

    /// Organizations in order of id, after `after`, at most `limit`.
    pub async fn organizations(
        &self,
        tenant: TenantId,
        after: Option<OrganizationId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<OrganizationView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let after = after.map(OrganizationId::uuid);
        let rows = work.read(|| organizations::list(work.engine(), work.vault(), after, limit)).await?;
        rows.into_iter().map(OrganizationView::of).collect()
    }

    /// Changes an organization, if its version is one the precondition admits.
    pub async fn change_organization(
        &self,
        tenant: TenantId,
        id: OrganizationId,
        wanted: OrganizationChange,
        precondition: Precondition,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<OrganizationView, ServiceError> {
        let (mut work, by) = self.organization_work(tenant, id, by, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                by.standing.require(Permission::ReadOrganization)?;
                let known = organization(&work.organization_row(id).await?)?;
                let decision = change(&by.standing, &known, wanted.clone(), &precondition, work.now())?;
                let (same, outcome) = work.carry_out_membership(decision, by.actor).await;
                work = same;
                match outcome? {
                    Ok(()) => return OrganizationView::of(work.organization_row(id).await?),
                    Err(CommitError::Conflict(_)) => {}
                    Err(CommitError::Unique(rule)) if rule == constraint::ORGANIZATION_SLUG => {
                        return Err(SLUG_TAKEN.into());
                    }
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Deletes an organization with its memberships.
    pub async fn delete_organization(
        &self,
        tenant: TenantId,
        id: OrganizationId,
        precondition: Precondition,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let (mut work, by) = self.organization_work(tenant, id, by, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                by.standing.require(Permission::ReadOrganization)?;
                let known = organization(&work.organization_row(id).await?)?;
                let decision = delete(&by.standing, &known, &precondition)?;
                let (same, outcome) = work.carry_out_membership(decision, by.actor).await;
                work = same;
                match outcome? {
                    Ok(()) => return Ok(()),
                    // Somebody became a member in between.
                    Err(CommitError::Conflict(_) | CommitError::Invalid) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Denied(UNKNOWN_ORGANIZATION))
        })
        .await
    }
}

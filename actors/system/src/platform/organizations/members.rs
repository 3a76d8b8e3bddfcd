//! Who belongs to organizations, and as what.

use super::super::work::Work;
use super::super::{Platform, to_the_end};
use super::{ATTEMPTS, AskedBy, By, OrganizationView};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist::organizations::{membership, role};
use plinto_domain::authorization::RoleKey;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::{
    ALREADY_MEMBER, Membership, NewMember, Permission, UNKNOWN_MEMBER, UNKNOWN_ORGANIZATION, add, remove,
    set_role, transfer,
};
use plinto_domain::precondition::Precondition;
use plinto_domain::user::UNKNOWN_USER;
use plinto_domain::{Decision, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::organization_members::{self, OrganizationMemberRow};
use plinto_storage::repositories::organizations;

/// A member.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: RoleKey,
    /// Since when.
    pub created_at: Timestamp,
    /// When the role was last changed.
    pub updated_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

impl MemberView {
    fn of(row: &OrganizationMemberRow) -> Result<Self, ServiceError> {
        let member = membership(row)?;
        Ok(Self {
            user: member.user,
            role: member.role,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        })
    }
}

/// Another role for a member.
#[derive(Clone, Debug)]
pub struct MemberChange {
    /// Who.
    pub user: UserId,
    /// As what from now on.
    pub role: RoleKey,
    /// Versions of the membership it is meant for.
    pub precondition: Precondition,
}

/// An organization somebody belongs to.
#[derive(Clone, Debug)]
pub struct MembershipView {
    /// Which.
    pub organization: OrganizationView,
    /// As what.
    pub role: RoleKey,
}

/// What was decided about a member, whom it leaves.
type Decided = Result<Decision<()>, ServiceError>;

impl Platform {
    /// Members in order of user, after `after`, at most `limit`.
    pub async fn members(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        after: Option<UserId>,
        limit: u32,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<Vec<MemberView>, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ReadMembers)?;
        work.organization_row(organization).await?;
        let (tenant, id, after) = (tenant.uuid(), organization.uuid(), after.map(UserId::uuid));
        let read = || organization_members::list(work.engine(), tenant, id, after, limit);
        work.read(read).await?.iter().map(MemberView::of).collect()
    }

    /// One member.
    pub async fn member(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        user: UserId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<MemberView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ReadMembers)?;
        work.member_view(organization, user).await
    }

    /// Organizations a user belongs to, in order of id, after `after`, at most `limit`.
    pub async fn memberships(
        &self,
        tenant: TenantId,
        user: UserId,
        after: Option<OrganizationId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<MembershipView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_row(user).await?;
        work.memberships(user, after, limit).await
    }

    /// The same of the user an access token speaks for.
    pub async fn my_memberships(
        &self,
        tenant: TenantId,
        token: &str,
        after: Option<OrganizationId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<MembershipView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.memberships(user, after, limit).await
    }

    /// Makes a user a member.
    pub async fn add_member(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        new: NewMember,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<MemberView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        to_the_end(async move {
            by.standing.require(Permission::ReadMembers)?;
            work.organization_row(organization).await?;
            if work.user_row(new.user).await?.standing.purge_at.is_some() {
                return Err(UNKNOWN_USER.into());
            }
            let user = new.user;
            let present = work.member_row(organization, user).await?;
            let present = present.as_ref().map(membership).transpose()?;
            let decision = add(&by.standing, organization, present.as_ref(), new, work.now())?;
            let (work, outcome) = work.carry_out_membership(decision, by.actor).await;
            match outcome? {
                Ok(()) => work.member_view(organization, user).await,
                Err(CommitError::Unique(_)) => Err(ALREADY_MEMBER.into()),
                Err(CommitError::Conflict(_)) => Err(UNKNOWN_ORGANIZATION.into()),
                Err(CommitError::Invalid) => Err(UNKNOWN_USER.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// Gives a member another role, if its version is one the precondition admits.
    pub async fn set_member_role(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        change: MemberChange,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<MemberView, ServiceError> {
        let MemberChange { user, role, precondition } = change;
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        let work = to_the_end(work.decide_again(by, async move |work: &Work, by: &By| -> Decided {
            let member = work.membership(organization, user, by).await?;
            let roster = work.roster(&member).await?;
            Ok(set_role(&by.standing, roster, member, role.clone(), &precondition, work.now())?)
        }))
        .await?;
        work.member_view(organization, user).await
    }

    /// Removes a member; everybody may leave, but for the last owner.
    pub async fn remove_member(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        user: UserId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        to_the_end(work.decide_again(by, async move |work: &Work, by: &By| -> Decided {
            let member = work.membership(organization, user, by).await?;
            let roster = work.roster(&member).await?;
            Ok(remove(&by.standing, by.user, roster, member, Some(work.now()))?)
        }))
        .await?;
        Ok(())
    }

    /// Makes an owner an admin, and another member an owner.
    pub async fn transfer_ownership(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        from: UserId,
        to: UserId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<MemberView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        let work = to_the_end(work.decide_again(by, async move |work: &Work, by: &By| -> Decided {
            let owner = work.membership(organization, from, by).await?;
            let next = work.membership(organization, to, by).await?;
            Ok(transfer(&by.standing, by.user, owner, next, work.now())?)
        }))
        .await?;
        work.member_view(organization, to).await
    }
}

impl Work {
    async fn memberships(
        &self,
        user: UserId,
        after: Option<OrganizationId>,
        limit: u32,
    ) -> Result<Vec<MembershipView>, ServiceError> {
        let (id, after) = (user.uuid(), after.map(OrganizationId::uuid));
        let read = || organizations::list_for_user(self.engine(), self.vault(), id, after, limit);
        let rows = self.read(read).await?.into_iter();
        rows.map(|(row, key)| {
            Ok(MembershipView { organization: OrganizationView::of(row)?, role: role(&key)? })
        })
        .collect()
    }

    async fn member_view(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<MemberView, ServiceError> {
        MemberView::of(&self.member_row(organization, user).await?.ok_or(UNKNOWN_MEMBER)?)
    }

    /// A member, told only to those who may know the organization.
    async fn membership(
        &self,
        organization: OrganizationId,
        user: UserId,
        by: &By,
    ) -> Result<Membership, ServiceError> {
        by.standing.require(Permission::ReadOrganization)?;
        match self.member_row(organization, user).await? {
            Some(row) => membership(&row),
            None => {
                self.organization_row(organization).await?;
                Err(UNKNOWN_MEMBER.into())
            }
        }
    }

    /// Decides and commits; once more if another change was faster.
    async fn decide_again(
        self,
        by: By,
        decide: impl AsyncFn(&Self, &By) -> Decided,
    ) -> Result<Self, ServiceError> {
        let mut work = self;
        for _ in 0..ATTEMPTS {
            let decision = decide(&work, &by).await?;
            let (same, outcome) = work.carry_out_membership(decision, by.actor).await;
            work = same;
            match outcome? {
                Ok(()) => return Ok(work),
                Err(CommitError::Conflict(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(ServiceError::Conflict)
    }
}

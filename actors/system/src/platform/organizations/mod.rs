//! Organizations: by the tenant's services and operators, and by their members.

mod answers;
mod changes;
mod domains;
mod invitations;
mod members;
mod mine;
mod policies;

pub use answers::{InvitationAccepted, InvitationOffer, InvitedAccount, NewAccount};
pub use changes::OrganizationView;
pub use domains::DomainView;
pub use invitations::{InvitationView, Invited};
pub use members::{MemberChange, MemberView, MembershipView};
pub use mine::MyInvitation;
pub use policies::OrganizationPolicyView;

use super::work::Work;
use super::{COMMIT_WAIT, Platform};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use crate::session::SessionKey;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::authorization::Subject;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::{
    self, Membership, OrganizationEvent, Roster, Standing, UNKNOWN_ORGANIZATION,
};
use plinto_domain::{Decision, SessionId, TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::organization_members::{self, OrganizationMemberRow};
use plinto_storage::repositories::organizations::{self as organization_rows, OrganizationRow};
use plinto_storage::repositories::sessions as session_rows;
use std::sync::Arc;

/// A decision that another one overtook is made once more.
const ATTEMPTS: usize = 3;
/// Memberships read at a time.
const PAGE: u32 = 500;

/// Who asks for something of organizations.
#[derive(Clone)]
pub enum AskedBy {
    /// The tenant, by a key with the right to it.
    Tenant(Actor),
    /// The user an access token speaks for.
    User(Arc<str>),
}

/// Who asks, and what they are to the organization.
struct By {
    standing: Standing,
    user: Option<UserId>,
    actor: Actor,
}

impl Platform {
    /// The work on an organization, by somebody whose standing in it is known then.
    async fn organization_work(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<(Work, By), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let token = match by {
            AskedBy::Tenant(actor) => {
                return Ok((work, By { standing: Standing::Tenant, user: None, actor }));
            }
            AskedBy::User(token) => token,
        };
        let user = self.authorize(work.cell(), &token, deadline).await?.user;
        let standing = match work.member_row(organization, user).await? {
            Some(row) => Standing::Member(persist::organizations::role(&row.role)?),
            None => Standing::Stranger,
        };
        Ok((work, By { standing, user: Some(user), actor: Actor::User(user) }))
    }
}

impl Work {
    pub(super) async fn organization_row(
        &self,
        organization: OrganizationId,
    ) -> Result<OrganizationRow, ServiceError> {
        let id = organization.uuid();
        let row = self.read(|| organization_rows::get(self.engine(), self.vault(), id)).await?;
        Ok(row.ok_or(UNKNOWN_ORGANIZATION)?)
    }

    async fn member_row(
        &self,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<Option<OrganizationMemberRow>, ServiceError> {
        let (tenant, organization, user) = (self.cell().id.uuid(), organization.uuid(), user.uuid());
        self.read(|| organization_members::get(self.engine(), tenant, organization, user)).await
    }

    /// Every membership of a user.
    pub(super) async fn membership_rows(
        &self,
        user: UserId,
    ) -> Result<Vec<OrganizationMemberRow>, ServiceError> {
        let (tenant, user) = (self.cell().id.uuid(), user.uuid());
        let mut rows: Vec<OrganizationMemberRow> = Vec::new();
        loop {
            let after = rows.last().map(|row| row.organization_id);
            let read = || organization_members::of_user(self.engine(), tenant, user, after, PAGE);
            let page = self.read(read).await?;
            let more = page.len() == PAGE as usize;
            rows.extend(page);
            if !more {
                return Ok(rows);
            }
        }
    }

    /// What ends every membership of a user who goes; refused while one of them is the last owner's.
    pub(super) async fn leaving_everything(&self, user: UserId) -> Result<Decision<()>, ServiceError> {
        let mut all = Decision::reply_only(());
        for row in self.membership_rows(user).await? {
            let member = persist::organizations::membership(&row)?;
            let roster = self.roster(&member).await?;
            let one = organization::remove(&Standing::Tenant, None, roster, member, None)?;
            all.writes.extend(one.writes);
            all.events.extend(one.events);
        }
        Ok(all)
    }

    /// Has the rights of a user read again whose memberships ended.
    pub(super) fn forget_rights_of(&self, user: UserId) {
        self.cell().rights.forget(Subject::User(user));
    }

    /// Has resident sessions read their rows that these events may have taken out of an organization, or given another
    /// role there.
    pub(super) async fn doubt_sessions_in_organizations(&self, events: &[Event]) {
        let (tenant, sessions) = (self.cell().id, self.sessions());
        for event in events {
            match event {
                Event::Organization(
                    OrganizationEvent::MemberRoleChanged { user, .. }
                    | OrganizationEvent::MemberRemoved { user, .. },
                ) => {
                    let (id, now) = (user.uuid(), self.now().as_millis());
                    let read = || session_rows::live_of_user(self.engine(), tenant.uuid(), id, now);
                    match self.read(read).await {
                        Ok(live) => live.into_iter().map(SessionId::from_uuid).for_each(|session| {
                            sessions.changed(SessionKey { tenant, session });
                        }),
                        // Which they are is not known.
                        Err(_) => drop(sessions.all_changed(|key| key.tenant == tenant).await),
                    }
                }
                Event::Organization(OrganizationEvent::Deleted { organization }) => {
                    sessions.organization_gone(tenant, *organization).await;
                }
                _ => {}
            }
        }
    }

    async fn roster(&self, member: &Membership) -> Result<Roster, ServiceError> {
        let organization = member.organization;
        // Only owners are counted; other members go whoever is left.
        if !member.role.is_owner() {
            return Ok(Roster { organization, owners: 1 });
        }
        Ok(Roster { organization, owners: self.organization_row(organization).await?.owners })
    }

    /// Commits a decision about members: the conflict or unique value that stood in its way is the inner error.
    async fn carry_out_membership<R>(
        self,
        decision: Decision<R>,
        actor: Actor,
    ) -> (Self, Result<Result<R, CommitError>, ServiceError>) {
        let now = self.now();
        let work = self.with_deadline(Deadline::after(COMMIT_WAIT));
        let outcome = work.carry_out_rights(decision, actor, now).await;
        (work, outcome)
    }
}

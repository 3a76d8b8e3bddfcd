//! Roles, grants, and the checks they answer.

mod checks;
pub(super) mod facts;
mod grants;
mod roles;
mod rulings;

pub use checks::{CheckRequest, Circumstances, HeldPermission, SubjectSearch, SubjectsFound, Why};
pub use grants::{GrantDraft, GrantQuery, GrantView, RoleOrPermission};
pub use roles::RoleView;
pub use rulings::{DecidedBy, Ruling};

use super::work::Work;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use crate::tenant::{RoleSet, SubjectRights};
use arc_swap::ArcSwapOption;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::authorization::{AuthorizationEvent, Membership, RoleCatalogue, Subject, SubjectAccess};
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::OrganizationEvent;
use plinto_domain::{Decision, Timestamp};
use plinto_storage::repositories::grants::{self as grant_rows, GrantFilter};
use plinto_storage::repositories::organization_members::OrganizationMemberRow;
use plinto_storage::repositories::{role_sets, roles as role_rows};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Grants read at a time.
const PAGE: u32 = 500;

impl Work {
    /// The roles, from memory if they are there.
    async fn roles(&self) -> Result<Arc<RoleSet>, ServiceError> {
        match self.cell().rights.roles() {
            Some(roles) => Ok(roles),
            None => self.read_roles().await,
        }
    }

    /// The roles as they are stored now. The version is read first: if roles change in between, a decision about them
    /// is refused by its version.
    async fn read_roles(&self) -> Result<Arc<RoleSet>, ServiceError> {
        let stamp = self.cell().rights.roles_stamp();
        let tenant = self.cell().id.uuid();
        let version = self.read(|| role_sets::version(self.engine(), tenant)).await?;
        let rows = self.read(|| role_rows::list(self.engine(), tenant)).await?;
        let roles: Vec<_> = rows.iter().map(persist::authorization::role).collect::<Result<_, _>>()?;
        let times = roles.iter().zip(&rows).map(|(role, row)| (role.id, (row.created_at, row.updated_at)));
        let set = RoleSet { times: times.collect(), catalogue: RoleCatalogue::new(roles), version };
        let set = Arc::new(set);
        self.cell().rights.keep_roles(stamp, &set);
        Ok(set)
    }

    /// What a subject holds, from memory if it is there.
    pub(super) async fn rights(&self, subject: Subject) -> Result<Arc<SubjectRights>, ServiceError> {
        if let Some(rights) = self.cell().rights.subject(subject) {
            return Ok(rights);
        }
        let stamp = self.cell().rights.stamp(subject);
        let (roles, policies) = (self.roles().await?, self.active_policies().await?);
        let mut grants = Vec::new();
        let filter = GrantFilter { subject: Some(subject.uuid()), resource: None };
        let mut after = None;
        loop {
            let read = || grant_rows::list(self.engine(), self.vault(), filter, after, PAGE);
            let page = self.read(read).await?;
            for row in &page {
                let grant = persist::authorization::grant(row)?;
                grants.extend((grant.terms.subject == subject).then_some(grant));
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.grant_id),
                _ => break,
            }
        }
        let memberships = self.memberships_held(subject).await?;
        let access = SubjectAccess::new(grants, &memberships, &roles.catalogue);
        let (facts, principal) = (OnceCell::new(), ArcSwapOption::empty());
        let rights = Arc::new(SubjectRights { roles, access, memberships, facts, policies, principal });
        self.cell().rights.keep_subject(stamp, subject, &rights);
        Ok(rights)
    }

    /// Where a subject is a member, and as what.
    async fn memberships_held(&self, subject: Subject) -> Result<Vec<Membership>, ServiceError> {
        let Subject::User(user) = subject else { return Ok(Vec::new()) };
        let rows = self.membership_rows(user).await?;
        let held = |row: &OrganizationMemberRow| {
            let role = persist::organizations::role(&row.role)?;
            Ok(Membership { organization: OrganizationId::from_uuid(row.organization_id), role })
        };
        rows.iter().map(held).collect()
    }

    /// Commits a decision about what gives rights, and has what it changes read again, also if nobody learns how the
    /// commit ended. Callers run it to its end.
    pub(super) async fn carry_out_rights<R>(
        &self,
        decision: Decision<R>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Result<R, CommitError>, ServiceError> {
        let Decision { writes, events, reply } = decision;
        if writes.is_empty() && events.is_empty() {
            return Ok(Ok(reply));
        }
        let committed = self.commit(persist::unit(self.vault(), writes, &events, actor, now)).await;
        let rights = &self.cell().rights;
        for event in &events {
            match event {
                Event::Authorization(
                    AuthorizationEvent::GrantCreated { subject, .. }
                    | AuthorizationEvent::GrantDeleted { subject, .. },
                ) => rights.forget(*subject),
                Event::Organization(
                    OrganizationEvent::MemberAdded { user, .. }
                    | OrganizationEvent::MemberRoleChanged { user, .. }
                    | OrganizationEvent::MemberRemoved { user, .. },
                ) => rights.forget(Subject::User(*user)),
                Event::Authorization(_) | Event::Organization(OrganizationEvent::Deleted { .. }) => {
                    rights.forget_all();
                }
                // Accounts, invitations and the like give no rights by themselves.
                _ => {}
            }
        }
        if !matches!(committed, Ok(Err(_))) {
            self.doubt_sessions_in_organizations(&events).await;
        }
        Ok(committed?.map(|_receipt| reply))
    }
}

use super::super::work::Work;
use super::super::{Platform, to_the_end};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use crate::tenant::RoleSet;
use plinto_domain::audit::Actor;
use plinto_domain::authorization::{
    ALREADY_GRANTED, Grant, GrantTerms, Granted, Permission, Place, ResourceRef, RoleKey, Subject,
    UNKNOWN_GRANT, UNKNOWN_ROLE, UNKNOWN_SUBJECT, create_grant, delete_grant,
};
use plinto_domain::id::GrantId;
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::grants::{self, GrantFilter, GrantRow};
use plinto_storage::repositories::{service_accounts, users};

/// A grant to be made; its role is named by key.
#[derive(Clone, Debug)]
pub struct GrantDraft {
    /// To whom.
    pub subject: Subject,
    /// What.
    pub what: RoleOrPermission,
    /// Where.
    pub place: Place,
    /// From when on it counts for nothing.
    pub expires_at: Option<Timestamp>,
}

/// What a draft grants, and what a grant is seen to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleOrPermission {
    /// The role of a key.
    Role(RoleKey),
    /// One permission.
    Permission(Permission),
}

/// A grant as those who administer it see it.
#[derive(Clone, Debug)]
pub struct GrantView {
    /// Which.
    pub id: GrantId,
    /// To whom.
    pub subject: Subject,
    /// What.
    pub what: RoleOrPermission,
    /// Where.
    pub place: Place,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it counts for nothing.
    pub expires_at: Option<Timestamp>,
}

/// Which grants.
#[derive(Clone, Debug, Default)]
pub struct GrantQuery {
    /// Those of a subject.
    pub subject: Option<Subject>,
    /// Those on a resource.
    pub resource: Option<ResourceRef>,
    /// After this one.
    pub after: Option<GrantId>,
}

fn view(row: &GrantRow, roles: &RoleSet) -> Result<GrantView, ServiceError> {
    let Grant { id, terms } = persist::authorization::grant(row)?;
    let what = match terms.granted {
        Granted::Permission(permission) => RoleOrPermission::Permission(permission),
        Granted::Role(role) => {
            // Roles cannot go while they are granted; the set may have been read before the role was made.
            let role = roles.catalogue.get(role).ok_or(ServiceError::Conflict)?;
            RoleOrPermission::Role(role.key.clone())
        }
    };
    let GrantTerms { subject, place, expires_at, .. } = terms;
    let created_at = Timestamp::from_millis(row.created_at);
    Ok(GrantView { id, subject, what, place, created_at, expires_at })
}

impl Platform {
    /// Grants in the order of their ids, at most `limit`.
    pub async fn grants(
        &self,
        tenant: TenantId,
        query: &GrantQuery,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<GrantView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let resource = query.resource.as_ref().map(ToString::to_string);
        let filter = GrantFilter { subject: query.subject.map(Subject::uuid), resource: resource.as_deref() };
        let after = query.after.map(GrantId::uuid);
        let rows = work.read(|| grants::list(work.engine(), work.vault(), filter, after, limit)).await?;
        let roles = work.read_roles().await?;
        rows.iter().map(|row| view(row, &roles)).collect()
    }

    /// One grant.
    pub async fn grant(
        &self,
        tenant: TenantId,
        grant: GrantId,
        deadline: Deadline,
    ) -> Result<GrantView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let row = work.grant_row(grant).await?;
        view(&row, &*work.read_roles().await?)
    }

    /// Grants something.
    pub async fn create_grant(
        &self,
        tenant: TenantId,
        draft: GrantDraft,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<GrantView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            work.check_subject(draft.subject).await?;
            let (roles, now) = (work.read_roles().await?, work.now());
            let granted = match &draft.what {
                RoleOrPermission::Permission(permission) => Granted::Permission(permission.clone()),
                RoleOrPermission::Role(key) => {
                    Granted::Role(roles.catalogue.by_key(key.as_str()).ok_or(UNKNOWN_ROLE)?.id)
                }
            };
            let GrantDraft { subject, what, place, expires_at } = draft;
            let held = work.read(|| grants::count(work.engine(), tenant.uuid(), subject.uuid())).await?;
            let id = GrantId::generate(now, work.environment().randomness());
            let terms = GrantTerms { subject, granted, place: place.clone(), expires_at };
            let held = usize::try_from(held).unwrap_or(usize::MAX);
            let decision = create_grant(id, terms, &roles.catalogue, held, now)?;
            match work.carry_out_rights(decision, actor, now).await? {
                Ok(id) => Ok(GrantView { id, subject, what, place, created_at: now, expires_at }),
                Err(CommitError::Unique(_)) => Err(ALREADY_GRANTED.into()),
                // The role is gone since: there is nothing the row could refer to.
                Err(CommitError::Invalid) => Err(UNKNOWN_ROLE.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// Takes a grant back.
    pub async fn delete_grant(
        &self,
        tenant: TenantId,
        grant: GrantId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            let stored = persist::authorization::grant(&work.grant_row(grant).await?)?;
            let now = work.now();
            match work.carry_out_rights(delete_grant(&stored), actor, now).await? {
                Err(CommitError::Conflict(_)) => Err(UNKNOWN_GRANT.into()),
                done => Ok(done?),
            }
        })
        .await
    }
}

impl Work {
    async fn grant_row(&self, grant: GrantId) -> Result<GrantRow, ServiceError> {
        let row = self.read(|| grants::get(self.engine(), self.vault(), grant.uuid())).await?;
        Ok(row.ok_or(UNKNOWN_GRANT)?)
    }

    /// Nothing is granted to somebody who is not there.
    async fn check_subject(&self, subject: Subject) -> Result<(), ServiceError> {
        let is_there = match subject {
            Subject::User(user) => {
                self.read(|| users::get(self.engine(), self.vault(), user.uuid())).await?.is_some()
            }
            Subject::Service(account) => {
                let tenant = self.cell().id.uuid();
                self.read(|| service_accounts::get(self.engine(), tenant, account.uuid())).await?.is_some()
            }
        };
        if is_there { Ok(()) } else { Err(UNKNOWN_SUBJECT.into()) }
    }
}

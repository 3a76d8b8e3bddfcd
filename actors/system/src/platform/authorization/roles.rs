use super::super::{Platform, to_the_end};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::tenant::RoleSet;
use plinto_domain::audit::Actor;
use plinto_domain::authorization::{ROLE_IN_USE, Role, RoleChange, RoleDraft, Roles, UNKNOWN_ROLE};
use plinto_domain::id::RoleId;
use plinto_domain::precondition::Precondition;
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::grants;

/// A decision about roles that another one overtook is made once more.
const ATTEMPTS: usize = 2;

/// A role as those who administer it see it.
#[derive(Clone, Debug)]
pub struct RoleView {
    /// The role.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

fn view(set: &RoleSet, id: RoleId) -> Result<RoleView, ServiceError> {
    let role = set.catalogue.get(id).ok_or(UNKNOWN_ROLE)?.clone();
    let (created_at, updated_at) = set.times.get(&id).copied().unwrap_or_default();
    let (created_at, updated_at) = (Timestamp::from_millis(created_at), Timestamp::from_millis(updated_at));
    Ok(RoleView { role, created_at, updated_at })
}

impl Platform {
    /// Every role of the tenant, in order of id.
    pub async fn roles(&self, tenant: TenantId, deadline: Deadline) -> Result<Vec<RoleView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let set = work.roles().await?;
        let mut ids: Vec<_> = set.catalogue.roles().map(|role| role.id).collect();
        ids.sort_unstable();
        ids.into_iter().map(|id| view(&set, id)).collect()
    }

    /// One role.
    pub async fn role(
        &self,
        tenant: TenantId,
        role: RoleId,
        deadline: Deadline,
    ) -> Result<RoleView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        view(&*work.roles().await?, role)
    }

    /// Makes a role.
    pub async fn create_role(
        &self,
        tenant: TenantId,
        draft: RoleDraft,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<RoleView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.read_roles().await?, work.now());
                let id = RoleId::generate(now, work.environment().randomness());
                let roles = Roles { catalogue: &set.catalogue, version: set.version };
                let decision = roles.create(id, draft.clone(), now)?;
                match work.carry_out_rights(decision, actor, now).await? {
                    Ok(id) => return view(&*work.read_roles().await?, id),
                    Err(CommitError::Conflict(_) | CommitError::Unique(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Changes a role, if its version is one the precondition admits.
    pub async fn change_role(
        &self,
        tenant: TenantId,
        role: RoleId,
        change: RoleChange,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<RoleView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.read_roles().await?, work.now());
                let roles = Roles { catalogue: &set.catalogue, version: set.version };
                let decision = roles.change(role, change.clone(), &precondition, now)?;
                match work.carry_out_rights(decision, actor, now).await? {
                    Ok(()) => return view(&*work.read_roles().await?, role),
                    Err(CommitError::Conflict(_) | CommitError::Unique(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Removes a role that nobody is granted and no other inherits from.
    pub async fn delete_role(
        &self,
        tenant: TenantId,
        role: RoleId,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.read_roles().await?, work.now());
                let is_granted =
                    work.read(|| grants::is_granted(work.engine(), work.vault(), role.uuid())).await?;
                let roles = Roles { catalogue: &set.catalogue, version: set.version };
                let decision = roles.delete(role, is_granted, &precondition)?;
                match work.carry_out_rights(decision, actor, now).await? {
                    Ok(()) => return Ok(()),
                    Err(CommitError::Conflict(_) | CommitError::Unique(_)) => {}
                    // It was granted since: the row is referred to.
                    Err(CommitError::Invalid) => return Err(ROLE_IN_USE.into()),
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }
}

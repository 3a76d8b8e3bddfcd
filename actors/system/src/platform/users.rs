//! Users, as a tenant's services and operators administer them.

use super::Platform;
use super::work::Work;
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::user::{UNKNOWN_USER, User, UserChange, change};
use plinto_domain::{TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::user_emails::{self, UserEmailRow};
use plinto_storage::repositories::users::{self, UserRow};
use std::collections::HashMap;
use uuid::Uuid;

/// A user as the user and those who administer it see it.
#[derive(Clone)]
pub struct UserView {
    /// The user.
    pub id: UserId,
    /// Primary address.
    pub email: Option<String>,
    /// Whether the address was verified.
    pub email_verified: bool,
    /// What to call them.
    pub name: Option<String>,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for UserView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserView").field("id", &self.id).finish_non_exhaustive()
    }
}

impl UserView {
    pub(super) fn of(row: UserRow, primary: Option<UserEmailRow>) -> Self {
        Self {
            id: UserId::from_uuid(row.user_id),
            email_verified: primary.as_ref().is_some_and(|email| email.verified_at.is_some()),
            email: primary.map(|email| email.email),
            name: row.name,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
        }
    }
}

impl Platform {
    /// One user.
    pub async fn user(
        &self,
        tenant: TenantId,
        user: UserId,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_view(user).await
    }

    /// Users in the order of their ids, after `after`, at most `limit`.
    pub async fn users(
        &self,
        tenant: TenantId,
        after: Option<UserId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<UserView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let rows =
            work.read(|| users::list(work.engine(), work.vault(), after.map(UserId::uuid), limit)).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
        let (first, last) = (first.user_id, last.user_id);
        let emails =
            work.read(|| user_emails::list_primary(work.engine(), work.vault(), first, last)).await?;
        let mut primary: HashMap<Uuid, UserEmailRow> =
            emails.into_iter().map(|email| (email.user_id, email)).collect();
        Ok(rows
            .into_iter()
            .map(|row| {
                let email = primary.remove(&row.user_id);
                UserView::of(row, email)
            })
            .collect())
    }

    /// Changes a user, if its version is one the precondition admits.
    pub async fn change_user(
        &self,
        tenant: TenantId,
        user: UserId,
        wanted: UserChange,
        precondition: &Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let row = work.user_row(user).await?;
        let now = work.now();
        let decision = change(&to_domain(&row)?, wanted, precondition, now)?;
        work.carry_out(decision, actor, now).await?;
        work.user_view(user).await
    }
}

impl Work {
    pub(super) async fn user_row(&self, user: UserId) -> Result<UserRow, ServiceError> {
        let row = self.read(|| users::get(self.engine(), self.vault(), user.uuid())).await?;
        Ok(row.ok_or(UNKNOWN_USER)?)
    }

    async fn user_view(&self, user: UserId) -> Result<UserView, ServiceError> {
        let row = self.user_row(user).await?;
        let id = user.uuid();
        let emails = self.read(|| user_emails::list_primary(self.engine(), self.vault(), id, id)).await?;
        Ok(UserView::of(row, emails.into_iter().next()))
    }
}

fn to_domain(row: &UserRow) -> Result<User, ServiceError> {
    let name = row.name.as_deref().map(|name| DisplayName::parse("name", name)).transpose();
    Ok(User {
        id: UserId::from_uuid(row.user_id),
        name: name.map_err(|_| ServiceError::Damaged("name of a user"))?,
        version: row.version,
    })
}

//! The addresses of a user.

use super::Platform;
use super::users::{taken, to_domain};
use super::work::Work;
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::user::emails::{Email, EmailChange, change_emails};
use plinto_domain::{EmailId, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::user_emails::{self, UserEmailRow};

/// An address as the user and those who administer it see it.
#[derive(Clone)]
pub struct EmailView {
    /// Its id.
    pub id: EmailId,
    /// The address.
    pub email: String,
    /// When its owner proved it.
    pub verified_at: Option<Timestamp>,
    /// Whether mail to the user goes here.
    pub is_primary: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for EmailView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmailView").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Platform {
    /// The addresses of a user, oldest first.
    pub async fn user_emails(
        &self,
        tenant: TenantId,
        user: UserId,
        deadline: Deadline,
    ) -> Result<Vec<EmailView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_row(user).await?;
        work.email_views(user).await
    }

    /// Adds an address to a user.
    pub async fn add_user_email(
        &self,
        tenant: TenantId,
        user: UserId,
        email: &str,
        verified: bool,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<EmailView, ServiceError> {
        let address = EmailAddress::parse("email", email)?;
        let work = self.work(tenant, deadline).await?;
        let id = EmailId::from_uuid(user_emails::id_of(work.vault(), address.normalized()));
        work.change_emails(user, EmailChange::Add { address, verified }, actor).await?;
        let emails = work.email_views(user).await?;
        emails.into_iter().find(|email| email.id == id).ok_or(ServiceError::Conflict)
    }

    /// Removes an address, makes it primary, or marks it as proved; the addresses afterwards.
    pub async fn change_user_emails(
        &self,
        tenant: TenantId,
        user: UserId,
        change: EmailChange,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<Vec<EmailView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.change_emails(user, change, actor).await?;
        work.email_views(user).await
    }
}

impl Work {
    async fn change_emails(
        &self,
        user: UserId,
        change: EmailChange,
        actor: Actor,
    ) -> Result<(), ServiceError> {
        // The user before its addresses: whoever changes them later also moves the version read here.
        let known = to_domain(&self.user_row(user).await?)?;
        let rows = self.email_rows(user).await?;
        let emails = rows.iter().map(|row| self.email(row)).collect::<Result<Vec<_>, _>>()?;
        let now = self.now();
        let decision = change_emails(&known, &emails, change, now)?;
        self.carry_out_uniquely(decision, actor, now, taken).await
    }

    async fn email_rows(&self, user: UserId) -> Result<Vec<UserEmailRow>, ServiceError> {
        self.read(|| user_emails::list_for_user(self.engine(), self.vault(), user.uuid())).await
    }

    async fn email_views(&self, user: UserId) -> Result<Vec<EmailView>, ServiceError> {
        let rows = self.email_rows(user).await?;
        let view = |row: UserEmailRow| {
            Ok(EmailView {
                id: self.email(&row)?.id,
                email: row.email,
                verified_at: row.verified_at.map(Timestamp::from_millis),
                is_primary: row.is_primary,
                created_at: Timestamp::from_millis(row.created_at),
            })
        };
        rows.into_iter().map(view).collect()
    }

    fn email(&self, row: &UserEmailRow) -> Result<Email, ServiceError> {
        let address = EmailAddress::parse("email", &row.email)
            .map_err(|_| ServiceError::Damaged("address of a user"))?;
        Ok(Email {
            id: EmailId::from_uuid(user_emails::id_of(self.vault(), address.normalized())),
            address,
            verified: row.verified_at.is_some(),
            is_primary: row.is_primary,
        })
    }
}

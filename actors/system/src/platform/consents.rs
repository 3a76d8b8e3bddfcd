//! Consents of users: recorded and listed.

use super::Platform;
use super::work::Work;
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::id::ConsentId;
use plinto_domain::privacy::{ConsentTerms, record_consent};
use plinto_domain::user::UNKNOWN_USER;
use plinto_domain::{TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::consents::{self, ConsentRow};
use plinto_storage::repositories::users;

/// A record of a consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentView {
    /// The record.
    pub id: ConsentId,
    /// What for.
    pub purpose: String,
    /// Which version of the text was shown.
    pub version: String,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Who recorded it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

impl From<ConsentRow> for ConsentView {
    fn from(row: ConsentRow) -> Self {
        Self {
            id: ConsentId::from_uuid(row.consent_id),
            purpose: row.purpose,
            version: row.document,
            granted: row.granted,
            actor: row.actor,
            at: Timestamp::from_millis(row.at),
        }
    }
}

/// A consent that is given or withdrawn.
#[derive(Clone, Debug)]
pub struct NewConsent<'a> {
    /// What for.
    pub purpose: &'a str,
    /// Which version of the text was shown.
    pub version: &'a str,
    /// Given, or withdrawn.
    pub granted: bool,
}

impl Platform {
    /// Records of a user, newest first, those before `after`, at most `limit`.
    pub async fn consents(
        &self,
        tenant: TenantId,
        user: UserId,
        after: Option<ConsentId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ConsentView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.consents(user, after, limit).await
    }

    /// Records that a user gave or withdrew a consent.
    pub async fn record_consent(
        &self,
        tenant: TenantId,
        user: UserId,
        new: NewConsent<'_>,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<ConsentView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.record(user, new, actor).await
    }

    /// The same list, for the user an access token speaks for.
    pub async fn own_consents(
        &self,
        tenant: TenantId,
        token: &str,
        after: Option<ConsentId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ConsentView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.consents(user, after, limit).await
    }

    /// The same record, by the user an access token speaks for.
    pub async fn record_own_consent(
        &self,
        tenant: TenantId,
        token: &str,
        new: NewConsent<'_>,
        deadline: Deadline,
    ) -> Result<ConsentView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.record(user, new, Actor::User(user)).await
    }
}

impl Work {
    pub(super) async fn consents(
        &self,
        user: UserId,
        after: Option<ConsentId>,
        limit: u32,
    ) -> Result<Vec<ConsentView>, ServiceError> {
        let (tenant, after) = (self.cell().id.uuid(), after.map(ConsentId::uuid));
        self.require_user(user).await?;
        let rows = self.read(|| consents::list(self.engine(), tenant, user.uuid(), limit, after)).await?;
        Ok(rows.into_iter().map(ConsentView::from).collect())
    }

    async fn record(
        &self,
        user: UserId,
        new: NewConsent<'_>,
        actor: Actor,
    ) -> Result<ConsentView, ServiceError> {
        let terms = ConsentTerms::parse(new.purpose, new.version)?;
        self.require_user(user).await?;
        let now = self.now();
        let decision = record_consent(user, terms, new.granted, actor, now, self.environment().randomness());
        let consent = self.carry_out(decision, actor, now).await?;
        Ok(ConsentView {
            id: consent.id,
            purpose: consent.terms.purpose().to_owned(),
            version: consent.terms.version().to_owned(),
            granted: consent.granted,
            actor: actor.label(),
            at: consent.at,
        })
    }

    pub(super) async fn require_user(&self, user: UserId) -> Result<(), ServiceError> {
        let row = self.read(|| users::get(self.engine(), self.vault(), user.uuid())).await?;
        row.map(drop).ok_or(UNKNOWN_USER.into())
    }
}

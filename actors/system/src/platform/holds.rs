//! Legal holds on users and on whole tenants.

use super::Platform;
use super::work::Work;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist::{self, held_id};
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::privacy::{HOLD_STANDS, Held, LEGAL_HOLD, NO_HOLD, lift_hold, place_hold};
use plinto_domain::user::UNKNOWN_USER;
use plinto_domain::{Decision, TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::StorageError;
use plinto_storage::repositories::legal_holds::{self, LegalHoldRow, WHOLE_TENANT};

/// A legal hold.
#[derive(Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub placed_by: String,
    /// When.
    pub placed_at: Timestamp,
}

impl std::fmt::Debug for LegalHold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LegalHold").field("placed_at", &self.placed_at).finish_non_exhaustive()
    }
}

impl From<LegalHoldRow> for LegalHold {
    fn from(row: LegalHoldRow) -> Self {
        let placed_at = Timestamp::from_millis(row.placed_at);
        Self { reason: row.reason, placed_by: row.placed_by, placed_at }
    }
}

impl Platform {
    /// The hold on a user or on the tenant.
    pub async fn legal_hold(
        &self,
        tenant: TenantId,
        held: Held,
        deadline: Deadline,
    ) -> Result<LegalHold, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.require(held).await?;
        Ok(work.hold_on(held).await?.ok_or(NO_HOLD)?)
    }

    /// Places a hold: from its commit on, nothing it covers is erased, deleted or pruned.
    pub async fn place_legal_hold(
        &self,
        tenant: TenantId,
        held: Held,
        reason: &str,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<LegalHold, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let reason = DisplayName::parse("reason", reason)?;
        work.require(held).await?;
        let stands = work.hold_on(held).await?.is_some();
        let now = work.now();
        let view = LegalHold { reason: reason.as_str().to_owned(), placed_by: actor.label(), placed_at: now };
        work.commit_hold(place_hold(held, stands, reason, actor, now)?, actor, now).await?;
        Ok(view)
    }

    /// Lifts a hold.
    pub async fn lift_legal_hold(
        &self,
        tenant: TenantId,
        held: Held,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let stands = work.hold_on(held).await?.is_some();
        work.commit_hold(lift_hold(held, stands)?, actor, work.now()).await
    }

    /// Refuses while anything of a tenant is under a hold. A tenant that is not there, or whose storage is damaged, has
    /// none that could be read.
    pub(super) async fn refuse_held_tenant(&self, tenant: TenantId) -> Result<(), ServiceError> {
        let store = &self.0.store;
        let Some(vault) = store.unlock(tenant.uuid()).await? else { return Ok(()) };
        match legal_holds::any(&**store.engine(), &vault).await {
            Ok(None) | Err(StorageError::UnknownTenant) => Ok(()),
            Ok(Some(_)) => Err(LEGAL_HOLD.into()),
            Err(error @ StorageError::Corrupt { .. }) => {
                tracing::warn!(%tenant, %error, "whether a tenant is under legal hold cannot be read any more");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Work {
    /// The hold that keeps a user's data: the user's own, or the tenant's.
    pub(super) async fn is_held(&self, held: Held) -> Result<bool, ServiceError> {
        let own = self.hold_on(held).await?.is_some();
        Ok(own || self.read(|| legal_holds::get(self.engine(), self.vault(), WHOLE_TENANT)).await?.is_some())
    }

    async fn hold_on(&self, held: Held) -> Result<Option<LegalHold>, ServiceError> {
        let row = self.read(|| legal_holds::get(self.engine(), self.vault(), held_id(held))).await?;
        Ok(row.map(LegalHold::from))
    }

    async fn require(&self, held: Held) -> Result<(), ServiceError> {
        match held {
            Held::User(user) => self.require_user(user).await,
            Held::Tenant(_) => Ok(()),
        }
    }

    async fn commit_hold(
        &self,
        decision: Decision<()>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let unit = persist::unit(self.vault(), decision.writes, &decision.events, actor, now);
        self.commit(unit).await?.map(drop).map_err(|error| match error {
            // Somebody else was faster.
            CommitError::Unique(_) => HOLD_STANDS.into(),
            CommitError::Conflict("no_legal_hold") => NO_HOLD.into(),
            CommitError::Conflict("unknown_user") => UNKNOWN_USER.into(),
            other => other.into(),
        })
    }
}

//! Sessions: tokens checked and exchanged.

use super::{Platform, within};
use crate::budgets::charge_session;
use crate::error::ServiceError;
use crate::session::{Presented, Proof, RefreshRequest, Refreshed, SessionKey, client_index};
use crate::tenant::{ClientContext, SignedIn, TenantActor, TenantCell, Verified, VerifiedToken};
use plinto_domain::session::SessionEnded;
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::{Deadline, Entered, Refusal};
use plinto_token::TokenError;
use std::sync::Arc;

impl Platform {
    /// Exchanges a refresh token for the next pair. The token itself names its tenant; if the request names one too,
    /// the two must agree. A client that presents the token it just had replaced gets the current one once more.
    pub async fn refresh(
        &self,
        named: Option<TenantId>,
        token: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let presented = Presented::read(token).ok_or(ServiceError::InvalidGrant)?;
        let tenant = presented.parts.tenant;
        if named.is_some_and(|named| named != tenant) {
            return Err(ServiceError::InvalidGrant);
        }
        let entered = self.enter_claimed(tenant, deadline).await.map_err(hide_unknown_tenant)?;
        let cell = Arc::clone(&entered.shared);
        if !self.is_genuine(&presented, &cell, deadline).await? {
            return Err(ServiceError::InvalidGrant);
        }
        let key = SessionKey { tenant, session: presented.parts.session };
        let now = self.0.environment.now();
        let client = client_index(&cell.vault, &client);
        let proof = Proof::Token(presented.parts, presented.hash);
        let request = RefreshRequest { cell, proof, client, now };
        let refreshed = self.0.sessions.refresh(key, request, deadline).await?;
        Ok(signed_in(refreshed, now))
    }

    /// Whether an access token is one of ours and in time; not whether its session lives.
    pub async fn verify_token(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        self.verify(&cell, token, self.0.environment.now(), deadline).await.map(drop)
    }

    pub(super) async fn authorize(
        &self,
        cell: &TenantCell,
        token: &str,
        deadline: Deadline,
    ) -> Result<Arc<VerifiedToken>, ServiceError> {
        let now = self.0.environment.now();
        let verified = self.verify(cell, token, now, deadline).await?;
        self.check_session(cell, verified, now, deadline).await
    }

    /// A verified token, if its session is live and active where the token says.
    pub(super) async fn check_session(
        &self,
        cell: &TenantCell,
        verified: Arc<VerifiedToken>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Arc<VerifiedToken>, ServiceError> {
        let key = SessionKey { tenant: cell.id, session: verified.session };
        charge_session(key);
        match self.0.sessions.check(key, verified.organization.clone(), now, deadline).await? {
            Ok(()) => Ok(verified),
            Err(SessionEnded::OrganizationLeft) => {
                Err(ServiceError::InvalidToken { reason: "organization_left" })
            }
            Err(SessionEnded::Revoked | SessionEnded::Expired) => {
                Err(ServiceError::InvalidToken { reason: "session_ended" })
            }
        }
    }

    /// What a session's access token says, if it is good.
    pub(super) async fn verify(
        &self,
        cell: &TenantCell,
        token: &str,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Arc<VerifiedToken>, ServiceError> {
        self.verify_any(cell, token, now, deadline).await?.of_session()
    }

    /// What an access token says, if it is good, whoever has it. Its key may have been made by another node a moment ago.
    pub(super) async fn verify_any(
        &self,
        cell: &TenantCell,
        token: &str,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Verified, ServiceError> {
        let verified = cell.verify_any(token, now);
        let (Some(follower), Err(ServiceError::InvalidToken { reason })) = (&self.0.follower, &verified)
        else {
            return verified;
        };
        if *reason != TokenError::UnknownKey.code() {
            return verified;
        }
        // Boxed, so that tokens of known keys do not carry the size of this.
        if Box::pin(within(deadline, follower.learn_signing_key(cell, token, now, deadline))).await? {
            return self.0.tenants.cell(cell.id, deadline).await?.verify_any(token, now);
        }
        verified
    }

    /// Whether a refresh token is one of ours. Its key may have been made by another node a moment ago.
    pub(super) async fn is_genuine(
        &self,
        presented: &Presented,
        cell: &TenantCell,
        deadline: Deadline,
    ) -> Result<bool, ServiceError> {
        if let Some(follower) = &self.0.follower {
            within(deadline, follower.learn_data_key(&cell.vault, presented.parts.key_version)).await?;
        }
        Ok(presented.is_genuine(&cell.vault))
    }

    /// Enters the tenant a token claims to be of, which is not believed yet: nothing is activated for a made-up one.
    pub(super) async fn enter_claimed(
        &self,
        tenant: TenantId,
        deadline: Deadline,
    ) -> Result<Entered<TenantActor>, ServiceError> {
        within(deadline, self.0.registry.require(tenant)).await?;
        self.0.tenants.enter(tenant, deadline).await
    }
}

/// A refresh token that names no tenant of ours is a bad token, not a missing page.
fn hide_unknown_tenant(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::UnknownTenant | ServiceError::Refused(Refusal::NotFound) => ServiceError::InvalidGrant,
        other => other,
    }
}

/// What a refresh came to, for the one who asked at `now` and showed as much as is handed out.
pub(super) fn signed_in(refreshed: Refreshed, now: Timestamp) -> SignedIn {
    let Refreshed { session, user, access, refresh, ends_at, organization } = refreshed;
    let refresh = refresh.expect("a refresh token is kept back only from a switch by access token");
    let refresh_expires_in = ends_at.since(now).as_secs();
    SignedIn { user, session, access, refresh, refresh_expires_in, organization }
}

//! What resource servers are told about tokens.

use super::{Platform, within};
use crate::credentials::Caller;
use crate::error::ServiceError;
use crate::introspection::{Introspection, active_refresh_token};
use crate::session::{Presented, SessionKey};
use crate::tenant::Verified;
use plinto_domain::session::Session;
use plinto_runtime::Deadline;

impl Platform {
    /// What a resource server is told about a token (RFC 7662). A token of a tenant the caller does not reach is
    /// inactive, like any other token that is not usable; limits and failures are errors, never "inactive".
    pub async fn introspect(
        &self,
        caller: &Caller,
        token: &str,
        deadline: Deadline,
    ) -> Result<Introspection, ServiceError> {
        if let Some(presented) = Presented::read(token) {
            return self.introspect_refresh(caller, presented, deadline).await;
        }
        let tenant = match caller.tenant {
            Some(tenant) => tenant,
            None => match within(deadline, self.tenant_named_by(token)).await {
                Ok(tenant) => tenant,
                Err(ServiceError::InvalidToken { .. } | ServiceError::UnknownTenant) => {
                    return Ok(Introspection::Inactive);
                }
                Err(error) => return Err(error),
            },
        };
        let entered = match self.0.tenants.enter(tenant, deadline).await {
            Err(ServiceError::UnknownTenant) => return Ok(Introspection::Inactive),
            entered => entered?,
        };
        let (cell, now) = (&entered.shared, self.0.environment.now());
        let introspected = match self.verify_any(cell, token, now, deadline).await {
            Ok(Verified::OfSession(verified)) => {
                let checked = self.check_session(cell, verified, now, deadline).await;
                checked.map(|verified| Introspection::Active(verified.introspection.clone()))
            }
            Ok(Verified::OfClient(verified)) => {
                drop(entered);
                let introspecting =
                    async { self.work(tenant, deadline).await?.introspect_oauth_token(&verified).await };
                Box::pin(introspecting).await
            }
            Err(error) => Err(error),
        };
        match introspected {
            Err(ServiceError::InvalidToken { .. }) => Ok(Introspection::Inactive),
            answer => answer,
        }
    }

    async fn introspect_refresh(
        &self,
        caller: &Caller,
        presented: Presented,
        deadline: Deadline,
    ) -> Result<Introspection, ServiceError> {
        let tenant = presented.parts.tenant;
        if !caller.reaches(tenant) {
            return Ok(Introspection::Inactive);
        }
        let entered = match self.enter_claimed(tenant, deadline).await {
            Err(ServiceError::UnknownTenant) => return Ok(Introspection::Inactive),
            entered => entered?,
        };
        let cell = &entered.shared;
        if !self.is_genuine(&presented, cell, deadline).await? {
            return Ok(Introspection::Inactive);
        }
        let key = SessionKey { tenant, session: presented.parts.session };
        let now = self.0.environment.now();
        let generation = presented.parts.generation;
        let session = self.0.sessions.check_refresh(key, generation, presented.hash, now, deadline).await?;
        let active = |session: Session| active_refresh_token(&cell.issuer, &session, now);
        Ok(session.map_or(Introspection::Inactive, active))
    }
}

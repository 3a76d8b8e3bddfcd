use super::follow::Follower;
use super::plan::Plan;
use crate::error::ServiceError;
use crate::session::SessionKey;
use plinto_domain::{SessionId, TenantId, UserId};
use plinto_runtime::{Deadline, Refusal};
use plinto_storage::repositories::sessions;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long telling a user's sessions may wait for their tenant.
const TENANT_WAIT: Duration = Duration::from_secs(1);
/// Sessions of a user read at a time.
const SESSIONS_PER_PAGE: u32 = 256;

impl Follower {
    /// Makes memory follow changes made elsewhere; doing so twice changes nothing more. Actors that have to leave do so
    /// in tasks of their own: whoever asks meanwhile already waits for their successors.
    ///
    /// # Errors
    /// Something could not be read; all else is done, and the same plan may be tried again.
    pub(super) async fn apply(self: &Arc<Self>, plan: Plan) -> Result<(), ServiceError> {
        for key in plan.sessions {
            self.sessions.changed(key);
        }
        for &tenant in &plan.tenants {
            let this = Arc::clone(self);
            self.system.background(async move { this.tenants.drain(tenant).await });
        }
        if !plan.deleted.is_empty() {
            self.let_go(plan.deleted);
        }
        let mut outcome = Ok(());
        for (tenant, user) in plan.users {
            outcome = self.tell_sessions(tenant, user).await.and(outcome);
        }
        if plan.api_keys {
            outcome = self.keys.reload().await.and(outcome);
        }
        if outcome.is_ok() {
            self.progress.changes.fetch_add(plan.changes, Ordering::Relaxed);
        }
        outcome
    }

    fn let_go(self: &Arc<Self>, deleted: BTreeSet<TenantId>) {
        for &tenant in &deleted {
            self.registry.forget(tenant);
            self.watch.forget(tenant.uuid());
        }
        self.drain(deleted);
    }

    /// Sends away everything of these tenants. No longer following them comes first; see [`super::Watch`].
    pub(super) fn drain(self: &Arc<Self>, tenants: BTreeSet<TenantId>) {
        let this = Arc::clone(self);
        self.system.background(async move {
            this.resident_sessions.drain_where(|key| tenants.contains(&key.tenant)).await;
            for tenant in tenants {
                this.tenants.drain(tenant).await;
                this.ledger.drain(tenant).await;
            }
        });
    }

    /// Has the resident sessions of a user read their rows again: which of them ended, and which began later, the rows
    /// know.
    async fn tell_sessions(&self, tenant: TenantId, user: UserId) -> Result<(), ServiceError> {
        let cell = match self.resident_tenants.shared(&tenant, Deadline::after(TENANT_WAIT)).await {
            Err(Refusal::NotFound) => return Ok(()),
            cell => cell?,
        };
        let mut cursor = None;
        loop {
            let page =
                sessions::list_for_user(&*self.engine, &cell.vault, user.uuid(), SESSIONS_PER_PAGE, cursor)
                    .await?;
            for row in &page {
                self.sessions.changed(SessionKey { tenant, session: SessionId::from_uuid(row.session_id) });
            }
            match page.last() {
                Some(last) => cursor = Some(last.session_id),
                None => return Ok(()),
            }
        }
    }
}

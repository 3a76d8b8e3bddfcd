use super::follow::Follower;
use super::plan::Plan;
use super::poll::EACH_WAIT;
use crate::error::ServiceError;
use crate::session::SessionKey;
use futures::StreamExt;
use plinto_domain::{SessionId, TenantId, UserId};
use plinto_runtime::{Deadline, Refusal};
use plinto_storage::repositories::sessions;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Sessions of a user read at a time, users at a time.
const SESSIONS_PER_PAGE: u32 = 256;
const USERS_AT_ONCE: usize = 4;

impl Follower {
    /// Makes memory follow changes made elsewhere; doing so twice changes nothing more. API keys are left to the end of
    /// the poll.
    ///
    /// # Errors
    /// The sessions of a user could not be read. All else is done.
    pub(super) async fn apply(self: &Arc<Self>, mut plan: Plan) -> Result<(), ServiceError> {
        let users = std::mem::take(&mut plan.users);
        self.apply_at_once(plan);
        self.tell_users(users).await
    }

    /// The same without waiting for storage: what has to be read is read in a task of its own, and if that fails a poll
    /// finds the change again.
    pub(super) fn apply_beside(self: &Arc<Self>, mut plan: Plan) {
        let users = std::mem::take(&mut plan.users);
        let keys = plan.api_keys;
        self.apply_at_once(plan);
        if users.is_empty() && !keys {
            return;
        }
        let Ok(turn) = Arc::clone(&self.progress.telling).try_acquire_owned() else {
            return self.progress.poll_now.notify_one();
        };
        let this = Arc::clone(self);
        self.system.background(async move {
            let told = tokio::time::timeout(EACH_WAIT, this.tell_users(users)).await;
            if keys {
                this.read_keys().await;
            }
            if !matches!(told, Ok(Ok(()))) || this.progress.keys_due.load(Ordering::Acquire) {
                this.progress.poll_now.notify_one();
            }
            drop(turn);
        });
    }

    /// What needs nothing read. Actors that have to leave do so in tasks of their own: whoever asks meanwhile already
    /// waits for their successors.
    fn apply_at_once(self: &Arc<Self>, plan: Plan) {
        self.progress.changes.fetch_add(plan.changes, Ordering::Relaxed);
        if plan.api_keys {
            self.progress.keys_due.store(true, Ordering::Release);
        }
        self.forget_rights(&plan);
        for key in plan.sessions {
            self.sessions.changed(key);
        }
        for (tenant, organization) in plan.organizations {
            let this = Arc::clone(self);
            self.system.background(async move {
                this.sessions.organization_gone(tenant, organization).await;
            });
        }
        for &tenant in &plan.tenants {
            let this = Arc::clone(self);
            self.system.background(async move { this.tenants.drain(tenant).await });
        }
        if !plan.deleted.is_empty() {
            self.let_go(plan.deleted);
        }
    }

    /// Has rights and flags read again where they are in memory. A tenant that is not live has none there, and reads them after
    /// this change.
    fn forget_rights(&self, plan: &Plan) {
        for (tenant, subject) in &plan.subjects {
            if let Some(cell) = self.resident_tenants.peek(tenant) {
                cell.rights.forget(*subject);
            }
        }
        plan.roles
            .iter()
            .filter_map(|tenant| self.resident_tenants.peek(tenant))
            .for_each(|cell| cell.rights.forget_all());
        plan.flags
            .iter()
            .filter_map(|tenant| self.resident_tenants.peek(tenant))
            .for_each(|cell| cell.flags.forget());
        plan.policies
            .iter()
            .filter_map(|tenant| self.resident_tenants.peek(tenant))
            .for_each(|cell| cell.forget_policies());
    }

    /// Has all rights and flags of a tenant read again.
    pub(super) fn doubt_rights(&self, tenant: TenantId) {
        if let Some(cell) = self.resident_tenants.peek(&tenant) {
            cell.doubt();
        }
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

    /// Reads the API keys again. If that fails it stays due. It must not be given up halfway.
    pub(super) async fn read_keys(&self) {
        self.progress.keys_due.store(false, Ordering::Release);
        let read = tokio::time::timeout(EACH_WAIT, self.keys.reload()).await;
        if !matches!(read, Ok(Ok(()))) {
            self.progress.keys_due.store(true, Ordering::Release);
        }
    }

    async fn tell_users(&self, users: BTreeSet<(TenantId, UserId)>) -> Result<(), ServiceError> {
        let tell = |(tenant, user)| self.tell_sessions(tenant, user);
        let telling = futures::stream::iter(users).map(tell).buffer_unordered(USERS_AT_ONCE);
        telling.fold(Ok(()), |outcome, told| std::future::ready(told.and(outcome))).await
    }

    /// Has the resident sessions of a user read their rows again: which of them ended, and which began later, the rows
    /// know.
    async fn tell_sessions(&self, tenant: TenantId, user: UserId) -> Result<(), ServiceError> {
        let cell = match self.resident_tenants.shared(&tenant, Deadline::after(EACH_WAIT)).await {
            Err(Refusal::NotFound) => return Ok(()),
            cell => cell?,
        };
        let mut cursor = None;
        loop {
            let list = || {
                sessions::list_for_user(&*self.engine, &cell.vault, user.uuid(), SESSIONS_PER_PAGE, cursor)
            };
            let page = self.rows.read(tenant, list).await?;
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

//! Who may sign in: blocking, locking, deleting and restoring users.

use super::{COMMIT_WAIT, Platform, UserView, to_the_end};
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::precondition::Precondition;
use plinto_domain::user::standing::{SessionsAfter, StandingChange, change_standing};
use plinto_domain::{TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use std::sync::Arc;

impl Platform {
    /// Locks a user until a time: no sign-in, but sessions go on.
    pub async fn lock_user(
        &self,
        tenant: TenantId,
        user: UserId,
        until: Timestamp,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let change = StandingChange::lock(until, self.0.environment.now())?;
        self.change_standing(tenant, user, change, precondition, actor, deadline).await
    }

    /// Changes whether a user may sign in. Where that ends its sessions, it goes on to its end also if the caller
    /// leaves: what is committed must reach the sessions that are resident.
    pub async fn change_standing(
        &self,
        tenant: TenantId,
        user: UserId,
        change: StandingChange,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let platform = self.clone();
        to_the_end(async move {
            let work = platform.work(tenant, deadline).await?;
            let row = work.user_row(user).await?;
            let now = work.now();
            let known = super::users::to_domain(&row)?;
            let policy = &work.cell().settings.users;
            let leaves = matches!(change, StandingChange::Delete);
            let mut decision = change_standing(&known, change, &precondition, policy, now)?;
            if leaves && !decision.writes.is_empty() {
                let leaving = work.leaving_everything(user).await?;
                decision.writes.extend(leaving.writes);
                decision.events.extend(leaving.events);
            }
            let ends = decision.reply == SessionsAfter::Ended;
            let work = work.with_deadline(Deadline::after(COMMIT_WAIT));
            let committed = work.carry_out(decision, actor, now).await;
            if leaves {
                work.forget_rights_of(user);
            }
            if ends {
                platform.after_sessions_ended(work.cell(), user, &committed).await;
            }
            committed?;
            work.user_view(user).await.map(Arc::unwrap_or_clone)
        })
        .await
    }
}

//! Deleted users go for good when their grace period is over.

use super::{COMMIT_WAIT, Platform};
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::user::standing::purge;
use plinto_domain::{TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::users;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// From the end of one sweep to the next. A tenant that was used lives longer than that, so that none is missed.
const PERIOD: Duration = Duration::from_secs(600);
/// A tenant is not looked at more often, or looking would keep it alive.
const REST: Duration = Duration::from_secs(3_600);
/// Users purged of one tenant before the next tenant has its turn.
const AT_ONCE: u32 = 100;

impl Platform {
    /// Sweeps in the background, supervised, until the system stops. Only tenants that live on this node are looked at:
    /// one that is not is swept after its next activation, and nobody sees its users meanwhile.
    pub(super) fn purging(self) -> Self {
        let weak = Arc::downgrade(&self.0);
        self.0.system.service("/services/user-purge", "service", move || {
            let weak = weak.clone();
            async move {
                let mut swept: HashMap<TenantId, Instant> = HashMap::new();
                loop {
                    tokio::time::sleep(PERIOD).await;
                    let Some(inner) = weak.upgrade() else { return };
                    swept.retain(|_, at| at.elapsed() < REST);
                    let platform = Self(inner);
                    for tenant in platform.0.tenants.resident() {
                        if let Entry::Vacant(rested) = swept.entry(tenant) {
                            platform.purge_due_users(tenant).await;
                            rested.insert(Instant::now());
                        }
                    }
                }
            }
        });
        self
    }

    /// Purges the users of a tenant whose time has come; how many it were. What fails is logged and tried again at the
    /// next sweep.
    pub async fn purge_due_users(&self, tenant: TenantId) -> usize {
        self.purge_due_users_of(tenant).await.unwrap_or_else(|error| {
            tracing::warn!(%tenant, %error, "deleted users could not be purged yet");
            0
        })
    }

    async fn purge_due_users_of(&self, tenant: TenantId) -> Result<usize, ServiceError> {
        let work = self.work(tenant, Deadline::after(COMMIT_WAIT)).await?;
        let now = work.now();
        let due =
            work.read(|| users::list_due(work.engine(), tenant.uuid(), now.as_millis(), AT_ONCE)).await?;
        let mut purged = 0;
        for (user, version) in due {
            match work.carry_out(purge(UserId::from_uuid(user), version), Actor::System, now).await {
                Ok(()) => purged += 1,
                // Restored or purged by somebody else meanwhile.
                Err(ServiceError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(purged)
    }
}

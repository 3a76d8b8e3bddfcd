use parking_lot::Mutex;
use plinto_domain::{TenantId, Timestamp};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::Notify;

/// Looked at again at least this often while something is due later: the wall clock may be set.
const LOOK: Duration = Duration::from_secs(1);

/// Which tenants have mail, and since when or until when it waits. A hint: the rows say what there is.
#[derive(Default)]
pub(crate) struct MailQueue {
    due: Mutex<HashMap<TenantId, Timestamp>>,
    changed: Notify,
}

impl MailQueue {
    /// The tenant has mail that is due at once.
    pub(crate) fn wake(&self, tenant: TenantId) {
        self.wake_at(tenant, Timestamp::from_millis(i64::MIN));
    }

    /// The tenant has mail that is due then.
    pub(crate) fn wake_at(&self, tenant: TenantId, at: Timestamp) {
        let mut due = self.due.lock();
        let known = due.entry(tenant).or_insert(at);
        *known = at.min(*known);
        drop(due);
        self.changed.notify_one();
    }

    /// A tenant whose mail is due and who is not excepted.
    pub(super) fn take(&self, now: Timestamp, except: impl Fn(&TenantId) -> bool) -> Option<TenantId> {
        let mut due = self.due.lock();
        let ready = due.iter().filter(|(tenant, at)| **at <= now && !except(tenant));
        let (tenant, _) = ready.min_by_key(|(_, at)| **at)?;
        let tenant = *tenant;
        due.remove(&tenant);
        Some(tenant)
    }

    /// Until something changes, or the next tenant may be due.
    pub(super) async fn changed(&self) {
        if self.due.lock().is_empty() {
            self.changed.notified().await;
        } else {
            // Whichever comes first is reason enough to look.
            let _ = tokio::time::timeout(LOOK, self.changed.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn whoever_waits_longest_is_taken_first_and_the_earliest_time_holds() {
        let tenant = |n| TenantId::from_uuid(Uuid::from_u128(n));
        let at = Timestamp::from_millis;
        let queue = MailQueue::default();
        queue.wake_at(tenant(1), at(5));
        queue.wake_at(tenant(2), at(3));
        queue.wake_at(tenant(3), at(9));
        queue.wake_at(tenant(3), at(20));
        assert_eq!(queue.take(at(6), |other| *other == tenant(2)), Some(tenant(1)));
        assert_eq!(queue.take(at(6), |_| false), Some(tenant(2)));
        assert_eq!(queue.take(at(6), |_| false), None);
        assert_eq!(queue.take(at(9), |_| false), Some(tenant(3)));
        queue.wake(tenant(4));
        assert_eq!(queue.take(at(-1), |_| false), Some(tenant(4)));
    }
}

//! How long a refused sign-in takes in a tenant with hashes made elsewhere.
//!
//! Some of them cost ten times as much as ours. If an account that is not there were refused at once where another is
//! refused after a quarter of a second, time would tell which accounts are there. So a miss that cost less waits, without
//! any work, as long as those hashes took lately on this node. The first of them after a start is not blurred, nor is
//! what the machine's load adds.

use plinto_domain::TenantId;
use quick_cache::sync::Cache;
use std::time::Duration;
use tokio::time::Instant;

/// Tenants that are remembered; of more than that, those asked for least are forgotten.
const TENANTS: usize = 10_000;
/// For how long a check of such a hash slows others.
const LASTING: Duration = Duration::from_secs(24 * 3_600);
/// Longest wait. Bounds on imported hashes keep them below it on usual machines.
const LONGEST: Duration = Duration::from_secs(2);

/// What checks of hashes made elsewhere took.
pub(super) struct Pace(Cache<TenantId, Lately>);

#[derive(Clone, Copy)]
struct Lately {
    took: Duration,
    at: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Cache::new(TENANTS))
    }
}

impl Pace {
    /// A check of a hash made elsewhere took so long.
    pub(super) fn note(&self, tenant: TenantId, took: Duration) {
        let took = took.min(LONGEST);
        let at = Instant::now();
        let took = match self.0.get(&tenant).filter(|lately| at - lately.at < LASTING) {
            // One that was held up does not slow all that follow, and one that is cheap hides no dear ones.
            Some(lately) => (lately.took * 3 + took) / 4,
            None => took,
        };
        self.0.insert(tenant, Lately { took, at });
    }

    /// How long a miss that took `took` is to wait.
    pub(super) fn wait(&self, tenant: TenantId, took: Duration) -> Duration {
        let lately = self.0.get(&tenant).filter(|lately| lately.at.elapsed() < LASTING);
        lately.map_or(Duration::ZERO, |lately| lately.took.saturating_sub(took))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[tokio::test(start_paused = true)]
    async fn cheap_misses_wait_as_long_as_dear_ones_took_lately() {
        let (pace, tenant) = (Pace::default(), TenantId::from_uuid(Uuid::from_u128(7)));
        assert_eq!(pace.wait(tenant, millis(20)), Duration::ZERO, "there are no others");
        pace.note(tenant, millis(270));
        assert_eq!(pace.wait(tenant, millis(20)), millis(250));
        assert_eq!(pace.wait(tenant, millis(300)), Duration::ZERO);
        pace.note(tenant, millis(670));
        assert_eq!(pace.wait(tenant, millis(20)), millis(350), "an average");
        pace.note(tenant, Duration::from_secs(3_600));
        assert!(pace.wait(tenant, Duration::ZERO) <= LONGEST);
        let other = TenantId::from_uuid(Uuid::from_u128(8));
        assert_eq!(pace.wait(other, millis(20)), Duration::ZERO, "tenants do not slow each other");
        tokio::time::advance(LASTING).await;
        assert_eq!(pace.wait(tenant, millis(20)), Duration::ZERO, "all of them are ours by now");
    }
}

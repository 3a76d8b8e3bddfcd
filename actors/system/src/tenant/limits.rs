use crate::config::Limits;
use crate::error::ServiceError;
use governor::Quota;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use plinto_domain::TenantId;
use plinto_domain::address::Network;
use plinto_runtime::{Moment, TokioClock};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Beyond this many keys a limiter forgets, once a second, those that are back to full.
const KEYS_BEFORE_SWEEP: usize = 50_000;
/// Beyond this many keys new attempts are refused: memory stays bounded whatever comes.
const MOST_KEYS: usize = 500_000;
/// An account may be tried this many times as often from all networks together as from one.
const NETWORKS_PER_ACCOUNT: u32 = 20;

type Keyed<K> = governor::RateLimiter<K, DefaultKeyedStateStore<K>, TokioClock, NoOpMiddleware<Moment>>;

/// What an account is known by here: the blind index of the address entered, whether or not it exists, so that the
/// limit tells nothing about existence. Made under the tenant's key, it is different in each tenant.
pub(crate) type AccountIndex = [u8; 32];

/// Limits on guessing, checked before any work is done; one for the node, so that they outlive a tenant's actor.
///
/// The tight limit is on an account as tried from one network: somebody elsewhere who knows the address cannot use it
/// up for its owner. A far wider one bounds what many networks together may try on one account.
pub(crate) struct AttemptLimits {
    accounts_from_networks: Bounded<(AccountIndex, Option<Network>)>,
    accounts: Bounded<AccountIndex>,
    networks: Bounded<(TenantId, Network)>,
}

impl AttemptLimits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let refill = Duration::from_secs(limits.account_refill_seconds.into());
        let wide = limits.account_burst.saturating_mul(NETWORKS_PER_ACCOUNT);
        Self {
            accounts_from_networks: Bounded::new(limits.account_burst, refill),
            accounts: Bounded::new(wide, refill / NETWORKS_PER_ACCOUNT),
            networks: Bounded::new(
                limits.address_burst,
                Duration::from_millis(limits.address_refill_millis.into()),
            ),
        }
    }

    /// One more attempt on an account.
    pub(crate) fn account(&self, index: &AccountIndex, network: Option<Network>) -> Result<(), ServiceError> {
        self.accounts_from_networks.check(&(*index, network))?;
        self.accounts.check(index)
    }

    /// One more attempt in a tenant from a network.
    pub(crate) fn network(&self, tenant: TenantId, network: Network) -> Result<(), ServiceError> {
        self.networks.check(&(tenant, network))
    }
}

/// A keyed limiter whose memory is bounded.
struct Bounded<K: Hash + Eq + Clone> {
    limiter: Keyed<K>,
    started: Instant,
    swept_second: AtomicU64,
}

impl<K: Hash + Eq + Clone> Bounded<K> {
    fn new(burst: u32, refill: Duration) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(refill.max(Duration::from_millis(1))).expect("the period is not zero");
        let limiter = Keyed::new(quota.allow_burst(burst), Default::default(), TokioClock);
        Self { limiter, started: Instant::now(), swept_second: AtomicU64::new(0) }
    }

    fn check(&self, key: &K) -> Result<(), ServiceError> {
        let keys = self.limiter.len();
        if keys > KEYS_BEFORE_SWEEP && self.sweep_is_due() {
            self.limiter.retain_recent();
        }
        if keys > MOST_KEYS {
            return Err(ServiceError::TooManyAttempts { retry_after: Duration::from_secs(1) });
        }
        self.limiter.check_key(key).map_err(|until| ServiceError::TooManyAttempts {
            retry_after: until.wait_time_from(TokioClock.now()),
        })
    }

    /// True for one caller in each second.
    fn sweep_is_due(&self) -> bool {
        let second = self.started.elapsed().as_secs() + 1;
        self.swept_second.fetch_max(second, Ordering::Relaxed) < second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Option<Network> {
        Some(Network::of(text.parse().expect("address")))
    }

    #[tokio::test(start_paused = true)]
    async fn an_attacker_elsewhere_does_not_lock_the_owner_out() {
        let limits =
            AttemptLimits::new(&Limits { account_burst: 3, account_refill_seconds: 30, ..Limits::default() });
        let account = [7; 32];
        let (attacker, owner) = (network("203.0.113.9"), network("192.0.2.1"));
        let granted = (0..50).filter(|_| limits.account(&account, attacker).is_ok()).count();
        assert_eq!(granted, 3);
        assert!(limits.account(&account, owner).is_ok());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(limits.account(&account, attacker).is_ok(), "one more after the refill time");
        assert!(limits.account(&account, attacker).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn many_networks_together_are_bounded_on_one_account() {
        let limits = AttemptLimits::new(&Limits { account_burst: 2, ..Limits::default() });
        let granted =
            (0..200_u8).filter(|n| limits.account(&[7; 32], network(&format!("198.51.100.{n}"))).is_ok());
        assert_eq!(granted.count(), 40);
    }
}

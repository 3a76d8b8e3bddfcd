use crate::config::Limits;
use crate::error::ServiceError;
use governor::Quota;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use plinto_domain::address::Network;
use plinto_runtime::{Moment, TokioClock};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

/// Beyond this many keys the limiter forgets those that are back to full, so that its memory stays bounded.
const KEYS_BEFORE_SWEEP: usize = 50_000;

type Keyed<K> = governor::RateLimiter<K, DefaultKeyedStateStore<K>, TokioClock, NoOpMiddleware<Moment>>;

/// Limits on guessing: per account and per network, checked before any work is done.
///
/// The account is known by the blind index of the address that was entered, whether or not it exists, so that the
/// limit tells nothing about existence.
pub(crate) struct AttemptLimits {
    accounts: Keyed<[u8; 32]>,
    networks: Keyed<Network>,
}

fn quota(burst: u32, refill: Duration) -> Quota {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(refill.max(Duration::from_millis(1)))
        .expect("the period is not zero")
        .allow_burst(burst)
}

impl AttemptLimits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let account = quota(limits.account_burst, Duration::from_secs(limits.account_refill_seconds.into()));
        let network = quota(limits.address_burst, Duration::from_millis(limits.address_refill_millis.into()));
        Self {
            accounts: Keyed::new(account, Default::default(), TokioClock),
            networks: Keyed::new(network, Default::default(), TokioClock),
        }
    }

    /// One more attempt on an account.
    pub(crate) fn account(&self, index: &[u8; 32]) -> Result<(), ServiceError> {
        check(&self.accounts, index)
    }

    /// One more attempt from a network.
    pub(crate) fn network(&self, network: Network) -> Result<(), ServiceError> {
        check(&self.networks, &network)
    }
}

fn check<K: Hash + Eq + Clone>(limiter: &Keyed<K>, key: &K) -> Result<(), ServiceError> {
    if limiter.len() > KEYS_BEFORE_SWEEP {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|until| ServiceError::TooManyAttempts {
        retry_after: until.wait_time_from(TokioClock.now()),
    })
}

use crate::config::Limits;
use crate::error::ServiceError;
use crate::nodes::{SharedGuesses, Verdict};
use governor::Quota;
use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use plinto_cluster::LimitKey;
use plinto_domain::TenantId;
use plinto_domain::address::Network;
use plinto_runtime::{Moment, TokioClock};
use plinto_storage::TenantVault;
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
///
/// Where several nodes share the limits, each asks its own first, so that a flood ends here, and then the cluster. While
/// that is away, the own limit counts an attempt once for every node: together they grant what one limit would.
pub(crate) struct AttemptLimits {
    shared: Option<SharedGuesses>,
    accounts_from_networks: Bounded<(AccountIndex, Option<Network>)>,
    accounts: Bounded<AccountIndex>,
    networks: Bounded<(TenantId, Network)>,
    recipients: Bounded<AccountIndex>,
    organizations: Bounded<AccountIndex>,
    domains: Bounded<AccountIndex>,
}

impl AttemptLimits {
    pub(crate) fn new(limits: &Limits, shared: Option<SharedGuesses>) -> Self {
        let refill = Duration::from_secs(limits.account_refill_seconds.into());
        let wide = limits.account_burst.saturating_mul(NETWORKS_PER_ACCOUNT);
        Self {
            shared,
            accounts_from_networks: Bounded::new(
                "attempts.account_from_network",
                limits.account_burst,
                refill,
            ),
            accounts: Bounded::new("attempts.account", wide, refill / NETWORKS_PER_ACCOUNT),
            networks: Bounded::new(
                "attempts.network",
                limits.address_burst,
                Duration::from_millis(limits.address_refill_millis.into()),
            ),
            recipients: Bounded::new("attempts.recipient", limits.account_burst, refill),
            organizations: Bounded::new("attempts.invitations", wide, refill / NETWORKS_PER_ACCOUNT),
            domains: Bounded::new("attempts.domain", limits.account_burst, refill),
        }
    }

    /// One more attempt on an account.
    pub(crate) async fn account(
        &self,
        vault: &TenantVault,
        index: &AccountIndex,
        network: Option<Network>,
    ) -> Result<(), ServiceError> {
        let limit = &self.accounts_from_networks;
        let id = || {
            let network = network.map(|network| network.to_bytes()).unwrap_or_default();
            vault.blind_index(limit.name, &[&index[..], &network].concat())
        };
        self.pass(limit, &(*index, network), id).await?;
        self.pass(&self.accounts, index, || *index).await
    }

    /// One more mail to an address, whoever asks for it.
    pub(crate) async fn recipient(&self, index: &AccountIndex) -> Result<(), ServiceError> {
        self.pass(&self.recipients, index, || *index).await
    }

    /// One more invitation to an organization by one of its members, who may be anybody. As many as there may be attempts
    /// on an account from all networks.
    pub(crate) async fn invitation(&self, organization: &AccountIndex) -> Result<(), ServiceError> {
        self.pass(&self.organizations, organization, || *organization).await
    }

    /// One more look at what the DNS says of a domain.
    pub(crate) async fn domain(&self, domain: &AccountIndex) -> Result<(), ServiceError> {
        self.pass(&self.domains, domain, || *domain).await
    }

    /// One more attempt in a tenant from a network.
    pub(crate) async fn network(&self, vault: &TenantVault, network: Network) -> Result<(), ServiceError> {
        let limit = &self.networks;
        let id = || vault.blind_index(limit.name, &network.to_bytes());
        self.pass(limit, &(TenantId::from_uuid(vault.tenant()), network), id).await
    }

    /// `id` is what other nodes and the shared store know the key by; it tells them nothing.
    async fn pass<K: Hash + Eq + Clone>(
        &self,
        limit: &Bounded<K>,
        key: &K,
        id: impl FnOnce() -> [u8; 32],
    ) -> Result<(), ServiceError> {
        limit.check(key, NonZeroU32::MIN)?;
        let Some(shared) = &self.shared else { return Ok(()) };
        match shared.take(LimitKey { name: limit.name, id: id() }, limit.quota).await {
            Verdict::Granted => Ok(()),
            Verdict::Refused { retry_after } => Err(ServiceError::TooManyAttempts { retry_after }),
            Verdict::Unknown { nodes } => {
                // As many cells as there are nodes, the one taken above included; never more than there are at all.
                match NonZeroU32::new(nodes.min(limit.quota.burst.get()).saturating_sub(1)) {
                    Some(more) => limit.check(key, more),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A keyed limiter whose memory is bounded.
struct Bounded<K: Hash + Eq + Clone> {
    name: &'static str,
    quota: plinto_cluster::Quota,
    limiter: Keyed<K>,
    started: Instant,
    swept_second: AtomicU64,
}

impl<K: Hash + Eq + Clone> Bounded<K> {
    fn new(name: &'static str, burst: u32, refill: Duration) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let period = refill.max(Duration::from_millis(1));
        let quota = Quota::with_period(period).expect("the period is not zero");
        let limiter = Keyed::new(quota.allow_burst(burst), Default::default(), TokioClock);
        let quota = plinto_cluster::Quota { period, burst };
        Self { name, quota, limiter, started: Instant::now(), swept_second: AtomicU64::new(0) }
    }

    /// Takes `cells` at once, no more than the burst.
    fn check(&self, key: &K, cells: NonZeroU32) -> Result<(), ServiceError> {
        let keys = self.limiter.len();
        if keys > KEYS_BEFORE_SWEEP && self.sweep_is_due() {
            self.limiter.retain_recent();
        }
        if keys > MOST_KEYS {
            return Err(ServiceError::TooManyAttempts { retry_after: Duration::from_secs(1) });
        }
        let taken = self.limiter.check_key_n(key, cells).expect("no more cells than the burst");
        taken.map_err(|until| ServiceError::TooManyAttempts {
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
    use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
    use plinto_storage::{Entropy, MasterKey, Store};
    use std::sync::Arc;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, out: &mut [u8]) {
            out.fill(7);
        }
    }

    async fn vault() -> Arc<TenantVault> {
        let engine = Arc::new(SqliteEngine::in_memory(SqliteOptions::default()).expect("engine"));
        let store = Store::open(engine, MasterKey::generate(&Sevens), Arc::new(Sevens), 0).await;
        Arc::clone(store.expect("store").platform_vault())
    }

    fn network(text: &str) -> Option<Network> {
        Some(Network::of(text.parse().expect("address")))
    }

    async fn granted(limits: &AttemptLimits, from: impl IntoIterator<Item = Option<Network>>) -> usize {
        let (vault, mut granted) = (vault().await, 0);
        for network in from {
            granted += usize::from(limits.account(&vault, &[7; 32], network).await.is_ok());
        }
        granted
    }

    #[tokio::test(start_paused = true)]
    async fn an_attacker_elsewhere_does_not_lock_the_owner_out() {
        let limits = Limits { account_burst: 3, account_refill_seconds: 30, ..Limits::default() };
        let limits = AttemptLimits::new(&limits, None);
        let (attacker, owner) = (network("203.0.113.9"), network("192.0.2.1"));
        assert_eq!(granted(&limits, [attacker; 50]).await, 3);
        assert_eq!(granted(&limits, [owner]).await, 1);
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(granted(&limits, [attacker; 2]).await, 1, "one more after the refill time");
    }

    #[tokio::test(start_paused = true)]
    async fn many_networks_together_are_bounded_on_one_account() {
        let limits = AttemptLimits::new(&Limits { account_burst: 2, ..Limits::default() }, None);
        let networks = (0..200_u8).map(|n| network(&format!("198.51.100.{n}")));
        assert_eq!(granted(&limits, networks).await, 40);
    }
}

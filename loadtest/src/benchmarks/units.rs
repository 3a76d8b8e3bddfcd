//! Durable units of work as the platform makes them: refreshes and sign-outs of live sessions.

use crate::rig::BenchError;
use crate::rig::accounts::{add_sessions, refresh_token, session_id, user_id};
use crate::rig::instance::{Instance, Tenant};
use plinto_actors::{ClientContext, Platform};
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use std::ops::Range;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Callers that wake their sessions at once.
const WAKING_AT_ONCE: usize = 64;

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// Tokens of sessions that one caller refreshes and later ends.
type Tokens = Vec<String>;

/// One caller refreshes each of its sessions once: a row updated, a ledger entry, a new pair of tokens.
async fn refresh(platform: Platform, refresh_tokens: Tokens) -> Result<Tokens, BenchError> {
    let mut tokens = Vec::with_capacity(refresh_tokens.len());
    for token in refresh_tokens {
        let pair = platform.refresh(None, &token, ClientContext::default(), deadline()).await?;
        tokens.push(pair.access.token);
    }
    Ok(tokens)
}

/// One caller shows its access tokens once, so that they are known when they come again.
async fn show(platform: Platform, service_key: String, tokens: Tokens) -> Result<Tokens, BenchError> {
    let caller = platform.authenticate(&service_key).await?;
    for token in &tokens {
        if !platform.introspect(&caller, token, deadline()).await?.is_active() {
            return Err(BenchError::Invalid("a refreshed session is not active".into()));
        }
    }
    Ok(tokens)
}

/// One caller signs out of each of its sessions: a row updated, a ledger entry, nothing else to make.
async fn sign_out(platform: Platform, tenant: TenantId, tokens: Tokens) -> Result<Tokens, BenchError> {
    for token in &tokens {
        platform.sign_out(tenant, token, deadline()).await?;
    }
    Ok(Vec::new())
}

/// Runs all callers at once; their results in order and how long the slowest took.
async fn at_once<F>(callers: impl Iterator<Item = F>) -> Result<(Vec<Tokens>, Duration), BenchError>
where
    F: Future<Output = Result<Tokens, BenchError>> + Send + 'static,
{
    let begun = Instant::now();
    let mut running = JoinSet::new();
    let mut results = Vec::new();
    for (number, caller) in callers.enumerate() {
        results.push(Tokens::new());
        running.spawn(async move { (number, caller.await) });
    }
    while let Some(done) = running.join_next().await {
        let (number, tokens) = done?;
        results[number] = tokens?;
    }
    Ok((results, begun.elapsed()))
}

/// Durable units per second.
pub(super) struct Rates {
    pub(super) refreshes: f64,
    pub(super) sign_outs: f64,
}

/// Callers that wait for their own unit before they send the next, spread evenly over tenants.
pub(super) struct Callers<'a> {
    pub(super) instance: &'a Instance,
    /// Each has the account 0 of `epoch`.
    pub(super) tenants: &'a [Tenant],
    /// A multiple of the number of tenants.
    pub(super) count: usize,
    pub(super) epoch: Timestamp,
}

impl Callers<'_> {
    fn tenant(&self, caller: usize) -> &Tenant {
        &self.tenants[caller % self.tenants.len()]
    }

    /// Adds the sessions `numbers`, refreshes each once and signs out of it.
    pub(super) async fn round(&self, numbers: Range<u64>) -> Result<Rates, BenchError> {
        let Self { instance, tenants, epoch, .. } = *self;
        let platform = || instance.platform.clone();
        for (place, tenant) in tenants.iter().enumerate() {
            let own = numbers.clone().skip(place).step_by(tenants.len());
            let engine = instance.store.engine();
            add_sessions(&**engine, &tenant.vault, user_id(epoch, 0), own, epoch).await?;
        }
        // Both kinds meet live sessions, as they would in production.
        // A few at a time: each session is read, and a node has a bound for those who wait for a connection.
        for first in (0..self.count).step_by(WAKING_AT_ONCE) {
            let some = first..self.count.min(first + WAKING_AT_ONCE);
            at_once(some.map(|caller| self.show(caller, self.first_tokens(caller, &numbers)))).await?;
        }
        let refreshes =
            (0..self.count).map(|caller| refresh(platform(), self.first_tokens(caller, &numbers)));
        let (tokens, refreshing) = at_once(refreshes).await?;
        let shows = tokens.into_iter().enumerate().map(|(caller, tokens)| self.show(caller, tokens));
        let (tokens, _) = at_once(shows).await?;
        let sign_outs = tokens.into_iter().enumerate();
        let sign_outs =
            sign_outs.map(|(caller, tokens)| sign_out(platform(), self.tenant(caller).id, tokens));
        let (_, ending) = at_once(sign_outs).await?;
        instance.platform.passivate_all_sessions().await;
        let count = (numbers.end - numbers.start) as f64;
        Ok(Rates { refreshes: count / refreshing.as_secs_f64(), sign_outs: count / ending.as_secs_f64() })
    }

    fn show(
        &self,
        caller: usize,
        tokens: Tokens,
    ) -> impl Future<Output = Result<Tokens, BenchError>> + Send + use<> {
        show(self.instance.platform.clone(), self.tenant(caller).service_key.clone(), tokens)
    }

    fn first_tokens(&self, caller: usize, numbers: &Range<u64>) -> Tokens {
        let tenant = self.tenant(caller);
        let mine = numbers.clone().skip(caller).step_by(self.count);
        mine.map(|number| {
            refresh_token(&tenant.vault, tenant.id, session_id(self.epoch, number)).expose().to_owned()
        })
        .collect()
    }
}

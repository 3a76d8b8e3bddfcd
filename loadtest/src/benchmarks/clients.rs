//! Clients that refresh and are introspected, with what they were last given.

use crate::rig::client::Client;
use crate::rig::nodes::{Installation, Node};
use crate::rig::{BenchError, requests};
use plinto_http::ListenerName;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Clients at once; a multiple of three.
const CLIENTS: usize = 33;
/// Introspections for each refresh.
const INTROSPECTIONS: usize = 9;

/// Which node a client's next request goes to.
#[derive(Clone, Copy)]
pub(super) enum Route {
    /// Always to the same.
    Sticky,
    /// To the one after the last.
    Roaming,
}

/// Whether an introspection's answer is that the token is good.
pub(super) fn says_active(answer: &[u8]) -> bool {
    let text = br#""active":true"#;
    answer.windows(text.len()).any(|window| window == text)
}

/// Sessions, one for each client.
pub(super) struct Clients {
    service_key: String,
    refresh_tokens: Vec<String>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
}

impl Clients {
    /// Stores their sessions; the first has this number.
    pub(super) async fn new(installation: &Installation, first: u64) -> Result<Self, BenchError> {
        let refresh_tokens = installation.sessions(first..first + CLIENTS as u64).await?;
        Ok(Self { service_key: installation.tenant.service_key.clone(), refresh_tokens })
    }

    /// Requests answered per second.
    pub(super) async fn run(
        &mut self,
        nodes: &[Node],
        route: Route,
        span: Duration,
    ) -> Result<f64, BenchError> {
        let of = |listener| nodes.iter().map(|node| node.address(listener)).collect::<Vec<_>>();
        let (core, auth) = (of(ListenerName::Core), of(ListenerName::Auth));
        let (service_key, tokens) = (self.service_key.clone(), self.refresh_tokens.clone());
        // A thread of its own, as for every load.
        let done = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(drive(core, auth, service_key, tokens, route, span))
        });
        let (rate, tokens) = done.await??;
        self.refresh_tokens = tokens;
        Ok(rate)
    }
}

async fn drive(
    core: Vec<SocketAddr>,
    auth: Vec<SocketAddr>,
    service_key: String,
    tokens: Vec<String>,
    route: Route,
    span: Duration,
) -> Result<(f64, Vec<String>), BenchError> {
    let mut running = JoinSet::new();
    let mut last = tokens.clone();
    let begun = Instant::now();
    for (number, token) in tokens.into_iter().enumerate() {
        let mut person = Person {
            core: connect(&core, number, route).await?,
            auth: connect(&auth, number, route).await?,
            turn: number,
            service_key: service_key.clone(),
            token,
        };
        running.spawn(async move {
            let done = person.until(begun + span).await;
            (number, person.token, done)
        });
    }
    let mut requests = 0;
    while let Some(done) = running.join_next().await {
        let (number, token, done) = done?;
        requests += done?;
        last[number] = token;
    }
    Ok((requests as f64 / begun.elapsed().as_secs_f64(), last))
}

async fn connect(addresses: &[SocketAddr], number: usize, route: Route) -> Result<Vec<Client>, BenchError> {
    let own = [addresses[number % addresses.len()]];
    let addresses = match route {
        Route::Sticky => &own[..],
        Route::Roaming => addresses,
    };
    let mut clients = Vec::with_capacity(addresses.len());
    for &address in addresses {
        clients.push(Client::connect(address).await?);
    }
    Ok(clients)
}

struct Person {
    core: Vec<Client>,
    auth: Vec<Client>,
    turn: usize,
    service_key: String,
    token: String,
}

impl Person {
    /// Requests answered until then.
    async fn until(&mut self, end: Instant) -> Result<u64, BenchError> {
        let mut done = 0;
        while Instant::now() < end {
            let place = self.next(self.core.len());
            let answer = self.core[place].demand("a refresh", &requests::refresh(&self.token)).await?;
            let tokens: Tokens = serde_json::from_slice(answer)?;
            self.token = tokens.refresh_token;
            let question = requests::introspect(&self.service_key, &tokens.access_token);
            for _ in 0..INTROSPECTIONS {
                let place = self.next(self.auth.len());
                let answer = self.auth[place].demand("an introspection", &question).await?;
                if !says_active(answer) {
                    return Err(BenchError::Invalid(
                        "a session that was just refreshed is not active".into(),
                    ));
                }
            }
            done += 1 + INTROSPECTIONS as u64;
        }
        Ok(done)
    }

    fn next(&mut self, places: usize) -> usize {
        self.turn += 1;
        self.turn % places
    }
}

//! (i): introspections and a mix of client requests at one node and at three, all on this machine.
//!
//! Every node, both servers, the load generator and the baseline share the cores. So three nodes cannot be faster than
//! one here: what shows is what a further node costs.

use super::bare;
use super::clients::{Clients, Route};
use crate::rig::client::Client;
use crate::rig::instance::roomy;
use crate::rig::load::{Pace, Plan, run as generate};
use crate::rig::nodes::{Installation, Node};
use crate::rig::numbers::Round;
use crate::rig::report::Measurement;
use crate::rig::{BenchError, Settings, requests};
use plinto_http::ListenerName;
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const NODES: usize = 3;
/// A multiple of the nodes.
const CONNECTIONS: usize = 63;
/// Live sessions the introspections go to in turn.
const SESSIONS: u64 = 512;
/// Before the first round, each once.
const WARM_UP: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// Access tokens of sessions, from a node.
pub(super) async fn access_tokens(
    node: &Node,
    refresh_tokens: Vec<String>,
) -> Result<Vec<String>, BenchError> {
    let mut client = Client::connect(node.address(ListenerName::Core)).await?;
    let mut tokens = Vec::with_capacity(refresh_tokens.len());
    for token in refresh_tokens {
        let answer = client.demand("a refresh", &requests::refresh(&token)).await?;
        tokens.push(serde_json::from_slice::<Tokens>(answer)?.access_token);
    }
    Ok(tokens)
}

struct Plans {
    bare: Plan,
    one: Plan,
    three: Plan,
}

impl Plans {
    async fn new(
        installation: &Installation,
        nodes: &[Node],
        bare: SocketAddr,
        span: Duration,
    ) -> Result<Self, BenchError> {
        let tokens = access_tokens(&nodes[0], installation.sessions(0..SESSIONS).await?).await?;
        let key = &installation.tenant.service_key;
        let introspections: Arc<[_]> = tokens.iter().map(|token| requests::introspect(key, token)).collect();
        let auth: Vec<_> = nodes.iter().map(|node| node.address(ListenerName::Auth)).collect();
        let plan = |addresses: &[SocketAddr], requests| Plan {
            addresses: addresses.into(),
            requests,
            connections: CONNECTIONS,
            pace: Pace::Closed,
            span,
        };
        Ok(Self {
            bare: plan(&[bare], Arc::new([requests::get(bare::PATH)])),
            one: plan(&auth[..1], Arc::clone(&introspections)),
            three: plan(&auth, introspections),
        })
    }
}

async fn rate(plan: &Plan) -> Result<f64, BenchError> {
    Ok(generate(plan.clone()).await?.all_served("introspection")?.rate())
}

#[derive(Default)]
struct Rounds {
    one: Vec<Round>,
    three: Vec<Round>,
    three_to_one: Vec<Round>,
    mix: Vec<Round>,
    roaming: Vec<Round>,
}

/// Measures (i).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let installation = Installation::start(settings.fresh_dir()?, 0..1).await?;
    let mut nodes = Vec::with_capacity(NODES);
    for number in 0..NODES {
        nodes.push(installation.node(&format!("node-{number}"), true, &roomy()).await?);
    }
    let bare = bare::json().await?;
    let plans = Plans::new(&installation, &nodes, bare.address, settings.span).await?;
    let mut clients = Clients::new(&installation, SESSIONS).await?;
    for plan in [&plans.bare, &plans.one, &plans.three] {
        rate(&Plan { span: WARM_UP, ..plan.clone() }).await?;
    }
    clients.run(&nodes, Route::Roaming, WARM_UP).await?;
    let mut rounds = Rounds::default();
    for _ in 0..settings.rounds {
        let [bare, one, three] =
            [rate(&plans.bare).await?, rate(&plans.one).await?, rate(&plans.three).await?];
        rounds.one.push(Round { baseline: bare, ours: one });
        rounds.three.push(Round { baseline: bare, ours: three });
        rounds.three_to_one.push(Round { baseline: one, ours: three });
        let alone = clients.run(&nodes[..1], Route::Sticky, settings.span).await?;
        let sticky = clients.run(&nodes, Route::Sticky, settings.span).await?;
        let roaming = clients.run(&nodes, Route::Roaming, settings.span).await?;
        rounds.mix.push(Round { baseline: alone, ours: sticky });
        rounds.roaming.push(Round { baseline: alone, ours: roaming });
    }
    Ok(measurements(rounds))
}

fn measurements(rounds: Rounds) -> Vec<Measurement> {
    let ratio = |id: &str, name: &str, rounds| Measurement::ratio(id, name, "1/s", rounds, None);
    let cores = "all nodes, PostgreSQL, Redis and the load share the cores of one machine: below 1 is what more nodes \
                 cost each other; that they add up on machines of their own cannot be seen here";
    vec![
        ratio("i.1", "introspection, 1 node (a process) / bare axum", rounds.one),
        ratio("i.2", "introspection, 3 nodes / bare axum", rounds.three),
        ratio("i.3", "introspection, 3 nodes / 1 node", rounds.three_to_one).note(cores),
        ratio("i.4", "clients, 3 nodes / 1 node, each stays with a node", rounds.mix)
            .note("a client refreshes once and is introspected nine times, over and over"),
        ratio("i.5", "clients, 3 nodes / 1 node, each request elsewhere", rounds.roaming)
            .note("the worst case: a session is refreshed on another node than the last time"),
    ]
}

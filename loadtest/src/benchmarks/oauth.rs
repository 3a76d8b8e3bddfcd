//! (n): tokens clients get for themselves, and what they read to find their way.

use super::bare;
use crate::rig::instance::{Instance, roomy};
use crate::rig::load::{Load, Pace, Plan, run as generate};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::requests::{self, Request};
use crate::rig::{BenchError, Settings};
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{ClientChange, ClientDefinition};
use plinto_http::ListenerName;
use plinto_runtime::Deadline;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);

fn plan(address: SocketAddr, request: Request, span: Duration) -> Plan {
    let requests = Arc::new([request]);
    Plan { addresses: Arc::new([address]), requests, connections: CONNECTIONS, pace: Pace::Closed, span }
}

async fn measure(plan: &Plan, what: &str) -> Result<Load, BenchError> {
    generate(plan.clone()).await?.all_served(what)
}

/// A client asks for a token for itself.
async fn token_request(instance: &Instance) -> Result<Request, BenchError> {
    let tenant = instance.tenant("alpha").await?;
    let wanted = ClientChange {
        name: Some("billing".to_owned()),
        scopes: Some(vec!["invoices:read".to_owned()]),
        resources: Some(vec!["https://invoices.example/".to_owned()]),
        ..ClientChange::default()
    };
    let definition = ClientDefinition::of(wanted).expect("it is valid");
    let deadline = Deadline::after(Duration::from_secs(10));
    let made = instance.platform.create_client(tenant.id, definition, Actor::System, deadline).await?;
    let id = made.view.client.id.to_string();
    let secret = made.secret.expect("a confidential client has one");
    Ok(requests::client_credentials(&tenant.slug, &id, &secret))
}

/// Measures (n).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let instance = Instance::serve(&folder.path().join("data"), roomy()).await?;
    let token = token_request(&instance).await?;
    let (json, signed) = (bare::json().await?, bare::token_with_ractor().await?);
    let ours = instance.address(ListenerName::Core);
    let plans = [
        ("the bare route that signs a token", signed.address, requests::get(bare::PATH)),
        ("a client's token", ours, token),
        ("the bare route", json.address, requests::get(bare::PATH)),
        ("metadata", ours, requests::get("/t/alpha/.well-known/oauth-authorization-server")),
        ("keys", ours, requests::get("/t/alpha/.well-known/jwks.json")),
    ]
    .map(|(what, address, request)| (what, plan(address, request, settings.span)));
    for (what, plan) in &plans {
        measure(&Plan { span: WARM_UP, ..plan.clone() }, what).await?;
    }
    let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..settings.rounds {
        let mut rates = Vec::new();
        for (what, plan) in &plans {
            rates.push(measure(plan, what).await?.rate());
        }
        for (rounds, (baseline, ours)) in rounds.iter_mut().zip([(0, 1), (2, 3), (2, 4)]) {
            rounds.push(Round { baseline: rates[baseline], ours: rates[ours] });
        }
    }
    instance.stop().await;
    let [token, metadata, keys] = rounds;
    let note = "each of ours is in the ledger, durable before it is answered";
    let name = "client_credentials / axum + one ractor call + one EdDSA signature";
    Ok(vec![
        Measurement::ratio("n.1", name, "1/s", token, Some(Bar::AtLeast(0.75))).note(note),
        Measurement::ratio("n.2", "metadata / bare axum", "1/s", metadata, Some(Bar::AtLeast(0.90))),
        Measurement::ratio("n.3", "jwks / bare axum", "1/s", keys, Some(Bar::AtLeast(0.90))),
    ])
}

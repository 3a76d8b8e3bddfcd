//! The bare servers introspection is compared with: axum alone, and axum with one plain ractor call.

use crate::rig::BenchError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use plinto_token::{Algorithm, SigningKey};
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Path of the route.
pub(crate) const PATH: &str = "/hello";
/// Actors the calls go to in turn.
const ACTORS: usize = 10_000;

/// A bare server; it ends when dropped.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
    actors: Arc<[ActorRef<Ask>]>,
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.server.abort();
        self.actors.iter().for_each(|actor| actor.stop(None));
    }
}

#[derive(Serialize)]
struct Hello {
    message: &'static str,
    count: u64,
}

struct Counter;

enum Ask {
    Count(RpcReplyPort<u64>),
}

impl Actor for Counter {
    type Msg = Ask;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Ask>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(&self, _: ActorRef<Ask>, ask: Ask, count: &mut u64) -> Result<(), ActorProcessingErr> {
        let Ask::Count(reply) = ask;
        *count += 1;
        // The caller may have gone; then nobody wants the number.
        let _ = reply.send(*count);
        Ok(())
    }
}

struct Turn {
    actors: Arc<[ActorRef<Ask>]>,
    next: AtomicUsize,
}

async fn serve(app: Router, actors: Arc<[ActorRef<Ask>]>) -> Result<Bare, BenchError> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(async move {
        // Serving ends by abort; axum itself never returns an error here.
        let _ = axum::serve(listener, app).await;
    });
    Ok(Bare { address, server, actors })
}

/// axum answering a small JSON object.
pub(crate) async fn json() -> Result<Bare, BenchError> {
    let app = Router::new().route(PATH, get(|| async { Json(Hello { message: "hello", count: 1 }) }));
    serve(app, Arc::new([])).await
}

/// Actors to be called in turn.
async fn turn() -> Result<(Arc<Turn>, Arc<[ActorRef<Ask>]>), BenchError> {
    let mut actors = Vec::with_capacity(ACTORS);
    for _ in 0..ACTORS {
        let spawned = Actor::spawn(None, Counter, ()).await;
        actors.push(spawned.map_err(|error| BenchError::Invalid(error.to_string()))?.0);
    }
    let actors: Arc<[ActorRef<Ask>]> = actors.into();
    let turn = Arc::new(Turn { actors: Arc::clone(&actors), next: AtomicUsize::new(0) });
    Ok((turn, actors))
}

impl Turn {
    async fn call(&self) -> Result<u64, StatusCode> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.actors.len();
        match self.actors[next].call(Ask::Count, None).await {
            Ok(CallResult::Success(count)) => Ok(count),
            Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => {
                Err(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// The same after one call of one of many ractor actors.
pub(crate) async fn json_with_ractor() -> Result<Bare, BenchError> {
    let (turn, actors) = turn().await?;
    serve(Router::new().route(PATH, get(counted)).with_state(turn), actors).await
}

/// What a token says, for a route that signs one.
#[derive(Serialize)]
struct Said {
    iss: &'static str,
    sub: &'static str,
    aud: &'static str,
    exp: i64,
    iat: i64,
    jti: u64,
    client_id: &'static str,
    scope: &'static str,
}

#[derive(Serialize)]
struct Given {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    scope: &'static str,
}

/// axum answering with a token signed with EdDSA after one call of one of many ractor actors.
pub(crate) async fn token_with_ractor() -> Result<Bare, BenchError> {
    let key =
        SigningKey::generate(Algorithm::EdDsa).map_err(|error| BenchError::Invalid(error.to_string()))?;
    let (turn, actors) = turn().await?;
    serve(Router::new().route(PATH, get(signed)).with_state((turn, Arc::new(key))), actors).await
}

async fn signed(State((turn, key)): State<(Arc<Turn>, Arc<SigningKey>)>) -> Result<Json<Given>, StatusCode> {
    let jti = turn.call().await?;
    let (client, scope) = ("cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708", "invoices:read");
    let claims = Said {
        iss: "http://plinto.bench/t/alpha",
        sub: client,
        aud: "https://invoices.example/",
        exp: 1_800_003_600,
        iat: 1_800_000_000,
        jti,
        client_id: client,
        scope,
    };
    let access_token = key.sign("at+jwt", &claims).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(Given { access_token, token_type: "Bearer", expires_in: 3_600, scope }))
}

async fn counted(State(turn): State<Arc<Turn>>) -> Result<Json<Hello>, StatusCode> {
    Ok(Json(Hello { message: "hello", count: turn.call().await? }))
}

//! The bare servers introspection is compared with: axum alone, and axum with one plain ractor call.

use crate::rig::BenchError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
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

/// The same after one call of one of many ractor actors.
pub(crate) async fn json_with_ractor() -> Result<Bare, BenchError> {
    let mut actors = Vec::with_capacity(ACTORS);
    for _ in 0..ACTORS {
        let spawned = Actor::spawn(None, Counter, ()).await;
        actors.push(spawned.map_err(|error| BenchError::Invalid(error.to_string()))?.0);
    }
    let actors: Arc<[ActorRef<Ask>]> = actors.into();
    let turn = Arc::new(Turn { actors: Arc::clone(&actors), next: AtomicUsize::new(0) });
    serve(Router::new().route(PATH, get(counted)).with_state(turn), actors).await
}

async fn counted(State(turn): State<Arc<Turn>>) -> Result<Json<Hello>, StatusCode> {
    let next = turn.next.fetch_add(1, Ordering::Relaxed) % turn.actors.len();
    match turn.actors[next].call(Ask::Count, None).await {
        Ok(CallResult::Success(count)) => Ok(Json(Hello { message: "hello", count })),
        Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

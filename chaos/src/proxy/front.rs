//! One address that stands for the same listener of every node.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::target::Target;

/// Code of the proxy's own refusal: no node could be connected to, so nothing was sent.
pub const NO_NODE: &str = "no_node";
/// Code of the proxy's own answer when a node was sent the request and did not answer it whole.
pub const NODE_LOST: &str = "node_lost";

/// While answers are lost, one in so many is. No multiple of the number of nodes, so that it is not always the same one's.
const LOST: usize = 4;

/// Balances over the targets, round robin.
pub(super) struct Front {
    address: SocketAddr,
    pub(super) targets: Arc<[Arc<Target>]>,
    pub(super) loses_answers: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Front {
    /// Listens on a free port of the loopback interface for so many nodes, whose places are not known yet.
    pub(super) async fn open(nodes: usize) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let targets: Arc<[Arc<Target>]> = (0..nodes).map(|_| Arc::default()).collect();
        let mut tasks = JoinSet::new();
        for target in targets.iter() {
            tasks.spawn(Arc::clone(target).watch());
        }
        let loses_answers = Arc::new(AtomicBool::new(false));
        tasks.spawn(accept(listener, Arc::clone(&targets), Arc::clone(&loses_answers)));
        Ok(Self { address, targets, loses_answers, _tasks: tasks })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: TcpListener, targets: Arc<[Arc<Target>]>, loses_answers: Arc<AtomicBool>) {
    let turn = Arc::new(AtomicUsize::new(0));
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (targets, turn, loses_answers) =
            (Arc::clone(&targets), Arc::clone(&turn), Arc::clone(&loses_answers));
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let turn = turn.fetch_add(1, Ordering::Relaxed);
                let order = order(&targets, turn);
                let is_lost = turn.is_multiple_of(LOST) && loses_answers.load(Ordering::Acquire);
                async move {
                    let answer = forward(request, order).await;
                    let lost = || refusal(StatusCode::BAD_GATEWAY, NODE_LOST);
                    Ok::<_, Infallible>(if is_lost { lost() } else { answer })
                }
            });
            // A client that went away is no concern of a load balancer.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The nodes to try, one after the other: the ready ones, the next in turn first. Where none is ready, all of them, as
/// load balancers do that fail open: a node without its database still validates the sessions it holds.
fn order(targets: &[Arc<Target>], turn: usize) -> Vec<SocketAddr> {
    let in_turn = || (0..targets.len()).map(|offset| &targets[(turn + offset) % targets.len()]);
    let ready: Vec<_> =
        in_turn().filter(|target| target.is_ready()).filter_map(|target| target.address()).collect();
    if ready.is_empty() { in_turn().filter_map(|target| target.address()).collect() } else { ready }
}

/// Sends a request to the first node that can be connected to. Once it was sent there is no second attempt: what it asks
/// for may have been done.
async fn forward(request: Request<Incoming>, order: Vec<SocketAddr>) -> Response<Full<Bytes>> {
    for address in order {
        if let Ok(stream) = TcpStream::connect(address).await {
            let answer = exchange(request, stream).await;
            return answer.unwrap_or_else(|_| refusal(StatusCode::BAD_GATEWAY, NODE_LOST));
        }
    }
    refusal(StatusCode::SERVICE_UNAVAILABLE, NO_NODE)
}

/// One request over a connection of its own, with its whole answer.
async fn exchange(request: Request<Incoming>, stream: TcpStream) -> hyper::Result<Response<Full<Bytes>>> {
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // What becomes of the connection is what becomes of the answer.
    let (answer, _) = futures::join!(ask(sender, request), connection);
    answer
}

async fn ask(
    mut sender: SendRequest<Incoming>,
    mut request: Request<Incoming>,
) -> hyper::Result<Response<Full<Bytes>>> {
    request.headers_mut().remove(header::CONNECTION);
    let (mut head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    head.headers.remove(header::CONNECTION);
    head.headers.remove(header::TRANSFER_ENCODING);
    Ok(Response::from_parts(head, Full::new(body)))
}

fn refusal(status: StatusCode, code: &str) -> Response<Full<Bytes>> {
    let body = format!(r#"{{"status":{},"code":"{code}"}}"#, status.as_u16());
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/problem+json");
    answer.body(Full::new(body.into())).expect("the parts are fixed")
}

//! Opening ports, serving connections, closing them in order.

use crate::config::{HttpConfig, ListenerName};
use crate::routes::router;
use crate::state::AppState;
use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// Pause after an accept that failed, so that a process without file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The address of the connection's other end.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} for the {listener} service: {source}; free the port or configure another one"
)]
pub struct BindError {
    listener: ListenerName,
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// Open listeners.
pub struct Listeners {
    addresses: Vec<(ListenerName, SocketAddr)>,
    stop: CancellationToken,
    cut: CancellationToken,
    tasks: JoinSet<()>,
}

/// Ports that are open and not served yet: their addresses are known before anything is built that must name them.
#[derive(Debug)]
pub struct BoundListeners {
    sockets: Vec<(ListenerName, SocketAddr, TcpListener)>,
}

impl BoundListeners {
    /// Opens every port, or none.
    pub async fn open(wanted: &[(ListenerName, SocketAddr)]) -> Result<Self, BindError> {
        let mut sockets = Vec::new();
        for &(listener, address) in wanted {
            let socket = TcpListener::bind(address).await;
            let socket = socket.map_err(|source| BindError { listener, address, source })?;
            let actual = socket.local_addr().map_err(|source| BindError { listener, address, source })?;
            sockets.push((listener, actual, socket));
        }
        Ok(Self { sockets })
    }

    /// Where they listen.
    pub fn addresses(&self) -> Vec<(ListenerName, SocketAddr)> {
        self.sockets.iter().map(|(listener, address, _)| (*listener, *address)).collect()
    }

    /// Serves them all.
    pub fn serve(self, state: &AppState) -> Listeners {
        let addresses = self.addresses();
        let (stop, cut) = (state.closing().clone(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        for (listener, _, socket) in self.sockets {
            let app = router(listener, state);
            tasks.spawn(serve(socket, app, state.config().clone(), stop.clone(), cut.clone()));
        }
        Listeners { addresses, stop, cut, tasks }
    }
}

impl Listeners {
    /// Opens every configured port, then serves them all. Nothing is served if one port cannot be opened.
    pub async fn open(state: &AppState) -> Result<Self, BindError> {
        Ok(BoundListeners::open(&state.config().listeners).await?.serve(state))
    }

    /// Where the listeners listen.
    pub fn addresses(&self) -> &[(ListenerName, SocketAddr)] {
        &self.addresses
    }

    /// Where one listener listens.
    pub fn address(&self, listener: ListenerName) -> Option<SocketAddr> {
        self.addresses.iter().find(|(name, _)| *name == listener).map(|(_, address)| *address)
    }

    /// Accepts no more connections, lets requests in flight finish within `soft`, then cuts the rest. Returns whether
    /// all finished.
    pub async fn close(mut self, soft: Duration) -> bool {
        self.stop.cancel();
        let drained =
            tokio::time::timeout(soft, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.cut.cancel();
        self.tasks.abort_all();
        drained.is_ok()
    }
}

async fn serve(
    socket: TcpListener,
    app: Router,
    config: HttpConfig,
    stop: CancellationToken,
    cut: CancellationToken,
) {
    let connections = Arc::new(Semaphore::new(config.limits.connections));
    let graceful = GracefulShutdown::new();
    let builder = connection_builder(&config);
    loop {
        let slot = tokio::select! {
            slot = Arc::clone(&connections).acquire_owned() => slot.expect("the semaphore is never closed"),
            () = stop.cancelled() => break,
        };
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = connection(&builder, stream, peer, app.clone(), &graceful, cut.clone());
        tokio::spawn(async move {
            connection.await;
            drop(slot);
        });
    }
    drop(socket);
    graceful.shutdown().await;
}

/// HTTP/1.1 only: a listener that waits to see which version comes has no bound on that wait. HTTP/2 belongs to the
/// proxy that terminates TLS.
fn connection_builder(config: &HttpConfig) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(config.limits.head_time())
        .max_headers(config.limits.headers)
        .max_buf_size(config.limits.head_bytes.max(8_192));
    builder
}

fn connection(
    builder: &Builder,
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    graceful: &GracefulShutdown,
    cut: CancellationToken,
) -> impl Future<Output = ()> + Send + 'static {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %error, "TCP_NODELAY could not be set");
    }
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        app.clone().call(request)
    });
    let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
    async move {
        let ended = tokio::select! {
            ended = connection => ended,
            () = cut.cancelled() => return,
        };
        if let Err(error) = ended {
            tracing::debug!(error = %error, "connection ended early");
        }
    }
}

//! One listener of one node, as a load balancer sees it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often readiness is asked for.
const EVERY: Duration = Duration::from_millis(100);
/// How long the answer may take; a node that says nothing is not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a listener is, and whether it gets new requests.
#[derive(Default)]
pub(super) struct Target {
    address: Mutex<Option<SocketAddr>>,
    ready: AtomicBool,
}

impl Target {
    /// Tells where the listener is from now on. It gets no request before it said that it is ready.
    pub(super) fn moved(&self, address: SocketAddr) {
        self.ready.store(false, Ordering::Release);
        *self.address.lock() = Some(address);
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        *self.address.lock()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Asks for readiness, for ever.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(address) = self.address() else { continue };
            let ready = timeout(PATIENCE, says_ready(address)).await.unwrap_or(false);
            // An answer of the address before the last move says nothing.
            if self.address() == Some(address) {
                self.ready.store(ready, Ordering::Release);
            }
        }
    }
}

async fn says_ready(address: SocketAddr) -> bool {
    let Ok(stream) = TcpStream::connect(address).await else { return false };
    let Ok((mut sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await
    else {
        return false;
    };
    let request = Request::get("/health/ready").header(header::HOST, address.to_string());
    let request = request.body(Empty::<Bytes>::new()).expect("the request is fixed");
    let asked = sender.send_request(request);
    tokio::pin!(asked);
    let answer = tokio::select! {
        answer = &mut asked => answer,
        // A connection that ends with its answer, or without one.
        _ = connection => asked.await,
    };
    answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

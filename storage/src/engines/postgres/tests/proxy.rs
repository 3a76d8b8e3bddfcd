use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PASS: u8 = 0;
const LOSE_COMMIT: u8 = 1;
const HOLE: u8 = 2;

/// Stands between the engine and the server and loses what it is told to lose.
pub(super) struct Proxy {
    pub(super) url: String,
    mode: Arc<AtomicU8>,
}

impl Proxy {
    /// Listens in front of the server of `url`.
    pub(super) async fn before(url: &str) -> Self {
        let (before, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{before}@{}/{database}", listener.local_addr().unwrap());
        let mode = Arc::new(AtomicU8::new(PASS));
        let (seen, server) = (Arc::clone(&mode), server.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), Arc::clone(&seen)));
            }
        });
        Self { url, mode }
    }

    /// Lets the next COMMIT reach the server and cuts the connection when its answer comes.
    pub(super) fn lose_the_next_commit(&self) {
        self.mode.store(LOSE_COMMIT, Ordering::SeqCst);
    }

    /// Swallows every packet; connections stay open.
    pub(super) fn swallow(&self) {
        self.mode.store(HOLE, Ordering::SeqCst);
    }

    pub(super) fn pass(&self) {
        self.mode.store(PASS, Ordering::SeqCst);
    }
}

async fn carry(mut client: TcpStream, server: String, mode: Arc<AtomicU8>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut lost = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                let commit = up[..length].windows(7).any(|bytes| bytes == b"COMMIT\0");
                lost |= commit && mode.compare_exchange(LOSE_COMMIT, PASS, Ordering::SeqCst, Ordering::SeqCst).is_ok();
                if mode.load(Ordering::SeqCst) != HOLE && server.write_all(&up[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                if lost {
                    return;
                }
                if mode.load(Ordering::SeqCst) != HOLE && client.write_all(&down[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

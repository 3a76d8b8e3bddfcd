//! A server that speaks SMTP over TCP, with and without TLS, and keeps what it takes.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// How the server talks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Talk {
    Plain,
    StartTls,
    Implicit,
}

/// What came of one conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) encrypted: bool,
    pub(super) auth: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) message: String,
}

pub(super) struct Sink {
    pub(super) port: u16,
    /// PEM of the certificate it shows.
    pub(super) certificate: Vec<u8>,
    pub(super) taken: mpsc::UnboundedReceiver<Taken>,
}

impl Sink {
    /// A server that answers `RCPT` with `verdict`.
    pub(super) async fn start(talk: Talk, verdict: &'static str) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).expect("certificate");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocols")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("tls");
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let port = listener.local_addr().expect("address").port();
        let (sender, taken) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), talk, verdict, sender.clone()));
            }
        });
        Self { port, certificate: cert.pem().into_bytes(), taken }
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    talk: Talk,
    verdict: &'static str,
    taken: mpsc::UnboundedSender<Taken>,
) -> std::io::Result<()> {
    match talk {
        Talk::Implicit => {
            converse(acceptor.accept(stream).await?, true, true, verdict, &taken).await.map(drop)
        }
        Talk::Plain => converse(stream, true, false, verdict, &taken).await.map(drop),
        Talk::StartTls => {
            let Some(stream) = converse(stream, true, false, verdict, &taken).await? else { return Ok(()) };
            converse(acceptor.accept(stream).await?, false, true, verdict, &taken).await.map(drop)
        }
    }
}

/// Talks until the client leaves, or gives the stream back when TLS is to start.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    greet: bool,
    encrypted: bool,
    verdict: &str,
    taken: &mpsc::UnboundedSender<Taken>,
) -> std::io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    let (mut auth, mut from, mut to) = (None, String::new(), String::new());
    if greet {
        stream.write_all(b"220 sink ESMTP\r\n").await?;
    }
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let command = line.trim_end().to_owned();
        let verb = command.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-sink\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 8BITMIME",
            "STAR" => {
                stream.write_all(b"220 go ahead\r\n").await?;
                return Ok(Some(stream.into_inner()));
            }
            "AUTH" => {
                auth = command.split(' ').nth(2).map(ToOwned::to_owned);
                "235 welcome"
            }
            "MAIL" => {
                from = command;
                "250 ok"
            }
            "RCPT" => {
                to = command;
                verdict
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let message = message(&mut stream).await?;
                let (from, to) = (from.clone(), to.clone());
                // The test may have what it came for.
                drop(taken.send(Taken { encrypted, auth: auth.clone(), from, to, message }));
                "250 taken"
            }
            "QUIT" => "221 bye",
            "NOOP" | "RSET" => "250 ok",
            _ => "500 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn message<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<String> {
    let (mut message, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(&line);
    }
}

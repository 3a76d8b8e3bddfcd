use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use plinto_actors::{DnsFailure, TxtRecords};
use std::net::SocketAddr;
use std::time::Duration;

/// How long one server may take for one question.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Questions after the first one, where a server is silent.
const RETRIES: usize = 1;
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(6);
/// Records looked at, and the longest one: whoever owns a name says what stands under it.
const MOST: usize = 64;
const LONGEST: usize = 512;
/// Names whose answers are kept, by their own time to live but no longer than this: who waits for a new record should
/// not wait for an old answer.
const KEPT: u64 = 64;
const LONGEST_KEPT: Duration = Duration::from_secs(10);

/// The servers of the DNS cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the DNS cannot be asked: give the addresses of its servers in `dns.servers`")]
pub(crate) struct DnsProblem(#[source] Box<NetError>);

impl From<NetError> for DnsProblem {
    fn from(error: NetError) -> Self {
        Self(Box::new(error))
    }
}

/// Asks the servers of this machine, or those that were given.
pub(crate) struct Dns(TokioResolver);

impl Dns {
    /// Nothing is asked yet. Without servers those of this machine (`/etc/resolv.conf`) are asked.
    pub(crate) fn of(servers: &[SocketAddr]) -> Result<Self, DnsProblem> {
        let mut builder = match servers {
            [] => TokioResolver::builder_tokio()?,
            given => {
                let servers = given.iter().map(server).collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        bound(builder.options_mut());
        Ok(Self(builder.build()?))
    }
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn bound(options: &mut ResolverOpts) {
    options.timeout = ATTEMPT;
    options.attempts = RETRIES;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = KEPT;
    options.positive_max_ttl = Some(LONGEST_KEPT);
    options.negative_max_ttl = Some(LONGEST_KEPT);
}

#[async_trait]
impl TxtRecords for Dns {
    async fn txt(&self, name: &str) -> Result<Vec<String>, DnsFailure> {
        // With the dot at its end it is the whole name: no domain of this machine is tried behind it.
        let asked = self.0.lookup(format!("{name}."), RecordType::TXT);
        match tokio::time::timeout(WHOLE, asked).await {
            Ok(Ok(found)) => {
                let records = found.answers().iter().filter_map(|record| match &record.data {
                    RData::TXT(text) => {
                        Some(text.txt_data.iter().flat_map(|part| part.iter().copied()).collect::<Vec<u8>>())
                    }
                    _ => None,
                });
                let texts = records.take(MOST).filter(|text| text.len() <= LONGEST);
                Ok(texts.filter_map(|text| String::from_utf8(text).ok()).collect())
            }
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })))) => {
                match response_code {
                    ResponseCode::NoError | ResponseCode::NXDomain => Ok(Vec::new()),
                    _ => Err(DnsFailure),
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(reason = error.as_metrics_label(), "the DNS gave no answer");
                Err(DnsFailure)
            }
            Err(_elapsed) => {
                tracing::warn!("the DNS gave no answer in time");
                Err(DnsFailure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    /// An answer to a question, as RFC 1035 §4.1 writes it: texts under any name, or a code.
    fn answer(question: &[u8], texts: &[&[&str]], code: u8) -> Vec<u8> {
        // The question ends with its name's empty label, type and class; what a resolver adds behind it is left out.
        let name = 12 + question[12..].iter().position(|byte| *byte == 0).expect("a name ends");
        let mut out = question[..name + 5].to_vec();
        out[2] = 0x84;
        out[3] = code;
        out[6..12].copy_from_slice(&[0, u8::try_from(texts.len()).expect("few"), 0, 0, 0, 0]);
        for strings in texts {
            let mut data = Vec::new();
            for text in *strings {
                data.push(u8::try_from(text.len()).expect("short"));
                data.extend(text.as_bytes());
            }
            let length = u16::try_from(data.len()).expect("short").to_be_bytes();
            out.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, length[0], length[1]]);
            out.extend(data);
        }
        out
    }

    /// A server that answers every question with this, or not at all.
    async fn server(texts: &'static [&'static [&'static str]], code: Option<u8>) -> Dns {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        tokio::spawn(async move {
            let mut question = [0; 512];
            loop {
                let (length, from) = socket.recv_from(&mut question).await.expect("a question");
                if let Some(code) = code {
                    let answer = answer(&question[..length], texts, code);
                    socket.send_to(&answer, from).await.expect("sent");
                }
            }
        });
        Dns::of(&[address]).expect("a resolver")
    }

    #[tokio::test]
    async fn texts_are_read_in_one_piece_and_what_is_not_there_is_none() {
        let dns = server(&[&["v=spf1 -all"], &["plinto-domain-", "verification=abc"]], Some(0)).await;
        let mut found = dns.txt("_plinto-challenge.acme.example").await.expect("answered");
        found.sort();
        assert_eq!(found, ["plinto-domain-verification=abc", "v=spf1 -all"]);
        assert_eq!(server(&[], Some(3)).await.txt("acme.example").await, Ok(vec![]), "no such name");
        assert_eq!(server(&[], Some(0)).await.txt("acme.example").await, Ok(vec![]), "no such record");
    }

    #[tokio::test]
    async fn a_server_that_fails_is_no_answer() {
        assert_eq!(server(&[], Some(2)).await.txt("acme.example").await, Err(DnsFailure));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_silent_is_not_waited_for_without_end() {
        let dns = server(&[], None).await;
        let begun = tokio::time::Instant::now();
        assert_eq!(dns.txt("acme.example").await, Err(DnsFailure));
        assert!(begun.elapsed() <= WHOLE, "{:?}", begun.elapsed());
    }
}

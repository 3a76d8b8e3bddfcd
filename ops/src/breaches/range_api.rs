use std::time::Duration;

use async_trait::async_trait;
use plinto_actors::{BreachedPasswords, HashPrefix, ListUnavailable};
use reqwest::{Certificate, Client, Response, StatusCode};
use tokio::sync::Semaphore;

use super::{BreachProblem, LARGEST_RANGE, REST, hash_of};

/// Largest answer: as many lines as a range may have, each with its count.
const LARGEST_ANSWER: usize = LARGEST_RANGE * 64;
/// Requests at once: a server that hangs must not collect more.
const REQUESTS: usize = 64;

/// A server that answers ranges as Pwned Passwords does. It is told five digits of a hash; answers are filled up
/// (`Add-Padding`), so that their size does not tell which. Errors and logs hold no URL, as the digits are in it.
pub(super) struct RangeApi {
    http: Client,
    url: String,
    requests: Semaphore,
}

impl RangeApi {
    /// `authorities` are certificates (PEM) that may vouch for the server; without them those of this machine.
    pub(super) fn new(
        url: &str,
        timeout: Duration,
        authorities: Option<&[u8]>,
    ) -> Result<Self, BreachProblem> {
        let mut http = Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("plinto/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = authorities {
            let certificates = Certificate::from_pem_bundle(pem).map_err(BreachProblem::Client)?;
            if certificates.is_empty() {
                return Err(BreachProblem::NoCertificate);
            }
            http = http.tls_certs_only(certificates);
        } else if url.starts_with("http://") {
            // No certificate is needed, so none has to be on this machine.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(BreachProblem::Client)?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), requests: Semaphore::new(REQUESTS) })
    }

    async fn ask(&self, prefix: &HashPrefix) -> Result<String, ListUnavailable> {
        let failed = |error: reqwest::Error| ListUnavailable(why(&error).to_owned());
        let url = format!("{}/{}", self.url, prefix.as_str());
        let answer = self.http.get(url).header("add-padding", "true").send().await.map_err(failed)?;
        if answer.status() != StatusCode::OK {
            return Err(ListUnavailable(format!("its server answered {}", answer.status())));
        }
        read(answer).await.map_err(failed)
    }
}

/// The answer as far as it may go.
async fn read(mut answer: Response) -> Result<String, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = LARGEST_ANSWER - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() == LARGEST_ANSWER {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[async_trait]
impl BreachedPasswords for RangeApi {
    async fn range(&self, prefix: &HashPrefix) -> Result<Vec<String>, ListUnavailable> {
        let Ok(_permit) = self.requests.try_acquire() else {
            return Err(ListUnavailable("too many requests wait for its server".to_owned()));
        };
        let text = self.ask(prefix).await?;
        if text.len() >= LARGEST_ANSWER {
            return Err(ListUnavailable("its server answered more than a range".to_owned()));
        }
        let mut found = Vec::new();
        for line in text.lines() {
            // A page of a proxy, say, that takes itself for the server.
            let hash = hash_of(line, REST);
            let hash = hash.ok_or_else(|| ListUnavailable("its server answered no range".to_owned()))?;
            found.extend(hash.map(str::to_owned));
        }
        Ok(found)
    }
}

/// The kinds of failure, in words of our own: those of the client hold the URL.
fn why(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "its server did not answer in time"
    } else if error.is_connect() {
        "its server cannot be reached"
    } else {
        "the conversation with its server failed"
    }
}

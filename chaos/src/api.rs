//! The HTTP interface, seen by a client that must know whether what it asked for was done.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::HarnessError;

/// Longer than the server's own limit, so that it is the server that gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a call.
#[derive(Debug)]
pub enum Answer<T> {
    /// Done: the whole answer arrived.
    Done(T),
    /// Refused, with a problem's status and code.
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's code; empty if the answer was no problem document.
        code: String,
        /// Whether it says when to try again.
        retry_after: bool,
    },
    /// No answer, or not the whole of it.
    Lost,
}

impl<T> Answer<T> {
    /// The result of a call that the experiment depends on.
    pub fn required(self, call: &str) -> Result<T, HarnessError> {
        let answer = match self {
            Self::Done(result) => return Ok(result),
            Self::Refused { status, code, .. } => format!("{status} {code}"),
            Self::Lost => "not at all".to_owned(),
        };
        Err(HarnessError::Call { call: call.to_owned(), answer })
    }

    /// The same answer with another result.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Done(result) => Answer::Done(with(result)),
            Self::Refused { status, code, retry_after } => Answer::Refused { status, code, retry_after },
            Self::Lost => Answer::Lost,
        }
    }

    /// Whether the server may have done it nevertheless: no answer, or one that leaves it open.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Done(_) => false,
            Self::Lost => true,
            Self::Refused { status, code, .. } => *status >= 500 && !NOTHING_DONE.contains(&code.as_str()),
        }
    }

    /// Whether the server is only busy, full or going away: a refusal that breaks no promise.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Refused { status: 429 | 503, .. })
    }

    /// Whether the server refused with this status and code.
    pub fn is_refusal(&self, wanted: u16, with: &str) -> bool {
        matches!(self, Self::Refused { status, code, .. } if *status == wanted && code == with)
    }

    /// The answer in a few words, without secrets.
    pub fn summary(&self) -> String {
        match self {
            Self::Done(_) => "done".to_owned(),
            Self::Refused { status, code, .. } => format!("{status} {code}"),
            Self::Lost => "no answer".to_owned(),
        }
    }
}

/// Codes of 503 that promise that nothing was done.
const NOTHING_DONE: &[&str] = &["storage_full", "overloaded", "shutting_down", crate::proxy::NO_NODE];

/// A session's tokens.
#[derive(Deserialize)]
pub struct Tokens {
    /// JWT.
    pub access_token: String,
    /// Single-use.
    pub refresh_token: String,
    /// `ses_…`
    pub session_id: String,
    /// `usr_…`
    pub user_id: String,
}

/// What a service says of its readiness.
pub struct Readiness {
    /// HTTP status.
    pub status: u16,
    /// The whole answer.
    pub body: Value,
}

/// One running instance.
#[derive(Clone)]
pub struct Api {
    http: Client,
    core: String,
    auth: String,
}

impl Api {
    /// The instance whose listeners have these addresses.
    pub fn new(core: SocketAddr, auth: SocketAddr) -> Self {
        let http = Client::builder().timeout(PATIENCE).no_proxy().build();
        let http = http.expect("a client without TLS can always be built");
        Self { http, core: format!("http://{core}"), auth: format!("http://{auth}") }
    }

    /// Whether every dependency of the core service is ready.
    pub async fn is_ready(&self) -> bool {
        let asked = self.http.get(format!("{}/health/ready", self.core)).send().await;
        asked.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// What the auth service says of its readiness, whatever it is.
    pub async fn readiness(&self) -> Option<Readiness> {
        let answer = self.http.get(format!("{}/health/ready", self.auth)).send().await.ok()?;
        let status = answer.status().as_u16();
        Some(Readiness { status, body: answer.json().await.ok()? })
    }

    /// The supervision tree: totals only.
    pub async fn tree(&self, platform_key: &str) -> Answer<Value> {
        let request = self.http.get(format!("{}/v1/runtime/tree?limit=1", self.auth));
        read(request.bearer_auth(platform_key)).await
    }

    /// Creates an account.
    pub async fn sign_up(&self, slug: &str, email: &str, password: &str) -> Answer<()> {
        let body = json!({ "email": email, "password": password });
        done(self.http.post(format!("{}/t/{slug}/v1/auth/sign-up", self.core)).json(&body)).await
    }

    /// Begins a session.
    pub async fn sign_in(&self, slug: &str, email: &str, password: &str) -> Answer<Tokens> {
        let body = json!({ "email": email, "password": password });
        read(self.http.post(format!("{}/t/{slug}/v1/auth/sign-in", self.core)).json(&body)).await
    }

    /// Exchanges a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Answer<Tokens> {
        let body = json!({ "refresh_token": refresh_token });
        read(self.http.post(format!("{}/v1/auth/refresh", self.core)).json(&body)).await
    }

    /// Ends the session of an access token.
    pub async fn sign_out(&self, access_token: &str) -> Answer<()> {
        done(self.http.post(format!("{}/v1/auth/sign-out", self.core)).bearer_auth(access_token)).await
    }

    /// Ends every session of the user of an access token.
    pub async fn sign_out_everywhere(&self, access_token: &str) -> Answer<()> {
        let request = self.http.post(format!("{}/v1/auth/sign-out", self.core)).bearer_auth(access_token);
        done(request.json(&json!({ "scope": "all" }))).await
    }

    /// Whether an access or refresh token is usable now, by the auth service.
    pub async fn is_active(&self, platform_key: &str, token: &str) -> Answer<bool> {
        let request = self.http.post(format!("{}/v1/introspect", self.auth)).bearer_auth(platform_key);
        read::<Value>(request.form(&[("token", token)])).await.map(|answer| answer["active"] == json!(true))
    }

    /// Creates a tenant; answers with its id.
    pub async fn create_tenant(&self, platform_key: &str, slug: &str) -> Answer<String> {
        let request = self.http.post(format!("{}/v1/tenants", self.core)).bearer_auth(platform_key);
        read(request.json(&json!({ "slug": slug, "name": slug }))).await.map(|TenantView { id }| id)
    }

    /// Rotates a tenant's data key and signing key.
    pub async fn rotate_keys(&self, platform_key: &str, tenant: &str) -> Answer<()> {
        let url = format!("{}/v1/tenants/{tenant}/keys/rotate", self.core);
        done(self.http.post(url).bearer_auth(platform_key)).await
    }

    /// Deletes a tenant.
    pub async fn delete_tenant(&self, platform_key: &str, tenant: &str) -> Answer<()> {
        done(self.http.delete(format!("{}/v1/tenants/{tenant}", self.core)).bearer_auth(platform_key)).await
    }

    /// Whether the register knows a tenant, by its id.
    pub async fn tenant(&self, platform_key: &str, tenant: &str) -> Answer<()> {
        done(self.http.get(format!("{}/v1/tenants/{tenant}", self.core)).bearer_auth(platform_key)).await
    }

    /// The number of keys in a tenant's key set: needs the tenant's database and its keys.
    pub async fn key_set(&self, slug: &str) -> Answer<usize> {
        let url = format!("{}/t/{slug}/.well-known/jwks.json", self.core);
        read(self.http.get(url)).await.map(|KeySet { keys }| keys.len())
    }
}

#[derive(Deserialize)]
struct TenantView {
    id: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
}

/// Sends a request whose status is the whole answer.
async fn done(request: RequestBuilder) -> Answer<()> {
    send(request).await.map(drop)
}

/// Sends a request whose answer is JSON. One that is cut short, or of another form, is no answer.
async fn read<T: serde::de::DeserializeOwned>(request: RequestBuilder) -> Answer<T> {
    match send(request).await {
        Answer::Done(bytes) => serde_json::from_slice(&bytes).map_or(Answer::Lost, Answer::Done),
        Answer::Refused { status, code, retry_after } => Answer::Refused { status, code, retry_after },
        Answer::Lost => Answer::Lost,
    }
}

async fn send(request: RequestBuilder) -> Answer<Vec<u8>> {
    let Ok(answer) = request.send().await else { return Answer::Lost };
    let status = answer.status();
    let retry_after = answer.headers().contains_key(RETRY_AFTER);
    let Ok(bytes) = answer.bytes().await else { return Answer::Lost };
    if status.is_success() {
        return Answer::Done(bytes.to_vec());
    }
    let code = serde_json::from_slice(&bytes).map(|Problem { code }| code).unwrap_or_default();
    Answer::Refused { status: status.as_u16(), code, retry_after }
}

//! `TestApp`: everything real but the network, the wall clock and the generator.

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use plinto_actors::{
    Clock, DnsFailure, Environment, Limits, MailRoute, Platform, PlatformConfig, TxtRecords,
};
use plinto_cluster::{NodeId, NodeInfo};
use plinto_domain::audit::Actor;
use plinto_domain::randomness::Randomness;
use plinto_domain::tenant::TenantSettings;
use plinto_domain::{TenantId, Timestamp};
use plinto_http::problem::catalogue;
use plinto_http::{AppState, HttpConfig, ListenerName, routes};
use plinto_storage::{Engine, Entropy, MasterKey, Store};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tower::ServiceExt;

use crate::backend::Place;
use crate::redaction;

pub(crate) const BASE: &str = "http://plinto.test";
pub(crate) const PASSWORD: &str = "plain oat zebra lantern";

/// A wall clock that tests move.
pub(crate) struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A deterministic stream, unique per call: tests need no secrecy.
#[derive(Default)]
pub(crate) struct Stream(AtomicU64);

impl Stream {
    /// One that repeats nothing of any other's, as several apps may be nodes over one place.
    fn of_another_app() -> Self {
        static APPS: AtomicU64 = AtomicU64::new(1);
        Self(AtomicU64::new(APPS.fetch_add(1, Ordering::Relaxed) << 32))
    }

    fn next(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let mut x = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(x ^ (x >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

impl Randomness for Stream {
    fn fill(&self, out: &mut [u8]) {
        self.next(out);
    }
}

impl Entropy for Stream {
    fn fill(&self, out: &mut [u8]) {
        self.next(out);
    }
}

/// The DNS of tests: what is not in it has no records.
#[derive(Default)]
pub(crate) struct Zone(Mutex<HashMap<String, Result<Vec<String>, DnsFailure>>>);

impl Zone {
    pub(crate) fn set(&self, name: &str, answer: Result<Vec<String>, DnsFailure>) {
        self.0.lock().insert(name.to_owned(), answer);
    }
}

#[async_trait]
impl TxtRecords for Zone {
    async fn txt(&self, name: &str) -> Result<Vec<String>, DnsFailure> {
        self.0.lock().get(name).cloned().unwrap_or_else(|| Ok(Vec::new()))
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body as it came; `text` is for those that are text.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }

    /// The problem's code; checks that it is a whole problem document, or an error of the token endpoint (RFC 6749 §5.2), or
    /// a page for people, whose code is `page`.
    pub(crate) fn code(&self) -> String {
        if self.headers[header::CONTENT_TYPE] == "text/html; charset=utf-8" {
            assert!(self.text.contains("<h1") && self.text.ends_with("</html>"), "{}", self.text);
            return "page".to_owned();
        }
        let problem = self.json();
        if let (Some(error), "application/json") =
            (problem["error"].as_str(), self.headers[header::CONTENT_TYPE].to_str().unwrap())
        {
            assert!(problem["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
            assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
            return error.to_owned();
        }
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{}", self.text);
        assert_eq!(problem["status"], self.status.as_u16());
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {problem}");
        }
        let code = problem["code"].as_str().unwrap().to_owned();
        let kind = catalogue::all().find(|kind| kind.code == code);
        let kind = kind.unwrap_or_else(|| panic!("{code} does not stand in http/src/problem/catalogue.rs"));
        assert_eq!((kind.status, kind.title), (self.status, problem["title"].as_str().unwrap()), "{code}");
        code
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) session: String,
    pub(crate) user: String,
}

pub(crate) struct TestApp {
    pub(crate) state: AppState,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) zone: Arc<Zone>,
    pub(crate) engine: Arc<dyn Engine>,
    /// Where its data is must outlive it.
    _place: Arc<Place>,
    pub(crate) platform_key: String,
    pub(crate) tenant: TenantId,
    pub(crate) service_key: String,
    routers: [(ListenerName, Router); 4],
    finished: AtomicBool,
}

/// What the app says of itself to other nodes. No two of a process are one.
pub(crate) fn this_node() -> NodeInfo {
    static NODES: AtomicU64 = AtomicU64::new(1);
    let number = NODES.fetch_add(1, Ordering::Relaxed);
    let (id, urls) = (NodeId(uuid::Uuid::from_u128(number.into())), std::collections::BTreeMap::new());
    let (name, version) = ("tests".to_owned(), "0".to_owned());
    NodeInfo { id, name, version, started_at: 1_800_000_000_000, urls }
}

/// Limits that no test meets by accident.
pub(crate) fn roomy() -> Limits {
    Limits {
        account_burst: 1_000,
        address_burst: 10_000,
        session_per_second: 10_000,
        session_burst: 10_000,
        tenant_per_second: 100_000,
        tenant_burst: 100_000,
        ..Limits::default()
    }
}

impl TestApp {
    /// An app on a new place with roomy limits and one tenant, `demo`.
    pub(crate) async fn new() -> Self {
        Self::with(roomy(), HttpConfig { fault_injection: true, ..HttpConfig::default() }).await
    }

    pub(crate) async fn with(limits: Limits, http: HttpConfig) -> Self {
        Self::over(Arc::new(Place::passing().await), limits, http).await
    }

    /// An app on a place that may have been used before.
    pub(crate) async fn at(place: &Arc<Place>) -> Self {
        Self::over(Arc::clone(place), roomy(), HttpConfig::default()).await
    }

    async fn over(place: Arc<Place>, limits: Limits, http: HttpConfig) -> Self {
        redaction::watch();
        let master = MasterKey::generate(&Stream::default());
        let clock = Arc::new(ManualClock(AtomicI64::new(1_800_000_000_000)));
        let randomness = Arc::new(Stream::of_another_app());
        let (engine, cluster) = place.open().await;
        let entropy: Arc<dyn Entropy> = Arc::clone(&randomness) as Arc<dyn Entropy>;
        let store =
            Store::open(Arc::clone(&engine), master, entropy, clock.now().as_millis()).await.expect("store");
        let environment =
            Environment::new(Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&randomness) as _);
        let zone: Arc<Zone> = Arc::default();
        let environment = environment.with_dns(Arc::clone(&zone) as _);
        let config = PlatformConfig { base_url: BASE.into(), limits };
        let platform = Platform::start(
            config,
            Arc::new(store),
            environment,
            cluster,
            MailRoute::Mailbox(Arc::default()),
        )
        .await
        .expect("platform");
        let platform_key = platform.issue_platform_key("tests").await.expect("key").text;
        let state = AppState::new(platform.clone(), http, randomness as _);
        let tenant = match platform.resolve("demo").await {
            Ok(tenant) => tenant,
            Err(_) => {
                let settings = TenantSettings::default();
                platform.create_tenant("demo", "Demo", settings, Actor::System).await.expect("tenant").id
            }
        };
        let service_key = platform.issue_service_key(tenant, "tests", Actor::System).await.expect("key").text;
        let routers = ListenerName::ALL.map(|listener| (listener, routes::router(listener, &state)));
        Self {
            state,
            clock,
            zone,
            engine,
            _place: place,
            platform_key,
            tenant,
            service_key,
            routers,
            finished: AtomicBool::new(false),
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.0.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }

    pub(crate) fn clock_back(&self, by: Duration) {
        self.clock.0.fetch_sub(by.as_millis() as i64, Ordering::SeqCst);
    }

    pub(crate) async fn send(&self, listener: ListenerName, request: Request<Body>) -> Answer {
        let router = self.routers.iter().find(|(name, _)| *name == listener).unwrap().1.clone();
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let bytes = bytes.to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        redaction::learn_cookies(&parts.headers);
        if parts.status.is_success() {
            text.lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .for_each(|body| redaction::learn(&body));
        }
        Answer { status: parts.status, headers: parts.headers, text, bytes }
    }

    pub(crate) async fn core(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        self.send(ListenerName::Core, request(method, path, bearer, body)).await
    }

    pub(crate) async fn auth(
        &self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        self.send(ListenerName::Auth, request(method, path, bearer, body)).await
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Answer {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ada Lovelace" });
        self.core("POST", "/t/demo/v1/auth/sign-up", None, Some(body)).await
    }

    pub(crate) async fn try_sign_in(&self, tenant: &str, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.core("POST", &format!("/t/{tenant}/v1/auth/sign-in"), None, Some(body)).await
    }

    pub(crate) async fn sign_in(&self, email: &str) -> Tokens {
        tokens(&self.try_sign_in("demo", email, PASSWORD).await.expect(200))
    }

    /// A new user with a session.
    pub(crate) async fn user(&self, email: &str) -> Tokens {
        self.sign_up(email).await.expect(202);
        self.sign_in(email).await
    }

    pub(crate) async fn try_refresh(&self, token: &str) -> Answer {
        self.core("POST", "/v1/auth/refresh", None, Some(json!({ "refresh_token": token }))).await
    }

    pub(crate) async fn introspect_as(&self, key: &str, token: &str) -> Answer {
        let form: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
        let request = Request::post("/v1/introspect")
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        self.send(ListenerName::Auth, request).await
    }

    pub(crate) async fn introspect(&self, token: &str) -> Value {
        self.introspect_as(&self.service_key, token).await.expect(200).json()
    }

    pub(crate) async fn is_active(&self, token: &str) -> bool {
        self.introspect(token).await["active"].as_bool().unwrap()
    }

    /// A second tenant and a service key of it.
    pub(crate) async fn another_tenant(&self, slug: &str) -> (String, String) {
        let body = json!({ "slug": slug, "name": "Other" });
        let made =
            self.core("POST", "/v1/tenants", Some(&self.platform_key), Some(body)).await.expect(201).json();
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/tenants/{id}/service-keys");
        let key = self
            .core("POST", &path, Some(&self.platform_key), Some(json!({ "name": "svc" })))
            .await
            .expect(201);
        (id, key.json()["key"].as_str().unwrap().to_owned())
    }

    /// Shuts everything down and checks that nothing is left behind.
    pub(crate) async fn finish(self) {
        let platform = self.state.platform();
        let soft = Duration::from_secs(5);
        let report = platform.system().shutdown(soft, soft * 2).await;
        assert!(report.was_graceful(), "{report:?}");
        assert_eq!(platform.system().leaks(), Vec::<String>::new());
        platform.close().await;
        redaction::nothing_was_told();
        self.finished.store(true, Ordering::SeqCst);
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let ended = self.finished.load(Ordering::SeqCst) || std::thread::panicking();
        assert!(ended, "a TestApp ends with finish().await, which checks for leaked actors and tasks");
    }
}

pub(crate) fn request(method: &str, path: &str, bearer: Option<&str>, body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(bearer) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    body.iter().for_each(redaction::learn);
    match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

pub(crate) fn tokens(answer: &Answer) -> Tokens {
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("{name} in {json}")).to_owned();
    assert_eq!(json["token_type"], "Bearer");
    Tokens {
        access: text("access_token"),
        refresh: text("refresh_token"),
        session: text("session_id"),
        user: text("user_id"),
    }
}

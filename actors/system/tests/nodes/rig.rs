use crate::cluster::Line;
use crate::engine::{Connection, database};
use plinto_actors::runtime::Deadline;
use plinto_actors::{
    Caller, ClientContext, Clock, Environment, Limits, MailRoute, Platform, PlatformConfig, SignedIn,
};
use plinto_cluster::Hub;
use plinto_domain::audit::Actor;
use plinto_domain::randomness::Randomness;
use plinto_domain::tenant::TenantSettings;
use plinto_domain::{TenantId, Timestamp};
use plinto_storage::engines::sqlite::SqliteEngine;
use plinto_storage::{Engine, Entropy, MasterKey, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const MASTER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "plain oat zebra lantern";
/// Within this a revocation holds everywhere without the cluster's help.
pub(crate) const BOUND: Duration = Duration::from_secs(2);

/// A wall clock that goes with paused time.
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.0.elapsed().as_millis()).expect("a short test");
        Timestamp::from_millis(1_800_000_000_000 + elapsed)
    }
}

/// A deterministic stream: tests need no secrecy.
#[derive(Default)]
struct Stream(AtomicU64);

impl Stream {
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

/// What the nodes have in common.
pub(crate) struct Rig {
    hub: Arc<Hub>,
    database: Arc<SqliteEngine>,
    clock: Arc<TestClock>,
    stream: Arc<Stream>,
    limits: Limits,
}

/// One node.
pub(crate) struct Node {
    pub(crate) platform: Platform,
    pub(crate) line: Arc<Line>,
    pub(crate) connection: Arc<Connection>,
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

pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

impl Rig {
    pub(crate) fn with(limits: Limits) -> Self {
        let clock = Arc::new(TestClock(Instant::now()));
        Self { hub: Hub::new(), database: database(), clock, stream: Arc::default(), limits }
    }

    pub(crate) async fn node(&self, name: &str, number: u128) -> Node {
        self.node_in(&self.hub, name, number).await
    }

    /// A node that shares nothing with the others but the database.
    pub(crate) async fn lone_node(&self, name: &str, number: u128) -> Node {
        self.node_in(&Hub::new(), name, number).await
    }

    async fn node_in(&self, hub: &Arc<Hub>, name: &str, number: u128) -> Node {
        let connection = Connection::to(&self.database);
        let line = Line::to(hub, name, number);
        let master = MasterKey::parse(MASTER).expect("key");
        let entropy = Arc::clone(&self.stream) as Arc<dyn Entropy>;
        let engine = Arc::clone(&connection) as Arc<dyn Engine>;
        let now = self.clock.now().as_millis();
        let store = Arc::new(Store::open(engine, master, entropy, now).await.expect("store"));
        let environment =
            Environment::new(Arc::clone(&self.clock) as Arc<dyn Clock>, Arc::clone(&self.stream) as _);
        let config = PlatformConfig { base_url: "http://plinto.test".into(), limits: self.limits };
        let platform =
            Platform::start(config, store, environment, Arc::clone(&line) as _, MailRoute::Nowhere)
                .await
                .expect("platform");
        Node { platform, line, connection }
    }

    /// Two nodes without a cluster, and the tenant `demo` with one user.
    pub(crate) async fn lone_pair(&self) -> (Node, Node, TenantId) {
        let (one, two) = (self.lone_node("one", 1).await, self.lone_node("two", 2).await);
        let tenant = one.create_with_user("demo").await;
        (one, two, tenant)
    }

    /// Two nodes, and the tenant `demo` with one user.
    pub(crate) async fn pair(&self) -> (Node, Node, TenantId) {
        let (one, two) = (self.node("one", 1).await, self.node("two", 2).await);
        let tenant = one.create_with_user("demo").await;
        (one, two, tenant)
    }
}

impl Node {
    pub(crate) async fn create(&self, slug: &str) -> TenantId {
        let settings = TenantSettings::default();
        self.platform.create_tenant(slug, slug, settings, Actor::System).await.expect("tenant").id
    }

    pub(crate) async fn create_with_user(&self, slug: &str) -> TenantId {
        let tenant = self.create(slug).await;
        let password = PASSWORD.to_owned().into();
        let client = ClientContext::default();
        self.platform.sign_up(tenant, EMAIL.into(), password, None, client, soon()).await.expect("signs up");
        tenant
    }

    pub(crate) async fn sign_in(&self, tenant: TenantId) -> SignedIn {
        let client = ClientContext::default();
        self.platform.sign_in(tenant, EMAIL, PASSWORD, client, soon()).await.expect("signs in")
    }

    pub(crate) async fn caller(&self) -> Caller {
        let key = self.platform.issue_platform_key("tests").await.expect("key");
        self.platform.authenticate(&key.text).await.expect("good")
    }

    pub(crate) async fn is_active(&self, caller: &Caller, token: &str) -> bool {
        self.platform.introspect(caller, token, soon()).await.expect("answers").is_active()
    }

    /// Waits until the token is refused, in steps of 10 ms, and says how long it took.
    pub(crate) async fn refuses(&self, caller: &Caller, token: &str) -> Duration {
        let started = Instant::now();
        while self.is_active(caller, token).await {
            assert!(started.elapsed() < Duration::from_secs(60), "the token is still accepted");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        started.elapsed()
    }

    /// Stops the node and checks that nothing is left behind.
    pub(crate) async fn finish(self) {
        let soft = Duration::from_secs(5);
        let report = self.platform.system().shutdown(soft, soft * 2).await;
        assert!(report.was_graceful(), "{report:?}");
        assert_eq!(self.platform.system().leaks(), Vec::<String>::new());
        self.platform.close().await;
    }
}

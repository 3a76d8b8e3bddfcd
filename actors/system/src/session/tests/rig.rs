use crate::{
    Caller, ClientContext, Clock, Environment, Limits, MailRoute, NewUserInput, Place, Places, Platform,
    PlatformConfig, ServiceError, SignedIn,
};
use async_trait::async_trait;
use plinto_cluster::{Cluster, InProcess, NodeId, NodeInfo};
use plinto_domain::audit::Actor;
use plinto_domain::randomness::Randomness;
use plinto_domain::tenant::TenantSettings;
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use plinto_storage::{
    Engine, EngineHealth, Entropy, MasterKey, Receipt, Row, Scope, Statement, StorageError, Store, Unit,
    UnitError, ledger,
};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

const PASSWORD: &str = "plain oat zebra lantern";
const EMAIL: &str = "ada@example.com";

/// What happens to the next transaction of a tenant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Acknowledged = 0,
    /// Stored, but the connection is lost before the answer.
    StoredUnheard = 1,
    /// Neither stored nor answered.
    Lost = 2,
}

/// An embedded engine that may pretend to be shared, and fails on demand.
pub(crate) struct SharedEngine {
    inner: SqliteEngine,
    is_shared: bool,
    away: AtomicBool,
    next_commit: AtomicU8,
}

impl SharedEngine {
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn next_commit(&self, fate: Fate) {
        self.next_commit.store(fate as u8, Ordering::SeqCst);
    }

    fn reachable(&self) -> Result<(), StorageError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(StorageError::Unavailable { reason: "away".to_owned() }),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Engine for SharedEngine {
    async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, StorageError> {
        self.reachable()?;
        self.inner.read(scope, statement).await
    }

    async fn commit(
        &self,
        scope: Scope,
        name: &'static str,
        units: Vec<Unit>,
    ) -> Result<Vec<Result<Receipt, UnitError>>, StorageError> {
        self.reachable()?;
        let fate = match scope {
            Scope::Tenant(_) => self.next_commit.swap(Fate::Acknowledged as u8, Ordering::SeqCst),
            Scope::Platform => Fate::Acknowledged as u8,
        };
        if fate == Fate::Lost as u8 {
            return Err(StorageError::Unacknowledged);
        }
        let done = self.inner.commit(scope, name, units).await;
        if fate == Fate::StoredUnheard as u8 { Err(StorageError::Unacknowledged) } else { done }
    }

    async fn create_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.inner.create_tenant(tenant).await
    }

    async fn destroy_tenant(&self, tenant: Uuid) -> Result<(), StorageError> {
        self.inner.destroy_tenant(tenant).await
    }

    async fn list_tenants(&self) -> Result<Vec<Uuid>, StorageError> {
        self.inner.list_tenants().await
    }

    async fn health(&self) -> EngineHealth {
        self.inner.health().await
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }

    async fn ledger_heads(&self, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StorageError> {
        self.inner.ledger_heads(ids).await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Where everybody is.
struct Berlin;

impl Places for Berlin {
    fn place_of(&self, _: IpAddr) -> Option<Place> {
        Some(Place { city: Some("Berlin".to_owned()), ..Place::default() })
    }
}

/// A wall clock that tests move.
struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A deterministic stream, unique per call: tests need no secrecy.
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

/// Two nodes over one engine, with one tenant that has one user.
pub(crate) struct Nodes {
    pub(crate) engine: Arc<SharedEngine>,
    pub(crate) first: Platform,
    pub(crate) second: Platform,
    pub(crate) tenant: TenantId,
    clock: Arc<ManualClock>,
    randomness: Arc<Stream>,
    caller: Caller,
}

pub(crate) fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// The client that signs in.
pub(crate) fn client() -> ClientContext {
    ClientContext {
        address: Some("192.0.2.7".parse().expect("address")),
        user_agent: Some("suite/1".to_owned()),
    }
}

impl Nodes {
    pub(crate) async fn start() -> Self {
        Self::with(TenantSettings::default(), true).await
    }

    /// Nodes that do not know of each other, so that neither looks for what the other did.
    pub(crate) async fn unaware() -> Self {
        Self::with(TenantSettings::default(), false).await
    }

    pub(crate) async fn with(settings: TenantSettings, is_shared: bool) -> Self {
        Self::mailing(settings, is_shared, [MailRoute::Nowhere, MailRoute::Nowhere]).await
    }

    /// Nodes whose mail goes the given routes.
    pub(crate) async fn mailing(
        settings: TenantSettings,
        is_shared: bool,
        [first_route, second_route]: [MailRoute; 2],
    ) -> Self {
        let inner = SqliteEngine::in_memory(SqliteOptions::default()).expect("engine");
        let engine = Arc::new(SharedEngine {
            inner,
            is_shared,
            away: AtomicBool::new(false),
            next_commit: AtomicU8::new(Fate::Acknowledged as u8),
        });
        let clock = Arc::new(ManualClock(AtomicI64::new(1_800_000_000_000)));
        let randomness = Arc::new(Stream(AtomicU64::new(1 << 32)));
        let first = node(&engine, &clock, &randomness, first_route).await;
        let tenant = first.create_tenant("demo", "Demo", settings, Actor::System).await.expect("tenant").id;
        let user = NewUserInput::with_password(EMAIL, Zeroizing::new(PASSWORD.to_owned()));
        first.create_user(tenant, user, Actor::System, deadline()).await.expect("user");
        let key = first.issue_service_key(tenant, "tests", Actor::System).await.expect("key").text;
        let second = node(&engine, &clock, &randomness, second_route).await;
        let caller = first.authenticate(&key).await.expect("caller");
        Self { engine, first, second, tenant, clock, randomness, caller }
    }

    /// One more node over the same engine.
    pub(crate) async fn another(&self, mail: MailRoute) -> Platform {
        node(&self.engine, &self.clock, &self.randomness, mail).await
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.0.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }

    /// Signs in through the first node.
    pub(crate) async fn sign_in(&self) -> SignedIn {
        self.try_sign_in(&self.first).await.expect("signed in")
    }

    /// Signs in through a node.
    pub(super) async fn try_sign_in(&self, node: &Platform) -> Result<SignedIn, ServiceError> {
        node.sign_in(self.tenant, EMAIL, PASSWORD, client(), deadline()).await
    }

    pub(crate) async fn introspect(&self, node: &Platform, token: &str) -> Result<bool, ServiceError> {
        Ok(node.introspect(&self.caller, token, deadline()).await?.is_active())
    }

    pub(crate) async fn is_active(&self, node: &Platform, token: &str) -> bool {
        self.introspect(node, token).await.expect("introspected")
    }

    /// Refreshes through a node as the client that signed in.
    pub(crate) async fn refresh(&self, node: &Platform, token: &str) -> Result<SignedIn, ServiceError> {
        node.refresh(None, token, client(), deadline()).await
    }

    /// Signs up, through the first node, with the address of the user there is: its owner is told by mail.
    pub(crate) async fn sign_up_again(&self) {
        let password = Zeroizing::new(PASSWORD.to_owned());
        let again = self.first.sign_up(self.tenant, EMAIL.into(), password, None, client(), deadline());
        again.await.expect("accepted");
    }

    /// How often an event stands in the tenant's ledger.
    pub(crate) async fn count(&self, event: &str) -> usize {
        let scope = Scope::Tenant(self.tenant.uuid());
        let entries = ledger::page(&*self.engine, scope, 0, 1_000).await.expect("ledger");
        entries.iter().filter(|entry| entry.event == event).count()
    }

    /// Checks that the ledger's chain holds, and that nothing is left behind.
    pub(crate) async fn finish(self) {
        let scope = Scope::Tenant(self.tenant.uuid());
        ledger::verify(&*self.engine, scope, |_, _| {}).await.expect("the chain is intact");
        for node in [&self.first, &self.second] {
            stop(node).await;
        }
        self.engine.close().await;
    }
}

/// A node that hears nothing of the other: its sessions find out by themselves.
fn alone() -> Arc<dyn Cluster> {
    Arc::new(InProcess::alone(NodeInfo {
        id: NodeId(Uuid::from_u128(1)),
        name: "tests".to_owned(),
        version: "0".to_owned(),
        started_at: 0,
        urls: Default::default(),
    }))
}

/// Shuts a node down and checks that nothing is left behind.
pub(crate) async fn stop(node: &Platform) {
    let soft = Duration::from_secs(5);
    let report = node.system().shutdown(soft, soft * 2).await;
    assert!(report.was_graceful(), "{report:?}");
    assert_eq!(node.system().leaks(), Vec::<String>::new());
}

async fn node(
    engine: &Arc<SharedEngine>,
    clock: &Arc<ManualClock>,
    randomness: &Arc<Stream>,
    mail: MailRoute,
) -> Platform {
    let as_engine: Arc<dyn Engine> = Arc::clone(engine) as Arc<dyn Engine>;
    let entropy: Arc<dyn Entropy> = Arc::clone(randomness) as Arc<dyn Entropy>;
    let master = MasterKey::generate(&Stream::default());
    let store = Store::open(as_engine, master, entropy, clock.now().as_millis()).await.expect("store");
    let environment = Environment::new(Arc::clone(clock) as Arc<dyn Clock>, Arc::clone(randomness) as _)
        .with_places(Arc::new(Berlin));
    const MANY: u32 = 1_000_000;
    // Limits are other tests' subject.
    let limits = Limits {
        tenant_per_second: MANY,
        tenant_burst: MANY,
        session_per_second: MANY,
        session_burst: MANY,
        account_burst: MANY,
        address_burst: MANY,
        ..Limits::default()
    };
    let config = PlatformConfig { base_url: "http://plinto.test".into(), limits };
    Platform::start(config, Arc::new(store), environment, alone(), mail).await.expect("platform")
}

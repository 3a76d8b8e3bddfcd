//! The kernel's smallest steps, for finding out where the time of a request goes.
//!
//! `cargo bench -p plinto-loadtest`

use criterion::{Criterion, criterion_group, criterion_main};
use plinto_runtime::{
    Activated, ActivationError, ActorSystem, Admission, Context, Deadline, Directory, DirectoryConfig, Fault,
    Message, Refusal, Reply, SystemConfig, VirtualActor,
};
use plinto_storage::engines::sqlite::{SqliteEngine, SqliteOptions};
use plinto_storage::ledger::chain;
use plinto_storage::{Entropy, MasterKey, NewEntry, Store};
use plinto_token::{Algorithm, Expectations, KeySet, SigningKey, check_times, verify};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

struct Echo;

struct Ask(Reply<u64>);

impl Message for Ask {
    fn is_abandoned(&self) -> bool {
        self.0.is_abandoned()
    }

    fn refuse(self, why: Refusal) {
        self.0.refuse(why);
    }
}

impl VirtualActor for Echo {
    type Key = u64;
    type Message = Ask;
    type State = u64;
    type Shared = ();
    const KIND: &'static str = "echo";

    fn path(&self, key: &u64) -> String {
        format!("/echoes/{key}")
    }

    async fn activate(&self, key: &u64) -> Result<Activated<Self>, ActivationError> {
        Ok(Activated { state: *key, shared: Arc::new(()) })
    }

    async fn handle(&self, _: &mut Context<Self>, state: &mut u64, ask: Ask) -> Result<(), Fault> {
        ask.0.send(*state);
        Ok(())
    }

    fn admission(&self, _: &u64) -> Admission {
        Admission::concurrent(64)
    }
}

async fn echoes() -> Directory<Echo> {
    let system = ActorSystem::start(SystemConfig::default());
    system.directory(Echo, DirectoryConfig::default()).await
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// A call of a live actor against a bare channel and its answer.
fn hops(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let echoes = runtime.block_on(echoes());
    let mut group = c.benchmark_group("hop");
    group.bench_function("plinto_runtime call", |bench| {
        bench
            .to_async(&runtime)
            .iter(|| async { echoes.call(&1, deadline(), Ask).await.expect("an answer") });
    });
    let (sender, mut receiver) = mpsc::unbounded_channel::<oneshot::Sender<u64>>();
    runtime.spawn(async move {
        while let Some(reply) = receiver.recv().await {
            // The caller waits for it.
            let _ = reply.send(1);
        }
    });
    group.bench_function("tokio mpsc and oneshot", |bench| {
        bench.to_async(&runtime).iter(|| async {
            let (reply, answer) = oneshot::channel();
            sender.send(reply).expect("the task lives as long as the sender");
            answer.await.expect("an answer")
        });
    });
    group.finish();
}

/// The first call of a key, which activates its actor, and its departure.
fn activation(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let echoes = runtime.block_on(echoes());
    let next = AtomicU64::new(0);
    c.bench_function("activate, call and passivate", |bench| {
        bench.to_async(&runtime).iter(|| async {
            let key = next.fetch_add(1, Ordering::Relaxed);
            let answer = echoes.call(&key, deadline(), Ask).await.expect("an answer");
            assert!(echoes.passivate(&key).await);
            answer
        });
    });
}

/// A signature checked, and a token whose claims a cache kept.
fn tokens(c: &mut Criterion) {
    let key = SigningKey::generate(Algorithm::EdDsa).expect("a key");
    let mut keys = KeySet::new();
    keys.insert(key.verifying_key().clone()).expect("one key");
    let issuer = "https://id.example/t/demo";
    let claims = serde_json::json!({
        "iss": issuer, "sub": "usr_0", "aud": issuer, "exp": 2_000_000_600_i64, "iat": 2_000_000_000_i64,
        "jti": "1", "client_id": "first-party", "sid": "ses_0", "amr": ["pwd"],
    });
    let token = key.sign("at+jwt", &claims).expect("a token");
    let now = 2_000_000_100;
    let expect = Expectations { issuer, audience: Some(issuer), now, leeway: 5, typ: "at+jwt" };
    let kept = verify(&token, &keys, &expect).expect("a good token");
    let mut group = c.benchmark_group("token");
    group.bench_function("verify", |bench| bench.iter(|| verify(black_box(&token), &keys, &expect)));
    group.bench_function("verified before", |bench| {
        bench.iter(|| {
            black_box(<sha2::Sha256 as sha2::Digest>::digest(black_box(token.as_bytes())));
            check_times(black_box(&kept), &expect)
        });
    });
    group.finish();
}

fn chain_step(c: &mut Criterion) {
    let tenant = Uuid::from_u128(7);
    let head = chain::genesis(tenant);
    let entry = NewEntry {
        at: 1_800_000_000_000,
        event: "session.refreshed".into(),
        actor: "usr_018bcfe568007000800000000000000a".to_owned(),
        subject: "ses_018bcfe568007000800000000000000b".to_owned(),
        data: serde_json::json!({ "generation": 7 }),
    };
    c.bench_function("ledger chain step", |bench| {
        bench.iter(|| chain::append(tenant, &head, black_box(&entry)))
    });
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes()[..chunk.len()]);
        }
    }
}

fn vault(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let engine = SqliteEngine::in_memory(SqliteOptions::default()).expect("an engine in memory");
    let entropy = Arc::new(Counting(AtomicU64::new(1)));
    let master = MasterKey::generate(&*entropy);
    let store = runtime.block_on(Store::open(Arc::new(engine), master, entropy, 1_800_000_000_000));
    let store = store.expect("a store");
    let vault = store.platform_vault();
    let (row, plain) = ([7_u8; 16], [1_u8; 256]);
    let sealed = vault.seal("users", &row, "name", &plain);
    let mut group = c.benchmark_group("vault, 256 bytes");
    group.bench_function("seal", |bench| bench.iter(|| vault.seal("users", &row, "name", black_box(&plain))));
    group
        .bench_function("open", |bench| bench.iter(|| vault.open("users", &row, "name", black_box(&sealed))));
    group.finish();
}

criterion_group!(kernel, hops, activation, tokens, chain_step, vault);
criterion_main!(kernel);

//! Counters that survive passivation, and a crash that concerns one of them only.
//!
//! `cargo run -p plinto-runtime --example counter`

use parking_lot::Mutex;
use plinto_runtime::{
    Activated, ActivationError, ActorSystem, Admission, Context, Deadline, DirectoryConfig, Fault, Message,
    Rate, Refusal, Reply, SystemConfig, VirtualActor,
};
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

type Store = Arc<Mutex<HashMap<u32, u64>>>;

struct Counter {
    store: Store,
}

enum Ask {
    Add(u64, Reply<u64>),
    Break(Reply<()>),
}

impl Message for Ask {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Add(_, reply) => reply.is_abandoned(),
            Self::Break(reply) => reply.is_abandoned(),
        }
    }

    fn refuse(self, why: Refusal) {
        match self {
            Self::Add(_, reply) => reply.refuse(why),
            Self::Break(reply) => reply.refuse(why),
        }
    }
}

impl VirtualActor for Counter {
    type Key = u32;
    type Message = Ask;
    type State = u64;
    type Shared = ();
    const KIND: &'static str = "counter";

    fn path(&self, key: &u32) -> String {
        format!("/counters/{key}")
    }

    async fn activate(&self, key: &u32) -> Result<Activated<Self>, ActivationError> {
        let state = self.store.lock().get(key).copied().unwrap_or(0);
        Ok(Activated { state, shared: Arc::new(()) })
    }

    async fn handle(&self, cx: &mut Context<Self>, sum: &mut u64, ask: Ask) -> Result<(), Fault> {
        match ask {
            Ask::Add(n, reply) => {
                *sum += n;
                // Stored before it is acknowledged: a crash must not lose what a caller was told.
                self.store.lock().insert(*cx.key(), *sum);
                reply.send(*sum);
                Ok(())
            }
            Ask::Break(_reply) => Err(Fault("asked to break".into())),
        }
    }

    fn admission(&self, _key: &u32) -> Admission {
        Admission::concurrent(8).with_rate(Rate::new(5, 3))
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let soon = || Deadline::after(Duration::from_secs(1));
    let system = ActorSystem::start(SystemConfig { name: "example".into(), ..SystemConfig::default() });
    let counters = system.directory(Counter { store: Store::default() }, DirectoryConfig::default()).await;

    for n in 1..=5 {
        let sum = counters.call(&1, soon(), |reply| Ask::Add(n, reply)).await;
        writeln!(out, "counter 1 plus {n}: {sum:?}")?;
    }
    writeln!(out, "counter 1 passivated: {}", counters.passivate(&1).await)?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let sum = counters.call(&1, soon(), |reply| Ask::Add(10, reply)).await;
    writeln!(out, "counter 1 plus 10, activated anew: {sum:?}")?;

    let broken = counters.call(&2, soon(), Ask::Break).await;
    writeln!(out, "counter 2 breaks: {broken:?}")?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    for node in system.tree().nodes {
        let failure = node.last_failure.as_deref().unwrap_or("none");
        writeln!(out, "{} is {}, restarts {}, last failure {failure}", node.path, node.state, node.restarts)?;
    }
    let report = system.shutdown(Duration::from_secs(1), Duration::from_secs(2)).await;
    writeln!(out, "{report:?}")
}

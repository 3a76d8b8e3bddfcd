//! (c): password sign-ins over HTTP against nothing but argon2id on all cores.

use crate::rig::accounts::{PASSWORD, add_accounts, email, password, password_hash};
use crate::rig::environment::SystemRandomness;
use crate::rig::instance::{Instance, now, roomy};
use crate::rig::load::{Pace, Plan, run as generate};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::requests;
use crate::rig::{BenchError, Settings};
use plinto_actors::{HashMemory, verify_password};
use plinto_http::ListenerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ACCOUNTS: u64 = 500;
/// Enough that the pool is never idle, few enough that what is in flight at the end does not matter.
const CONNECTIONS: usize = 8;
/// A hash takes tens of milliseconds, so a round needs some seconds to count in.
const LEAST_SPAN: Duration = Duration::from_secs(4);

/// Checks per second of one thread per core, each with its own reused memory.
pub(super) async fn raw(span: Duration) -> Result<f64, BenchError> {
    let cores = std::thread::available_parallelism()?.get();
    let hash = Arc::new(password_hash());
    let worker = |hash: Arc<_>| {
        move || {
            let (mut memory, password) = (HashMemory::default(), password());
            let begun = Instant::now();
            let mut done = 0_u32;
            while begun.elapsed() < span {
                let check = verify_password(&mut memory, &password, &hash, &SystemRandomness);
                assert!(check.is_some_and(|check| check.matches), "the password is the right one");
                done += 1;
            }
            f64::from(done) / begun.elapsed().as_secs_f64()
        }
    };
    let workers: Vec<_> =
        (0..cores).map(|_| tokio::task::spawn_blocking(worker(Arc::clone(&hash)))).collect();
    let mut rate = 0.0;
    for worker in workers {
        rate += worker.await?;
    }
    Ok(rate)
}

/// Measures (c).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let instance = Instance::serve(&folder.path().join("data"), roomy()).await?;
    let tenant = instance.tenant("alpha").await?;
    add_accounts(&**instance.store.engine(), &tenant.vault, 0..ACCOUNTS, now()).await?;
    let requests =
        (0..ACCOUNTS).map(|number| requests::sign_in(&tenant.slug, &email(number), PASSWORD, None));
    let span = if settings.quick { settings.span } else { settings.span.max(LEAST_SPAN) };
    let plan = Plan {
        addresses: Arc::new([instance.address(ListenerName::Core)]),
        requests: requests.collect(),
        connections: CONNECTIONS,
        pace: Pace::Closed,
        span,
    };
    generate(Plan { span: Duration::from_millis(500), ..plan.clone() }).await?.all_served("sign-in")?;
    let mut rounds = Vec::new();
    for _ in 0..settings.rounds {
        let baseline = raw(span).await?;
        let ours = generate(plan.clone()).await?.all_served("sign-in")?.rate();
        rounds.push(Round { baseline, ours });
    }
    instance.stop().await;
    let name = "sign-ins / raw argon2id on the same cores";
    Ok(vec![Measurement::ratio("c", name, "1/s", rounds, Some(Bar::AtLeast(0.90)))])
}

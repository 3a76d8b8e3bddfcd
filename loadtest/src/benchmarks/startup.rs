//! (g): from spawning the process until all listeners answer, with 1000 tenants and with one.

use crate::rig::environment::SystemRandomness;
use crate::rig::instance::{Instance, now, open_store};
use crate::rig::load::ask_once;
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::{BenchError, Settings, child, requests};
use plinto_actors::Limits;
use plinto_domain::TenantId;
use plinto_domain::tenant::TenantSettings;
use plinto_http::ListenerName;
use plinto_storage::NewTenant;
use std::path::Path;

/// Hidden subcommand of the child.
pub(crate) const CHILD: &str = "start-up";

/// The child: starts everything, asks every listener for its health, says so and stops.
pub(crate) async fn child(data_dir: &Path) -> Result<(), BenchError> {
    let instance = Instance::serve(data_dir, Limits::default()).await?;
    for listener in ListenerName::ALL {
        let status = ask_once(instance.address(listener), &requests::get("/health")).await?;
        if status != 200 {
            return Err(BenchError::Invalid(format!("/health of {listener} answered {status}")));
        }
    }
    child::answer(&"ready")?;
    instance.stop().await;
    Ok(())
}

async fn furnish(data_dir: &Path, tenants: u64) -> Result<(), BenchError> {
    let store = open_store(data_dir).await?;
    let settings = serde_json::to_value(TenantSettings::default())?;
    for number in 0..tenants {
        let at = now();
        let new = NewTenant {
            id: TenantId::generate(at, &SystemRandomness).uuid(),
            slug: format!("tenant-{number}"),
            name: format!("Tenant {number}"),
            settings: settings.clone(),
            at: at.as_millis(),
            entries: Vec::new(),
        };
        store.tenants().create(new).await?;
    }
    store.engine().close().await;
    Ok(())
}

async fn start(data_dir: &Path) -> Result<f64, BenchError> {
    let args = [CHILD.to_owned(), "--dir".to_owned(), data_dir.display().to_string()];
    Ok(child::time_to_first_line(&args).await?.0.as_secs_f64() * 1_000.0)
}

/// Measures (g).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let folder = settings.fresh_dir()?;
    let many_tenants = if settings.quick { 100 } else { 1_000 };
    let (one, many) = (folder.path().join("one"), folder.path().join("many"));
    furnish(&one, 1).await?;
    furnish(&many, many_tenants).await?;
    let mut rounds = Vec::new();
    for _ in 0..settings.rounds {
        rounds.push(Round { baseline: start(&one).await?, ours: start(&many).await? });
    }
    let name = format!("start-up with {many_tenants} tenants (baseline: one)");
    let values: Vec<f64> = rounds.iter().map(|round| round.ours).collect();
    let against_one = Measurement::ratio("g", &name, "ms", rounds, None);
    let mut measurement = Measurement::absolute("g", &name, "ms", &values, Some(Bar::AtMost(500.0)));
    let ratio = format!("{:.2} times as long as with one tenant", against_one.value);
    measurement.baseline = against_one.baseline;
    measurement.rounds = against_one.rounds;
    Ok(vec![
        measurement
            .note("from spawning the process until all four listeners have answered /health")
            .note(ratio),
    ])
}

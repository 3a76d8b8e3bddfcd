//! `plinto healthcheck`

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::CommandError;
use crate::cli::HealthcheckArgs;
use crate::client::{Client, Readiness, Services};
use crate::composition;
use crate::terminal;

pub(super) async fn run(args: &HealthcheckArgs) -> Result<ExitCode, CommandError> {
    let mut targets = BTreeMap::new();
    if let Some(url) = &args.url {
        targets.insert(url.clone(), url.trim_end_matches('/').to_owned());
    } else {
        let path = args.data.path();
        let info = composition::running(&path)?.ok_or(CommandError::NotRunning { path })?;
        let services = info.listeners.keys().filter_map(|name| Some((name.clone(), info.url(name)?)));
        targets.extend(services);
    }
    let client = Client::new(Services::default(), None)?;
    let mut found = BTreeMap::new();
    for (name, url) in targets {
        found.insert(name, client.readiness(&url).await?);
    }
    let ready = found.values().all(Readiness::is_ready);
    if args.json {
        terminal::answer_json(&found)
    } else {
        show(&found)
    }
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(found: &BTreeMap<String, Readiness>) {
    for (name, readiness) in found {
        terminal::answer(&format!("{name}: {}", readiness.status));
        for dependency in readiness.dependencies.iter().filter(|dependency| dependency.status != "ready") {
            let reason = dependency.reason.as_deref().unwrap_or("no reason given");
            terminal::answer(&format!("  {}: {} ({reason})", dependency.name, dependency.status));
        }
    }
}

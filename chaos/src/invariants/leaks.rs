use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Findings, Invariant};
use crate::HarnessError;
use crate::api::{Answer, Api};
use crate::nodes::{Footprint, Nodes};

/// Threads a node may have more than before: tokio starts one more for blocking work when it sees fit.
const MORE_THREADS: u64 = 8;
/// How long a node may take to be idle after the last answer.
const IDLE: Duration = Duration::from_secs(5);

/// [`Invariant::NothingLeaks`]: every node runs and is ready, nothing is in flight, no connection is at work, and no node
/// has more threads than any had before. Nobody may call meanwhile.
pub async fn nothing_leaks(nodes: &Nodes, before: &[Footprint]) -> Result<Findings, HarnessError> {
    let invariant = Invariant::NothingLeaks;
    let mut findings = Findings::default();
    let most = before.iter().map(|footprint| footprint.threads).max().unwrap_or_default() + MORE_THREADS;
    let running = nodes.pids();
    findings.hold(invariant, running.len() == nodes.count(), || {
        format!("{} of {} nodes run", running.len(), nodes.count())
    });
    for (node, pid) in running {
        let Footprint { threads, .. } = Footprint::of(pid)?;
        findings.hold(invariant, threads <= most, || {
            format!("node {node} has {threads} threads, before none had more than {}", most - MORE_THREADS)
        });
    }
    for (node, api) in nodes.places().all() {
        findings.add(node_gets_idle(node, &api, nodes.platform_key()).await);
    }
    Ok(findings)
}

/// What is begun behind an answer may go on for a moment, and nodes look at the ledgers now and then.
async fn node_gets_idle(node: usize, api: &Api, platform_key: &str) -> Findings {
    let begun = Instant::now();
    loop {
        let mut findings = Findings::default();
        node_is_idle(node, api, platform_key, &mut findings).await;
        if findings.is_empty() || begun.elapsed() > IDLE {
            return findings;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn node_is_idle(node: usize, api: &Api, platform_key: &str, findings: &mut Findings) {
    let invariant = Invariant::NothingLeaks;
    match api.tree(platform_key).await {
        Answer::Done(tree) => {
            let kinds = tree["kinds"].as_array().cloned().unwrap_or_default();
            findings.hold(invariant, !kinds.is_empty(), || format!("the tree of node {node} has no kinds"));
            for kind in &kinds {
                findings.hold(invariant, kind["in_flight"] == 0, || {
                    format!(
                        "node {node} still has {} requests to {} in flight",
                        kind["in_flight"], kind["kind"]
                    )
                });
            }
        }
        other => findings
            .hold(invariant, false, || format!("the tree of node {node} was answered {}", other.summary())),
    }
    let readiness = api.readiness().await;
    let ready = readiness.as_ref().is_some_and(|readiness| readiness.status == 200);
    findings.hold(invariant, ready, || format!("node {node} is not ready"));
    let body = readiness.map(|readiness| readiness.body).unwrap_or_default();
    let at_work = numbers(&body, "in_use");
    // The question itself is asked over one of them.
    findings.hold(invariant, !at_work.is_empty() && at_work.iter().all(|count| *count <= 1), || {
        format!("node {node} has connections to the database at work: {at_work:?}")
    });
    let waiting = numbers(&body, "waiting");
    findings.hold(invariant, waiting.iter().all(|count| *count == 0), || {
        format!("on node {node} callers wait for a connection: {waiting:?}")
    });
}

/// Every number of a name, wherever it stands.
fn numbers(value: &Value, name: &str) -> Vec<u64> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value.as_u64() {
                Some(number) if key == name => vec![number],
                _ => numbers(value, name),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| numbers(item, name)).collect(),
        _ => Vec::new(),
    }
}

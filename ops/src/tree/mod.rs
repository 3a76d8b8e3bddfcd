//! The supervision tree as text.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use console::truncate_str;
use indicatif::HumanDuration;
use plinto_runtime::{KindSummary, TreeNode, TreeSnapshot};

const INDENT: usize = 2;
const NAME_WIDTH: usize = 48;

/// The snapshot, line by line: totals of every kind, then the tree.
pub(crate) fn lines(snapshot: &TreeSnapshot) -> Vec<String> {
    let uptime = HumanDuration(Duration::from_millis(snapshot.uptime_ms));
    let mut lines = vec![format!("{} (root), up {uptime}", snapshot.system), String::new()];
    lines.push(format!(
        "{:<12} {:<22} {:>9} {:>10} {:>9} {:>12} {:>9}",
        "KIND", "STATES", "IN FLIGHT", "PROCESSED", "RESTARTS", "QUARANTINES", "REFUSED"
    ));
    lines.extend(snapshot.kinds.iter().map(total));
    lines.push(String::new());
    lines.push(format!(
        "{:<NAME_WIDTH$} {:<12} {:>9} {:>10} {:>9}  {}",
        "PATH", "STATE", "IN FLIGHT", "PROCESSED", "RESTARTS", "LIMITER"
    ));
    lines.extend(branches(&snapshot.nodes));
    if snapshot.truncated {
        lines.push("… more nodes than shown; narrow down with --prefix or raise --limit".to_owned());
    }
    lines
}

/// As many of the lines as a screen holds, each cut at its width.
pub(crate) fn fit(mut lines: Vec<String>, rows: usize, columns: usize) -> Vec<String> {
    let room = rows.saturating_sub(1);
    if lines.len() > room {
        let hidden = lines.len() - room.saturating_sub(1);
        lines.truncate(room.saturating_sub(1));
        lines.push(format!("… {hidden} more lines; narrow down with --prefix"));
    }
    lines.iter().map(|line| truncate_str(line, columns, "…").into_owned()).collect()
}

fn total(kind: &KindSummary) -> String {
    let states: Vec<String> = kind.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let states = if states.is_empty() { "none".to_owned() } else { states.join(", ") };
    let KindSummary { kind, in_flight, processed, restarts, quarantines, refused, .. } = kind;
    format!(
        "{kind:<12} {states:<22} {in_flight:>9} {processed:>10} {restarts:>9} {quarantines:>12} {refused:>9}"
    )
}

/// One line a node, indented below its parents; folders that are no node themselves get a line of their own.
fn branches(nodes: &[TreeNode]) -> Vec<String> {
    let known: BTreeSet<&str> = nodes.iter().map(|node| node.path.as_str()).collect();
    let mut shown = BTreeSet::new();
    let mut lines = vec!["/".to_owned()];
    for node in nodes {
        for (end, _) in node.path.match_indices('/').skip(1) {
            let folder = &node.path[..end];
            if !known.contains(folder) && shown.insert(folder) {
                lines.push(format!("{}{}", indent(folder), name(folder)));
            }
        }
        lines.push(leaf(node));
    }
    lines
}

fn leaf(node: &TreeNode) -> String {
    let limiter = node.limiter.map_or_else(String::new, |limiter| {
        format!("{}/{} free, {} refused", limiter.available, limiter.burst, limiter.refused)
    });
    let name = format!("{}{}", indent(&node.path), name(&node.path));
    let TreeNode { state, in_flight, processed, restarts, .. } = node;
    // Padding applies to text only, and a state is displayed without it.
    let state = state.to_string();
    let line =
        format!("{name:<NAME_WIDTH$} {state:<12} {in_flight:>9} {processed:>10} {restarts:>9}  {limiter}");
    match &node.last_failure {
        Some(failure) => format!("{}  last failure: {failure}", line.trim_end()),
        None => line.trim_end().to_owned(),
    }
}

fn indent(path: &str) -> String {
    " ".repeat(INDENT * path.matches('/').count())
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

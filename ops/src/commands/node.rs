//! `plinto node`

use std::process::ExitCode;

use super::{CommandError, access};
use crate::cli::NodeCommand;
use crate::client::{Client, Node};
use crate::terminal;

pub(super) async fn run(command: NodeCommand) -> Result<ExitCode, CommandError> {
    let NodeCommand::List { json, instance } = command;
    let nodes = access::running(&instance)?.nodes().await?;
    if json {
        terminal::answer_json(&nodes);
    } else {
        show(&nodes);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(nodes: &[Node]) {
    let width = nodes.iter().map(|node| node.name.len()).max().unwrap_or(0);
    for Node { id, name, version, urls, answered, .. } in nodes {
        let mark = if *answered { '*' } else { ' ' };
        let urls: Vec<String> = urls.iter().map(|(service, url)| format!("{service} {url}")).collect();
        terminal::answer(&format!("{mark} {name:<width$}  {version}  {id}  {}", urls.join("  ")));
    }
}

/// A client of the node of this name, found through the one that is reached.
pub(super) async fn find(reached: &Client, named: &str) -> Result<Client, CommandError> {
    let unknown = || CommandError::UnknownNode { named: named.to_owned() };
    let mut nodes = reached.nodes().await?;
    let at = nodes.iter().position(|node| node.name == named || node.id == named).ok_or_else(unknown)?;
    let url = nodes[at].urls.remove("auth");
    let url = url.ok_or_else(|| CommandError::NodeWithoutUrl { named: named.to_owned() })?;
    Ok(reached.of_node(url))
}

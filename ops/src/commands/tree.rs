//! `plinto tree`

use std::process::ExitCode;
use std::time::Duration;

use super::{CommandError, access, node};
use crate::cli::TreeArgs;
use crate::composition::Signals;
use crate::terminal::{self, Screen};
use crate::tree;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &TreeArgs) -> Result<ExitCode, CommandError> {
    let mut client = access::running(&args.instance)?;
    if let Some(named) = &args.node {
        client = node::find(&client, named).await?;
    }
    if args.once || args.json || !terminal::is_person() {
        let snapshot = client.tree(&args.prefix, args.limit).await?;
        if args.json {
            terminal::answer_json(&snapshot);
        } else {
            terminal::answer(&tree::lines(&snapshot).join("\n"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut signals = Signals::listen()?;
    let screen = Screen::open()?;
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = signals.next() => return Ok(ExitCode::SUCCESS),
        }
        let snapshot = client.tree(&args.prefix, args.limit).await?;
        let (rows, columns) = screen.size();
        screen.draw(&tree::fit(tree::lines(&snapshot), rows, columns))?;
    }
}

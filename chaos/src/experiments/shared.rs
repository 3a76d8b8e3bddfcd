//! What every experiment on several nodes stands on: the nodes, and what is known about their tenants and users.

use std::path::Path;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use parking_lot::Mutex;
use tokio::time::sleep;

use crate::invariants::{Violation, Witness};
use crate::journal::{Journal, Standing, Tenant};
use crate::nodes::{Footprint, Nodes};
use crate::seed::Seed;
use crate::traffic::{BOUND, Calls, Refused, Traffic, Watch};
use crate::verification::populate;
use crate::{Failure, HarnessError};

/// Tenants that are made at once.
const AT_ONCE: usize = 6;

/// Several nodes, and what is known.
pub(super) struct Site {
    pub(super) nodes: Nodes,
    pub(super) journal: Journal,
    pub(super) seed: Seed,
}

impl Site {
    /// New nodes on a new database.
    pub(super) async fn open(
        program: &Path,
        nodes: usize,
        seed: Seed,
        settings: &[(&str, &str)],
    ) -> Result<Self, HarnessError> {
        let nodes = Nodes::start(program, nodes, seed, settings).await?;
        Ok(Self { nodes, journal: Journal::default(), seed })
    }

    /// Makes a busy tenant with so many users, and `others` tenants with one user each; all users sign in.
    pub(super) async fn furnish(&self, users: usize, others: usize) -> Result<(), HarnessError> {
        let slugs: Vec<_> = std::iter::once("busy".to_owned())
            .chain((1..=others).map(|number| format!("quiet-{number}")))
            .collect();
        let made = slugs.iter().map(|slug| self.make_tenant(slug));
        stream::iter(made).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let witness = Witness::new(self.nodes.api(), self.nodes.platform_key());
        populate(&witness, &self.journal, &slugs[..1], users, self.seed).await?;
        populate(&witness, &self.journal, &slugs[1..], 1, self.seed).await
    }

    async fn make_tenant(&self, slug: &str) -> Result<(), HarnessError> {
        let answer = self.nodes.api().create_tenant(self.nodes.platform_key(), slug).await;
        let id = answer.required("the creation of a tenant")?;
        let (slug, standing) = (slug.to_owned(), Standing::Acknowledged);
        self.journal.know_tenant(Tenant { id, slug, standing, rotations: 0 });
        Ok(())
    }

    /// Traffic of these nodes' users.
    pub(super) fn traffic<'a>(
        &'a self,
        calls: &'a Calls,
        refusals: &'a Mutex<Vec<Refused>>,
        workers: u64,
        pause: Duration,
    ) -> Traffic<'a> {
        let Self { nodes, journal, seed } = self;
        let platform_key = nodes.platform_key();
        let watch = Watch { places: nodes.places(), platform_key, refusals, journal };
        Traffic { api: nodes.api(), platform_key, journal, calls, watch, seed: *seed, workers, pause }
    }

    /// What each node takes from the machine, in their order.
    pub(super) fn footprints(&self) -> Result<Vec<Footprint>, HarnessError> {
        self.nodes.pids().into_iter().map(|(_, pid)| Footprint::of(pid)).collect()
    }

    /// Waits until every node knows what the others did, and what was begun behind the answers is done.
    pub(super) async fn settle(&self) -> Result<(), HarnessError> {
        self.nodes.until_all_are_sent_to().await?;
        sleep(BOUND).await;
        Ok(())
    }

    /// Ends the experiment.
    pub(super) async fn conclude(self, violations: Vec<Violation>, replay: &str) -> Result<(), Failure> {
        self.nodes.conclude(violations, replay).await
    }
}

/// Two footprints of every node, for people.
pub(super) fn compare(before: &[Footprint], after: &[Footprint]) -> Vec<String> {
    let both = before.iter().zip(after).enumerate();
    both.map(|(node, (before, after))| {
        format!(
            "node {node}: {} threads and {} MiB before, {} threads and {} MiB after",
            before.threads,
            before.resident / 1024,
            after.threads,
            after.resident / 1024
        )
    })
    .collect()
}

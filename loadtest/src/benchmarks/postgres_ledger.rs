//! (h): durable units through the ledger on PostgreSQL against raw single-row commits at the same concurrency.

use super::entries;
use super::raw_postgres::{CONNECTIONS, RawPostgres, Write};
use super::units::{Callers, Rates};
use crate::rig::accounts::add_accounts;
use crate::rig::instance::{Instance, Tenant, now, roomy};
use crate::rig::numbers::Round;
use crate::rig::report::{Bar, Measurement};
use crate::rig::servers::{Servers, open};
use crate::rig::{BenchError, Settings};
use plinto_actors::Limits;
use plinto_domain::Timestamp;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

/// Callers that wait for their own unit before they send the next: as many as raw connections, and a busy node's: enough
/// for one full transaction to be made while another is written.
const CALLERS: [usize; 2] = [64, 1_024];
/// Tenants the same callers are spread over.
const TENANTS: usize = 64;
/// Rows a sign-out makes durable: the session and its ledger entry. The chain's head, one for all, is not counted.
const ROWS: f64 = 2.0;
/// Least ratio where callers outnumber the connections PostgreSQL can group by itself.
const BAR: f64 = 3.0;

struct Scene {
    instance: Instance,
    tenants: Vec<Tenant>,
    epoch: Timestamp,
    raw: RawPostgres,
    next_session: u64,
    per_round: u64,
}

/// What one round found for one number of callers.
struct Rounds {
    callers: usize,
    rows: Vec<Round>,
    sign_outs: Vec<Round>,
    refreshes: Vec<Round>,
    spread: Vec<Round>,
    entries: Vec<Round>,
    /// Units and transactions of the busy tenant.
    batches: (u64, u64),
}

impl Scene {
    async fn set(settings: &Settings, servers: &Servers) -> Result<Self, BenchError> {
        let engine = open(&servers.database().await?).await?;
        let limits = Limits { verified_tokens: 400_000, ..roomy() };
        let instance = Instance::on(Arc::new(engine), limits).await?;
        let epoch = now();
        let mut tenants = Vec::with_capacity(TENANTS);
        for number in 0..TENANTS {
            let tenant = instance.tenant(&format!("tenant-{number}")).await?;
            add_accounts(&**instance.store.engine(), &tenant.vault, 0..1, epoch).await?;
            tenants.push(tenant);
        }
        let raw = RawPostgres::open(&servers.empty_database().await?.owner_url).await?;
        let per_round = if settings.quick { 6_400 } else { 25_600 };
        Ok(Self { instance, tenants, epoch, raw, next_session: 0, per_round })
    }

    fn fresh_sessions(&mut self) -> Range<u64> {
        let first = self.next_session;
        self.next_session += self.per_round;
        first..self.next_session
    }

    async fn ours(&mut self, callers: usize, tenants: usize) -> Result<Rates, BenchError> {
        let numbers = self.fresh_sessions();
        let tenants = if tenants == 1 { slice::from_ref(&self.tenants[0]) } else { &self.tenants[..] };
        Callers { instance: &self.instance, tenants, count: callers, epoch: self.epoch }.round(numbers).await
    }

    /// Units and transactions of all ledgers so far.
    async fn batches(&self) -> (u64, u64) {
        let health = self.instance.store.engine().health().await;
        let ledgers = health.transactions.iter().find(|count| count.name == "ledger.append");
        ledgers.map_or((0, 0), |count| (count.units, count.committed))
    }

    async fn round(&mut self, settings: &Settings, into: &mut Rounds) -> Result<(), BenchError> {
        let baseline = self.raw.run(Write::Update, into.callers, settings.span).await?;
        let before = self.batches().await;
        let busy = self.ours(into.callers, 1).await?;
        let after = self.batches().await;
        into.batches.0 += after.0 - before.0;
        into.batches.1 += after.1 - before.1;
        let inserts = self.raw.run(Write::Insert, into.callers, settings.span).await?;
        let spread = self.ours(into.callers, TENANTS).await?;
        let (engine, busiest) = (Arc::clone(self.instance.store.engine()), self.tenants[0].id.uuid());
        let entries = entries::append(engine, busiest, into.callers, settings.span).await?;
        into.rows.push(Round { baseline, ours: ROWS * busy.sign_outs });
        into.sign_outs.push(Round { baseline, ours: busy.sign_outs });
        into.refreshes.push(Round { baseline, ours: busy.refreshes });
        into.entries.push(Round { baseline: inserts, ours: entries });
        into.spread.push(Round { baseline, ours: spread.sign_outs });
        Ok(())
    }
}

impl Rounds {
    fn new(callers: usize) -> Self {
        let (rows, sign_outs, refreshes, spread, entries) = Default::default();
        Self { callers, rows, sign_outs, refreshes, spread, entries, batches: (0, 0) }
    }

    fn measurements(self, letter: usize) -> Vec<Measurement> {
        let callers = self.callers;
        let batch = self.batches.0 as f64 / self.batches.1.max(1) as f64;
        let named = |place: usize, name: &str, rounds, bar| {
            Measurement::ratio(
                &format!("h.{}", letter + place),
                &format!("{name}, {callers} callers"),
                "1/s",
                rounds,
                bar,
            )
        };
        let bar = (callers > CONNECTIONS).then_some(Bar::AtLeast(BAR));
        let connections = callers.min(CONNECTIONS);
        vec![
            named(1, "entries alone, engine / raw INSERT commits", self.entries, None).note(
                "an entry is chained and kept in four indexes, a raw row in one; but for exports nothing writes only that"
                    .to_owned(),
            ),
            named(2, "rows made durable by sign-outs / raw UPDATE commits", self.rows, bar).note(format!(
                "a sign-out is one row updated and one entry chained, {batch:.0} of them in a transaction on average; the \
                 baseline is one row on each of {connections} connections"
            )),
            named(3, "sign-outs, PostgreSQL / raw UPDATE commits", self.sign_outs, None),
            named(4, "refreshes, PostgreSQL / raw UPDATE commits", self.refreshes, None),
            named(5, "sign-outs, 64 tenants / raw UPDATE commits", self.spread, None),
        ]
    }
}

/// Measures (h).
pub(crate) async fn run(settings: &Settings) -> Result<Vec<Measurement>, BenchError> {
    let servers = Servers::start().await?;
    let mut scene = Scene::set(settings, &servers).await?;
    let mut all = CALLERS.map(Rounds::new);
    for _ in 0..settings.rounds {
        for rounds in &mut all {
            scene.round(settings, rounds).await?;
        }
    }
    scene.instance.stop().await;
    Ok(all.into_iter().enumerate().flat_map(|(place, rounds)| rounds.measurements(place * 5)).collect())
}

//! When the same is tried again: here and nowhere else.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::failure::{Fault, Kind};
use crate::engine::Counters;

/// How long lost connections are replaced before the caller is told.
const PATIENCE: Duration = Duration::from_millis(700);
/// Attempts after losing a connection.
const LOST: u32 = 6;
/// Attempts after a serialization failure or a deadlock.
const CONTENTION: u32 = 6;
/// Attempts after a lock was not free in time: the wait for it was the pause.
const LOCKED: u32 = 1;
/// The first pause; it doubles.
const PAUSE: Duration = Duration::from_millis(10);

/// The attempts at one transaction.
pub(super) struct Attempts<'a> {
    name: &'static str,
    counters: &'a Counters,
    lost: u32,
    lost_at: Option<Instant>,
    contention: u32,
    locked: u32,
}

impl<'a> Attempts<'a> {
    pub(super) fn at(name: &'static str, counters: &'a Counters) -> Self {
        Self { name, counters, lost: 0, lost_at: None, contention: 0, locked: 0 }
    }

    /// Pauses before another attempt, or gives the fault back when there shall be none.
    pub(super) async fn another(&mut self, fault: Fault) -> Result<(), Fault> {
        let pause = match fault.kind() {
            Kind::Lost => {
                self.lost += 1;
                let since = *self.lost_at.get_or_insert_with(Instant::now);
                // An idle connection that broke is replaced at once.
                let pause = if self.lost == 1 { Duration::ZERO } else { doubled(self.lost - 1) };
                (self.lost <= LOST && since.elapsed() + pause < PATIENCE).then_some(pause)
            }
            Kind::Contention => {
                self.contention += 1;
                (self.contention <= CONTENTION).then(|| doubled(self.contention))
            }
            Kind::Locked => {
                self.locked += 1;
                (self.locked <= LOCKED).then_some(Duration::ZERO)
            }
            Kind::Statement | Kind::Unsupported | Kind::Final => None,
        };
        let Some(pause) = pause else { return Err(fault) };
        self.counters.record(self.name, |total| total.retried += 1);
        sleep(pause).await;
        Ok(())
    }
}

fn doubled(times: u32) -> Duration {
    PAUSE * 2u32.pow(times.min(6))
}

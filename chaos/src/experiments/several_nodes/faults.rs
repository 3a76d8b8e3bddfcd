//! What is broken when: drawn from the seed.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::time::{Instant, sleep_until};

use crate::HarnessError;
use crate::experiments::Progress;
use crate::nodes::Nodes;
use crate::seed::Seed;
use crate::traffic::Windows;

/// The part of the seed that the schedule is drawn from.
const PART: u64 = 5_000;
/// Traffic before the first fault and after the last.
const QUIET: Duration = Duration::from_secs(4);
/// How long after a node was killed requests to it may still fail: what was in flight, and what was sent before the
/// proxy asked for its readiness again.
const AFTER_KILL: Duration = Duration::from_secs(1);
/// How long after its return an installation may take to notice that a database is there.
const AFTER_RETURN: Duration = Duration::from_secs(5);
/// Longer than any fault; the window is closed as soon as the fault is over.
const LONGEST: Duration = Duration::from_secs(120);

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `kill -9` to a node, which is brought back.
    Node(usize),
    /// Redis ends and starts again, empty.
    Redis,
    /// PostgreSQL ends and starts again.
    Postgres,
    /// The load balancer throws answers away after the node did what was asked for, so that clients ask again.
    Answers,
}

/// A fault with its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    fault: Fault,
    /// From the start of the traffic on.
    begins: Duration,
    /// How long it is away.
    away: Duration,
}

/// The faults of a run, one after the other.
#[derive(Debug)]
pub(super) struct Plan(Vec<Planned>);

impl Plan {
    /// As many faults in so much time; of every kind one before there is a second of any.
    pub(super) fn draw(seed: Seed, nodes: usize, faults: usize, time: Duration) -> Self {
        let mut random = seed.generator(0, PART);
        let slot = time.saturating_sub(QUIET * 2) / u32::try_from(faults.max(1)).unwrap_or(u32::MAX);
        let mut kinds = Vec::new();
        let planned = (0..faults).map(|number| {
            if kinds.is_empty() {
                let node = Fault::Node(random.random_range(0..nodes));
                kinds = vec![node, Fault::Redis, Fault::Postgres, Fault::Answers];
            }
            let fault = kinds.swap_remove(random.random_range(0..kinds.len()));
            let before = slot * u32::try_from(number).unwrap_or(u32::MAX);
            let begins = QUIET + before + part(slot, &mut random, 0.0..0.2);
            Planned { fault, begins, away: part(slot, &mut random, 0.15..0.3) }
        });
        Self(planned.collect())
    }

    /// Breaks and mends, each at its time.
    pub(super) async fn run(
        &self,
        nodes: &Nodes,
        windows: &Windows,
        say: Progress<'_>,
    ) -> Result<(), HarnessError> {
        let begun = Instant::now();
        for Planned { fault, begins, away } in &self.0 {
            sleep_until(begun + *begins).await;
            say(format!("{:.1} s: {fault:?} is away for {} ms", begins.as_secs_f64(), away.as_millis()));
            let back = begun + *begins + *away;
            match *fault {
                Fault::Node(node) => {
                    windows.open("a node was killed", LONGEST);
                    nodes.kill_node(node).await?;
                    windows.close(AFTER_KILL);
                    sleep_until(back).await;
                    nodes.start_node(node).await?;
                }
                Fault::Redis => {
                    windows.open(super::REDIS, LONGEST);
                    nodes.with_redis(|redis| redis.stop()).await;
                    sleep_until(back).await;
                    nodes.with_redis(|redis| redis.start_again()).await?;
                    windows.close(AFTER_RETURN);
                }
                Fault::Postgres => {
                    windows.open("PostgreSQL was away", LONGEST);
                    nodes.with_postgres(|postgres| postgres.stop()).await;
                    sleep_until(back).await;
                    nodes.with_postgres(|postgres| postgres.start_again()).await?;
                    windows.close(AFTER_RETURN);
                }
                Fault::Answers => {
                    windows.open("answers were lost", LONGEST);
                    nodes.proxy().lose_answers(true);
                    sleep_until(back).await;
                    nodes.proxy().lose_answers(false);
                    windows.close(Duration::ZERO);
                }
            }
        }
        Ok(())
    }
}

fn part(of: Duration, random: &mut SmallRng, range: std::ops::Range<f64>) -> Duration {
    of.mul_f64(random.random_range(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_follow_each_other_within_the_time_and_leave_none_out() {
        let time = Duration::from_secs(60);
        for seed in 0..200 {
            let Plan(planned) = Plan::draw(Seed(seed), 3, 4, time);
            assert_eq!(planned.len(), 4);
            for kind in [Fault::Redis, Fault::Postgres, Fault::Answers] {
                assert!(planned.iter().any(|planned| planned.fault == kind), "{planned:?}");
            }
            assert!(planned.iter().any(|planned| matches!(planned.fault, Fault::Node(0..3))), "{planned:?}");
            let mut until = QUIET;
            for Planned { begins, away, .. } in planned {
                assert!(begins >= until && away >= Duration::from_millis(1_900), "{begins:?} {away:?}");
                until = begins + away + AFTER_RETURN;
            }
            assert!(until <= time, "{until:?}");
        }
    }
}

use super::{Allowance, Entry, Gate, Limiter, Rate};
use crate::observe::KindStats;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, advance};

fn gate(limit: u32) -> Arc<Gate> {
    Gate::new(limit, Arc::new(KindStats::new("test")), 0)
}

fn admitted(entry: Entry) -> Option<super::Permit> {
    match entry {
        Entry::Admitted(permit) => Some(permit),
        Entry::Full | Entry::Closed => None,
    }
}

#[test]
fn permits_are_bounded_and_come_back() {
    let gate = gate(2);
    let first = admitted(gate.admit());
    let second = admitted(gate.admit());
    assert!(first.is_some() && second.is_some());
    assert!(matches!(gate.admit(), Entry::Full));
    assert_eq!((gate.in_flight(), gate.overloaded()), (2, 1));
    drop(first);
    assert!(admitted(gate.admit()).is_some());
}

#[test]
fn beyond_the_limit_is_counted_all_the_same() {
    let gate = gate(0);
    assert!(matches!(gate.admit(), Entry::Full));
    let permit = admitted(gate.admit_beyond_limit());
    assert!(permit.is_some());
    assert_eq!(gate.in_flight(), 1);
}

#[test]
fn a_gate_in_use_does_not_close_and_a_closed_one_admits_nobody() {
    let gate = gate(1);
    let permit = admitted(gate.admit());
    let pin = gate.pin();
    assert!(!gate.try_close());
    drop(permit);
    assert!(!gate.try_close(), "a pin keeps it open");
    drop(pin);
    assert!(gate.try_close());
    assert!(matches!(gate.admit(), Entry::Closed));
    assert!(matches!(gate.admit_beyond_limit(), Entry::Closed));
    assert!(gate.pin().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_limiter_follows_paused_time() {
    let limiter = Limiter::new(Rate::new(10, 3), None);
    for left in [2, 1, 0] {
        assert_eq!(limiter.check(), Ok(()));
        assert_eq!(limiter.available(), left);
    }
    assert_eq!(limiter.check(), Err(Duration::from_millis(100)));
    assert_eq!(limiter.refused(), 1);
    advance(Duration::from_millis(100)).await;
    assert_eq!(limiter.available(), 1);
    assert_eq!(limiter.check(), Ok(()));
    assert!(!limiter.is_full());
    advance(Duration::from_millis(300)).await;
    assert!(limiter.is_full());
}

/// Grants what it was made with, then tells everybody to come back in a second.
struct Purse(AtomicU32);

impl Allowance for Purse {
    fn take(&self) -> Result<(), Duration> {
        let took = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        took.map(drop).map_err(|_| Duration::from_secs(1))
    }
}

#[tokio::test(start_paused = true)]
async fn an_allowance_is_asked_after_the_limiter() {
    let purse = Arc::new(Purse(AtomicU32::new(3)));
    let limiter = Limiter::new(Rate::new(10, 2), Some(Arc::clone(&purse) as Arc<dyn Allowance>));
    assert_eq!((limiter.check(), limiter.check()), (Ok(()), Ok(())));
    assert_eq!(limiter.check(), Err(Duration::from_millis(100)), "the limiter's own word");
    assert_eq!(purse.0.load(Ordering::Relaxed), 1, "refused by the limiter, the allowance is not asked");
    advance(Duration::from_secs(1)).await;
    assert_eq!(limiter.check(), Ok(()));
    assert_eq!(limiter.check(), Err(Duration::from_secs(1)), "the allowance's word");
    assert_eq!(limiter.refused(), 2);
}

proptest! {
    #[test]
    fn a_limiter_never_lets_more_through_than_burst_plus_rate(
        per_second in 1u32..50,
        burst in 1u32..20,
        gaps in prop::collection::vec(0u64..400, 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let limiter = Limiter::new(Rate::new(per_second, burst), None);
            let start = Instant::now();
            let mut passed = 0u32;
            for gap in gaps {
                advance(Duration::from_millis(gap)).await;
                let available = limiter.available();
                let outcome = limiter.check();
                prop_assert_eq!(outcome.is_ok(), available > 0, "what it shows is what it does");
                passed += u32::from(outcome.is_ok());
                let refill = start.elapsed().as_secs_f64() * f64::from(per_second);
                prop_assert!(f64::from(passed) <= f64::from(burst) + refill + 1e-6);
            }
            Ok(())
        })?;
    }
}

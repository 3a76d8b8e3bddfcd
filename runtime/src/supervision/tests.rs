use super::{RestartBudget, RestartPolicy, Verdict, redact_panic};
use proptest::prelude::*;
use std::time::Duration;

fn policy() -> RestartPolicy {
    RestartPolicy {
        intensity: 3,
        window: Duration::from_secs(60),
        backoff_base: Duration::from_millis(100),
        backoff_max: Duration::from_millis(300),
        cool_down: Duration::from_secs(30),
    }
}

fn at(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn backoff_doubles_up_to_the_maximum_then_quarantine() {
    let mut budget = RestartBudget::default();
    let waits: Vec<Verdict> = (1..=4).map(|n| budget.on_failure(&policy(), at(n), 1.0)).collect();
    let restart = |ms| Verdict::Restart { after: Duration::from_millis(ms) };
    let quarantine = Verdict::Quarantine { cool_down: Duration::from_secs(30) };
    assert_eq!(waits, [restart(100), restart(200), restart(300), quarantine]);
}

#[test]
fn failures_are_forgotten_after_the_window() {
    let mut budget = RestartBudget::default();
    for n in 0..3 {
        budget.on_failure(&policy(), at(n), 1.0);
    }
    assert!(!budget.is_spent(&policy(), at(61)));
    assert!(budget.is_spent(&policy(), at(62)));
    let verdict = budget.on_failure(&policy(), at(62), 1.0);
    assert_eq!(verdict, Verdict::Restart { after: Duration::from_millis(100) });
}

#[test]
fn quarantine_leaves_a_clean_slate() {
    let mut budget = RestartBudget::default();
    for n in 0..4 {
        budget.on_failure(&policy(), at(n), 0.0);
    }
    assert!(budget.is_spent(&policy(), at(4)));
}

#[test]
fn no_intensity_means_quarantine_at_once() {
    let policy = RestartPolicy { intensity: 0, ..policy() };
    let verdict = RestartBudget::default().on_failure(&policy, at(0), 0.5);
    assert_eq!(verdict, Verdict::Quarantine { cool_down: policy.cool_down });
}

#[test]
fn only_literal_panics_are_shown() {
    let literal = std::panic::catch_unwind(|| panic!("state is torn")).expect_err("it panics");
    assert_eq!(&*redact_panic(&*literal), "panicked: state is torn");
    let secret = "alice@example.org";
    let formatted = std::panic::catch_unwind(|| panic!("no user {secret}")).expect_err("it panics");
    assert_eq!(&*redact_panic(&*formatted), "panicked (text withheld)");
}

proptest! {
    #[test]
    fn never_more_restarts_than_the_intensity_within_any_window(
        gaps in prop::collection::vec(0u64..40_000, 1..80),
        jitter in 0.0f64..=1.0,
    ) {
        let policy = policy();
        let mut budget = RestartBudget::default();
        let mut now = Duration::ZERO;
        let mut run: Vec<Duration> = Vec::new();
        for gap in gaps {
            now += Duration::from_millis(gap);
            match budget.on_failure(&policy, now, jitter) {
                Verdict::Restart { after } => {
                    prop_assert!(after >= policy.backoff_base / 2 && after <= policy.backoff_max);
                    run.push(now);
                    let recent = run.iter().filter(|&&t| t + policy.window > now).count();
                    prop_assert!(recent <= policy.intensity as usize);
                }
                Verdict::Quarantine { .. } => {
                    let recent = run.iter().filter(|&&t| t + policy.window > now).count();
                    prop_assert_eq!(recent, policy.intensity as usize, "quarantined only with the budget used up");
                    run.clear();
                }
            }
        }
    }
}

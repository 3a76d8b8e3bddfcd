//! How often an actor may fail before it is left alone. Pure: time and jitter are parameters.

use std::time::Duration;

/// When to restart, how long to wait, and when to stop trying.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct RestartPolicy {
    /// Failures within `window` that are answered with a restart; one more is answered with quarantine.
    pub intensity: u32,
    /// How long a failure is remembered.
    pub window: Duration,
    /// Wait before the first restart; doubles with every failure within the window.
    pub backoff_base: Duration,
    /// Longest wait before a restart.
    pub backoff_max: Duration,
    /// How long a quarantined key is left alone.
    pub cool_down: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            intensity: 5,
            window: Duration::from_secs(60),
            backoff_base: Duration::from_millis(50),
            backoff_max: Duration::from_secs(10),
            cool_down: Duration::from_secs(60),
        }
    }
}

/// What to do about a failure.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Restart after this wait.
    Restart {
        /// Backoff with jitter.
        after: Duration,
    },
    /// Leave it alone for this long.
    Quarantine {
        /// The policy's cool-down.
        cool_down: Duration,
    },
}

/// The failures of one actor within the window.
#[derive(Clone, Debug, Default)]
pub struct RestartBudget {
    /// Moments of failure since some epoch, oldest first; never more than `intensity + 1`.
    failures: Vec<Duration>,
}

impl RestartBudget {
    /// Records a failure at `now` (since any fixed epoch) and says what to do. `jitter` within `0.0..=1.0`
    /// picks a wait between half the backoff and all of it, so that actors that fell together do not
    /// rise together.
    pub fn on_failure(&mut self, policy: &RestartPolicy, now: Duration, jitter: f64) -> Verdict {
        self.failures.retain(|&failure| failure + policy.window > now);
        if self.failures.len() >= policy.intensity as usize {
            // The slate is clean after the cool-down: the next failure is the first of a new window.
            self.failures.clear();
            return Verdict::Quarantine { cool_down: policy.cool_down };
        }
        let doublings = u32::try_from(self.failures.len()).unwrap_or(u32::MAX).min(20);
        self.failures.push(now);
        let full = policy.backoff_base.saturating_mul(1 << doublings).min(policy.backoff_max);
        Verdict::Restart { after: full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0)) }
    }

    /// Whether no failure is remembered any more.
    #[must_use]
    pub fn is_spent(&self, policy: &RestartPolicy, now: Duration) -> bool {
        self.failures.iter().all(|&failure| failure + policy.window <= now)
    }
}

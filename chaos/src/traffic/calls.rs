//! What became of every call of the traffic, and when something was broken on purpose.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::api::Answer;

/// A time in which something was broken on purpose, until a little after it was whole again.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// What was broken.
    pub fault: &'static str,
    /// When it was broken.
    pub begins: Instant,
    /// When nobody may notice any more.
    pub ends: Instant,
}

/// A call that was not done.
#[derive(Clone, Debug)]
struct Failure {
    call: &'static str,
    begun: Instant,
    ended: Instant,
    answer: String,
}

/// The calls of one experiment. Shared by all who call.
#[derive(Default)]
pub struct Calls {
    done: Mutex<BTreeMap<&'static str, Vec<Duration>>>,
    failures: Mutex<Vec<Failure>>,
}

impl Calls {
    /// Notes what became of a call that began at `begun` and was answered now.
    pub fn note<T>(&self, call: &'static str, begun: Instant, answer: &Answer<T>) {
        let ended = Instant::now();
        match answer {
            Answer::Done(_) => self.done.lock().entry(call).or_default().push(ended - begun),
            other => {
                let answer = other.summary();
                self.failures.lock().push(Failure { call, begun, ended, answer });
            }
        }
    }

    /// Holds what was noted against the times in which failing was allowed.
    pub fn judge(&self, windows: &[Window], since: Instant) -> Verdict {
        let mut verdict = Verdict::default();
        for (call, times) in self.done.lock().iter() {
            verdict.done.insert(call, Spread::of(times));
        }
        for Failure { call, begun, ended, answer } in self.failures.lock().iter() {
            let within = windows.iter().find(|window| *begun <= window.ends && *ended >= window.begins);
            match within {
                Some(window) => *verdict.excused.entry(window.fault).or_default() += 1,
                None => {
                    let at = (*begun - since).as_secs_f64();
                    let took = (*ended - *begun).as_millis();
                    verdict
                        .unexcused
                        .push(format!("{call} at {at:.2} s was answered {answer} after {took} ms"));
                }
            }
        }
        verdict
    }
}

/// What became of all calls.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// How long those took that were done, by call.
    pub done: BTreeMap<&'static str, Spread>,
    /// How many failed while something was broken, by what was.
    pub excused: BTreeMap<&'static str, usize>,
    /// What failed while nothing was broken.
    pub unexcused: Vec<String>,
}

/// How long something took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread {
    /// How many times.
    pub count: usize,
    /// The median.
    pub p50: Duration,
    /// 99 of a hundred took no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Spread {
    /// Of these times, in any order. Of none, all zero.
    pub fn of(times: &[Duration]) -> Self {
        let mut times = times.to_vec();
        times.sort_unstable();
        let Some(last) = times.len().checked_sub(1) else { return Self::default() };
        let at = |percent: usize| times[last * percent / 100];
        Self { count: times.len(), p50: at(50), p99: at(99), max: times[last] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, p50, p99, max } = self;
        let ms = |time: &Duration| time.as_secs_f64() * 1_000.0;
        write!(out, "{count} (p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms)", ms(p50), ms(p99), ms(max))
    }
}

/// The times in which something is broken.
#[derive(Default)]
pub struct Windows(Mutex<Vec<Window>>);

impl Windows {
    /// Something will be broken from now on.
    pub fn open(&self, fault: &'static str, longest: Duration) {
        let begins = Instant::now();
        self.0.lock().push(Window { fault, begins, ends: begins + longest });
    }

    /// What was broken last is whole again; nobody may notice any more after `margin`.
    pub fn close(&self, margin: Duration) {
        let ends = Instant::now() + margin;
        if let Some(window) = self.0.lock().last_mut() {
            window.ends = ends;
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<Window> {
        self.0.lock().clone()
    }
}

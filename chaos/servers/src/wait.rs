//! Waiting, in the only crate that blocks threads on purpose.

use std::time::{Duration, Instant};

/// How long a server may take to start or to stop.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

const STEP: Duration = Duration::from_millis(20);

/// Asks until the answer is there; `None` when it did not come in time.
#[expect(
    clippy::disallowed_methods,
    reason = "this crate blocks and has no runtime whose time could be paused"
)]
pub(crate) fn until<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > patience {
            return None;
        }
        std::thread::sleep(STEP);
    }
}

//! Processor time of this process.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// What all threads of this process have used so far.
pub(crate) fn process_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).expect("a process uses no negative time");
    let nanos = u32::try_from(used.tv_nsec).expect("nanoseconds of a second");
    Duration::new(seconds, nanos)
}

#[cfg(test)]
mod tests {
    #[test]
    fn work_takes_time() {
        let before = super::process_time();
        let mut sum = 0_u64;
        while super::process_time() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(super::process_time() > before, "{sum}");
    }
}

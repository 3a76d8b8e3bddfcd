use super::take;
use crate::Quota;
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;

/// A bucket that starts full and gets one cell each period, told in plain words.
struct Bucket {
    cells: u64,
    filled_until: u64,
}

impl Bucket {
    fn take(&mut self, now: u64, period: u64, burst: u64, wanted: u64) -> (u64, u64) {
        while self.filled_until + period <= now && self.cells < burst {
            self.cells += 1;
            self.filled_until += period;
        }
        if self.cells == burst {
            // A full bucket does not collect time.
            self.filled_until = now;
        }
        let granted = wanted.min(self.cells);
        self.cells -= granted;
        let retry = if self.cells > 0 { 0 } else { self.filled_until + period - now };
        (granted, retry)
    }
}

fn quota(period: u64, burst: u32) -> Quota {
    Quota { period: Duration::from_micros(period), burst: NonZeroU32::new(burst).unwrap() }
}

proptest! {
    #[test]
    fn it_grants_what_a_bucket_grants(
        period in 1_u64..500,
        burst in 1_u32..20,
        calls in proptest::collection::vec((0_u64..2_000, 0_u32..30), 1..60),
    ) {
        let mut bucket = Bucket { cells: u64::from(burst), filled_until: 1_000 };
        let (mut now, mut full_at) = (1_000, 0);
        for (pause, cells) in calls {
            now += pause;
            let (kept, grant) = take(full_at, now, quota(period, burst), cells);
            full_at = kept;
            let expected = bucket.take(now, period, u64::from(burst), u64::from(cells));
            let retry = u64::try_from(grant.retry_after.as_micros()).unwrap();
            prop_assert_eq!((u64::from(grant.cells), retry), expected);
        }
    }

    #[test]
    fn nothing_overflows(full_at in any::<u64>(), now in 0..u64::MAX / 4, period in any::<u64>(), burst in 1_u32.., cells in any::<u32>()) {
        let (_, grant) = take(full_at, now, quota(period, burst), cells);
        prop_assert!(grant.cells <= cells.min(burst));
    }
}

#[test]
fn a_lowered_limit_locks_nobody_out() {
    let wide = quota(1_000_000, 3_600);
    let (full_at, grant) = take(0, 0, wide, 3_600);
    assert_eq!(grant.cells, 3_600);
    let (_, grant) = take(full_at, 0, quota(1_000, 5), 1);
    assert_eq!((grant.cells, grant.retry_after), (0, Duration::from_millis(1)));
}

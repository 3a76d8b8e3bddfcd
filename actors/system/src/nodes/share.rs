use plinto_cluster::Quota;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One node's part of a limit (GCRA): what decides while the cluster does not. With `nodes` nodes each grants the rate
/// and the burst divided by them, at least one at a time, so that all together grant what one limit would.
#[derive(Default)]
pub(super) struct Share {
    /// Nanoseconds on the caller's clock at which the bucket is full again.
    full_at: AtomicU64,
}

impl Share {
    /// Takes one cell at `now`, in nanoseconds of any clock that does not go back.
    ///
    /// # Errors
    /// How long until the next.
    pub(super) fn take(&self, quota: Quota, nodes: u32, now: u64) -> Result<(), Duration> {
        let nodes = nodes.max(1);
        let period = nanos(quota.period).max(1).saturating_mul(u64::from(nodes));
        let burst = u64::from((quota.burst.get() / nodes).max(1));
        let full = period.saturating_mul(burst - 1);
        let taken = self.full_at.fetch_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
            let full_at = full_at.max(now);
            (full_at - now <= full).then(|| full_at.saturating_add(period))
        });
        let wait = |full_at: u64| Duration::from_nanos((full_at.max(now) - now).saturating_sub(full));
        taken.map(drop).map_err(wait)
    }
}

pub(super) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::num::NonZeroU32;

    fn quota(millis: u64, burst: u32) -> Quota {
        Quota { period: Duration::from_millis(millis), burst: NonZeroU32::new(burst).expect("not zero") }
    }

    #[test]
    fn a_share_is_its_part_of_burst_and_rate() {
        let (share, quota) = (Share::default(), quota(10, 9));
        let granted = (0..20).filter(|_| share.take(quota, 3, 0).is_ok()).count();
        assert_eq!(granted, 3);
        assert_eq!(share.take(quota, 3, 0), Err(Duration::from_millis(30)));
        assert_eq!(share.take(quota, 3, 30_000_000), Ok(()));
        assert!(share.take(quota, 3, 30_000_000).is_err());
    }

    #[test]
    fn many_nodes_still_grant_one_at_a_time() {
        let (share, quota) = (Share::default(), quota(10, 2));
        assert_eq!(share.take(quota, 50, 0), Ok(()));
        assert_eq!(share.take(quota, 50, 0), Err(Duration::from_millis(500)));
    }

    proptest! {
        #[test]
        fn all_shares_together_grant_no_more_than_the_limit(
            nodes in 1_u32..6,
            per_node in 1_u32..20,
            gaps in prop::collection::vec(0_u64..50, 1..200),
        ) {
            let quota = quota(10, per_node * nodes);
            let shares: Vec<Share> = (0..nodes).map(|_| Share::default()).collect();
            let (mut now, mut granted) = (0, 0_u64);
            for gap in gaps {
                now += gap * 1_000_000;
                granted += shares.iter().filter(|share| share.take(quota, nodes, now).is_ok()).count() as u64;
                let most = u64::from(per_node * nodes) + now / 10_000_000 + u64::from(nodes);
                prop_assert!(granted <= most, "{granted} of {most}");
            }
        }
    }
}

//! The generic cell rate algorithm: one number per key, the time at which the limit would be full again.

use crate::{Grant, Quota};
use std::time::Duration;

/// Longer periods count as this one.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

impl Quota {
    /// The period in microseconds.
    pub(crate) fn period_micros(&self) -> u64 {
        let period = self.period.clamp(Duration::from_micros(1), LONGEST);
        u64::try_from(period.as_micros()).expect("a month in microseconds fits")
    }
}

/// Takes up to `cells`. `full_at` is what was kept for the key, in microseconds of the same clock as `now`; the new value
/// is given back with the grant.
pub(crate) fn take(full_at: u64, now: u64, quota: Quota, cells: u32) -> (u64, Grant) {
    let period = quota.period_micros();
    let latest = now.saturating_add(period.saturating_mul(u64::from(quota.burst.get())));
    // A limit that was lowered, or a clock that was set back, must not lock anybody out for longer than one burst.
    let full_at = full_at.clamp(now, latest);
    let fit = u32::try_from((latest - full_at) / period).unwrap_or(u32::MAX);
    let granted = fit.min(cells);
    let full_at = full_at + period * u64::from(granted);
    let left = latest - full_at;
    let retry_after = Duration::from_micros(period.saturating_sub(left));
    (full_at, Grant { cells: granted, retry_after })
}

#[cfg(test)]
mod tests;

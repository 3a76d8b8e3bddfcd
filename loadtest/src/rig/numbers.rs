//! Medians and spreads. The machine is shared and noisy, so a ratio is taken per round and its median reported.

use serde::{Deserialize, Serialize};

/// One round: the baseline and ours, measured one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) baseline: f64,
    pub(crate) ours: f64,
}

impl Round {
    /// Ours in terms of the baseline.
    pub(crate) fn ratio(&self) -> f64 {
        self.ours / self.baseline
    }
}

/// The middle value; of an even number the mean of the two in the middle. Nothing has no median.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

/// The least and the greatest value.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_ignores_outliers() {
        assert_eq!(median([3.0, 1.0, 1_000.0]), 3.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn ratios_and_spreads_are_those_of_rounds() {
        let rounds = [Round { baseline: 10.0, ours: 5.0 }, Round { baseline: 10.0, ours: 8.0 }];
        assert_eq!(spread(rounds.iter().map(Round::ratio)), (0.5, 0.8));
        assert_eq!(median(rounds.iter().map(Round::ratio)), 0.65);
    }
}

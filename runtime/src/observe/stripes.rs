//! Counters that many threads bump for every message without sharing a cache line.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Enough for the threads of one node; two threads on one stripe are merely slower.
const STRIPES: usize = 16;

#[repr(align(128))]
#[derive(Default)]
struct Padded<T>(T);

fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! { static MINE: Cell<usize> = const { Cell::new(usize::MAX) } }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        mine.get()
    })
}

/// A sum. May be read while it changes; then it is off by what is just happening.
#[derive(Default)]
pub(crate) struct StripedSum([Padded<AtomicI64>; STRIPES]);

impl StripedSum {
    pub(crate) fn add(&self, delta: i64) {
        self.0[stripe()].0.fetch_add(delta, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.iter().map(|stripe| stripe.0.load(Ordering::Relaxed)).sum()
    }
}

/// Upper bounds in microseconds: 10 µs to 10 s, about two per decade.
const BOUNDS_US: [u64; 13] =
    [10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 50_000, 250_000, 1_000_000, 10_000_000];

#[derive(Default)]
struct Cells {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// A histogram of durations. prometheus-client's takes a lock for every observation, one lock for all
/// actors of a kind; this one takes none, so that every message can be measured instead of a sample.
#[derive(Default)]
pub(crate) struct StripedHistogram(Box<[Padded<Cells>; STRIPES]>);

/// What a scrape shows of a histogram.
pub(crate) struct HistogramSnapshot {
    pub(crate) sum_seconds: f64,
    pub(crate) count: u64,
    /// Upper bound in seconds and count, not cumulative; the last bound is infinite.
    pub(crate) buckets: Vec<(f64, u64)>,
}

impl StripedHistogram {
    pub(crate) fn observe(&self, span: Duration) {
        let cells = &self.0[stripe()].0;
        let us = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|&bound| bound < us);
        cells.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        cells.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> HistogramSnapshot {
        let bounds = BOUNDS_US.iter().map(|&us| Duration::from_micros(us).as_secs_f64());
        let buckets: Vec<(f64, u64)> = bounds
            .chain(std::iter::once(f64::INFINITY))
            .enumerate()
            .map(|(i, bound)| {
                (bound, self.0.iter().map(|cells| cells.0.buckets[i].load(Ordering::Relaxed)).sum())
            })
            .collect();
        let sum_us = self.0.iter().map(|cells| cells.0.sum_us.load(Ordering::Relaxed)).sum();
        HistogramSnapshot {
            sum_seconds: Duration::from_micros(sum_us).as_secs_f64(),
            count: buckets.iter().map(|&(_, count)| count).sum(),
            buckets,
        }
    }
}

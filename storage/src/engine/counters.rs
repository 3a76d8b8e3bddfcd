use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Totals of one named transaction since the engine was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionCount {
    /// The name its callers gave it.
    pub name: &'static str,
    /// Transactions that reached stable storage.
    pub committed: u64,
    /// Units inside them that stood.
    pub units: u64,
    /// Units inside them that were rolled back.
    pub refused: u64,
    /// Attempts repeated because of contention.
    pub retried: u64,
    /// Transactions that failed as a whole.
    pub failed: u64,
}

/// Counts transactions by name; names are a small closed set of constants.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    totals: Mutex<BTreeMap<&'static str, TransactionCount>>,
}

impl Counters {
    pub(crate) fn record(&self, name: &'static str, change: impl FnOnce(&mut TransactionCount)) {
        let mut totals = self.totals.lock();
        change(totals.entry(name).or_insert_with(|| TransactionCount { name, ..Default::default() }));
    }

    pub(crate) fn snapshot(&self) -> Vec<TransactionCount> {
        self.totals.lock().values().cloned().collect()
    }
}

use crate::{Grant, LimitKey, Quota, gcra};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use tokio::time::Instant;

/// Keys kept at most.
pub(super) const KEYS: usize = 500_000;

const SHARDS: usize = 16;

/// Limits in memory.
pub(super) struct Limits {
    /// Keys of one shard at most.
    room: usize,
    start: Instant,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

/// Per key, when it is full again: microseconds since the start.
type Shard = HashMap<LimitKey, u64>;

impl Limits {
    /// For up to `keys` of them.
    pub(super) fn new(keys: usize) -> Self {
        Self {
            room: keys / SHARDS,
            start: Instant::now(),
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }

    pub(super) fn take(&self, key: &LimitKey, quota: Quota, cells: u32) -> Grant {
        let now = u64::try_from(self.start.elapsed().as_micros()).expect("half a million years fit");
        let place = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).expect("less than the shards");
        let mut shard = self.shards[place].lock();
        let (full_at, grant) = gcra::take(shard.get(key).copied().unwrap_or(0), now, quota, cells);
        if grant.cells > 0 {
            if shard.len() >= self.room && !shard.contains_key(key) {
                make_room(&mut shard, now, self.room - self.room / 16);
            }
            shard.insert(*key, full_at);
        }
        grant
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}

/// Forgets what is full again: that is what an unknown key is. When too little is, also those that are nearest to it, who
/// gain least by being forgotten. A sixteenth becomes free, so that this is rare.
fn make_room(shard: &mut Shard, now: u64, keep: usize) {
    shard.retain(|_, full_at| *full_at > now);
    if shard.len() > keep {
        let surplus = shard.len() - keep;
        let mut times: Vec<u64> = shard.values().copied().collect();
        let (_, limit, _) = times.select_nth_unstable(surplus);
        let limit = *limit;
        let mut left = surplus;
        shard.retain(|_, full_at| {
            let goes = left > 0 && *full_at <= limit;
            left -= usize::from(goes);
            !goes
        });
    }
}

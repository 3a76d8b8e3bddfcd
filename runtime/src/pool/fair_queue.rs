//! Start-time fair queueing (Goyal, Vin, Cheng 1996). Pure.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

/// A key's share relative to the others'. 1 is the ordinary one; a key of weight 3 gets three times as much.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u32);

impl Weight {
    /// The ordinary share.
    pub const ONE: Self = Self(1);
    const MAX: u32 = 1 << 16;

    /// Clamped to `1..=65536`.
    #[must_use]
    pub const fn new(weight: u32) -> Self {
        match weight {
            0 => Self(1),
            w if w > Self::MAX => Self(Self::MAX),
            w => Self(w),
        }
    }
}

impl From<u32> for Weight {
    fn from(weight: u32) -> Self {
        Self::new(weight)
    }
}

/// Virtual length of one item of weight 1.
const UNIT: u64 = 1 << 20;

/// The queue has no place for the item, which is given back.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

struct Flow<T> {
    /// Items with their weights, oldest first.
    items: VecDeque<(Weight, T)>,
    /// Start tag of the oldest item; meaningless while empty.
    start: u64,
    /// Finish tag of the last item taken, so that a key that comes back at once does not gain by having left.
    finish: u64,
}

/// Queues per key, served in proportion to weight. Between two keys that both have items waiting, the
/// items served, each divided by its weight, never differ by more than one item of each.
pub struct FairQueue<K, T> {
    flows: HashMap<K, Flow<T>>,
    /// Keys with items, by start tag; the sequence number makes ties first come, first served.
    ready: BTreeSet<(u64, u64)>,
    owners: HashMap<u64, K>,
    sequence: u64,
    /// Start tag of the item taken last.
    now: u64,
    len: usize,
    depth_per_key: usize,
    max_keys: usize,
}

impl<K: Clone + Eq + Hash, T> FairQueue<K, T> {
    /// An empty queue for at most `max_keys` keys with at most `depth_per_key` items each.
    #[must_use]
    pub fn new(depth_per_key: usize, max_keys: usize) -> Self {
        Self {
            flows: HashMap::new(),
            ready: BTreeSet::new(),
            owners: HashMap::new(),
            sequence: 0,
            now: 0,
            len: 0,
            depth_per_key,
            max_keys,
        }
    }

    /// Items waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Items of one key waiting.
    #[must_use]
    pub fn depth(&self, key: &K) -> usize {
        self.flows.get(key).map_or(0, |flow| flow.items.len())
    }

    /// Queues an item.
    ///
    /// # Errors
    /// [`Full`] with the item if its key has too many waiting, or there are too many keys.
    pub fn push(&mut self, key: K, weight: Weight, item: T) -> Result<(), Full<T>> {
        if self.depth(&key) >= self.depth_per_key {
            return Err(Full(item));
        }
        let newly_ready = self.depth(&key) == 0;
        if newly_ready && self.ready.len() >= self.max_keys {
            return Err(Full(item));
        }
        self.forget_idle();
        let now = self.now;
        let flow = self.flows.entry(key.clone()).or_insert_with(|| Flow {
            items: VecDeque::new(),
            start: 0,
            finish: 0,
        });
        flow.items.push_back((weight, item));
        self.len += 1;
        if newly_ready {
            flow.start = now.max(flow.finish);
            let start = flow.start;
            self.make_ready(start, key);
        }
        Ok(())
    }

    /// Takes the next item in fair order.
    pub fn pop(&mut self) -> Option<(K, T)> {
        let (start, sequence) = self.ready.pop_first()?;
        let key = self.owners.remove(&sequence).expect("every ready tag has its key");
        self.now = start;
        let flow = self.flows.get_mut(&key).expect("every ready key has its flow");
        let (weight, item) = flow.items.pop_front().expect("every ready key has an item");
        self.len -= 1;
        flow.finish = start + UNIT / u64::from(weight.0);
        if flow.items.is_empty() {
            if self.ready.is_empty() {
                // Nobody waits: history no longer matters, and the tags never overflow.
                self.flows.clear();
                self.now = 0;
            }
        } else {
            flow.start = flow.finish;
            let start = flow.start;
            self.make_ready(start, key.clone());
        }
        Some((key, item))
    }

    /// Drops the items of one key that `keep` refuses, and gives them back.
    pub fn sift(&mut self, key: &K, mut keep: impl FnMut(&T) -> bool) -> Vec<T> {
        let Some(flow) = self.flows.get_mut(key) else { return Vec::new() };
        let mut dropped = Vec::new();
        for _ in 0..flow.items.len() {
            let Some((weight, item)) = flow.items.pop_front() else { break };
            if keep(&item) {
                flow.items.push_back((weight, item));
            } else {
                dropped.push(item);
            }
        }
        self.len -= dropped.len();
        if flow.items.is_empty() && !dropped.is_empty() {
            let stale = self.owners.iter().find(|(_, owner)| *owner == key).map(|(sequence, _)| *sequence);
            if let Some(sequence) = stale {
                self.owners.remove(&sequence);
                let start = flow.start;
                self.ready.remove(&(start, sequence));
            }
        }
        dropped
    }

    /// Empties the queue.
    pub fn drain(&mut self) -> Vec<T> {
        let items = self.flows.drain().flat_map(|(_, flow)| flow.items).map(|(_, item)| item).collect();
        self.ready.clear();
        self.owners.clear();
        (self.len, self.now) = (0, 0);
        items
    }

    fn make_ready(&mut self, start: u64, key: K) {
        self.sequence += 1;
        self.ready.insert((start, self.sequence));
        self.owners.insert(self.sequence, key);
    }

    /// A key with nothing waiting is remembered only until the others have caught up with it. Looked for
    /// when such keys outnumber the busy ones, so the cost per item stays constant.
    fn forget_idle(&mut self) {
        if self.flows.len() > 2 * self.ready.len() + 64 {
            let now = self.now;
            self.flows.retain(|_, flow| !flow.items.is_empty() || flow.finish > now);
        }
    }
}

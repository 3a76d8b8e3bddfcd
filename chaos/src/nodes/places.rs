//! Where the nodes are that run now, without the proxy between.

use parking_lot::Mutex;

use crate::api::Api;

/// The address of each node, while it runs.
pub struct Places(Mutex<Vec<Option<Api>>>);

impl Places {
    pub(super) fn none(nodes: usize) -> Self {
        Self(Mutex::new(vec![None; nodes]))
    }

    pub(super) fn set(&self, node: usize, api: Option<Api>) {
        self.0.lock()[node] = api;
    }

    /// Every node that runs, with its number.
    pub fn all(&self) -> Vec<(usize, Api)> {
        let places = self.0.lock();
        places.iter().enumerate().filter_map(|(node, api)| Some((node, api.clone()?))).collect()
    }
}

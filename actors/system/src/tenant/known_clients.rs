use plinto_domain::ClientId;
use plinto_domain::oauth::{Client, MOST_CLIENTS};
use quick_cache::sync::Cache;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Bytes a client takes, roughly.
const BYTES_EACH: usize = 2_048;

/// OAuth clients of a tenant as they were read, where no other node writes: it would be heard of too late.
///
/// Each carries the stamp of the instant before it was read. Every commit about a client moves the stamp on before it is
/// acknowledged, and what carries an older one is read again. Clients change so rarely that one stamp does for all.
#[derive(Default)]
pub(crate) struct KnownClients {
    stamp: AtomicU64,
    /// Made with the first token: most tenants have no clients.
    kept: OnceLock<Cache<ClientId, (u64, Arc<Client>)>>,
}

impl KnownClients {
    /// To be taken before a client is read.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// A client, if it is here and none was changed since.
    pub(crate) fn find(&self, client: ClientId) -> Option<Arc<Client>> {
        let (stamp, client) = self.kept.get()?.get(&client)?;
        (stamp == self.stamp()).then_some(client)
    }

    pub(crate) fn keep(&self, stamp: u64, client: &Arc<Client>) {
        let kept = self.kept.get_or_init(|| Cache::new(MOST_CLIENTS));
        kept.insert(client.id, (stamp, Arc::clone(client)));
    }

    /// A client has changed, or may have.
    pub(crate) fn forget(&self) {
        self.stamp.fetch_add(1, Ordering::AcqRel);
    }

    /// Bytes held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.kept.get().map_or(0, |kept| kept.len() * BYTES_EACH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinto_domain::oauth::{ClientChange, ClientDefinition};
    use uuid::Uuid;

    #[test]
    fn what_was_read_before_a_change_is_not_found_after_it() {
        let wanted = ClientChange { name: Some("billing".to_owned()), ..ClientChange::default() };
        let (id, definition) =
            (ClientId::from_uuid(Uuid::from_u128(7)), ClientDefinition::of(wanted).unwrap());
        let client = Arc::new(Client { id, definition, secrets: Vec::new(), version: 1 });
        let known = KnownClients::default();
        let before = known.stamp();
        known.keep(before, &client);
        assert!(known.find(id).is_some());
        known.forget();
        assert!(known.find(id).is_none());
        // A read that began before the change and is kept after it.
        known.keep(before, &client);
        assert!(known.find(id).is_none());
        known.keep(known.stamp(), &client);
        assert!(known.find(id).is_some());
    }
}

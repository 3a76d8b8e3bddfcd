//! Users as they were read, remembered while nothing about them changes.

use crate::user_view::UserView;
use plinto_domain::{TenantId, UserId};
use plinto_storage::Unit;
use plinto_storage::repositories::user_views::{Concerned, concerned};
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// Users remembered per tenant; whoever is asked about least makes room.
const MOST_USERS: usize = 10_000;
/// Users of all tenants share this many stamps, so that a change of one makes few others be read again.
const STAMPS: usize = 16_384;
/// Bytes one user takes, roughly: a name, an address, some metadata, the answers made of them, its place in the cache.
const BYTES_EACH: usize = 2_048;

/// Counts changes of users on this node. Every commit passes by here between reaching the disk and being acknowledged.
pub(crate) struct UserStamps {
    all: AtomicU64,
    stamps: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for UserStamps {
    fn default() -> Self {
        let stamps = (0..STAMPS).map(|_| AtomicU64::new(0)).collect();
        Self { all: AtomicU64::new(0), stamps, hasher: RandomState::new() }
    }
}

/// Before what changes something was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserStamp(u64, u64);

/// Whom the units of a transaction concern.
#[derive(Default)]
pub(crate) struct ConcernedUsers {
    users: Vec<Uuid>,
    everybody: bool,
}

impl ConcernedUsers {
    pub(crate) fn of(units: &[Unit]) -> Self {
        let mut all = Self::default();
        for statement in units.iter().flat_map(|unit| &unit.statements) {
            match concerned(statement) {
                Concerned::Nobody => {}
                Concerned::Users(users) => all.users.extend(users),
                Concerned::Everybody => all.everybody = true,
            }
        }
        all
    }
}

impl UserStamps {
    fn place(&self, tenant: TenantId, user: Uuid) -> &AtomicU64 {
        // The remainder is less than the number of stamps, whatever the width of a pointer.
        &self.stamps[(self.hasher.hash_one((tenant, user)) % STAMPS as u64) as usize]
    }

    fn now(&self, tenant: TenantId, user: UserId) -> UserStamp {
        let one = self.place(tenant, user.uuid()).load(Ordering::Acquire);
        UserStamp(self.all.load(Ordering::Acquire), one)
    }

    /// These have changed, or may have.
    pub(crate) fn changed(&self, tenant: TenantId, concerned: &ConcernedUsers) {
        for user in &concerned.users {
            self.place(tenant, *user).fetch_add(1, Ordering::AcqRel);
        }
        if concerned.everybody {
            self.all.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// The users of one tenant that were asked about lately.
///
/// Only where no other process writes to the storage. What is kept carries the stamp of the instant before it was read,
/// and a change moves the stamp on before it is acknowledged, so whoever heard of a change sees it.
pub(crate) struct KnownUsers {
    tenant: TenantId,
    stamps: Option<Arc<UserStamps>>,
    /// Made when the first user is asked about.
    users: OnceLock<Cache<UserId, Arc<Kept>>>,
}

struct Kept {
    stamp: UserStamp,
    user: Arc<UserView>,
}

impl KnownUsers {
    /// Remembers users of a tenant as long as `stamps` do not move; without stamps nobody.
    pub(crate) fn new(tenant: TenantId, stamps: Option<Arc<UserStamps>>) -> Self {
        Self { tenant, stamps, users: OnceLock::new() }
    }

    /// To be taken before a user is read.
    pub(crate) fn stamp(&self, user: UserId) -> Option<UserStamp> {
        self.stamps.as_ref().map(|stamps| stamps.now(self.tenant, user))
    }

    /// A user who is known and has not changed, as it was when it was read.
    pub(crate) fn find(&self, user: UserId) -> Option<Arc<UserView>> {
        let users = self.users.get()?;
        let kept = users.get(&user)?;
        if self.stamp(user) == Some(kept.stamp) {
            return Some(Arc::clone(&kept.user));
        }
        // Of one who was removed for good nothing stays in memory.
        users.remove(&user);
        None
    }

    /// Remembers a user who was read after `stamp` was taken.
    pub(crate) fn keep(&self, stamp: UserStamp, user: UserId, read: &Arc<UserView>) {
        let users = self.users.get_or_init(|| Cache::new(MOST_USERS));
        users.insert(user, Arc::new(Kept { stamp, user: Arc::clone(read) }));
    }

    /// Bytes held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.users.get().map_or(0, |users| users.len() * BYTES_EACH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinto_domain::Timestamp;
    use plinto_storage::Statement;
    use plinto_storage::repositories::users::{UserRow, touch};

    fn tenant() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(1))
    }

    fn user(number: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(number))
    }

    fn unit(statement: Statement) -> Unit {
        Unit { statements: vec![statement], entries: Vec::new() }
    }

    fn view(user: UserId) -> Arc<UserView> {
        let view = UserView::of(UserRow::new(user.uuid(), 1), None, Timestamp::from_millis(1));
        Arc::new(view.expect("a good row"))
    }

    #[test]
    fn a_change_makes_a_user_be_read_again_also_if_it_overtook_the_reading() {
        let stamps = Arc::new(UserStamps::default());
        let known = KnownUsers::new(tenant(), Some(Arc::clone(&stamps)));
        let ada = user(7);
        let stamp = known.stamp(ada).expect("there are stamps");
        known.keep(stamp, ada, &view(ada));
        assert!(known.find(ada).is_some_and(|found| found.id == ada));
        let change = unit(touch(tenant().uuid(), ada.uuid(), 2, 1));
        stamps.changed(tenant(), &ConcernedUsers::of(&[change]));
        assert!(known.find(ada).is_none());
        // Read before the change and kept after it.
        known.keep(stamp, ada, &view(ada));
        assert!(known.find(ada).is_none());
    }

    #[test]
    fn what_names_nobody_is_about_everybody_and_what_is_about_others_about_nobody() {
        let stamps = Arc::new(UserStamps::default());
        let known = KnownUsers::new(tenant(), Some(Arc::clone(&stamps)));
        let ada = user(7);
        let keep = || known.keep(known.stamp(ada).expect("there are stamps"), ada, &view(ada));
        keep();
        let sessions = Statement::new("UPDATE sessions SET version = 1 WHERE tenant_id = $1", vec![]);
        stamps.changed(tenant(), &ConcernedUsers::of(&[unit(sessions)]));
        assert!(known.find(ada).is_some());
        let all = Statement::new("UPDATE users SET state = 'blocked' WHERE tenant_id = $1", vec![]);
        stamps.changed(tenant(), &ConcernedUsers::of(&[unit(all)]));
        assert!(known.find(ada).is_none());
    }

    #[test]
    fn without_stamps_nobody_is_remembered() {
        let known = KnownUsers::new(tenant(), None);
        assert!(known.stamp(user(7)).is_none() && known.find(user(7)).is_none());
        assert_eq!(known.bytes(), 0);
    }
}

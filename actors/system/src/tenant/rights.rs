use super::facts::Facts;
use super::outcomes::SeenNumber;
use super::policies::ActivePolicies;
use arc_swap::ArcSwapOption;
use plinto_domain::Timestamp;
use plinto_domain::authorization::{Membership, RoleCatalogue, Subject, SubjectAccess};
use plinto_domain::id::RoleId;
use plinto_domain::policy::Principal;
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::OnceCell;

/// Subjects whose rights are kept per tenant; whoever is asked about least makes room.
const MOST_SUBJECTS: usize = 10_000;
/// Subjects share this many stamps, so that a change of one makes few others be read again.
const STAMPS: usize = 256;
/// Bytes the rights of one subject take, roughly: a dozen grants, its place in the cache.
const BYTES_EACH: usize = 2_048;

/// The roles of a tenant as they were read together.
#[derive(Default)]
pub(crate) struct RoleSet {
    pub(crate) catalogue: RoleCatalogue,
    /// Version of the set; 0 where there never was a role.
    pub(crate) version: i64,
    /// When each was made and last changed, Unix milliseconds.
    pub(crate) times: HashMap<RoleId, (i64, i64)>,
}

/// What a subject holds, and the roles it was compiled with.
pub(crate) struct SubjectRights {
    pub(crate) roles: Arc<RoleSet>,
    pub(crate) access: SubjectAccess,
    /// Where it is a member, also as what the tenant defines no role for.
    pub(crate) memberships: Vec<Membership>,
    /// What flags and policies ask of a user, read when one of them does; none for a user that is not there.
    pub(crate) facts: OnceCell<Option<Facts>>,
    /// The policies that were active when it was read; none without any.
    pub(crate) policies: Option<Arc<ActivePolicies>>,
    /// How the policies see it.
    pub(crate) principal: ArcSwapOption<SeenPrincipal>,
}

/// A subject as policies see it, for as long as it holds the roles it was made with.
pub(crate) struct SeenPrincipal {
    pub(crate) principal: Principal,
    pub(crate) until: Option<Timestamp>,
    pub(crate) number: SeenNumber,
}

/// What a tenant's checks need, in memory.
///
/// Whatever is kept carries the stamps of the instant before it was read. A change moves the stamps on after its commit
/// and before it is acknowledged, here, or as soon as it is heard of elsewhere; what carries older stamps is read
/// again. So a read that is overtaken by a change can be kept and does no harm.
pub(crate) struct Rights {
    roles_stamp: AtomicU64,
    stamps: Box<[AtomicU64; STAMPS]>,
    hasher: RandomState,
    roles: ArcSwapOption<Kept<RoleSet>>,
    /// Made when the first check of the tenant is made: most tenants of an installation make none.
    subjects: OnceLock<Cache<Subject, Arc<Kept<SubjectRights>>>>,
}

/// Before what changes something was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    roles: u64,
    subject: u64,
}

struct Kept<T> {
    stamp: Stamp,
    value: Arc<T>,
}

impl Default for Rights {
    fn default() -> Self {
        Self {
            roles_stamp: AtomicU64::new(0),
            stamps: Box::new([const { AtomicU64::new(0) }; STAMPS]),
            hasher: RandomState::new(),
            roles: ArcSwapOption::empty(),
            subjects: OnceLock::new(),
        }
    }
}

impl Rights {
    fn of(&self, subject: Subject) -> &AtomicU64 {
        // The remainder is less than the number of stamps, whatever the width of a pointer.
        &self.stamps[(self.hasher.hash_one(subject) % STAMPS as u64) as usize]
    }

    /// To be taken before roles are read.
    pub(crate) fn roles_stamp(&self) -> Stamp {
        Stamp { roles: self.roles_stamp.load(Ordering::Acquire), subject: 0 }
    }

    /// To be taken before anything of the subject is read.
    pub(crate) fn stamp(&self, subject: Subject) -> Stamp {
        Stamp { subject: self.of(subject).load(Ordering::Acquire), ..self.roles_stamp() }
    }

    /// The roles, if they are here and nothing changed since.
    pub(crate) fn roles(&self) -> Option<Arc<RoleSet>> {
        let kept = self.roles.load();
        let kept = kept.as_ref().filter(|kept| kept.stamp == self.roles_stamp())?;
        Some(Arc::clone(&kept.value))
    }

    /// What a subject holds, if it is here and nothing changed since.
    pub(crate) fn subject(&self, subject: Subject) -> Option<Arc<SubjectRights>> {
        let kept = self.subjects.get()?.get(&subject)?;
        (kept.stamp == self.stamp(subject)).then(|| Arc::clone(&kept.value))
    }

    pub(crate) fn keep_roles(&self, stamp: Stamp, roles: &Arc<RoleSet>) {
        self.roles.store(Some(Arc::new(Kept { stamp, value: Arc::clone(roles) })));
    }

    pub(crate) fn keep_subject(&self, stamp: Stamp, subject: Subject, rights: &Arc<SubjectRights>) {
        let subjects = self.subjects.get_or_init(|| Cache::new(MOST_SUBJECTS));
        subjects.insert(subject, Arc::new(Kept { stamp, value: Arc::clone(rights) }));
    }

    /// What the subject holds has changed, or may have.
    pub(crate) fn forget(&self, subject: Subject) {
        self.of(subject).fetch_add(1, Ordering::AcqRel);
    }

    /// Roles have changed, or may have, and with them what everybody holds.
    pub(crate) fn forget_all(&self) {
        self.roles_stamp.fetch_add(1, Ordering::AcqRel);
    }

    /// Bytes held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.subjects.get().map_or(0, |subjects| subjects.len() * BYTES_EACH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinto_domain::UserId;
    use uuid::Uuid;

    fn subject(number: u128) -> Subject {
        Subject::User(UserId::from_uuid(Uuid::from_u128(number)))
    }

    fn nothing() -> Arc<SubjectRights> {
        Arc::new(SubjectRights {
            roles: Arc::default(),
            access: SubjectAccess::default(),
            memberships: Vec::new(),
            facts: OnceCell::new(),
            policies: None,
            principal: ArcSwapOption::empty(),
        })
    }

    #[test]
    fn what_was_read_before_a_change_is_not_found_after_it() {
        let (rights, ada) = (Rights::default(), subject(1));
        let before = rights.stamp(ada);
        rights.keep_subject(before, ada, &nothing());
        assert!(rights.subject(ada).is_some() && rights.subject(subject(2)).is_none());
        rights.forget(ada);
        assert!(rights.subject(ada).is_none());
        // A read that began before the change and is kept after it.
        rights.keep_subject(before, ada, &nothing());
        assert!(rights.subject(ada).is_none());
        rights.keep_subject(rights.stamp(ada), ada, &nothing());
        assert!(rights.subject(ada).is_some());
    }

    #[test]
    fn a_change_of_roles_makes_everything_be_read_again() {
        let (rights, ada) = (Rights::default(), subject(1));
        rights.keep_roles(rights.roles_stamp(), &Arc::default());
        rights.keep_subject(rights.stamp(ada), ada, &nothing());
        assert!(rights.roles().is_some() && rights.subject(ada).is_some());
        rights.forget_all();
        assert!(rights.roles().is_none() && rights.subject(ada).is_none());
    }
}

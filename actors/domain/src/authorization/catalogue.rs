use super::changes::{ROLE_CYCLE, ROLE_LEVEL, ROLE_TOO_DEEP, ROLE_TOO_LARGE, ROLE_UNKNOWN_PARENT};
use super::permission::{ANY, Permission};
use super::role::{Role, RoleKey};
use crate::denial::Denial;
use crate::id::RoleId;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Roles on a path of inheritance.
const DEEPEST: usize = 8;
/// Permissions a role may come to with all it inherits.
const LARGEST: usize = 500;

/// The roles of a tenant, each with all it inherits, ready for look-ups.
#[derive(Debug, Default)]
pub struct RoleCatalogue {
    by_key: BTreeMap<RoleKey, Role>,
    by_id: HashMap<RoleId, Compiled>,
}

/// All permissions of a role, by type and action, each with the path by which the role has it.
#[derive(Debug, Default)]
struct Compiled {
    key: Option<RoleKey>,
    permissions: HashMap<Box<str>, HashMap<Box<str>, Held>>,
    paths: Vec<Box<[RoleKey]>>,
}

#[derive(Debug)]
struct Held {
    permission: Permission,
    path: usize,
}

/// How a role permits something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found<'c> {
    /// The permission that covers it.
    pub permission: &'c Permission,
    /// From the role itself to the one that names the permission.
    pub path: &'c [RoleKey],
}

impl RoleCatalogue {
    /// Compiles roles that were checked when they were stored. Parents that are not there are left out.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Self {
        let by_key: BTreeMap<RoleKey, Role> =
            roles.into_iter().map(|role| (role.key.clone(), role)).collect();
        let by_id = by_key.values().map(|role| (role.id, compile(role, &by_key))).collect();
        Self { by_key, by_id }
    }

    /// The role of a key.
    pub fn by_key(&self, key: &str) -> Option<&Role> {
        // The map is small and keys are short; a role key that cannot be one names nothing.
        self.by_key.get(&RoleKey::parse("key", key).ok()?)
    }

    /// The role of an id.
    pub fn get(&self, id: RoleId) -> Option<&Role> {
        self.by_key.get(self.by_id.get(&id)?.key.as_ref()?)
    }

    /// Every role, in order of key.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.by_key.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Everything a role permits with what it inherits, in order.
    pub fn permissions(&self, role: RoleId) -> Vec<Found<'_>> {
        let Some(compiled) = self.by_id.get(&role) else { return Vec::new() };
        let held = compiled.permissions.values().flat_map(HashMap::values);
        let mut all: Vec<_> = held.map(|held| compiled.found(held)).collect();
        all.sort_by(|a, b| a.permission.cmp(b.permission));
        all
    }

    /// Keys of a role and of all it inherits from.
    pub fn lineage(&self, role: RoleId) -> BTreeSet<&RoleKey> {
        let mut open: Vec<&Role> = self.get(role).into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(role) = open.pop() {
            if seen.insert(&role.key) {
                open.extend(role.inherits.iter().filter_map(|parent| self.by_key.get(parent)));
            }
        }
        seen
    }

    /// How a role permits `action` on resources of type `kind`, if it does.
    pub fn find(&self, role: RoleId, kind: &str, action: &str) -> Option<Found<'_>> {
        let compiled = self.by_id.get(&role)?;
        [kind, ANY].into_iter().find_map(|kind| {
            let actions = compiled.permissions.get(kind)?;
            let held = actions.get(action).or_else(|| actions.get(ANY))?;
            Some(compiled.found(held))
        })
    }

    /// Whether `role` may stand among the others, in place of the one that has its key.
    pub(super) fn admit(&self, role: &Role) -> Result<(), Denial> {
        for parent in &role.inherits {
            match self.by_key.get(parent) {
                Some(known) if known.level != role.level => return Err(ROLE_LEVEL),
                None if *parent != role.key => return Err(ROLE_UNKNOWN_PARENT),
                _ => {}
            }
        }
        let mut roles = self.by_key.clone();
        roles.insert(role.key.clone(), role.clone());
        let mut depths = BTreeMap::new();
        for key in roles.keys() {
            if depth(key, &roles, &mut depths, 0)? > DEEPEST {
                return Err(ROLE_TOO_DEEP);
            }
        }
        let too_large = |role: &Role| {
            let compiled = compile(role, &roles);
            compiled.permissions.values().map(HashMap::len).sum::<usize>() > LARGEST
        };
        if roles.values().any(too_large) {
            return Err(ROLE_TOO_LARGE);
        }
        Ok(())
    }
}

impl Compiled {
    fn found<'c>(&'c self, held: &'c Held) -> Found<'c> {
        Found { permission: &held.permission, path: &self.paths[held.path] }
    }
}

/// Roles on the longest path from a role upwards, itself included. Refuses a circle.
fn depth(
    key: &RoleKey,
    roles: &BTreeMap<RoleKey, Role>,
    known: &mut BTreeMap<RoleKey, Option<usize>>,
    below: usize,
) -> Result<usize, Denial> {
    match known.get(key) {
        Some(Some(depth)) => return Ok(*depth),
        Some(None) => return Err(ROLE_CYCLE),
        None => {}
    }
    // Whatever is stored is at most DEEPEST deep, so a longer way passes the new role; this also bounds the recursion.
    if below > 2 * DEEPEST {
        return Err(ROLE_TOO_DEEP);
    }
    known.insert(key.clone(), None);
    let mut deepest = 0;
    for parent in roles.get(key).iter().flat_map(|role| &role.inherits) {
        deepest = deepest.max(depth(parent, roles, known, below + 1)?);
    }
    known.insert(key.clone(), Some(deepest + 1));
    Ok(deepest + 1)
}

/// Walks breadth first, so that the path to each permission is a shortest one.
fn compile(role: &Role, roles: &BTreeMap<RoleKey, Role>) -> Compiled {
    let mut compiled = Compiled { key: Some(role.key.clone()), ..Compiled::default() };
    let mut seen = std::collections::BTreeSet::from([role.key.clone()]);
    let mut queue = VecDeque::from([vec![role.key.clone()]]);
    while let Some(path) = queue.pop_front() {
        let Some(role) =
            path.last().and_then(|key| if *key == role.key { Some(role) } else { roles.get(key) })
        else {
            continue;
        };
        let number = compiled.paths.len();
        for permission in &role.permissions {
            let actions = compiled.permissions.entry(permission.resource().into()).or_default();
            let held = || Held { permission: permission.clone(), path: number };
            actions.entry(permission.action().into()).or_insert_with(held);
        }
        for parent in role.inherits.iter().filter(|parent| seen.insert((*parent).clone())) {
            queue.push_back(path.iter().chain([parent]).cloned().collect());
        }
        compiled.paths.push(path.into());
    }
    compiled
}

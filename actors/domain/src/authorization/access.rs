use super::catalogue::{Found, RoleCatalogue};
use super::grant::{Grant, Granted, Place};
use super::permission::Permission;
use super::resource::ResourceRef;
use super::role::RoleKey;
use crate::id::{GrantId, OrganizationId, RoleId};
use crate::time::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// May somebody do this?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question<'q> {
    /// To do what.
    pub action: &'q str,
    /// To a resource of which type.
    pub kind: &'q str,
    /// To which one of them.
    pub id: &'q str,
    /// The organization the resource belongs to, if any.
    pub organization: Option<OrganizationId>,
}

/// A membership in an organization and the role it names.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Membership {
    /// In which.
    pub organization: OrganizationId,
    /// As what: key of a role of the organization level, if the tenant defines one.
    pub role: RoleKey,
}

/// Where a right comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// A grant.
    Grant(GrantId),
    /// A membership in an organization.
    Membership(OrganizationId),
}

/// Why something is permitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Because<'c> {
    /// What gives the right.
    pub source: Source,
    /// The permission that covers it.
    pub permission: &'c Permission,
    /// From the granted role to the one that names the permission; empty for a permission granted by itself.
    pub path: &'c [RoleKey],
}

/// One thing a subject holds somewhere.
#[derive(Clone, Debug)]
struct Holding {
    source: Source,
    granted: Granted,
    expires_at: Option<Timestamp>,
}

/// Everything a subject holds, by where it holds.
#[derive(Debug, Default)]
pub struct SubjectAccess {
    everywhere: Vec<Holding>,
    in_organizations: HashMap<OrganizationId, Vec<Holding>>,
    on_resources: HashMap<Box<str>, HashMap<Box<str>, Vec<Holding>>>,
    held: usize,
}

impl SubjectAccess {
    /// Compiles a subject's grants and memberships. Memberships whose role the tenant does not define give nothing.
    pub fn new(
        grants: impl IntoIterator<Item = Grant>,
        memberships: &[Membership],
        roles: &RoleCatalogue,
    ) -> Self {
        let mut access = Self::default();
        for Grant { id, terms } in grants {
            let holding =
                Holding { source: Source::Grant(id), granted: terms.granted, expires_at: terms.expires_at };
            access.hold(terms.place, holding);
        }
        for Membership { organization, role } in memberships {
            let Some(role) = organization_role(roles, role) else { continue };
            let source = Source::Membership(*organization);
            let holding = Holding { source, granted: Granted::Role(role), expires_at: None };
            access.hold(Place::Organization(*organization), holding);
        }
        access
    }

    fn hold(&mut self, place: Place, holding: Holding) {
        self.held += 1;
        match place {
            Place::Tenant => self.everywhere.push(holding),
            Place::Organization(id) => self.in_organizations.entry(id).or_default().push(holding),
            Place::Resource(resource) => {
                let of_kind = self.on_resources.entry(resource.kind().into()).or_default();
                of_kind.entry(resource.id().into()).or_default().push(holding);
            }
        }
    }

    /// How many grants and memberships.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether the subject holds nothing.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Why the subject may, or none if it may not.
    pub fn check<'c>(
        &'c self,
        roles: &'c RoleCatalogue,
        question: &Question<'_>,
        now: Timestamp,
    ) -> Option<Because<'c>> {
        let on_resource = self.on_resources.get(question.kind).and_then(|ids| ids.get(question.id));
        let in_organization = question.organization.and_then(|id| self.in_organizations.get(&id));
        let applying = self.everywhere.iter().chain(in_organization.into_iter().flatten());
        applying
            .chain(on_resource.into_iter().flatten())
            .find_map(|holding| holding.permits(roles, question.kind, question.action, now))
    }

    /// Ids of the resources of a type on which the subject holds a grant of its own that permits the action.
    pub fn resources<'c>(
        &'c self,
        roles: &'c RoleCatalogue,
        kind: &'c str,
        action: &'c str,
        now: Timestamp,
    ) -> impl Iterator<Item = &'c str> {
        let permits = move |holdings: &Vec<Holding>| {
            holdings.iter().any(|holding| holding.permits(roles, kind, action, now).is_some())
        };
        let of_kind = self.on_resources.get(kind).into_iter().flatten();
        of_kind.filter(move |(_, holdings)| permits(holdings)).map(|(id, _)| &**id)
    }

    /// The organizations in which the subject holds something that permits the action on resources of a type.
    pub fn organizations<'c>(
        &'c self,
        roles: &'c RoleCatalogue,
        kind: &'c str,
        action: &'c str,
        now: Timestamp,
    ) -> impl Iterator<Item = OrganizationId> {
        let permits = move |holdings: &Vec<Holding>| {
            holdings.iter().any(|holding| holding.permits(roles, kind, action, now).is_some())
        };
        self.in_organizations.iter().filter(move |(_, holdings)| permits(holdings)).map(|(id, _)| *id)
    }

    /// Every permission the subject has and where, with its source; a right held twice stands there twice.
    pub fn effective<'c>(&'c self, roles: &'c RoleCatalogue, now: Timestamp) -> Vec<(Place, Because<'c>)> {
        let mut all = Vec::new();
        let mut add = |place: &Place, holdings: &'c [Holding]| {
            for holding in holdings.iter().filter(|holding| holding.is_live(now)) {
                all.extend(holding.all(roles).into_iter().map(|because| (place.clone(), because)));
            }
        };
        add(&Place::Tenant, &self.everywhere);
        for (organization, holdings) in &self.in_organizations {
            add(&Place::Organization(*organization), holdings);
        }
        for (kind, ids) in &self.on_resources {
            for (id, holdings) in ids {
                let resource = ResourceRef::parse("resource", &format!("{kind}:{id}"));
                add(&Place::Resource(resource.expect("it was read from one")), holdings);
            }
        }
        all
    }

    /// Keys of the roles held in the tenant or in an organization, with those they inherit from. Roles held on single
    /// resources are not among them.
    pub fn role_keys<'c>(&'c self, roles: &'c RoleCatalogue, now: Timestamp) -> BTreeSet<&'c RoleKey> {
        let holdings = self.everywhere.iter().chain(self.in_organizations.values().flatten());
        let held =
            holdings.filter(|holding| holding.is_live(now)).filter_map(|holding| match holding.granted {
                Granted::Role(role) => Some(role),
                Granted::Permission(_) => None,
            });
        held.flat_map(|role| roles.lineage(role)).collect()
    }

    /// When the first of the roles that are held after `now` ends.
    pub fn next_expiry(&self, now: Timestamp) -> Option<Timestamp> {
        let holdings = self.everywhere.iter().chain(self.in_organizations.values().flatten());
        holdings.filter_map(|holding| holding.expires_at).filter(|end| now < *end).min()
    }

    /// The permissions granted by themselves and the roles held, as they could name actions.
    pub fn actions<'c>(&'c self, roles: &'c RoleCatalogue, kind: &'c str) -> Vec<&'c str> {
        let resources = self.on_resources.values().flat_map(HashMap::values).flatten();
        let holdings =
            self.everywhere.iter().chain(self.in_organizations.values().flatten()).chain(resources);
        let permissions = holdings.flat_map(|holding| holding.all(roles)).map(|because| because.permission);
        permissions
            .filter(|held| held.covers(kind, held.action()) && held.action() != super::permission::ANY)
            .map(Permission::action)
            .collect()
    }
}

impl Holding {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    fn permits<'c>(
        &'c self,
        roles: &'c RoleCatalogue,
        kind: &str,
        action: &str,
        now: Timestamp,
    ) -> Option<Because<'c>> {
        if !self.is_live(now) {
            return None;
        }
        match &self.granted {
            Granted::Role(role) => roles.find(*role, kind, action).map(|found| self.because(found)),
            Granted::Permission(permission) => permission.covers(kind, action).then_some(Because {
                source: self.source,
                permission,
                path: &[],
            }),
        }
    }

    fn all<'c>(&'c self, roles: &'c RoleCatalogue) -> Vec<Because<'c>> {
        match &self.granted {
            Granted::Role(role) => {
                roles.permissions(*role).into_iter().map(|found| self.because(found)).collect()
            }
            Granted::Permission(permission) => {
                vec![Because { source: self.source, permission, path: &[] }]
            }
        }
    }

    fn because<'c>(&self, found: Found<'c>) -> Because<'c> {
        Because { source: self.source, permission: found.permission, path: found.path }
    }
}

/// The role a membership names.
fn organization_role(roles: &RoleCatalogue, key: &RoleKey) -> Option<RoleId> {
    let role = roles.by_key(key.as_str())?;
    (role.level == super::RoleLevel::Organization).then_some(role.id)
}

//! Evaluation against a reference that does it the slow and plain way, and the rules about roles.

use super::*;
use crate::id::{GrantId, OrganizationId, RoleId, UserId};
use crate::name::DisplayName;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn key(number: usize) -> RoleKey {
    RoleKey::parse("key", &format!("role{number}")).expect("valid")
}

fn permission(text: &str) -> Permission {
    Permission::parse("permission", text).expect("valid")
}

fn role(number: usize, permissions: &[&str], inherits: &[usize]) -> Role {
    Role {
        id: RoleId::from_uuid(Uuid::from_u128(number as u128)),
        key: key(number),
        name: DisplayName::parse("name", "A role").expect("valid"),
        description: String::new(),
        level: RoleLevel::Tenant,
        permissions: permissions.iter().copied().map(permission).collect(),
        inherits: inherits.iter().copied().map(key).collect(),
        version: 1,
    }
}

fn grant(number: u128, granted: Granted, place: Place, expires_at: Option<i64>) -> Grant {
    let subject = Subject::User(UserId::from_uuid(Uuid::from_u128(7)));
    let expires_at = expires_at.map(Timestamp::from_millis);
    Grant {
        id: GrantId::from_uuid(Uuid::from_u128(number)),
        terms: GrantTerms { subject, granted, place, expires_at },
    }
}

fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn question<'q>(
    kind: &'q str,
    id: &'q str,
    action: &'q str,
    organization: Option<OrganizationId>,
) -> Question<'q> {
    Question { action, kind, id, organization }
}

/// The same answer without compiling anything.
fn naive(roles: &[Role], grants: &[Grant], question: &Question<'_>, now: Timestamp) -> bool {
    let role_permits = |id: RoleId| {
        let mut queue: VecDeque<RoleKey> =
            roles.iter().filter(|role| role.id == id).map(|role| role.key.clone()).collect();
        let mut seen = BTreeSet::new();
        while let Some(key) = queue.pop_front() {
            if !seen.insert(key.clone()) {
                continue;
            }
            let Some(role) = roles.iter().find(|role| role.key == key) else { continue };
            if role.permissions.iter().any(|permission| permission.covers(question.kind, question.action)) {
                return true;
            }
            queue.extend(role.inherits.iter().cloned());
        }
        false
    };
    grants.iter().any(|grant| {
        let terms = &grant.terms;
        let holds_here = match &terms.place {
            Place::Tenant => true,
            Place::Organization(id) => question.organization == Some(*id),
            Place::Resource(resource) => resource.kind() == question.kind && resource.id() == question.id,
        };
        let permits = match &terms.granted {
            Granted::Role(id) => role_permits(*id),
            Granted::Permission(permission) => permission.covers(question.kind, question.action),
        };
        holds_here && permits && terms.expires_at.is_none_or(|end| now.as_millis() < end.as_millis())
    })
}

fn any_permission() -> impl Strategy<Value = Permission> {
    let part = |names: &'static [&'static str]| prop::sample::select(names);
    (part(&["doc", "page", "*"]), part(&["read", "write", "*"]))
        .prop_map(|(resource, action)| permission(&format!("{resource}:{action}")))
}

/// Roles that inherit only from those before them, so without a circle.
fn any_roles() -> impl Strategy<Value = Vec<Role>> {
    let one =
        (prop::collection::btree_set(any_permission(), 0..3), prop::collection::btree_set(0_usize..8, 0..3));
    prop::collection::vec(one, 0..8).prop_map(|all| {
        let role = |(number, (permissions, inherits)): (usize, (BTreeSet<Permission>, BTreeSet<usize>))| {
            let inherits = inherits.into_iter().filter(|parent| *parent < number).map(key).collect();
            Role { permissions, inherits, ..role(number, &[], &[]) }
        };
        all.into_iter().enumerate().map(role).collect()
    })
}

fn any_grants() -> impl Strategy<Value = Vec<Grant>> {
    let granted = prop_oneof![
        any_permission().prop_map(Granted::Permission),
        (0_u128..9).prop_map(|number| Granted::Role(RoleId::from_uuid(Uuid::from_u128(number)))),
    ];
    let place = prop_oneof![
        Just(Place::Tenant),
        (1_u128..3).prop_map(|number| Place::Organization(organization(number))),
        prop::sample::select(&["doc:1", "doc:2", "page:1"][..])
            .prop_map(|text| Place::Resource(ResourceRef::parse("resource", text).expect("valid"))),
    ];
    let expiry = prop::option::of(prop::sample::select(&[999_i64, 1_000, 1_001][..]));
    prop::collection::vec((granted, place, expiry), 0..6).prop_map(|all| {
        let one = |(number, (granted, place, expiry)): (usize, (Granted, Place, Option<i64>))| {
            grant(number as u128, granted, place, expiry)
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    #[test]
    fn evaluation_equals_the_naive_reference(
        roles in any_roles(),
        grants in any_grants(),
        kind in prop::sample::select(&["doc", "page", "other"][..]),
        id in prop::sample::select(&["1", "2"][..]),
        action in prop::sample::select(&["read", "write", "delete"][..]),
        place in prop::option::of(1_u128..3),
    ) {
        let catalogue = RoleCatalogue::new(roles.clone());
        let access = SubjectAccess::new(grants.clone(), &[], &catalogue);
        let asked = question(kind, id, action, place.map(organization));
        let because = access.check(&catalogue, &asked, NOW);
        prop_assert_eq!(because.is_some(), naive(&roles, &grants, &asked, NOW));
        if let Some(because) = because {
            prop_assert!(because.permission.covers(kind, action));
            // The path is one of inheritance and ends at the role that names the permission.
            for pair in because.path.windows(2) {
                prop_assert!(catalogue.by_key(pair[0].as_str()).expect("known").inherits.contains(&pair[1]));
            }
            if let Some(last) = because.path.last() {
                let last = catalogue.by_key(last.as_str()).expect("known");
                prop_assert!(last.permissions.contains(because.permission));
            }
        }
    }

    #[test]
    fn any_text_is_a_permission_or_refused_and_is_written_as_read(text in ".{0,140}") {
        if let Ok(permission) = Permission::parse("permission", &text) {
            prop_assert_eq!(permission.to_string(), text);
        }
    }
}

#[test]
fn permissions_and_resources_have_a_form() {
    for good in ["a:b", "*:*", "doc.v2:can_read", "A-1:*"] {
        assert_eq!(permission(good).to_string(), good);
    }
    for bad in ["", "a", ":", "a:", ":b", "a:b:c", "a*:b", "a:b c", "ä:b", &format!("{}:b", "a".repeat(65))]
    {
        assert_eq!(Permission::parse("p", bad).expect_err("refused").code, "invalid_permission", "{bad}");
    }
    assert_eq!(ResourceRef::parse("r", "doc:a:b").expect("an id may have colons").id(), "a:b");
    for bad in ["doc", "doc:", ":1", "*:1", "doc:a\nb", &format!("doc:{}", "1".repeat(257))] {
        assert_eq!(ResourceRef::parse("r", bad).expect_err("refused").code, "invalid_resource", "{bad}");
    }
    let shown = format!("{:?}", ResourceRef::parse("r", "mail:ada@example.com").expect("valid"));
    assert!(!shown.contains("ada"), "{shown}");
}

#[test]
fn a_grant_counts_until_it_expires() {
    let catalogue = RoleCatalogue::default();
    let read = || Granted::Permission(permission("doc:read"));
    let asked = question("doc", "1", "read", None);
    for (end, live) in [(Some(1_000), false), (Some(1_001), true), (None, true)] {
        let access = SubjectAccess::new([grant(1, read(), Place::Tenant, end)], &[], &catalogue);
        assert_eq!(access.check(&catalogue, &asked, NOW).is_some(), live, "{end:?}");
        assert_eq!(access.effective(&catalogue, NOW).len(), usize::from(live));
    }
}

#[test]
fn the_reason_names_the_grant_and_the_shortest_path_of_roles() {
    let roles =
        [role(1, &[], &[2, 4]), role(2, &[], &[3]), role(3, &["doc:read"], &[]), role(4, &["doc:*"], &[])];
    let catalogue = RoleCatalogue::new(roles);
    let granted = Granted::Role(RoleId::from_uuid(Uuid::from_u128(1)));
    let access = SubjectAccess::new([grant(9, granted, Place::Tenant, None)], &[], &catalogue);
    let why = |action| access.check(&catalogue, &question("doc", "1", action, None), NOW).expect("permitted");
    assert_eq!(why("read").path, [key(1), key(2), key(3)], "the exact permission comes before the wildcard");
    assert_eq!(why("write").path, [key(1), key(4)]);
    assert_eq!(why("read").source, Source::Grant(GrantId::from_uuid(Uuid::from_u128(9))));
}

#[test]
fn a_membership_gives_the_role_of_its_key_in_its_organization_only() {
    let member = Role { level: RoleLevel::Organization, ..role(1, &["doc:read"], &[]) };
    let catalogue = RoleCatalogue::new([member, role(2, &["doc:write"], &[])]);
    let of = |organization, number| Membership { organization, role: key(number) };
    let memberships = [of(organization(1), 1), of(organization(1), 2), of(organization(2), 5)];
    let access = SubjectAccess::new([], &memberships, &catalogue);
    let may = |action, place| access.check(&catalogue, &question("doc", "1", action, place), NOW).is_some();
    assert!(may("read", Some(organization(1))));
    assert!(!may("read", Some(organization(2))) && !may("read", None));
    assert!(!may("write", Some(organization(1))), "a role of the tenant is not had by membership");
}

fn create(catalogue: &RoleCatalogue, new: Role) -> Result<(), crate::Denial> {
    let Role { id, key, name, description, level, permissions, inherits, .. } = new;
    let draft = RoleDraft { key, name, description, level, permissions, inherits };
    Roles { catalogue, version: 3 }.create(id, draft, NOW).map(|_| ())
}

#[test]
fn circles_and_wrong_parents_are_refused() {
    let catalogue = RoleCatalogue::new([role(1, &[], &[2]), role(2, &[], &[3]), role(3, &[], &[])]);
    let roles = Roles { catalogue: &catalogue, version: 3 };
    let inherit =
        |number: usize| RoleChange { inherits: Some([key(number)].into()), ..RoleChange::default() };
    for (changed, parent) in [(3, 1), (3, 3), (2, 1)] {
        let id = role(changed, &[], &[]).id;
        let refused = roles.change(id, inherit(parent), &Precondition::None, NOW);
        assert_eq!(refused.expect_err("a circle"), ROLE_CYCLE, "{changed} from {parent}");
    }
    assert_eq!(create(&catalogue, role(4, &[], &[9])), Err(ROLE_UNKNOWN_PARENT));
    assert_eq!(create(&catalogue, role(4, &[], &[4])), Err(ROLE_CYCLE));
    assert_eq!(create(&catalogue, role(1, &[], &[])), Err(ROLE_KEY_TAKEN));
    let other_level = Role { level: RoleLevel::Organization, ..role(4, &[], &[1]) };
    assert_eq!(create(&catalogue, other_level), Err(ROLE_LEVEL));
}

#[test]
fn depth_and_size_are_bounded() {
    let chain = |length: usize| {
        RoleCatalogue::new((1..=length).map(|n| role(n, &[], &if n > 1 { vec![n - 1] } else { vec![] })))
    };
    assert_eq!(create(&chain(7), role(90, &[], &[7])), Ok(()));
    assert_eq!(create(&chain(8), role(90, &[], &[8])), Err(ROLE_TOO_DEEP));
    let full = |number: usize| {
        let permissions = (0..100).map(|n| permission(&format!("kind{number}:action{n}"))).collect();
        Role { permissions, ..role(number, &[], &[]) }
    };
    let catalogue = RoleCatalogue::new((1..=6).map(full));
    assert_eq!(create(&catalogue, role(90, &[], &[1, 2, 3, 4, 5])), Ok(()));
    assert_eq!(create(&catalogue, role(90, &["a:b"], &[1, 2, 3, 4, 5])), Err(ROLE_TOO_LARGE));
    let many = RoleCatalogue::new((1..=200).map(|n| role(n, &[], &[])));
    assert_eq!(create(&many, role(201, &[], &[])), Err(TOO_MANY_ROLES));
}

#[test]
fn roles_in_use_stay_and_stale_changes_are_refused() {
    let catalogue = RoleCatalogue::new([role(1, &[], &[2]), role(2, &[], &[])]);
    let roles = Roles { catalogue: &catalogue, version: 3 };
    let id = |number| role(number, &[], &[]).id;
    assert_eq!(roles.delete(id(2), false, &Precondition::None).expect_err("inherited"), ROLE_IN_USE);
    assert_eq!(roles.delete(id(1), true, &Precondition::None).expect_err("granted"), ROLE_IN_USE);
    assert_eq!(roles.delete(id(5), false, &Precondition::None).expect_err("unknown"), UNKNOWN_ROLE);
    let stale = Precondition::OneOf(vec![2]);
    assert_eq!(roles.delete(id(1), false, &stale).expect_err("stale").code, "version_mismatch");
    let decision = roles.delete(id(1), false, &Precondition::None).expect("nobody has it");
    assert_eq!((decision.writes.len(), decision.events[0].name()), (2, "role.deleted"));
    let same = roles.change(id(1), RoleChange::default(), &Precondition::None, NOW).expect("allowed");
    assert!(same.writes.is_empty() && same.events.is_empty());
}

#[test]
fn grants_fit_the_level_of_their_role_and_begin_before_they_end() {
    let in_organization = Role { level: RoleLevel::Organization, ..role(2, &[], &[]) };
    let catalogue = RoleCatalogue::new([role(1, &[], &[]), in_organization]);
    let resource = || Place::Resource(ResourceRef::parse("resource", "doc:1").expect("valid"));
    let try_to = |number: u128, place, expiry, held| {
        let terms = grant(1, Granted::Role(RoleId::from_uuid(Uuid::from_u128(number))), place, expiry).terms;
        create_grant(GrantId::from_uuid(Uuid::nil()), terms, &catalogue, held, NOW).map(|_| ())
    };
    assert_eq!(try_to(1, Place::Tenant, None, 0), Ok(()));
    assert_eq!(try_to(1, resource(), Some(1_001), 0), Ok(()));
    assert_eq!(try_to(2, Place::Organization(organization(1)), None, 999), Ok(()));
    assert_eq!(try_to(1, Place::Organization(organization(1)), None, 0), Err(ROLE_LEVEL));
    assert_eq!(try_to(2, Place::Tenant, None, 0), Err(ROLE_LEVEL));
    assert_eq!(try_to(3, Place::Tenant, None, 0), Err(UNKNOWN_ROLE));
    assert_eq!(try_to(1, Place::Tenant, Some(1_000), 0), Err(EXPIRY_PASSED));
    assert_eq!(try_to(1, Place::Tenant, None, 1_000), Err(TOO_MANY_GRANTS));
}

#[test]
fn a_draft_says_everything_that_is_wrong_with_it() {
    let bad = RoleDraft::parse("Admin", "", "a\0b", "galaxy", &["x".into()], &["Y".into()]);
    let fields: Vec<_> = bad.expect_err("refused").into_iter().map(|error| error.field).collect();
    assert_eq!(fields, ["key", "name", "description", "level", "permissions", "inherits"]);
    let many = vec!["a:b".to_owned(); 101];
    assert_eq!(
        RoleChange::parse(None, None, Some(&many), None).expect_err("refused")[0].code,
        "too_many_permissions"
    );
}

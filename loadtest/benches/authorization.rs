//! A check of a permission against a bare look-up in a hash map.
//!
//! `cargo bench -p plinto-loadtest --bench authorization` prints checks per second on one core and the ratio to the
//! look-up. The rows after that are what five policies in the language Cedar cost to evaluate, which is done once for a
//! question; what a check costs with all that is kept is (m) of `plinto-bench`.
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

use plinto_domain::authorization::{
    Grant, GrantTerms, Granted, Permission, Place, Question, Role, RoleCatalogue, RoleKey, RoleLevel,
    Subject, SubjectAccess,
};
use plinto_domain::id::{GrantId, RoleId};
use plinto_domain::name::DisplayName;
use plinto_domain::policy::{Asked, Compiled, Outcome, PolicySource, PrincipalFacts, SchemaSource};
use plinto_domain::{Timestamp, UserId};
use std::collections::HashMap;
use std::hint::black_box;
use tokio::time::Instant;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ROUNDS: usize = 7;
const EACH: u32 = 200_000;

/// Ten roles of twenty permissions, each inheriting from the one before it but for the first of every five.
fn roles() -> RoleCatalogue {
    let key = |number: u32| RoleKey::parse("key", &format!("role{number}")).expect("valid");
    let role = |number: u32| Role {
        id: RoleId::from_uuid(Uuid::from_u128(number.into())),
        key: key(number),
        name: DisplayName::parse("name", "A role").expect("valid"),
        description: String::new(),
        level: RoleLevel::Tenant,
        permissions: (0..20)
            .map(|n| Permission::parse("permission", &format!("kind{number}:action{n}")).expect("valid"))
            .collect(),
        inherits: (!number.is_multiple_of(5)).then(|| key(number - 1)).into_iter().collect(),
        version: 1,
    };
    RoleCatalogue::new((0..10).map(role))
}

/// Somebody who holds every role.
fn access(catalogue: &RoleCatalogue) -> SubjectAccess {
    let subject = Subject::User(UserId::from_uuid(Uuid::from_u128(7)));
    let grant = |(number, role): (usize, &Role)| {
        let (granted, place) = (Granted::Role(role.id), Place::Tenant);
        let terms = GrantTerms { subject, granted, place, expires_at: None };
        Grant { id: GrantId::from_uuid(Uuid::from_u128(number as u128)), terms }
    };
    SubjectAccess::new(catalogue.roles().enumerate().map(grant), &[], catalogue)
}

/// The best of some rounds, in calls a second.
fn rate(mut call: impl FnMut() -> bool) -> f64 {
    let round = |_| {
        let began = Instant::now();
        for _ in 0..EACH {
            assert!(black_box(call()));
        }
        f64::from(EACH) / began.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(round).fold(0.0, f64::max)
}

/// Five policies over a few types, one of which permits and one of which could forbid.
fn policies() -> Compiled {
    let schema = "entity organization; entity role; entity user in [organization, role] { metadata?: { plan?: String } };
        entity kind0 in [organization] { public?: Bool };
        action action0, action1 appliesTo { principal: user, resource: kind0, context: { mfa?: Bool } };";
    let policies = "permit(principal, action == Action::\"action0\", resource) when { resource has public && resource.public };
        permit(principal in role::\"role1\", action == Action::\"action1\", resource);
        permit(principal, action, resource) when { principal has metadata.plan && principal.metadata.plan == \"gold\" };
        forbid(principal == user::\"usr_nobody\", action, resource);
        forbid(principal, action == Action::\"action1\", resource) unless { context has mfa && context.mfa };";
    let schema = SchemaSource::Text(schema.to_owned());
    Compiled::of(&PolicySource { schema, policies: policies.to_owned() }).expect("valid")
}

/// Somebody with ten roles asks what a policy permits, with a property and without.
fn with_policies(baseline: f64) {
    let compiled = policies();
    let roles: Vec<String> = (0..10).map(|number| format!("role{number}")).collect();
    let metadata = serde_json::from_str(r#"{"plan":"gold"}"#).expect("an object");
    let principal = compiled.principal(&PrincipalFacts {
        kind: "user",
        id: "usr_somebody",
        roles: &roles,
        organizations: &[],
        metadata: Some(&metadata),
        email_domain: None,
    });
    let properties = serde_json::from_str(r#"{"public":true}"#).expect("an object");
    for (what, resource) in [("no property", None), ("a property", Some(&properties))] {
        let asked = Asked {
            action: "action0",
            kind: "kind0",
            id: "1",
            organization: None,
            resource,
            properties: None,
            context: None,
        };
        let ours = rate(|| compiled.evaluate(&principal, black_box(&asked)).outcome == Outcome::Permitted);
        println!("five policies, {what}: {ours:.0} checks a second, ratio {:.4}", ours / baseline);
    }
}

fn main() {
    let catalogue = roles();
    let access = access(&catalogue);
    let known: HashMap<String, bool> =
        (0..200).map(|n| (format!("kind{}:action{}", n / 20, n % 20), true)).collect();
    let baseline = rate(|| known.get(black_box("kind9:action19")).copied().unwrap_or(false));
    println!("look-up in a hash map: {baseline:.0} a second");
    for (kind, action, permitted) in
        [("kind0", "action0", true), ("kind9", "action19", true), ("kind0", "none", false)]
    {
        let question = Question { action, kind, id: "1", organization: None };
        let ours = rate(|| access.check(&catalogue, black_box(&question), NOW).is_some() == permitted);
        println!("{kind}:{action}, {permitted}: {ours:.0} checks a second, ratio {:.3}", ours / baseline);
    }
    with_policies(baseline);
}

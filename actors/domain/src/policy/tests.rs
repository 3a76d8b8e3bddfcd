use super::*;
use crate::denial::STALE_VERSION;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use serde_json::{Map, Value, json};

const SCHEMA: &str = r#"
    type Plan = { name: String, seats?: Long };
    entity organization;
    entity role;
    entity user in [organization, role] { metadata?: { plan?: Plan }, email_domain?: String };
    entity service_account in [role];
    entity document in [organization] { owner?: user, public?: Bool, tags?: Set<String> };
    action view, edit;
    action read, write in [view] appliesTo {
        principal: [user, service_account], resource: document, context: { mfa?: Bool, action?: { method?: String } }
    };
"#;

fn source(policies: &str) -> PolicySource {
    PolicySource { schema: SchemaSource::Text(SCHEMA.to_owned()), policies: policies.to_owned() }
}

fn compiled(policies: &str) -> Compiled {
    Compiled::of(&source(policies)).expect("valid")
}

/// A user, a member of `org_1` with the role `editor`, on the plan `gold`.
struct Ada {
    metadata: Map<String, Value>,
    roles: Vec<String>,
    organizations: Vec<String>,
}

impl Default for Ada {
    fn default() -> Self {
        let metadata = json!({ "plan": { "name": "gold", "seats": 5, "else": 1 }, "other": [1.5, null] });
        Self {
            metadata: serde_json::from_value(metadata).expect("an object"),
            roles: vec!["editor".to_owned()],
            organizations: vec!["org_1".to_owned()],
        }
    }
}

impl Ada {
    fn facts(&self) -> PrincipalFacts<'_> {
        PrincipalFacts {
            kind: "user",
            id: "usr_ada",
            roles: &self.roles,
            organizations: &self.organizations,
            metadata: Some(&self.metadata),
            email_domain: Some("example.com"),
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("an object")
}

/// What policies say to Ada's `action` on `document:1`.
fn said(policies: &str, action: &str, resource: Value, context: Value) -> Verdict {
    let (compiled, ada) = (compiled(policies), Ada::default());
    let (resource, context) = (object(resource), object(context));
    let asked = Asked {
        action,
        kind: "document",
        id: "1",
        organization: resource.get("organization").and_then(Value::as_str),
        resource: Some(&resource),
        properties: None,
        context: Some(&context),
    };
    compiled.evaluate(&compiled.principal(&ada.facts()), &asked)
}

fn outcome(policies: &str, resource: Value, context: Value) -> (Outcome, Vec<String>) {
    let verdict = said(policies, "read", resource, context);
    (verdict.outcome, verdict.policies)
}

#[test]
fn policies_see_what_is_known_of_subject_resource_and_circumstances() {
    use Outcome::{Permitted, Silent};
    let permit = |when: &str| format!("@id(\"it\") permit(principal, action, resource) when {{ {when} }};");
    for (when, resource, context, expected) in [
        ("principal == user::\"usr_ada\"", json!({}), json!({}), Permitted),
        ("principal in role::\"editor\"", json!({}), json!({}), Permitted),
        ("principal in role::\"admin\"", json!({}), json!({}), Silent),
        ("principal in organization::\"org_1\"", json!({}), json!({}), Permitted),
        ("resource in organization::\"org_1\"", json!({ "organization": "org_1" }), json!({}), Permitted),
        ("resource in organization::\"org_1\"", json!({ "organization": "org_2" }), json!({}), Silent),
        (
            "resource has public && resource.public",
            json!({ "public": true, "size": 1.5 }),
            json!({}),
            Permitted,
        ),
        ("resource has public && resource.public", json!({ "public": null }), json!({}), Silent),
        (
            "resource has owner && resource.owner == principal",
            json!({ "owner": { "type": "user", "id": "usr_ada" } }),
            json!({}),
            Permitted,
        ),
        (
            "resource has tags && resource.tags.contains(\"x\")",
            json!({ "tags": ["x"] }),
            json!({}),
            Permitted,
        ),
        ("context has mfa && context.mfa", json!({}), json!({ "mfa": true, "ip": "10.0.0.1" }), Permitted),
        ("context has mfa && context.mfa", json!({}), json!({}), Silent),
    ] {
        assert_eq!(outcome(&permit(when), resource, context).0, expected, "{when}");
    }
    let by_type =
        |when: &str| format!("@id(\"it\") permit(principal is user, action, resource) when {{ {when} }};");
    for (when, expected) in [
        ("principal has email_domain && principal.email_domain == \"example.com\"", Permitted),
        ("principal has metadata.plan.name && principal.metadata.plan.name == \"gold\"", Permitted),
        ("principal has metadata.plan.seats && principal.metadata.plan.seats > 5", Silent),
    ] {
        assert_eq!(
            outcome(&by_type(when), json!({}), json!({})),
            (
                expected,
                match expected {
                    Permitted => vec!["it".to_owned()],
                    _ => vec![],
                }
            ),
            "{when}"
        );
    }
    let grouped = "permit(principal, action in Action::\"view\", resource);";
    assert_eq!(outcome(grouped, json!({}), json!({})), (Permitted, vec!["policy0".to_owned()]));
    let others = "permit(principal, action in Action::\"edit\", resource);";
    assert_eq!(outcome(others, json!({}), json!({})), (Silent, vec![]));
}

#[test]
fn what_is_forbidden_is_forbidden_and_failures_never_permit() {
    let permit = "@id(\"all\") permit(principal, action, resource);";
    let forbid =
        "@id(\"mfa\") forbid(principal, action, resource) unless { context has mfa && context.mfa };";
    let both = format!("{permit}{forbid}");
    assert_eq!(outcome(&both, json!({}), json!({})), (Outcome::Forbidden, vec!["mfa".into()]));
    assert_eq!(outcome(&both, json!({}), json!({ "mfa": true })), (Outcome::Permitted, vec!["all".into()]));

    // A sum that overflows is the failure a validated policy may still have.
    let big = "9223372036854775807 + (if context has mfa then 1 else 0) > 0";
    let failing_permit = format!("@id(\"sum\") permit(principal, action, resource) when {{ {big} }};");
    let verdict = said(&failing_permit, "read", json!({}), json!({ "mfa": true }));
    assert_eq!((verdict.outcome, verdict.policies.len()), (Outcome::Silent, 0));
    assert_eq!(verdict.failures[0].policy.as_deref(), Some("sum"));
    let failing_forbid =
        format!("{permit}@id(\"sum\") forbid(principal, action, resource) when {{ {big} }};");
    let verdict = said(&failing_forbid, "read", json!({}), json!({ "mfa": true }));
    assert_eq!((verdict.outcome, verdict.policies), (Outcome::Failed, vec!["sum".to_owned()]));

    for (resource, context) in [
        (json!({ "public": "yes" }), json!({})),
        (json!({}), json!({ "mfa": "yes" })),
        (json!({ "tags": [1] }), json!({})),
    ] {
        let verdict = said(permit, "read", resource.clone(), context.clone());
        assert_eq!(verdict.outcome, Outcome::Failed, "{resource} {context}");
        assert_eq!(verdict.failures[0].policy, None);
    }
    let ada = Ada { metadata: object(json!({ "plan": { "name": 7 } })), ..Ada::default() };
    let compiled = compiled(permit);
    let asked = Asked {
        action: "read",
        kind: "document",
        id: "1",
        organization: None,
        resource: None,
        properties: None,
        context: None,
    };
    assert_eq!(compiled.evaluate(&compiled.principal(&ada.facts()), &asked).outcome, Outcome::Failed);
}

#[test]
fn of_questions_the_schema_does_not_know_only_what_is_forbidden_anyway_counts() {
    let permit = "@id(\"all\") permit(principal, action, resource);";
    let (compiled, ada) = (compiled(permit), Ada::default());
    let principal = compiled.principal(&ada.facts());
    let asked = |action, kind| Asked {
        action,
        kind,
        id: "1",
        organization: None,
        resource: None,
        properties: None,
        context: None,
    };
    for (action, kind) in [("burn", "document"), ("read", "invoice"), ("read", "user"), ("read", "no name!")]
    {
        assert_eq!(compiled.evaluate(&principal, &asked(action, kind)), Verdict::SILENT, "{action} {kind}");
    }
    let forbidding = self::compiled(
        "@id(\"ada\") forbid(principal == user::\"usr_ada\", action, resource);
         @id(\"role\") forbid(principal in role::\"editor\", action, resource);
         @id(\"other\") forbid(principal == user::\"usr_eve\", action, resource);
         @id(\"mfa\") forbid(principal, action, resource) unless { context has mfa && context.mfa };
         @id(\"read\") forbid(principal, action == Action::\"read\", resource);
         @id(\"view\") forbid(principal, action in Action::\"view\", resource);",
    );
    let principal = forbidding.principal(&ada.facts());
    let verdict = forbidding.evaluate(&principal, &asked("burn", "no name!"));
    assert_eq!(verdict.outcome, Outcome::Forbidden);
    assert_eq!(verdict.policies, ["ada", "mfa", "role"]);
    assert!(!verdict.is_covered && verdict.failures.is_empty());
    let verdict = forbidding.evaluate(&principal, &asked("read", "invoice"));
    assert_eq!(verdict.policies, ["ada", "mfa", "read", "role", "view"], "whatever it is that is read");
    let unfit = Ada { metadata: object(json!({ "plan": { "name": 7 } })), ..Ada::default() };
    let principal = forbidding.principal(&unfit.facts());
    assert_eq!(forbidding.evaluate(&principal, &asked("burn", "no name!")).policies, ["ada", "mfa", "role"]);
}

#[test]
fn service_accounts_and_users_are_subjects_of_their_types() {
    let compiled = compiled(
        "@id(\"machines\") permit(principal is service_account, action == Action::\"read\", resource)
         when { context has action && context.action has method && context.action.method == \"GET\" };",
    );
    let facts = PrincipalFacts {
        kind: "service_account",
        id: "svc_1",
        roles: &[],
        organizations: &[],
        metadata: None,
        email_domain: None,
    };
    let properties = object(json!({ "method": "GET", "else": 1 }));
    let asked = Asked {
        action: "read",
        kind: "document",
        id: "1",
        organization: None,
        resource: None,
        properties: Some(&properties),
        context: None,
    };
    assert_eq!(compiled.evaluate(&compiled.principal(&facts), &asked).outcome, Outcome::Permitted);
    let ada = Ada::default();
    assert_eq!(compiled.evaluate(&compiled.principal(&ada.facts()), &asked).outcome, Outcome::Silent);
}

#[test]
fn a_schema_may_be_json_and_may_have_namespaces() {
    let json = json!({ "": {
        "entityTypes": { "user": {}, "box": { "shape": { "type": "Record", "attributes": { "open": { "type": "Boolean" } } } } },
        "actions": { "peek": { "appliesTo": { "principalTypes": ["user"], "resourceTypes": ["box"] } } }
    } });
    let policies =
        "permit(principal, action == Action::\"peek\", resource) when { resource.open };".to_owned();
    let compiled = Compiled::of(&PolicySource { schema: SchemaSource::Json(json), policies }).expect("valid");
    let ada = Ada::default();
    let principal = compiled.principal(&ada.facts());
    let (open, nothing) = (object(json!({ "open": true })), Map::new());
    let asked = |resource| Asked {
        action: "peek",
        kind: "box",
        id: "1",
        organization: None,
        resource: Some(resource),
        properties: None,
        context: None,
    };
    assert_eq!(compiled.evaluate(&principal, &asked(&open)).outcome, Outcome::Permitted);
    assert_eq!(
        compiled.evaluate(&principal, &asked(&nothing)).outcome,
        Outcome::Failed,
        "a required attribute is missing"
    );

    let text = "namespace Shop { entity cart { full?: Bool }; action buy appliesTo { principal: user, resource: cart }; } entity user;";
    let policies = "permit(principal, action == Shop::Action::\"buy\", resource) when { resource has full && resource.full };";
    let source = PolicySource { schema: SchemaSource::Text(text.to_owned()), policies: policies.to_owned() };
    let compiled = Compiled::of(&source).expect("valid");
    let full = object(json!({ "full": true, "more": 1 }));
    let asked = Asked { action: "Shop::buy", kind: "Shop::cart", ..asked(&full) };
    let principal = compiled.principal(&ada.facts());
    assert_eq!(compiled.evaluate(&principal, &asked).outcome, Outcome::Permitted);
}

#[test]
fn what_is_not_valid_is_not_compiled() {
    let long = format!("// {}", "x".repeat(32 * 1024));
    let many = "permit(principal, action, resource);".repeat(201);
    let deep =
        format!("permit(principal, action, resource) when {{ {}true{} }};", "(".repeat(30), ")".repeat(30));
    for (policies, code) in [
        ("permit(principal, action, resource)", "invalid_policies"),
        ("permit(principal, action, resource) when { resource.secret };", "invalid_policies"),
        ("permit(principal, action, resource) when { resource.public };", "invalid_policies"),
        ("permit(principal, action == Action::\"burn\", resource);", "invalid_policies"),
        ("permit(principal is spaceship, action, resource);", "invalid_policies"),
        ("permit(principal == ?principal, action, resource);", "policy_template"),
        (
            "@id(\"a\") permit(principal, action, resource); @id(\"a\") permit(principal, action, resource);",
            "policy_id_taken",
        ),
        ("@id(\"a b\") permit(principal, action, resource);", "invalid_policy_id"),
        (&long, "policies_too_large"),
        (&many, "too_many_policies"),
        (&deep, "invalid_policies"),
    ] {
        let errors = Compiled::of(&source(policies)).expect_err(policies);
        assert_eq!((errors[0].field, errors[0].code), ("policies", code), "{policies:.80} {errors:?}");
    }
    for schema in [
        SchemaSource::Text("entity user".to_owned()),
        SchemaSource::Text("entity user { a: Nowhere };".to_owned()),
        SchemaSource::Text(format!("entity user {{ a: {}Long{} }};", "Set<".repeat(30), ">".repeat(30))),
        SchemaSource::Json(json!({ "": [] })),
        SchemaSource::Json(json!(null)),
    ] {
        let source = PolicySource { schema, policies: String::new() };
        assert_eq!(Compiled::of(&source).expect_err("refused")[0].field, "schema");
    }
    assert!(compiled("").is_empty());
}

#[test]
fn the_deepest_texts_that_are_let_in_are_survived() {
    let wrap = |inner: &str| format!("permit(principal, action, resource) when {{ {inner} }};");
    let brackets = format!("{}true{}", "(".repeat(20), ")".repeat(20));
    let ifs = format!("{}true", "if true then true else ".repeat(24));
    let ands = format!("true{}", " && true".repeat(140));
    let sums = format!("1{} > 0", " + 1".repeat(290));
    for policy in [brackets, ifs, ands, sums] {
        // Whether it is valid does not matter: it must neither overflow nor panic.
        drop(Compiled::of(&source(&wrap(&policy))));
    }
    let dots = format!("context{}", ".a".repeat(290));
    assert!(Compiled::of(&source(&wrap(&dots))).is_err());
}

#[test]
fn versions_are_numbered_and_one_of_them_may_be_active() {
    let at = Timestamp::from_millis(9);
    let new = |state, present| create_version(state, present, source(""), String::new(), 0, at);
    let created = new(PolicyState::default(), 0).expect("the first");
    assert_eq!(
        (created.reply, created.writes.len(), created.events[0].name()),
        (1, 2, "policy.version_created")
    );
    assert_eq!(new(PolicyState::default(), MOST_VERSIONS).expect_err("full"), TOO_MANY_POLICY_VERSIONS);

    let state = PolicyState { latest: 3, active: Some(2), activations: 5, version: 9 };
    assert_eq!(new(state, 3).expect("the next").reply, 4);
    let choose = |wanted, is_there, seen: &[i64]| {
        activate(state, wanted, is_there, &Precondition::OneOf(seen.to_vec()), at)
    };
    let chosen = choose(Some(3), true, &[5]).expect("another one");
    assert_eq!(chosen.events[0].data(), json!({ "version": 3, "previous": 2 }));
    assert!(choose(Some(2), true, &[5]).expect("the same").writes.is_empty());
    assert_eq!(
        choose(None, true, &[5]).expect("none").events[0].data(),
        json!({ "version": null, "previous": 2 })
    );
    assert_eq!(choose(Some(3), true, &[4]).expect_err("stale"), STALE_VERSION);
    assert_eq!(choose(Some(7), false, &[5]).expect_err("unknown"), UNKNOWN_POLICY_VERSION);

    assert_eq!(delete_version(state, 2, true, at).expect_err("active"), POLICY_VERSION_ACTIVE);
    assert_eq!(delete_version(state, 7, false, at).expect_err("unknown"), UNKNOWN_POLICY_VERSION);
    assert_eq!(delete_version(state, 1, true, at).expect("an old one").writes.len(), 2);
}

#[test]
fn few_words_do_not_stand_for_much_work() {
    let refused = |schema: String| {
        let source = PolicySource { schema: SchemaSource::Text(schema), policies: String::new() };
        let errors = Compiled::of(&source).expect_err("too much");
        assert_eq!((errors[0].field, errors[0].code), ("schema", "schema_too_large"), "{errors:?}");
    };
    let doubling = (0..60).map(|one| format!("type T{one} = {{ a: T{0}, b: T{0} }};", one + 1));
    refused(format!("{} type T60 = Long; entity user {{ all: T0 }};", doubling.collect::<String>()));
    let names = (0..400).map(|one| format!("t{one}")).collect::<Vec<_>>().join(", ");
    refused(format!("entity {names}; action a appliesTo {{ principal: [{names}], resource: [{names}] }};"));
    let groups = (0..600).map(|one| format!("action a{} in [a{one}];", one + 1));
    refused(format!("action a0; {}", groups.collect::<String>()));
}

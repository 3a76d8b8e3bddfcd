use super::*;
use crate::denial::STALE_VERSION;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn key() -> FlagKey {
    FlagKey::parse("key", "new-checkout").expect("valid")
}

fn definition(rules: Value) -> Definition {
    let definition: Definition = serde_json::from_value(json!({
        "type": "string", "description": "", "enabled": true, "server_only": false,
        "variants": [{ "name": "off", "value": "-" }, { "name": "a", "value": "A" }, { "name": "b", "value": "B" }],
        "off_variant": "off", "default_variant": "off", "rules": rules,
    }))
    .expect("well formed");
    definition.checked().expect("valid")
}

fn served(definition: &Definition, who: &Who<'_>) -> (String, Reason) {
    let compiled = Compiled::of(definition).expect("valid");
    let evaluated = compiled.evaluate(&key(), definition, who);
    (evaluated.variant.to_owned(), evaluated.reason)
}

fn codes(change: Value) -> Vec<(&'static str, &'static str)> {
    let mut good = serde_json::to_value(definition(json!([]))).expect("JSON");
    good.as_object_mut().expect("object").extend(change.as_object().expect("object").clone());
    let definition: Definition = serde_json::from_value(good).expect("well formed");
    let errors = definition.checked().expect_err("refused");
    errors.into_iter().map(|error| (error.field, error.code)).collect()
}

#[test]
fn the_part_of_a_subject_can_be_computed_by_anybody() {
    // printf 'new-checkout/usr_1' | sha256sum: the first 16 hexadecimal digits as a number, modulo 10000.
    assert_eq!(bucket(&key(), "usr_1"), 8_209);
    assert_eq!(bucket(&key(), "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), 9_078);
}

#[test]
fn rules_are_tried_in_order_and_the_first_that_serves_decides() {
    let flag = definition(json!([
        { "conditions": [{ "attribute": "subject", "operator": "in", "values": ["x"] }], "variant": "a" },
        { "conditions": [{ "attribute": "context.plan", "operator": "in", "values": ["gold"] }],
          "rollout": [{ "variant": "b", "basis_points": 0 }] },
        { "conditions": [{ "attribute": "context.plan", "operator": "present" }], "variant": "b" },
    ]));
    let gold = json!({ "plan": "gold" }).as_object().cloned();
    let who = |subject, context| Who { subject, context, ..Who::default() };
    assert_eq!(served(&flag, &who(Some("x"), gold.as_ref())), ("a".into(), Reason::TargetingMatch));
    assert_eq!(
        served(&flag, &who(Some("y"), gold.as_ref())),
        ("b".into(), Reason::TargetingMatch),
        "whoever is in no share is left to the rules that follow"
    );
    assert_eq!(served(&flag, &who(Some("y"), None)), ("off".into(), Reason::Default));
    assert_eq!(
        served(&flag, &who(None, gold.as_ref())),
        ("off".into(), Reason::TargetingKeyMissing),
        "nobody is in a share"
    );
    let disabled = Definition { enabled: false, ..flag };
    assert_eq!(served(&disabled, &who(Some("x"), None)), ("off".into(), Reason::Disabled));
}

#[test]
fn conditions_compare_what_is_known() {
    let organizations = BTreeSet::from(["org_1".to_owned(), "org_2".to_owned()]);
    let (none, roles) = (BTreeSet::new(), BTreeSet::from(["editor".to_owned()]));
    let metadata =
        json!({ "seats": 10, "beta": true, "tags": ["x", "y"], "deep": { "er": "text" }, "gone": null });
    let metadata: Map<String, Value> = serde_json::from_value(metadata).expect("object");
    let who = Who {
        subject: Some("usr_1"),
        organizations: Some(&organizations),
        roles: Some(&roles),
        email_domain: Some("example.com"),
        metadata: Some(&metadata),
        context: None,
    };
    let holds = |attribute: &str, operator: &str, values: Value, who: &Who<'_>| {
        let condition = json!({ "attribute": attribute, "operator": operator, "values": values });
        let flag = definition(json!([{ "conditions": [condition], "variant": "a" }]));
        served(&flag, who).1 == Reason::TargetingMatch
    };
    for (attribute, operator, values) in [
        ("subject", "in", json!(["usr_1"])),
        ("organization", "in", json!(["org_0", "org_2"])),
        ("organization", "not_in", json!(["org_3"])),
        ("role", "in", json!(["editor"])),
        ("role", "starts_with", json!(["edit"])),
        ("email_domain", "in", json!(["example.com"])),
        ("email_domain", "ends_with", json!([".com"])),
        ("metadata.seats", "in", json!([10.0])),
        ("metadata.seats", "at_least", json!([10])),
        ("metadata.seats", "less_than", json!([10.5])),
        ("metadata.beta", "in", json!([true])),
        ("metadata.tags", "in", json!(["y"])),
        ("metadata.deep.er", "starts_with", json!(["te"])),
        ("metadata.deep", "present", json!([])),
        ("metadata.gone", "absent", json!([])),
        ("context.any", "absent", json!([])),
    ] {
        assert!(holds(attribute, operator, values, &who), "{attribute} {operator}");
    }
    for (attribute, operator, values) in [
        ("subject", "not_in", json!(["usr_1"])),
        ("organization", "not_in", json!(["org_1"])),
        ("metadata.seats", "in", json!(["10"])),
        ("metadata.seats", "less_than", json!([10])),
        ("metadata.beta", "at_least", json!([0])),
        ("metadata.tags", "not_in", json!(["x"])),
        ("metadata.gone", "not_in", json!(["x"])),
        ("context.any", "present", json!([])),
    ] {
        assert!(!holds(attribute, operator, values, &who), "{attribute} {operator}");
    }
    let nobody = Who { organizations: Some(&none), ..Who::default() };
    assert!(holds("organization", "not_in", json!(["org_1"]), &nobody), "who is in none is not in this one");
}

#[test]
fn everything_that_is_wrong_with_a_flag_is_told() {
    let variant = |name: &str, value: Value| json!({ "name": name, "value": value });
    let rule = |rule: Value| json!({ "rules": [rule] });
    let condition = |condition: Value| rule(json!({ "conditions": [condition], "variant": "a" }));
    for (change, expected) in [
        (
            json!({ "variants": [variant("off", json!(1)), variant("a", json!("A"))] }),
            vec![("variants", "wrong_value_type")],
        ),
        (
            json!({ "variants": [variant("off", json!("")), variant("off", json!(""))] }),
            vec![("variants", "invalid_variants")],
        ),
        (
            json!({ "off_variant": "x", "default_variant": "y" }),
            vec![("off_variant", "unknown_variant"), ("default_variant", "unknown_variant")],
        ),
        (rule(json!({})), vec![("rules", "invalid_rule")]),
        (
            rule(json!({ "variant": "a", "rollout": [{ "variant": "a", "basis_points": 1 }] })),
            vec![("rules", "invalid_rule")],
        ),
        (rule(json!({ "variant": "nobody" })), vec![("rules", "invalid_rule")]),
        (
            rule(
                json!({ "rollout": [{ "variant": "a", "basis_points": 9_999 }, { "variant": "b", "basis_points": 2 }] }),
            ),
            vec![("rules", "invalid_rule")],
        ),
        (
            condition(json!({ "attribute": "shoe_size", "operator": "present" })),
            vec![("rules", "invalid_rule")],
        ),
        (
            condition(json!({ "attribute": "metadata.a.b.c.d.e.f", "operator": "present" })),
            vec![("rules", "invalid_rule")],
        ),
        (condition(json!({ "attribute": "role", "operator": "in" })), vec![("rules", "invalid_rule")]),
        (
            condition(json!({ "attribute": "role", "operator": "in", "values": [null] })),
            vec![("rules", "invalid_rule")],
        ),
        (
            condition(json!({ "attribute": "context.n", "operator": "at_least", "values": ["1"] })),
            vec![("rules", "invalid_rule")],
        ),
        (json!({ "rules": vec![json!({ "variant": "a" }); 51] }), vec![("rules", "too_many_rules")]),
        (
            json!({ "variants": [variant("off", json!("x".repeat(16 * 1024)))] }),
            vec![("rules", "flag_too_large")],
        ),
        (json!({ "description": "x".repeat(501) }), vec![("description", "invalid_description")]),
    ] {
        assert_eq!(codes(change.clone()), expected, "{change}");
    }
    for bad in ["", "A", "1a", "a b", &"a".repeat(101), "a/b", "evaluate"] {
        assert!(FlagKey::parse("key", bad).is_err(), "{bad}");
    }
}

#[test]
fn flags_change_once_per_version_and_what_is_so_already_is_not_written() {
    let flag = Flag { key: key(), definition: definition(json!([])), version: 3 };
    let at = Timestamp::from_millis(9);
    let wanted =
        DefinitionChange { enabled: Some(false), default_variant: Some("off".into()), ..Default::default() };
    let (new, fields) = flag.definition.changed(wanted).expect("valid");
    assert_eq!(fields, ["enabled"]);
    let decided = change(&flag, new.clone(), fields, &Precondition::OneOf(vec![3]), at).expect("current");
    assert_eq!((decided.writes.len(), decided.events[0].name()), (1, "flag.changed"));
    assert!(change(&flag, new, vec![], &Precondition::None, at).expect("nothing").writes.is_empty());
    assert_eq!(delete(&flag, &Precondition::OneOf(vec![2])).expect_err("stale"), STALE_VERSION);
    assert_eq!(create(key(), definition(json!([])), MOST_FLAGS, at).expect_err("full"), TOO_MANY_FLAGS);
}

#[test]
fn a_boolean_flag_needs_nothing_but_its_type() {
    let flag = DefinitionDraft::default().complete(FlagKind::Boolean).expect("valid");
    assert_eq!((flag.value("on"), flag.value("off")), (Some(&json!(true)), Some(&json!(false))));
    assert_eq!(served(&flag, &Who::default()), ("off".into(), Reason::Default));
    let text = DefinitionDraft::default().complete(FlagKind::String).expect_err("without values");
    assert_eq!(text[0].code, "invalid_variants");
}

fn rollout(shares: &[u32]) -> Definition {
    let shares: Vec<_> = ["a", "b"]
        .iter()
        .zip(shares)
        .map(|(name, share)| json!({ "variant": name, "basis_points": share }))
        .collect();
    definition(json!([{ "rollout": shares }]))
}

proptest! {
    /// Raising the percentage never takes the flag from a subject.
    #[test]
    fn a_growing_share_loses_nobody(subject in "[ -~]{1,40}", less in 0_u32..=10_000, more in 0_u32..=10_000) {
        let (less, more) = (less.min(more), less.max(more));
        let who = Who { subject: Some(&subject), ..Who::default() };
        if served(&rollout(&[less]), &who).1 == Reason::Split {
            prop_assert_eq!(served(&rollout(&[more]), &who), ("a".to_owned(), Reason::Split));
        }
    }

    /// Neither does a second share, or one that grows behind the first.
    #[test]
    fn the_last_share_grows_at_nobodys_cost(subject in "[a-z0-9]{1,20}", first in 0_u32..=5_000, less in 0_u32..=5_000, more in 0_u32..=5_000) {
        let (less, more) = (less.min(more), less.max(more));
        let who = Who { subject: Some(&subject), ..Who::default() };
        let before = served(&rollout(&[first, less]), &who);
        if before.1 == Reason::Split {
            prop_assert_eq!(served(&rollout(&[first, more]), &who), before);
        }
    }

    #[test]
    fn nobody_is_in_none_of_it_and_everybody_in_all(subject in ".{0,40}") {
        let who = Who { subject: Some(&subject), ..Who::default() };
        prop_assert_eq!(served(&rollout(&[0]), &who).1, Reason::Default);
        prop_assert_eq!(served(&rollout(&[10_000]), &who).1, Reason::Split);
    }
}

#[test]
fn shares_are_as_large_as_they_say_and_flags_part_independently() {
    let subjects: Vec<String> = (0..20_000).map(|number| format!("usr_{number:032x}")).collect();
    let in_share = |key: &FlagKey, subject: &str, share: u32| bucket(key, subject) < share;
    let other = FlagKey::parse("key", "another").expect("valid");
    for share in [100_u32, 1_000, 2_500, 5_000, 9_000] {
        let count = subjects.iter().filter(|subject| in_share(&key(), subject, share)).count();
        let expected = subjects.len() as f64 * f64::from(share) / 10_000.0;
        // Five standard deviations of the binomial distribution.
        let slack = 5.0 * (expected * (1.0 - f64::from(share) / 10_000.0)).sqrt();
        assert!((count as f64 - expected).abs() < slack, "{share}: {count} of {expected}");
    }
    let both = subjects.iter().filter(|s| in_share(&key(), s, 5_000) && in_share(&other, s, 5_000)).count();
    assert!((4_650..5_350).contains(&both), "{both} of about 5000");
}

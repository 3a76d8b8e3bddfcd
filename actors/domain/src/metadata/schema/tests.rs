use super::super::MetadataPatch;
use super::*;
use serde_json::json;

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("an object")
}

fn metadata(value: Value) -> Metadata {
    let patch = MetadataPatch::parse("m", Some(object(value))).expect("small");
    Metadata::default().merged(&patch).expect("small")
}

fn public(schema: Value) -> Result<MetadataRules, InvalidInput> {
    MetadataRules::of(&MetadataSchemas { public_schema: Some(object(schema)), ..MetadataSchemas::default() })
}

fn written(rules: &MetadataRules, value: Value) -> Result<(), Vec<InvalidInput>> {
    let after = Profile { public_metadata: metadata(value), ..Profile::default() };
    rules.check_written(&Profile::default(), &after)
}

fn plan() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "plan": { "enum": ["free", "pro"] },
            "seats": { "type": "integer", "minimum": 1 },
            "address": { "$ref": "#/$defs/address" },
            "code": { "pattern": "^[a-z]{3}$" }
        },
        "required": ["plan"],
        "additionalProperties": false,
        "$defs": { "address": { "type": "object", "required": ["city"] } }
    })
}

#[test]
fn mismatches_are_told_in_the_words_of_the_schema_and_never_by_what_was_written() {
    let rules = public(plan()).expect("good");
    assert_eq!(written(&rules, json!({ "plan": "pro", "seats": 3, "address": { "city": "Bern" } })), Ok(()));
    let secret = "hunter2hunter2";
    let wrong = json!({ "plan": secret, "seats": secret, "address": {}, "code": secret, secret: 1 });
    let wrong = written(&rules, wrong).expect_err("all wrong");
    let text: String = wrong.iter().map(|wrong| format!("{}\n", wrong.detail)).collect();
    for told in [
        "does not match `/properties/plan/enum`",
        "does not match `/properties/seats/type`",
        "lacks `city`: see `/$defs/address/required`",
        "does not match `/properties/code/pattern`",
        "does not match `/additionalProperties`",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    assert!(!text.contains(secret), "{text}");
    assert!(wrong.iter().all(|wrong| (wrong.field, wrong.code) == ("public_metadata", "metadata_mismatch")));
}

#[test]
fn what_is_not_written_is_not_looked_at() {
    let rules = public(plan()).expect("good");
    let old = Profile { public_metadata: metadata(json!({ "old": 1 })), ..Profile::default() };
    let renamed = Profile { unsafe_metadata: metadata(json!({ "theme": "dark" })), ..old.clone() };
    assert_eq!(rules.check_written(&old, &renamed), Ok(()), "no schema for what is written");
    let emptied = rules.check_written(&old, &Profile::default()).expect_err("a plan is required");
    assert!(emptied[0].detail.contains("lacks `plan`"), "{}", emptied[0].detail);
    assert!(rules.ask_something() && !MetadataRules::default().ask_something());
}

#[test]
fn mismatches_are_bounded_in_number_and_length() {
    let name = |number: u8| format!("{number}{}", "ä".repeat(120));
    let names: Vec<_> = (0..25).map(name).collect();
    let kinds: Map<_, _> = names.iter().map(|name| (name.clone(), json!({ "type": "integer" }))).collect();
    let rules = public(json!({ "properties": kinds, "required": ["b".repeat(300)] })).expect("good");
    let many: Map<_, _> = names.into_iter().map(|name| (name, json!("x"))).collect();
    let wrong = written(&rules, Value::Object(many)).expect_err("all wrong");
    assert_eq!(wrong.len(), MOST_TOLD);
    assert!(wrong.iter().all(|wrong| wrong.detail.len() < 2 * LONGEST_PLACE + 80));
    let wrong = written(&rules, json!({ "a": 1 })).expect_err("something is missing");
    assert!(wrong[0].detail.len() < 2 * LONGEST_PLACE + 80, "{}", wrong[0].detail);
}

#[test]
fn schemas_that_are_wrong_or_may_cost_too_much_are_refused() {
    let doubling = {
        // Each asks the one before twice: 2^20 in the end.
        let mut defs = object(json!({ "d0": { "type": "string" } }));
        for number in 1..=20 {
            let before = json!({ "$ref": format!("#/$defs/d{}", number - 1) });
            defs.insert(format!("d{number}"), json!({ "allOf": [before, before] }));
        }
        json!({ "$ref": "#/$defs/d20", "$defs": defs })
    };
    let patterns: Map<_, _> = (0..60).map(|number| (format!("^{number}"), json!(true))).collect();
    let deep = (0..40).fold(json!({}), |inner, _| json!({ "properties": { "a": inner } }));
    for (schema, told) in [
        (json!({ "type": "strin" }), "`/type`"),
        (json!({ "properties": { "a": { "minimum": "x" } } }), "`/properties/a/minimum`"),
        (json!({ "pattern": "(" }), "`/pattern`"),
        (json!({ "pattern": "(?=look)around" }), "`/pattern`"),
        (json!({ "pattern": "((a{100}){100}){100}" }), "`/pattern`"),
        (json!({ "$ref": "https://example.com/schema.json" }), "same schema"),
        (json!({ "$ref": "#/$defs/none" }), "not there"),
        (json!({ "$ref": "#" }), "same schema"),
        (json!({ "properties": { "a": { "$ref": "#/properties" } } }), "refer to itself"),
        (
            json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
            "refer to itself",
        ),
        (json!({ "$id": "https://example.com/me" }), "not supported"),
        (json!({ "$dynamicRef": "#node" }), "not supported"),
        (json!({ "$schema": "http://json-schema.org/draft-07/schema#" }), "2020-12"),
        (json!({ "description": "x".repeat(17_000) }), "16 KiB"),
        (doubling, "1000 subschemas"),
        (json!({ "allOf": vec![json!({ "pattern": "^a" }); 60] }), "1000 subschemas"),
        (json!({ "patternProperties": patterns }), "1000 subschemas"),
        (deep, "64 levels"),
    ] {
        let refused = public(schema.clone()).expect_err("refused");
        assert_eq!((refused.field, refused.code), ("settings.metadata.public_schema", "invalid_schema"));
        assert!(refused.detail.contains(told), "{told}: {} for {schema:.80}", refused.detail);
    }
}

#[test]
fn a_hard_pattern_takes_no_longer_than_an_easy_one() {
    // Ages for an engine that goes back.
    let rules = public(json!({ "properties": { "a": { "pattern": "^(a+)+$" } } })).expect("good");
    let wrong = written(&rules, json!({ "a": format!("{}!", "a".repeat(5_000)) })).expect_err("no match");
    assert_eq!(wrong.len(), 1);
}

#[test]
fn a_property_may_be_called_like_a_keyword() {
    let schema = json!({ "properties": { "$id": { "type": "string" }, "$ref": { "type": "string" } } });
    let rules = public(schema).expect("good");
    assert_eq!(written(&rules, json!({ "$id": "x", "$ref": "y" })), Ok(()));
    assert!(written(&rules, json!({ "$id": 1 })).is_err());
}

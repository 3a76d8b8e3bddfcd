//! Metadata: JSON objects that tenants keep with users and organizations.

mod schema;

pub use schema::{MetadataRules, MetadataSchemas};

use crate::denial::{Denial, DenialKind};
use crate::input::InvalidInput;
use serde_json::{Map, Value};
use std::fmt;

/// Most bytes of one kind of metadata, as JSON.
pub const LARGEST: usize = 8 * 1024;

/// The metadata would be larger than it may be.
pub const METADATA_TOO_LARGE: Denial = Denial::new(
    DenialKind::Conflict,
    "metadata_too_large",
    "Metadata too large",
    "metadata of each kind has at most 8 KiB as JSON; remove something first",
);

/// A JSON object of at most [`LARGEST`] bytes. `Debug` shows nothing.
#[derive(Clone, PartialEq, Default)]
pub struct Metadata(Map<String, Value>);

// JSON has no number that differs from itself.
impl Eq for Metadata {}

impl Metadata {
    /// Reads what was stored.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// To be stored; nothing for an empty object.
    pub fn to_json(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| serde_json::to_string(&self.0).expect("a JSON object can be written"))
    }

    /// The object.
    pub fn into_object(self) -> Map<String, Value> {
        self.0
    }

    /// The object after a change (RFC 7396), if it is not too large.
    pub fn merged(&self, patch: &MetadataPatch) -> Result<Self, Denial> {
        let merged = match &patch.0 {
            None => Map::new(),
            Some(patch) => {
                let mut merged = self.0.clone();
                merge(&mut merged, patch);
                merged
            }
        };
        if size(&merged) > LARGEST { Err(METADATA_TOO_LARGE) } else { Ok(Self(merged)) }
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metadata(redacted)")
    }
}

/// A change of metadata (RFC 7396): members are set, `null` removes them; no object at all removes everything.
#[derive(Clone, PartialEq)]
pub struct MetadataPatch(Option<Map<String, Value>>);

impl Eq for MetadataPatch {}

impl MetadataPatch {
    /// Checks a change.
    pub fn parse(field: &'static str, patch: Option<Map<String, Value>>) -> Result<Self, InvalidInput> {
        if patch.as_ref().is_some_and(|patch| size(patch) > LARGEST) {
            return Err(InvalidInput::new(field, "metadata_too_large", "metadata has at most 8 KiB as JSON"));
        }
        Ok(Self(patch))
    }
}

impl fmt::Debug for MetadataPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataPatch(redacted)")
    }
}

fn size(object: &Map<String, Value>) -> usize {
    serde_json::to_string(object).map_or(usize::MAX, |text| text.len())
}

/// RFC 7396 §2. The depth is bounded by whoever read the patch: serde_json reads at most 128 levels.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(patch) => {
                let inner = target.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
                if !inner.is_object() {
                    *inner = Value::Object(Map::new());
                }
                if let Value::Object(inner) = inner {
                    merge(inner, patch);
                }
            }
            other => {
                target.insert(name.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).expect("an object")
    }

    #[test]
    fn patches_follow_the_examples_of_the_rfc() {
        // RFC 7396, appendix A, those that concern objects.
        for (target, patch, result) in [
            (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
            (json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" })),
            (json!({ "a": "b" }), json!({ "a": null }), json!({})),
            (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
            (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
            (
                json!({ "a": { "b": "c" } }),
                json!({ "a": { "b": "d", "c": null } }),
                json!({ "a": { "b": "d" } }),
            ),
            (json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] })),
            (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
            (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        ] {
            let patch = MetadataPatch::parse("m", Some(object(patch))).expect("small");
            let merged = Metadata(object(target)).merged(&patch).expect("small");
            assert_eq!(Value::Object(merged.into_object()), result);
        }
        let all = Metadata(object(json!({ "a": 1 })));
        let nothing = MetadataPatch::parse("m", None).expect("small");
        assert_eq!(all.merged(&nothing).expect("empty").to_json(), None);
    }

    #[test]
    fn neither_a_patch_nor_what_it_makes_is_too_large() {
        let half = |name: &str| object(json!({ name: "x".repeat(LARGEST / 2) }));
        let patch = |name| MetadataPatch::parse("m", Some(half(name))).expect("half is small enough");
        let one = Metadata::default().merged(&patch("a")).expect("half is small enough");
        assert_eq!(one.merged(&patch("b")).expect_err("two halves and their names"), METADATA_TOO_LARGE);
        let whole = object(json!({ "a": "x".repeat(LARGEST) }));
        assert_eq!(MetadataPatch::parse("m", Some(whole)).expect_err("too large").code, "metadata_too_large");
    }
}

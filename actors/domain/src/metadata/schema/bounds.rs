//! What a schema may cost, found out before it is compiled: how large and deep it is, and how much work one value makes.

use serde_json::Value;
use std::collections::HashMap;

/// Most bytes of a schema, as JSON.
const LARGEST: usize = 16 * 1024;
/// Deepest nesting, references followed.
const DEEPEST: usize = 64;
/// Most subschemas a value may meet, each as often as it is referred to.
const MOST_WORK: usize = 1_000;
/// Subschemas a pattern counts as: it is compiled, and goes through every text it meets.
const PATTERN: usize = 19;
/// The dialect that is understood.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Keywords that move or leave the document, or refer to what is found only while a value is looked at.
const REFUSED: &[&str] =
    &["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"];

/// Refuses a schema that may cost too much. Every object is taken for a schema, also where it is only a value: it may be
/// refused for what it is not, and is never accepted for it.
pub(super) fn check(schema: &Value) -> Result<(), &'static str> {
    let size = serde_json::to_string(schema).map_or(usize::MAX, |text| text.len());
    if size > LARGEST {
        return Err("a schema has at most 16 KiB as JSON");
    }
    let mut walk = Walk { root: schema, known: HashMap::new(), under_way: Vec::new() };
    walk.work(schema).map(drop)
}

struct Walk<'s> {
    root: &'s Value,
    /// What was found out of objects already, by their place in memory.
    known: HashMap<*const Value, usize>,
    under_way: Vec<*const Value>,
}

impl<'s> Walk<'s> {
    /// How many subschemas a value meets here.
    fn work(&mut self, value: &'s Value) -> Result<usize, &'static str> {
        let place: *const Value = value;
        if let Some(known) = self.known.get(&place) {
            return Ok(*known);
        }
        if self.under_way.contains(&place) {
            return Err("a schema must not refer to itself, not even by way of others");
        }
        if self.under_way.len() >= DEEPEST {
            return Err("a schema is at most 64 levels deep, references followed");
        }
        self.under_way.push(place);
        let work = match value {
            Value::Object(members) => self.of_object(members)?,
            Value::Array(items) => self.sum(items.iter())?,
            _ => 0,
        };
        self.under_way.pop();
        if work > MOST_WORK {
            return Err(
                "a schema has at most 1000 subschemas, each counted as often as it is referred to, and a pattern as 20",
            );
        }
        self.known.insert(place, work);
        Ok(work)
    }

    fn of_object(&mut self, members: &'s serde_json::Map<String, Value>) -> Result<usize, &'static str> {
        if REFUSED.iter().any(|word| members.get(*word).is_some_and(|value| !value.is_object())) {
            return Err("`$id`, anchors, dynamic references and vocabularies are not supported");
        }
        if let Some(Value::String(dialect)) = members.get("$schema")
            && dialect.trim_end_matches('#') != DIALECT
        {
            return Err("only draft 2020-12 is supported: leave `$schema` out, or name it");
        }
        let patterns = usize::from(members.get("pattern").is_some_and(Value::is_string))
            + members.get("patternProperties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
        let mut work = 1 + PATTERN * patterns + self.sum(members.values())?;
        if let Some(Value::String(to)) = members.get("$ref") {
            let pointer = to.strip_prefix('#').filter(|rest| rest.starts_with('/') && !rest.contains('%'));
            let pointer = pointer.ok_or("`$ref` names a place in the same schema, such as #/$defs/name")?;
            let target = self.root.pointer(pointer).ok_or("a `$ref` names a place that is not there")?;
            work = work.saturating_add(self.work(target)?);
        }
        // What others left over is found by asking them again.
        let again =
            ["unevaluatedProperties", "unevaluatedItems"].iter().any(|word| members.contains_key(*word));
        Ok(if again { work.saturating_mul(2) } else { work })
    }

    fn sum(&mut self, values: impl Iterator<Item = &'s Value>) -> Result<usize, &'static str> {
        let mut sum = 0_usize;
        for value in values {
            sum = sum.saturating_add(self.work(value)?);
        }
        Ok(sum)
    }
}

//! What a tenant asks of the metadata of its users: JSON Schemas (draft 2020-12), bounded in what they may cost.

mod bounds;

use super::Metadata;
use crate::input::InvalidInput;
use crate::user::profile::Profile;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Most memory a compiled pattern may take, and the tables made while it is matched.
const LARGEST_PATTERN: usize = 256 * 1024;
/// Mismatches told at once.
const MOST_TOLD: usize = 20;
/// Longest place in a schema that is told, in bytes.
const LONGEST_PLACE: usize = 200;

/// JSON Schemas (draft 2020-12) that metadata of users must match when it is written. A user who is created without any,
/// as those are who sign up themselves, has none yet, whatever a schema requires. Each is at most 16 KiB, refers to
/// nothing but its own `$defs`, never to itself, and is replaced as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetadataSchemas {
    /// For `public_metadata`.
    #[schema(value_type = Option<Object>)]
    pub public_schema: Option<Map<String, Value>>,
    /// For `private_metadata`.
    #[schema(value_type = Option<Object>)]
    pub private_schema: Option<Map<String, Value>>,
    /// For `unsafe_metadata`, which users write themselves.
    #[schema(value_type = Option<Object>)]
    pub unsafe_schema: Option<Map<String, Value>>,
}

impl MetadataSchemas {
    /// Refuses schemas that cannot be used.
    pub fn check(&self) -> Result<(), InvalidInput> {
        MetadataRules::of(self).map(drop)
    }
}

/// Schemas that are ready for use.
#[derive(Default)]
pub struct MetadataRules {
    public: Option<Validator>,
    private: Option<Validator>,
    unsafe_: Option<Validator>,
}

impl fmt::Debug for MetadataRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetadataRules")
    }
}

impl MetadataRules {
    /// Prepares schemas.
    pub fn of(schemas: &MetadataSchemas) -> Result<Self, InvalidInput> {
        let MetadataSchemas { public_schema, private_schema, unsafe_schema } = schemas;
        Ok(Self {
            public: prepare("settings.metadata.public_schema", public_schema.as_ref())?,
            private: prepare("settings.metadata.private_schema", private_schema.as_ref())?,
            unsafe_: prepare("settings.metadata.unsafe_schema", unsafe_schema.as_ref())?,
        })
    }

    /// Whether there is a schema for anything.
    pub fn ask_something(&self) -> bool {
        self.public.is_some() || self.private.is_some() || self.unsafe_.is_some()
    }

    /// Compares what a change writes with the schemas. What stays as it was is not looked at: it may be older than its
    /// schema.
    pub fn check_written(&self, before: &Profile, after: &Profile) -> Result<(), Vec<InvalidInput>> {
        let kinds = [
            ("public_metadata", &self.public, &before.public_metadata, &after.public_metadata),
            ("private_metadata", &self.private, &before.private_metadata, &after.private_metadata),
            ("unsafe_metadata", &self.unsafe_, &before.unsafe_metadata, &after.unsafe_metadata),
        ];
        let written = kinds.into_iter().filter(|(_, _, before, after)| before != after);
        let wrong = written.flat_map(|(field, rule, _, after)| mismatches(field, rule.as_ref(), after));
        let wrong: Vec<_> = wrong.take(MOST_TOLD).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

fn prepare(
    field: &'static str,
    schema: Option<&Map<String, Value>>,
) -> Result<Option<Validator>, InvalidInput> {
    let Some(schema) = schema else { return Ok(None) };
    let schema = Value::Object(schema.clone());
    bounds::check(&schema).map_err(|why| InvalidInput::new(field, "invalid_schema", why))?;
    let patterns = PatternOptions::regex().size_limit(LARGEST_PATTERN).dfa_size_limit(LARGEST_PATTERN);
    let options =
        jsonschema::options().with_draft(Draft::Draft202012).offline().with_pattern_options(patterns);
    let built = options.build(&schema).map_err(|error| {
        // What does not match the dialect has its place there, what cannot be compiled in the schema's own path.
        let path = Some(error.instance_path().as_str()).filter(|path| !path.is_empty());
        let path = place(path.unwrap_or(error.schema_path().as_str()));
        let detail = format!("this is no JSON Schema (draft 2020-12) that can be used: look at {path}");
        InvalidInput::new(field, "invalid_schema", detail)
    })?;
    Ok(Some(built))
}

fn mismatches(field: &'static str, rule: Option<&Validator>, metadata: &Metadata) -> Vec<InvalidInput> {
    let Some(rule) = rule else { return Vec::new() };
    let value = Value::Object(metadata.clone().into_object());
    let refuse = |error: ValidationError<'_>| InvalidInput::new(field, "metadata_mismatch", told(&error));
    rule.iter_errors(&value).take(MOST_TOLD).map(refuse).collect()
}

/// Which place of the schema it does not match, in the schema's words alone: names in metadata may be personal, and what
/// is wrong with lines of imports is kept.
fn told(error: &ValidationError<'_>) -> String {
    let place = place(error.schema_path().as_str());
    match error.kind() {
        ValidationErrorKind::Required { property: Value::String(name) } => {
            format!("it lacks `{}`: see {place} in the tenant's schema", shortened(name))
        }
        _ => format!("it does not match {place} in the tenant's schema"),
    }
}

/// A JSON pointer in words.
fn place(pointer: &str) -> String {
    if pointer.is_empty() {
        return "the whole".to_owned();
    }
    format!("`{}`", shortened(pointer))
}

fn shortened(text: &str) -> &str {
    let end = (0..=text.len().min(LONGEST_PLACE)).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests;

use super::extent::excess;
use super::nesting::{is_flat, is_flat_json};
use super::shape::{Declarations, Shape};
use crate::input::InvalidInput;
use cedar_policy::{
    Effect, Entities, Entity, EntityTypeName, EntityUid, PolicyId, PolicySet, Schema, SchemaFragment,
    ValidationMode, Validator,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

/// Bounds of a version, in bytes and policies.
const LARGEST_POLICIES: usize = 32 * 1024;
const LARGEST_SCHEMA: usize = 16 * 1024;
const MOST_POLICIES: usize = 200;
/// Errors told at once.
const MOST_ERRORS: usize = 20;
/// Depth of a schema in JSON.
const DEEPEST_JSON: usize = 48;
/// Bytes of stack for parsing and validating: many times what the deepest text that is let in takes.
const STACK: usize = 64 * 1024 * 1024;
/// Name of the policy in a list of problems, and of its schema.
const POLICIES: &str = "policies";
const SCHEMA: &str = "schema";

/// A schema, in either of Cedar's two forms.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SchemaSource {
    /// As people write it.
    Text(String),
    /// As JSON.
    Json(Value),
}

/// What a version is made of.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySource {
    /// What there is to speak of.
    pub schema: SchemaSource,
    /// What is said of it, as people write it.
    pub policies: String,
}

impl fmt::Debug for PolicySource {
    /// Policies may name people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicySource").finish_non_exhaustive()
    }
}

/// A type of subjects and resources.
pub(super) struct KnownType {
    pub(super) name: EntityTypeName,
    pub(super) shape: Shape,
    /// Types its parents may have.
    pub(super) parents: BTreeSet<String>,
}

/// An action.
pub(super) struct KnownAction {
    pub(super) uid: EntityUid,
    /// With the groups it belongs to; none without any.
    pub(super) grouped: Option<Entity>,
    pub(super) context: Shape,
    /// Types of subjects and resources it goes between.
    pub(super) between: BTreeSet<(String, String)>,
}

/// A version of the policies, ready for questions.
pub struct Compiled {
    pub(super) schema: Schema,
    pub(super) policies: PolicySet,
    pub(super) types: HashMap<String, KnownType>,
    pub(super) actions: HashMap<String, KnownAction>,
    pub(super) forbids: BTreeSet<PolicyId>,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("policies", &self.len()).finish_non_exhaustive()
    }
}

/// At most twenty problems of a field, in the words of Cedar.
fn problems<E: std::fmt::Display>(
    field: &'static str,
    code: &'static str,
    errors: impl IntoIterator<Item = E>,
) -> Vec<InvalidInput> {
    let all = errors.into_iter().take(MOST_ERRORS);
    all.map(|error| InvalidInput::new(field, code, error.to_string())).collect()
}

fn one(field: &'static str, code: &'static str, detail: impl std::fmt::Display) -> Vec<InvalidInput> {
    problems(field, code, [detail])
}

impl Compiled {
    /// Parses policies and validates them strictly against their schema; otherwise says what is wrong.
    pub fn of(source: &PolicySource) -> Result<Self, Vec<InvalidInput>> {
        // Where its stack ends, Cedar's validator leaves off without a word, and what it did not reach counts as valid.
        stacker::grow(STACK, || Self::validated(source))
    }

    fn validated(source: &PolicySource) -> Result<Self, Vec<InvalidInput>> {
        let fragment = fragment(&source.schema)?;
        let bad_schema = |error: &dyn std::fmt::Display| one(SCHEMA, "invalid_schema", error);
        let written = fragment.clone().to_json_value().map_err(|error| bad_schema(&error))?;
        if let Some(why) = written.as_object().and_then(excess) {
            return Err(one(SCHEMA, "schema_too_large", why));
        }
        let schema = Schema::from_schema_fragments([fragment.clone()]).map_err(|error| bad_schema(&error))?;
        let policies = policies(&source.policies)?;
        let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if !result.validation_passed() {
            return Err(problems(POLICIES, "invalid_policies", result.validation_errors()));
        }
        let text = fragment.to_cedarschema().map_err(|error| bad_schema(&error))?;
        let (resolved, _) = cedar_policy::schema_str_to_json_with_resolved_types(&text)
            .map_err(|error| bad_schema(&error))?;
        let declared = Declarations(resolved.as_object().expect("a schema in JSON is an object"));
        let groups = schema.action_entities().map_err(|error| bad_schema(&error))?;
        let forbids = policies.policies().filter(|policy| policy.effect() == Effect::Forbid);
        Ok(Self {
            types: types(&declared),
            actions: actions(&schema, &declared, &groups),
            forbids: forbids.map(|policy| policy.id().clone()).collect(),
            schema,
            policies,
        })
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.policies.num_of_policies()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }
}

fn fragment(source: &SchemaSource) -> Result<SchemaFragment, Vec<InvalidInput>> {
    let refuse = |error: &dyn std::fmt::Display| one(SCHEMA, "invalid_schema", error);
    let too_deep = || one(SCHEMA, "invalid_schema", "the schema nests too deeply");
    let too_large = || one(SCHEMA, "schema_too_large", "a schema has at most 16 KiB");
    match source {
        SchemaSource::Text(text) if text.len() > LARGEST_SCHEMA => Err(too_large()),
        SchemaSource::Text(text) if !is_flat(text, true) => Err(too_deep()),
        SchemaSource::Text(text) => SchemaFragment::from_cedarschema_str(text)
            .map(|(fragment, _)| fragment)
            .map_err(|error| refuse(&error)),
        SchemaSource::Json(json) if json.to_string().len() > LARGEST_SCHEMA => Err(too_large()),
        SchemaSource::Json(json) if !is_flat_json(json, DEEPEST_JSON) => Err(too_deep()),
        SchemaSource::Json(json) => {
            SchemaFragment::from_json_value(json.clone()).map_err(|error| refuse(&error))
        }
    }
}

/// The policies under the names their `@id` gives them.
fn policies(text: &str) -> Result<PolicySet, Vec<InvalidInput>> {
    if text.len() > LARGEST_POLICIES {
        return Err(one(POLICIES, "policies_too_large", "policies have at most 32 KiB together"));
    }
    if !is_flat(text, false) {
        return Err(one(POLICIES, "invalid_policies", "a policy is too deep or too long; split it"));
    }
    let parsed =
        PolicySet::from_str(text).map_err(|errors| problems(POLICIES, "invalid_policies", errors.iter()))?;
    if parsed.num_of_templates() > 0 {
        return Err(one(POLICIES, "policy_template", "templates are not supported; write static policies"));
    }
    if parsed.num_of_policies() > MOST_POLICIES {
        return Err(one(POLICIES, "too_many_policies", "a version has at most 200 policies"));
    }
    let mut named = PolicySet::new();
    for policy in parsed.policies() {
        let policy = match policy.annotation("id") {
            Some(id) if !is_name(id) => {
                let detail = "an @id is 1 to 100 of a-z, A-Z, 0-9, _, -, . and :";
                return Err(one(POLICIES, "invalid_policy_id", detail));
            }
            Some(id) => policy.new_id(PolicyId::new(id)),
            None => policy.clone(),
        };
        let taken = |error| one(POLICIES, "policy_id_taken", error);
        named.add(policy).map_err(taken)?;
    }
    Ok(named)
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    (1..=100).contains(&text.len()) && text.bytes().all(allowed)
}

fn types(declared: &Declarations<'_>) -> HashMap<String, KnownType> {
    let mut types = HashMap::new();
    for (namespace, declarations) in declared.0 {
        for (name, kind) in declarations["entityTypes"].as_object().into_iter().flatten() {
            let full = qualified(namespace, name);
            let Ok(type_name) = EntityTypeName::from_str(&full) else { continue };
            let parents = kind["memberOfTypes"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let known = KnownType {
                name: type_name,
                shape: declared.shape(namespace, kind.get("shape")),
                // They are resolved: what has no namespace here is in none.
                parents: parents.map(str::to_owned).collect(),
            };
            types.insert(full, known);
        }
    }
    types
}

/// Actions by their names in questions: their ids, after the namespace if there is one.
fn actions(schema: &Schema, declared: &Declarations<'_>, groups: &Entities) -> HashMap<String, KnownAction> {
    let mut actions: HashMap<String, KnownAction> = HashMap::new();
    for environment in schema.request_envs() {
        let uid = environment.action();
        let (namespace, id) = (uid.type_name().namespace(), uid.id().unescaped());
        let known = actions.entry(qualified(&namespace, id)).or_insert_with(|| {
            let declaration = declared.0.get(&namespace).and_then(|all| all.get("actions")?.get(id));
            let context = declaration.and_then(|action| action.get("appliesTo")?.get("context"));
            KnownAction {
                uid: uid.clone(),
                grouped: groups
                    .get(uid)
                    .filter(|_| groups.ancestors(uid).is_some_and(|mut all| all.next().is_some()))
                    .cloned(),
                context: declared.shape(&namespace, context),
                between: BTreeSet::new(),
            }
        });
        known.between.insert((environment.principal().to_string(), environment.resource().to_string()));
    }
    actions
}

fn qualified(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}::{name}") }
}

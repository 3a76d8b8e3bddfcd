//! What a schema declares of attributes, so that what it does not declare can be left out: requests carry more than
//! policies ask for, and Cedar would refuse it.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The type of an attribute, as far as it has others inside.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Shape {
    Record(BTreeMap<String, Shape>),
    Set(Box<Shape>),
    /// Nothing to look into.
    #[default]
    Plain,
}

impl Shape {
    /// Without any attribute.
    pub(super) fn nothing() -> Self {
        Self::Record(BTreeMap::new())
    }

    /// What is declared of a JSON object; `null` counts as absent.
    pub(super) fn declared(&self, object: &Map<String, Value>) -> Map<String, Value> {
        let Self::Record(members) = self else { return Map::new() };
        let known = |(name, shape): (&String, &Self)| {
            let value = object.get(name).filter(|value| !value.is_null())?;
            Some((name.clone(), shape.pruned(value)))
        };
        members.iter().filter_map(known).collect()
    }

    fn pruned(&self, value: &Value) -> Value {
        match (self, value) {
            // An escape of Cedar's JSON is no record.
            (Self::Record(_), Value::Object(object)) if !is_escape(object) => self.declared(object).into(),
            (Self::Set(element), Value::Array(items)) => {
                items.iter().map(|item| element.pruned(item)).collect()
            }
            _ => value.clone(),
        }
    }

    /// The shape of a member of a record.
    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self, Self::Record(members) if members.contains_key(name))
    }
}

fn is_escape(object: &Map<String, Value>) -> bool {
    object.len() == 1 && (object.contains_key("__entity") || object.contains_key("__extn"))
}

/// The declarations of a schema in Cedar's JSON, by namespace.
pub(super) struct Declarations<'s>(pub(super) &'s Map<String, Value>);

impl Declarations<'_> {
    /// The shape of a type as it is written in a namespace.
    pub(super) fn shape(&self, namespace: &str, kind: Option<&Value>) -> Shape {
        let Some(kind) = kind else { return Shape::nothing() };
        match kind["type"].as_str() {
            Some("Record") => {
                let attributes = kind["attributes"].as_object().into_iter().flatten();
                let shape =
                    |(name, kind): (&String, &Value)| (name.clone(), self.shape(namespace, Some(kind)));
                Shape::Record(attributes.map(shape).collect())
            }
            Some("Set") => Shape::Set(Box::new(self.shape(namespace, Some(&kind["element"])))),
            Some("String" | "Long" | "Boolean" | "Entity" | "Extension") => Shape::Plain,
            // A name of a common type, alone or under a member of its own.
            Some("EntityOrCommon" | "CommonTypeRef") => self.common(namespace, kind["name"].as_str()),
            name => self.common(namespace, name),
        }
    }

    /// Types declared by name refer to each other without a circle: the schema was checked.
    fn common(&self, namespace: &str, name: Option<&str>) -> Shape {
        let Some(name) = name else { return Shape::Plain };
        let (inside, base) = name.rsplit_once("::").unwrap_or(("", name));
        let places = if inside.is_empty() { [namespace, ""] } else { [inside, inside] };
        let found = places
            .into_iter()
            .find_map(|place| Some((place, self.0.get(place)?.get("commonTypes")?.get(base)?)));
        found.map_or(Shape::Plain, |(place, kind)| self.shape(place, Some(kind)))
    }
}

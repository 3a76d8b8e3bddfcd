//! How much there is to a schema once every name is written out. A few hundred bytes may stand for billions of members,
//! or of pairs a policy would be checked for; what is too much is refused before anything works it out.

use serde_json::{Map, Value};
use std::collections::HashMap;

/// Types and actions declared.
const MOST_DECLARED: usize = 500;
/// Members of all types and contexts.
const MOST_MEMBERS: usize = 10_000;
/// Members within members.
const DEEPEST: usize = 32;
/// Actions, each with every type of subject and resource it goes between.
const MOST_PAIRS: usize = 1_000;

/// Members a type has, and how deep they go.
#[derive(Clone, Copy, Default)]
struct Extent {
    members: usize,
    depth: usize,
}

impl Extent {
    fn beside(self, other: Self) -> Self {
        Self { members: self.members.saturating_add(other.members), depth: self.depth.max(other.depth) }
    }

    fn within(self) -> Self {
        Self { members: self.members.saturating_add(1), depth: self.depth.saturating_add(1) }
    }
}

/// What is too much about a schema in Cedar's JSON, if anything is.
pub(super) fn excess(schema: &Map<String, Value>) -> Option<&'static str> {
    let declared = |what: &str| -> usize {
        schema.values().filter_map(|declared| declared[what].as_object()).map(Map::len).sum()
    };
    if declared("entityTypes") + declared("actions") + declared("commonTypes") > MOST_DECLARED {
        return Some("a schema declares at most 500 types and actions");
    }
    let pairs = members(schema, "actions").map(|action| {
        let count = |what| action["appliesTo"][what].as_array().map_or(0, Vec::len);
        count("principalTypes") * count("resourceTypes")
    });
    if pairs.sum::<usize>() > MOST_PAIRS {
        return Some(
            "the actions of a schema go between at most 1000 pairs of types; group them by their parents",
        );
    }
    let extent = Names::of(schema).everything(schema);
    if extent.members > MOST_MEMBERS {
        return Some("the types of a schema have at most 10000 members, each name written out");
    }
    (extent.depth > DEEPEST).then_some("the schema nests too deeply")
}

fn members<'s>(schema: &'s Map<String, Value>, what: &'static str) -> impl Iterator<Item = &'s Value> {
    schema.values().filter_map(move |declared| declared[what].as_object()).flat_map(Map::values)
}

/// Types declared by name, and the extents of those that were looked at. Those of one name in several namespaces count
/// as one with the members of all.
struct Names<'s> {
    declared: HashMap<&'s str, Vec<&'s Value>>,
    known: HashMap<&'s str, Extent>,
}

impl<'s> Names<'s> {
    fn of(schema: &'s Map<String, Value>) -> Self {
        let mut declared: HashMap<&str, Vec<&Value>> = HashMap::new();
        for (name, kind) in schema.values().filter_map(|all| all["commonTypes"].as_object()).flatten() {
            declared.entry(name).or_default().push(kind);
        }
        Self { declared, known: HashMap::new() }
    }

    fn everything(&mut self, schema: &'s Map<String, Value>) -> Extent {
        let entities = members(schema, "entityTypes").flat_map(|kind| [&kind["shape"], &kind["tags"]]);
        let contexts = members(schema, "actions").map(|action| &action["appliesTo"]["context"]);
        let named = members(schema, "commonTypes");
        let all = entities.chain(contexts).chain(named);
        all.fold(Extent::default(), |sum, kind| sum.beside(self.extent(kind)))
    }

    /// It recurses as deep as types nest and names refer to each other; both were bounded.
    fn extent(&mut self, kind: &'s Value) -> Extent {
        match kind["type"].as_str() {
            Some("Record") => {
                let attributes = kind["attributes"].as_object().into_iter().flat_map(Map::values);
                attributes.fold(Extent::default(), |sum, kind| sum.beside(self.extent(kind).within()))
            }
            Some("Set") => self.extent(&kind["element"]).within(),
            Some("EntityOrCommon" | "CommonTypeRef") => {
                kind["name"].as_str().map_or_else(Extent::default, |n| self.named(n))
            }
            Some(name) => self.named(name),
            None => Extent::default(),
        }
    }

    fn named(&mut self, name: &str) -> Extent {
        let base = name.rsplit_once("::").map_or(name, |(_, base)| base);
        let Some((&base, kinds)) = self.declared.get_key_value(base) else { return Extent::default() };
        if let Some(known) = self.known.get(base) {
            return *known;
        }
        // A circle ends here; Cedar refuses it later.
        self.known.insert(base, Extent::default());
        let kinds = kinds.clone();
        let extent = kinds.into_iter().fold(Extent::default(), |sum, kind| sum.beside(self.extent(kind)));
        self.known.insert(base, extent);
        extent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn excess_of(schema: Value) -> Option<&'static str> {
        excess(schema.as_object().expect("an object"))
    }

    fn record(members: Value) -> Value {
        json!({ "type": "Record", "attributes": members })
    }

    #[test]
    fn names_count_as_what_they_stand_for() {
        let doubling = |names: usize| {
            let kind = |number: usize| {
                let next = json!({ "type": "EntityOrCommon", "name": format!("T{}", number + 1) });
                (format!("T{number}"), record(json!({ "a": next, "b": next })))
            };
            json!({ "": { "commonTypes": (0..names).map(kind).collect::<Map<_, _>>(), "entityTypes": {}, "actions": {} } })
        };
        assert_eq!(excess_of(doubling(10)), None);
        assert!(excess_of(doubling(20)).is_some_and(|why| why.contains("members")));
        assert!(excess_of(doubling(400)).is_some(), "numbers that do not fit");
        let circle = record(
            json!({ "a": { "type": "Again" }, "b": { "type": "Set", "element": { "type": "X::Again" } } }),
        );
        assert_eq!(excess_of(json!({ "": { "commonTypes": { "Again": circle } } })), None);
        let line = |number: usize| {
            (format!("T{number}"), record(json!({ "a": { "type": format!("T{}", number + 1) } })))
        };
        let lines = |names| json!({ "": { "commonTypes": (0..names).map(line).collect::<Map<_, _>>() } });
        assert_eq!(excess_of(lines(32)), None);
        assert_eq!(excess_of(lines(33)), Some("the schema nests too deeply"));
    }

    #[test]
    fn pairs_and_declarations_are_bounded() {
        let kinds = |number: usize| (0..number).map(|one| format!("t{one}")).collect::<Vec<_>>();
        let action = |subjects, resources| {
            let applies = json!({ "principalTypes": kinds(subjects), "resourceTypes": kinds(resources) });
            json!({ "": { "actions": { "a": { "appliesTo": applies }, "b": {} } } })
        };
        assert_eq!(excess_of(action(10, 100)), None);
        assert!(excess_of(action(10, 101)).is_some_and(|why| why.contains("pairs")));
        let types = |number| kinds(number).into_iter().map(|name| (name, json!({}))).collect::<Map<_, _>>();
        assert_eq!(excess_of(json!({ "": { "entityTypes": types(499), "actions": { "a": {} } } })), None);
        assert!(excess_of(json!({ "": { "entityTypes": types(500), "actions": { "a": {} } } })).is_some());
    }
}

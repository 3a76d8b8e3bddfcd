use super::compiled::{Compiled, KnownType};
use super::shape::Shape;
use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use std::str::FromStr;

/// Types of entities that Plinto knows more of than a question says.
pub(super) const ORGANIZATION: &str = "organization";
const ROLE: &str = "role";

/// What is known of a subject.
#[derive(Clone, Copy)]
pub struct PrincipalFacts<'f> {
    /// `user` or `service_account`.
    pub kind: &'f str,
    /// Its id.
    pub id: &'f str,
    /// Keys of the roles it holds in the tenant or an organization.
    pub roles: &'f [String],
    /// Ids of the organizations it is a member of.
    pub organizations: &'f [String],
    /// Its public metadata.
    pub metadata: Option<&'f Map<String, Value>>,
    /// Domain of its verified primary address.
    pub email_domain: Option<&'f str>,
}

/// A subject as policies see it, ready for questions about it. No `Debug`: it is personal.
pub struct Principal {
    pub(super) kind: String,
    pub(super) uid: EntityUid,
    /// With what the schema declares of it; otherwise why what is known does not fit the schema.
    pub(super) entities: Result<Entities, String>,
    /// With its parents and nothing else, for questions that the schema does not know.
    pub(super) bare: Entities,
}

/// Longest name of a type that is looked at.
const LONGEST_TYPE: usize = 256;

/// An error of Cedar with its cause, which is what says something.
pub(super) fn told(error: impl std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// A name of an entity, whatever its id is; none for a type that Cedar cannot write.
pub(super) fn uid(kind: &str, id: &str) -> Option<EntityUid> {
    let short = Some(kind).filter(|kind| kind.len() <= LONGEST_TYPE)?;
    let name = EntityTypeName::from_str(short).ok()?;
    Some(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}

pub(super) fn of_type(known: &KnownType, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(known.name.clone(), EntityId::new(id))
}

impl Compiled {
    /// What policies see of a subject: its roles and organizations as parents, and of what else is known what the schema
    /// declares.
    pub fn principal(&self, facts: &PrincipalFacts<'_>) -> Principal {
        let uid = uid(facts.kind, facts.id).expect("`user` and `service_account` are names");
        let known = self.types.get(facts.kind);
        let mut attributes = Map::new();
        if let Some(metadata) = facts.metadata {
            attributes.insert("metadata".to_owned(), metadata.clone().into());
        }
        if let Some(domain) = facts.email_domain {
            attributes.insert("email_domain".to_owned(), domain.into());
        }
        let organizations = facts.organizations.iter().map(|id| (ORGANIZATION, id.as_str()));
        let parents = organizations.chain(facts.roles.iter().map(|key| (ROLE, key.as_str())));
        let uids = parents.clone().filter_map(|(kind, id)| self::uid(kind, id)).collect();
        let bare = Entities::from_entities([Entity::new_no_attrs(uid.clone(), uids)], None);
        let bare = bare.expect("one entity contradicts no other");
        let entities = match known {
            None => Ok(bare.clone()),
            Some(known) => self
                .entity(known, facts.id, &attributes, parents)
                .and_then(|entity| Entities::from_entities([entity], None).map_err(told)),
        };
        Principal { kind: facts.kind.to_owned(), uid, entities, bare }
    }

    /// An entity with what the schema declares of its attributes and parents; otherwise why that does not fit it.
    pub(super) fn entity<'p>(
        &self,
        known: &KnownType,
        id: &str,
        attributes: &Map<String, Value>,
        parents: impl Iterator<Item = (&'p str, &'p str)>,
    ) -> Result<Entity, String> {
        let declared = known.shape.declared(attributes);
        let parents = parents.filter(|(kind, _)| known.parents.contains(*kind));
        if declared.is_empty() {
            let parents: HashSet<_> = parents.filter_map(|(kind, id)| uid(kind, id)).collect();
            return Entity::new(of_type(known, id), HashMap::new(), parents).map_err(told);
        }
        let parents: Vec<_> = parents.map(|(kind, id)| json!({ "type": kind, "id": id })).collect();
        let uid = json!({ "type": known.name.to_string(), "id": id });
        let entity = json!({ "uid": uid, "attrs": declared, "parents": parents });
        Entity::from_json_value(entity, Some(&self.schema)).map_err(told)
    }
}

/// What is declared of a context, with the action's own properties under `action` unless the context has such.
pub(super) fn context(
    shape: &Shape,
    context: Option<&Map<String, Value>>,
    action: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let empty = Map::new();
    let mut declared = shape.declared(context.unwrap_or(&empty));
    if let Some(action) = action.filter(|_| shape.has("action") && !declared.contains_key("action")) {
        let wrapped = Map::from_iter([("action".to_owned(), Value::from(action.clone()))]);
        declared.extend(shape.declared(&wrapped));
    }
    declared
}

//! Creating, changing and deleting an organization.

use super::{Organization, OrganizationEvent, OrganizationSlug, OrganizationWrite, Permission, Standing};
use crate::audit::Event;
use crate::authorization::RoleKey;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::id::{OrganizationId, UserId};
use crate::input::InvalidInput;
use crate::metadata::{Metadata, MetadataPatch};
use crate::name::DisplayName;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use serde_json::{Map, Value};

/// An organization to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrganization {
    /// Unique in the tenant.
    pub slug: OrganizationSlug,
    /// Its name for people.
    pub name: DisplayName,
    /// What the tenant keeps with it.
    pub metadata: Metadata,
    /// Its first owner.
    pub owner: UserId,
}

impl NewOrganization {
    /// Checks the fields of a new organization, and tells everything that is wrong with them.
    pub fn parse(
        slug: &str,
        name: &str,
        metadata: Option<Map<String, Value>>,
        owner: &str,
    ) -> Result<Self, Vec<InvalidInput>> {
        let slug = OrganizationSlug::parse("slug", slug);
        let name = DisplayName::parse("name", name);
        let metadata = MetadataPatch::parse("metadata", Some(metadata.unwrap_or_default()));
        let owner = parse_user("owner", owner);
        match (slug, name, metadata, owner) {
            (Ok(slug), Ok(name), Ok(metadata), Ok(owner)) => {
                // What fits as a patch fits as a whole.
                let metadata = Metadata::default().merged(&metadata).unwrap_or_default();
                Ok(Self { slug, name, metadata, owner })
            }
            (slug, name, metadata, owner) => {
                let errors = [slug.err(), name.err(), metadata.err(), owner.err()];
                Err(errors.into_iter().flatten().collect())
            }
        }
    }
}

/// A user's id among the fields of a request.
pub(super) fn parse_user(field: &'static str, text: &str) -> Result<UserId, InvalidInput> {
    let detail = "expected the id of a user: usr_ and 32 hexadecimal digits";
    text.parse().map_err(|_| InvalidInput::new(field, "invalid_user", detail))
}

/// Creates an organization.
pub fn create(
    organization: OrganizationId,
    new: NewOrganization,
    now: Timestamp,
) -> Decision<OrganizationId> {
    let NewOrganization { slug, name, metadata, owner } = new;
    Decision {
        writes: vec![Write::Organization(OrganizationWrite::Insert {
            organization,
            slug,
            name,
            metadata,
            owner,
            at: now,
        })],
        events: vec![
            Event::Organization(OrganizationEvent::Created { organization, owner }),
            Event::Organization(OrganizationEvent::MemberAdded {
                organization,
                user: owner,
                role: RoleKey::owner(),
            }),
        ],
        reply: organization,
    }
}

/// A change of an organization (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationChange {
    /// The new slug.
    pub slug: Option<OrganizationSlug>,
    /// The new name.
    pub name: Option<DisplayName>,
    /// Of its metadata.
    pub metadata: Option<MetadataPatch>,
}

impl OrganizationChange {
    /// Checks a change, and tells everything that is wrong with it.
    pub fn parse(
        slug: Option<&str>,
        name: Option<&str>,
        metadata: Option<Option<Map<String, Value>>>,
    ) -> Result<Self, Vec<InvalidInput>> {
        let slug = slug.map(|slug| OrganizationSlug::parse("slug", slug)).transpose();
        let name = name.map(|name| DisplayName::parse("name", name)).transpose();
        let metadata = metadata.map(|patch| MetadataPatch::parse("metadata", patch)).transpose();
        match (slug, name, metadata) {
            (Ok(slug), Ok(name), Ok(metadata)) => Ok(Self { slug, name, metadata }),
            (slug, name, metadata) => {
                Err([slug.err(), name.err(), metadata.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// Changes an organization. What is already so is not written again.
pub fn change(
    standing: &Standing,
    organization: &Organization,
    change: OrganizationChange,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    standing.require(Permission::ChangeOrganization)?;
    precondition.check(organization.version)?;
    let slug = change.slug.unwrap_or_else(|| organization.slug.clone());
    let name = change.name.unwrap_or_else(|| organization.name.clone());
    let metadata = match change.metadata {
        Some(patch) => organization.metadata.merged(&patch)?,
        None => organization.metadata.clone(),
    };
    let mut fields = Vec::new();
    let changes = [
        (slug != organization.slug, "slug"),
        (name != organization.name, "name"),
        (metadata != organization.metadata, "metadata"),
    ];
    fields.extend(changes.into_iter().filter_map(|(differs, field)| differs.then_some(field)));
    if fields.is_empty() {
        return Ok(Decision::reply_only(()));
    }
    let (organization, expected_version) = (organization.id, organization.version);
    Ok(Decision {
        writes: vec![Write::Organization(OrganizationWrite::Update {
            organization,
            slug,
            name,
            metadata,
            expected_version,
            at: now,
        })],
        events: vec![Event::Organization(OrganizationEvent::Changed { organization, fields })],
        reply: (),
    })
}

/// Deletes an organization with all that belongs to it.
pub fn delete(
    standing: &Standing,
    organization: &Organization,
    precondition: &Precondition,
) -> Result<Decision<()>, Denial> {
    standing.require(Permission::DeleteOrganization)?;
    precondition.check(organization.version)?;
    let (organization, expected_version) = (organization.id, organization.version);
    Ok(Decision {
        writes: vec![Write::Organization(OrganizationWrite::Delete { organization, expected_version })],
        events: vec![Event::Organization(OrganizationEvent::Deleted { organization })],
        reply: (),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{NOT_PERMITTED, UNKNOWN_ORGANIZATION};
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn acme() -> Organization {
        Organization {
            id: OrganizationId::from_uuid(Uuid::from_u128(1)),
            slug: OrganizationSlug::parse("slug", "acme").expect("valid"),
            name: DisplayName::parse("name", "Acme").expect("valid"),
            metadata: Metadata::default(),
            version: 2,
        }
    }

    fn decide(standing: &Standing, wanted: OrganizationChange) -> Result<Decision<()>, Denial> {
        change(standing, &acme(), wanted, &Precondition::None, Timestamp::from_millis(9))
    }

    #[test]
    fn a_change_says_which_fields_it_is_about() {
        let patch = Some(json!({ "plan": "gold" }).as_object().cloned());
        let wanted = OrganizationChange::parse(None, Some("Acme Ltd"), patch).expect("valid");
        let decision = decide(&Standing::Tenant, wanted).expect("allowed");
        assert_eq!(decision.events[0].data(), json!({ "fields": ["name", "metadata"] }));
        let same =
            OrganizationChange::parse(Some("acme"), Some("Acme"), Some(Some(Map::new()))).expect("valid");
        assert!(decide(&Standing::Tenant, same).expect("allowed").writes.is_empty());
    }

    #[test]
    fn only_those_who_may_change_or_delete_it() {
        let member = Standing::Member(RoleKey::member());
        let wanted = OrganizationChange::default;
        assert_eq!(decide(&member, wanted()).expect_err("refused"), NOT_PERMITTED);
        assert_eq!(decide(&Standing::Stranger, wanted()).expect_err("refused"), UNKNOWN_ORGANIZATION);
        let admin = Standing::Member(RoleKey::admin());
        assert!(decide(&admin, wanted()).is_ok());
        assert_eq!(delete(&admin, &acme(), &Precondition::None).expect_err("refused"), NOT_PERMITTED);
        assert!(delete(&Standing::Member(RoleKey::owner()), &acme(), &Precondition::None).is_ok());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let refused = NewOrganization::parse("A", "", None, "usr_1").expect_err("refused");
        let fields: Vec<_> = refused.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["slug", "name", "owner"]);
    }
}

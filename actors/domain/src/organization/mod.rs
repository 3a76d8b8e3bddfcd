//! Organizations: groups of users inside a tenant, with members who have roles in them.

mod changes;
pub mod domain;
mod event;
pub mod invitation;
mod membership;
mod policy;
mod role;
mod write;

pub use changes::{NewOrganization, OrganizationChange, change, create, delete};
pub use event::OrganizationEvent;
pub use membership::{Membership, NewMember, Roster, add, parse_transfer, remove, set_role, transfer};
pub use policy::{
    Candidate, OrganizationPolicy, PolicyChange, PolicyRefused, SignInMethod, StoredPolicy, change_policy,
};
pub use role::{Permission, Standing};
pub use write::OrganizationWrite;

use crate::denial::{Denial, DenialKind};
use crate::id::OrganizationId;
use crate::input::InvalidInput;
use crate::metadata::Metadata;
use crate::name::DisplayName;
use crate::tenant::TenantSlug;

/// There is no such organization, or the caller is no member of it: the two look the same.
pub const UNKNOWN_ORGANIZATION: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_organization",
    "Unknown organization",
    "there is no organization of this id that you are a member of",
);

/// The user is not a member.
pub const UNKNOWN_MEMBER: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_member",
    "Unknown member",
    "this user is not a member of the organization",
);

/// The caller's role does not suffice.
pub const NOT_PERMITTED: Denial = Denial::new(
    DenialKind::Forbidden,
    "organization_permission_needed",
    "Permission needed",
    "your role in the organization does not permit this; ask one of its owners",
);

/// Two organizations of a tenant with one slug.
pub const SLUG_TAKEN: Denial = Denial::new(
    DenialKind::Conflict,
    "organization_slug_taken",
    "Slug taken",
    "another organization of the tenant has this slug; choose another",
);

/// The user is a member already.
pub const ALREADY_MEMBER: Denial = Denial::new(
    DenialKind::Conflict,
    "already_member",
    "Already a member",
    "this user is a member of the organization; change the member's role instead",
);

/// Nobody would own the organization.
pub const LAST_OWNER: Denial = Denial::new(
    DenialKind::Conflict,
    "last_owner",
    "Last owner",
    "an organization always has an owner: make another member an owner, or transfer the ownership, first",
);

/// Only an owner has an ownership to transfer.
pub const NOT_AN_OWNER: Denial = Denial::new(
    DenialKind::Conflict,
    "not_an_owner",
    "Not an owner",
    "only the ownership of an owner can be transferred",
);

/// The receiver of an ownership has it already.
pub const ALREADY_OWNER: Denial = Denial::new(
    DenialKind::Conflict,
    "already_owner",
    "Already an owner",
    "this member is an owner; choose another member",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[
    UNKNOWN_ORGANIZATION,
    UNKNOWN_MEMBER,
    NOT_PERMITTED,
    SLUG_TAKEN,
    ALREADY_MEMBER,
    LAST_OWNER,
    NOT_AN_OWNER,
    ALREADY_OWNER,
];

/// An organization's name in URLs: 2 to 63 of `a-z`, `0-9` and inner hyphens; unique in its tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrganizationSlug(TenantSlug);

impl OrganizationSlug {
    /// Checks a slug; the rules are those of tenants' slugs.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        TenantSlug::parse(field, text).map(Self)
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// How a request names an organization: by id or by slug. No id is a slug, which has no underscore.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrganizationName {
    /// By its id.
    Id(OrganizationId),
    /// By its slug.
    Slug(OrganizationSlug),
}

impl OrganizationName {
    /// Checks the form of a name; says nothing about whether there is such an organization.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => {
                let detail = "expected the id or the slug of an organization, such as acme";
                let wrong = |_| InvalidInput::new(field, "invalid_organization", detail);
                OrganizationSlug::parse(field, text).map(Self::Slug).map_err(wrong)
            }
        }
    }
}

/// What a decision has to know of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Which.
    pub id: OrganizationId,
    /// Its name in URLs.
    pub slug: OrganizationSlug,
    /// Its name for people.
    pub name: DisplayName,
    /// What the tenant keeps with it.
    pub metadata: Metadata,
    /// Grows by one with each change.
    pub version: i64,
}

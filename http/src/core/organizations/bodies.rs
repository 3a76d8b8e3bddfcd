use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::versions::Versioned;
use axum::Json;
use plinto_actors::{MemberView, MembershipView, OrganizationView};
use plinto_domain::id::OrganizationId;
use plinto_domain::{Timestamp, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// An organization.
#[derive(Serialize, ToSchema)]
pub(crate) struct Organization {
    #[schema(value_type = String, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: OrganizationId,
    /// Its name in URLs; unique in the tenant.
    slug: String,
    /// Its name for people.
    name: String,
    /// What is kept with it.
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    /// How many owners it has; never none.
    owners: i64,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<OrganizationView> for Organization {
    fn from(view: OrganizationView) -> Self {
        let OrganizationView { id, slug, name, metadata, owners, created_at, updated_at, .. } = view;
        Self { id, slug, name, metadata, owners, created_at, updated_at }
    }
}

pub(super) fn versioned(view: OrganizationView) -> Versioned<Organization> {
    Versioned { version: view.version, body: view.into() }
}

/// A member of an organization.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationMember)]
pub(crate) struct Member {
    /// Who.
    #[schema(value_type = String, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    user: UserId,
    /// As what: `owner`, `admin`, `member`, or the key of a role of level `organization`.
    role: String,
    /// Since when, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When the role was last changed, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<MemberView> for Member {
    fn from(view: MemberView) -> Self {
        let MemberView { user, role, created_at, updated_at, .. } = view;
        Self { user, role: role.to_string(), created_at, updated_at }
    }
}

pub(super) fn versioned_member(view: MemberView) -> Versioned<Member> {
    Versioned { version: view.version, body: view.into() }
}

/// An organization a user belongs to.
#[derive(Serialize, ToSchema)]
pub(crate) struct Membership {
    organization: Organization,
    /// As what.
    role: String,
}

impl From<MembershipView> for Membership {
    fn from(view: MembershipView) -> Self {
        Self { organization: view.organization.into(), role: view.role.to_string() }
    }
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Items on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

impl PageQuery {
    pub(super) fn paging<C: std::str::FromStr>(&self) -> Result<Paging<C>, Problem> {
        Paging::of(self.after.as_deref(), self.limit)
    }
}

pub(super) fn memberships(
    paging: &Paging<OrganizationId>,
    found: Vec<MembershipView>,
) -> Json<Page<Membership>> {
    Json(paging.page(found, |one| one.organization.id.to_string(), Membership::from))
}

pub(super) fn members(paging: &Paging<UserId>, found: Vec<MemberView>) -> Json<Page<Member>> {
    Json(paging.page(found, |one| one.user.to_string(), Member::from))
}

/// A new organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganizationBody {
    /// Its name in URLs: 2 to 63 of a-z, 0-9 and inner hyphens; unique in the tenant.
    #[schema(example = "acme")]
    pub(super) slug: String,
    /// Its name for people.
    #[schema(example = "Acme GmbH")]
    pub(super) name: String,
    /// What to keep with it, at most 8 KiB as JSON.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({}))]
    pub(super) metadata: Option<Map<String, Value>>,
    /// Id of the user who is its first owner.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    pub(super) owner: String,
}

/// A change (RFC 7396): what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganizationChangeBody {
    /// Its name in URLs.
    pub(super) slug: Option<String>,
    /// Its name for people.
    pub(super) name: Option<String>,
    /// Members of the metadata are set, `null` removes one, or all of them.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    pub(super) metadata: Option<Option<Map<String, Value>>>,
}

/// Tells `null` from what is left out.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Map<String, Value>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A new member.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMemberBody {
    /// Id of a user of the tenant.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    pub(super) user: String,
    /// `owner`, `admin`, `member` (the default), or the key of a role of level `organization`.
    #[serde(default = "member")]
    #[schema(example = "member")]
    pub(super) role: String,
}

fn member() -> String {
    "member".to_owned()
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberRoleBody {
    /// `owner`, `admin`, `member`, or the key of a role of level `organization`.
    #[schema(example = "admin")]
    pub(super) role: String,
}

/// Who hands on an ownership to whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferBody {
    /// Id of an owner, who becomes an admin.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    pub(super) from: String,
    /// Id of a member, who becomes an owner.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f709")]
    pub(super) to: String,
}

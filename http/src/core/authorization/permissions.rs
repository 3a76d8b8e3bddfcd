use crate::extract::{ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use plinto_actors::{HeldPermission, Why};
use plinto_domain::authorization::{Place, Source};
use plinto_domain::id::{GrantId, OrganizationId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Why somebody has a permission: by a grant or by a membership, through a path of roles.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reason {
    /// The permission that covers it.
    #[schema(example = "document:read")]
    permission: String,
    /// The grant it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    grant: Option<GrantId>,
    /// The organization whose membership it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    membership: Option<OrganizationId>,
    /// Keys of the roles, from the one granted to the one that names the permission; empty if it was granted by itself.
    roles: Vec<String>,
}

impl Reason {
    /// What kind of thing gives the right.
    pub(in crate::core) fn decided_by(&self) -> &'static str {
        if self.grant.is_some() { "grant" } else { "membership" }
    }
}

impl From<Why> for Reason {
    fn from(why: Why) -> Self {
        let (grant, membership) = match why.source {
            Source::Grant(grant) => (Some(grant), None),
            Source::Membership(organization) => (None, Some(organization)),
        };
        let roles = why.path.iter().map(ToString::to_string).collect();
        Self { permission: why.permission.to_string(), grant, membership, roles }
    }
}

/// A permission somebody has somewhere.
#[derive(Serialize, ToSchema)]
pub(crate) struct Held {
    #[serde(flatten)]
    reason: Reason,
    /// The organization it holds in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    organization: Option<OrganizationId>,
    /// The resource it holds on, `type:id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
}

impl From<HeldPermission> for Held {
    fn from(held: HeldPermission) -> Self {
        let (organization, resource) = match held.place {
            Place::Tenant => (None, None),
            Place::Organization(organization) => (Some(organization), None),
            Place::Resource(resource) => (None, Some(resource.to_string())),
        };
        Self { reason: held.why.into(), organization, resource }
    }
}

/// The user a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct UserPath {
    user: String,
}

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Permissions on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// Everything a user may do, by permission and by where it holds, with the grant or membership it comes from.
#[utoipa::path(get, path = "/v1/users/{user}/permissions", tag = "authorization", params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), PermissionsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<Held>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn of_user(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
    QueryOf(query): QueryOf<PermissionsQuery>,
) -> Result<Json<Page<Held>>, Problem> {
    let paging = Paging::<usize>::of(query.after.as_deref(), query.limit)?;
    let held = state.platform().permissions_of(tenant, path_id(&path.user)?, state.deadline()).await?;
    let first = paging.after.unwrap_or(0);
    // The cursor is how many went before: what a user may do is compiled as a whole for each page.
    let numbered: Vec<_> = held.into_iter().enumerate().skip(first).take(paging.to_read() as usize).collect();
    Ok(Json(paging.page(numbered, |(number, _)| (number + 1).to_string(), |(_, held)| held.into())))
}

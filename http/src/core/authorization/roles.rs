use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::{Problem, internal};
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::{RoleView, ServiceError};
use plinto_domain::Timestamp;
use plinto_domain::authorization::{RoleChange, RoleDraft};
use plinto_domain::id::RoleId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A role: permissions under a name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Role {
    #[schema(value_type = String, example = "rol_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: RoleId,
    /// Its name in programs; unique in the tenant.
    #[schema(example = "editor")]
    key: String,
    /// Its name for people.
    name: String,
    /// What it is for; may be empty.
    description: String,
    /// Where it may be granted: `tenant` or `organization`, and on resources.
    level: &'static str,
    /// What it permits itself, `resource:action`; `*` stands for all.
    #[schema(example = json!(["document:read", "comment:*"]))]
    permissions: Vec<String>,
    /// Keys of the roles whose permissions it has as well.
    inherits: Vec<String>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<RoleView> for Role {
    fn from(view: RoleView) -> Self {
        let RoleView { role, created_at, updated_at } = view;
        Self {
            id: role.id,
            key: role.key.to_string(),
            name: role.name.as_str().to_owned(),
            description: role.description,
            level: role.level.as_str(),
            permissions: role.permissions.iter().map(ToString::to_string).collect(),
            inherits: role.inherits.iter().map(ToString::to_string).collect(),
            created_at,
            updated_at,
        }
    }
}

fn versioned(view: RoleView) -> Versioned<Role> {
    Versioned { version: view.role.version, body: Role::from(view) }
}

/// Which roles.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RolesQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Roles on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// List roles.
#[utoipa::path(get, path = "/v1/roles", tag = "authorization", params(RolesQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<Role>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<RolesQuery>,
) -> Result<Json<Page<Role>>, Problem> {
    let paging = Paging::<RoleId>::of(query.after.as_deref(), query.limit)?;
    let roles = state.platform().roles(tenant, state.deadline()).await?.into_iter();
    let roles = roles
        .filter(|view| paging.after.is_none_or(|after| view.role.id > after))
        .take(paging.to_read() as usize)
        .collect();
    Ok(Json(paging.page(roles, |view| view.role.id.to_string(), Role::from)))
}

/// A new role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRoleBody {
    /// Its name in programs: 1 to 63 of a-z, 0-9, _ and -, a letter first. It cannot be changed later.
    #[schema(example = "editor")]
    key: String,
    /// Its name for people.
    #[schema(example = "Editor")]
    name: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// `tenant` (the default) or `organization`.
    #[serde(default = "tenant_level")]
    #[schema(example = "tenant")]
    level: String,
    /// What it permits itself, `resource:action`; `*` stands for all. At most 100.
    #[serde(default)]
    #[schema(example = json!(["document:read", "comment:*"]))]
    permissions: Vec<String>,
    /// Keys of roles of the same level whose permissions it has as well. At most 16.
    #[serde(default)]
    #[schema(example = json!([]))]
    inherits: Vec<String>,
}

fn tenant_level() -> String {
    "tenant".to_owned()
}

/// Create a role.
///
/// A membership in an organization has the permissions of the role of level `organization` whose key is the
/// membership's role: define one of key `admin` or `member` to say what administrators or members may do.
#[utoipa::path(post, path = "/v1/roles", tag = "authorization", request_body = NewRoleBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = Role), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewRoleBody>,
) -> Result<impl IntoResponse, Problem> {
    let NewRoleBody { key, name, description, level, permissions, inherits } = body;
    let draft = RoleDraft::parse(&key, &name, &description, &level, &permissions, &inherits)
        .map_err(ServiceError::from)?;
    let view = state.platform().create_role(tenant, draft, actor, state.deadline()).await?;
    let location = HeaderValue::from_str(&format!("/v1/roles/{}", view.role.id)).map_err(|_| internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], versioned(view)))
}

/// The role a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct RolePath {
    role: String,
}

/// One role. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/roles/{role}", tag = "authorization", params(("role" = String, Path, example = "rol_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Role), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<RolePath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let view = state.platform().role(tenant, path_id(&path.role)?, state.deadline()).await?;
    Ok(versioned(view).unless_known(&known))
}

/// A change (RFC 7396): what is left out stays, lists are replaced as a whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleChangeBody {
    /// Its name for people.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// All it permits itself.
    permissions: Option<Vec<String>>,
    /// Keys of all the roles it inherits from.
    inherits: Option<Vec<String>>,
}

/// Change a role. With `If-Match` only if nobody else changed it meanwhile. It takes effect at once, on every node.
#[utoipa::path(patch, path = "/v1/roles/{role}", tag = "authorization", request_body = RoleChangeBody,
    params(("role" = String, Path, example = "rol_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Role), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<RolePath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<RoleChangeBody>,
) -> Result<Versioned<Role>, Problem> {
    let role = path_id(&path.role)?;
    let (name, description) = (body.name.as_deref(), body.description.as_deref());
    let change = RoleChange::parse(name, description, body.permissions.as_deref(), body.inherits.as_deref())
        .map_err(ServiceError::from)?;
    let deadline = state.deadline();
    let view = state.platform().change_role(tenant, role, change, precondition, actor, deadline).await?;
    Ok(versioned(view))
}

/// Delete a role that nobody is granted and no other role inherits from.
#[utoipa::path(delete, path = "/v1/roles/{role}", tag = "authorization",
    params(("role" = String, Path, example = "rol_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to delete")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204, description = "gone"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<RolePath>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let role = path_id(&path.role)?;
    state.platform().delete_role(tenant, role, precondition, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

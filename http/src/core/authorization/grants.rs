use crate::extract::{JsonBody, ManagedTenant, QueryOf, invalid_query, path_id};
use crate::pages::{Page, Paging};
use crate::problem::{Problem, internal};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use plinto_actors::{GrantDraft, GrantQuery, GrantView, RoleOrPermission, ServiceError};
use plinto_domain::authorization::{Permission, Place, ResourceRef, RoleKey, Subject};
use plinto_domain::id::{GrantId, OrganizationId};
use plinto_domain::{InvalidInput, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A grant: a role or a permission for somebody, in the whole tenant unless it names an organization or a resource.
#[derive(Serialize, ToSchema)]
pub(crate) struct GrantBody {
    #[schema(value_type = String, example = "grn_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: GrantId,
    /// Id of the user or service account that holds it.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    subject: String,
    /// Key of the role granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// The permission granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<String>,
    /// The organization it holds in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    organization: Option<OrganizationId>,
    /// The resource it holds on, `type:id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// It counts for nothing from then on, milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    expires_at: Option<Timestamp>,
}

impl From<GrantView> for GrantBody {
    fn from(view: GrantView) -> Self {
        let GrantView { id, subject, what, place, created_at, expires_at } = view;
        let (role, permission) = match what {
            RoleOrPermission::Role(role) => (Some(role.to_string()), None),
            RoleOrPermission::Permission(permission) => (None, Some(permission.to_string())),
        };
        let (organization, resource) = match place {
            Place::Tenant => (None, None),
            Place::Organization(organization) => (Some(organization), None),
            Place::Resource(resource) => (None, Some(resource.to_string())),
        };
        let subject = subject.id_text();
        Self { id, subject, role, permission, organization, resource, created_at, expires_at }
    }
}

/// Which grants.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantsQuery {
    /// Only those of this user or service account.
    subject: Option<String>,
    /// Only those on this resource, `type:id`.
    resource: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Grants on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// List grants, expired ones as well.
#[utoipa::path(get, path = "/v1/grants", tag = "authorization", params(GrantsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<GrantBody>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<GrantsQuery>,
) -> Result<Json<Page<GrantBody>>, Problem> {
    let paging = Paging::<GrantId>::of(query.after.as_deref(), query.limit)?;
    let subject = query.subject.map(|text| {
        Subject::parse_id(&text)
            .ok_or_else(|| invalid_query("`subject` is the id of a user or service account"))
    });
    let resource = query.resource.map(|text| {
        ResourceRef::parse("resource", &text).map_err(|_| invalid_query("`resource` is `type:id`"))
    });
    let query =
        GrantQuery { subject: subject.transpose()?, resource: resource.transpose()?, after: paging.after };
    let grants = state.platform().grants(tenant, &query, paging.to_read(), state.deadline()).await?;
    Ok(Json(paging.page(grants, |view| view.id.to_string(), GrantBody::from)))
}

/// A new grant: exactly one of `role` and `permission`, at most one of `organization` and `resource`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGrantBody {
    /// Id of the user or service account.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    subject: String,
    /// Key of a role.
    #[schema(example = "editor")]
    role: Option<String>,
    /// A permission, `resource:action`; `*` stands for all.
    permission: Option<String>,
    /// It holds for what belongs to this organization.
    organization: Option<String>,
    /// It holds on this resource, `type:id`.
    resource: Option<String>,
    /// It counts for nothing from then on, milliseconds since the Unix epoch.
    expires_at: Option<i64>,
}

impl NewGrantBody {
    fn parse(self) -> Result<GrantDraft, Vec<InvalidInput>> {
        let mut errors = Vec::new();
        let subject = Subject::parse_id(&self.subject).ok_or_else(|| {
            InvalidInput::new("subject", "invalid_subject", "name the id of a user or a service account")
        });
        let what = match (self.role.as_deref(), self.permission.as_deref()) {
            (Some(role), None) => RoleKey::parse("role", role).map(RoleOrPermission::Role),
            (None, Some(text)) => Permission::parse("permission", text).map(RoleOrPermission::Permission),
            _ => Err(InvalidInput::new("role", "one_needed", "give either `role` or `permission`")),
        };
        let place = match (self.organization.as_deref(), self.resource.as_deref()) {
            (None, None) => Ok(Place::Tenant),
            (Some(text), None) => text.parse().map(Place::Organization).map_err(|_| {
                InvalidInput::new("organization", "invalid_organization", "name the id of an organization")
            }),
            (None, Some(text)) => ResourceRef::parse("resource", text).map(Place::Resource),
            (Some(_), Some(_)) => {
                let detail = "a grant holds in an organization or on a resource; leave one out";
                Err(InvalidInput::new("resource", "one_at_most", detail))
            }
        };
        let mut right = |error: &InvalidInput| errors.push(error.clone());
        let _ = subject.as_ref().inspect_err(|error| right(error));
        let _ = what.as_ref().inspect_err(|error| right(error));
        let _ = place.as_ref().inspect_err(|error| right(error));
        let (Ok(subject), Ok(what), Ok(place)) = (subject, what, place) else { return Err(errors) };
        Ok(GrantDraft { subject, what, place, expires_at: self.expires_at.map(Timestamp::from_millis) })
    }
}

/// Grant a role or a permission. It takes effect at once, on every node.
#[utoipa::path(post, path = "/v1/grants", tag = "authorization", request_body = NewGrantBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = GrantBody), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewGrantBody>,
) -> Result<impl IntoResponse, Problem> {
    let draft = body.parse().map_err(ServiceError::from)?;
    let view = state.platform().create_grant(tenant, draft, actor, state.deadline()).await?;
    let location = HeaderValue::from_str(&format!("/v1/grants/{}", view.id)).map_err(|_| internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(GrantBody::from(view))))
}

/// The grant a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct GrantPath {
    grant: String,
}

/// One grant.
#[utoipa::path(get, path = "/v1/grants/{grant}", tag = "authorization", params(("grant" = String, Path, example = "grn_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = GrantBody), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<GrantPath>,
) -> Result<Json<GrantBody>, Problem> {
    let view = state.platform().grant(tenant, path_id(&path.grant)?, state.deadline()).await?;
    Ok(Json(GrantBody::from(view)))
}

/// Take a grant back. It takes effect at once, on every node.
#[utoipa::path(delete, path = "/v1/grants/{grant}", tag = "authorization", params(("grant" = String, Path, example = "grn_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204, description = "gone"), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<GrantPath>,
) -> Result<StatusCode, Problem> {
    state.platform().delete_grant(tenant, path_id(&path.grant)?, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Fine-grained policies in the language Cedar: versions, the active one, and trying one before it is active.

mod dry_run;

use super::authorization::{READ, WRITE};
use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::{Problem, internal};
use crate::routes::Route;
use crate::state::AppState;
use crate::versions::{IfMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse;
use plinto_actors::{ActiveVersion, NewPolicyVersion, PolicyVersionView, ServiceError};
use plinto_domain::policy::{PolicySource, SchemaSource};
use plinto_domain::{InvalidInput, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(list, create, get, delete, active, activate, dry_run::dry_run),
    tags((name = "policies", description = "Fine-grained policies in the language Cedar, beside roles and grants"))
)]
pub(crate) struct Operations;

/// Longest note in characters.
const LONGEST_NOTE: usize = 500;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const VERSIONS: &str = "/v1/policies/versions";
    const VERSION: &str = "/v1/policies/versions/{version}";
    vec![
        Route::new(Method::GET, VERSIONS, READ, list).of_tenant(),
        Route::new(Method::POST, VERSIONS, WRITE, create).of_tenant().once_by_key(),
        Route::new(Method::GET, VERSION, READ, get).of_tenant(),
        Route::new(Method::DELETE, VERSION, WRITE, delete).of_tenant(),
        Route::new(Method::GET, "/v1/policies/active", READ, active).of_tenant(),
        Route::new(Method::PUT, "/v1/policies/active", WRITE, activate).of_tenant(),
        Route::new(Method::POST, "/v1/policies/dry-run", READ, dry_run::dry_run).of_tenant(),
    ]
}

/// A version of the policies. It never changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyVersion {
    /// Its number; numbers grow and are not used again.
    version: i64,
    /// What it is for; may be empty.
    note: String,
    /// How many policies it has.
    policy_count: i64,
    /// Whether it is the active one.
    active: bool,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// The schema as it was sent; lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    schema: Option<SchemaSource>,
    /// The policies as they were sent; lists leave them out.
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<String>,
}

impl From<PolicyVersionView> for PolicyVersion {
    fn from(view: PolicyVersionView) -> Self {
        let (schema, policies) = match view.source {
            Some(PolicySource { schema, policies }) => (Some(schema), Some(policies)),
            None => (None, None),
        };
        Self {
            version: view.version,
            note: view.note,
            policy_count: view.policies,
            active: view.active,
            created_at: view.created_at,
            schema,
            policies,
        }
    }
}

/// Which versions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Versions on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// List versions of the policies, the newest first, without what they are made of.
#[utoipa::path(get, path = "/v1/policies/versions", tag = "policies", params(VersionsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<PolicyVersion>), (status = 400, body = Problem)))]
async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<VersionsQuery>,
) -> Result<Json<Page<PolicyVersion>>, Problem> {
    let paging = Paging::<i64>::of(query.after.as_deref(), query.limit)?;
    let (to_read, deadline) = (paging.to_read(), state.deadline());
    let versions = state.platform().policy_versions(tenant, paging.after, to_read, deadline).await?;
    Ok(Json(paging.page(versions, |view| view.version.to_string(), PolicyVersion::from)))
}

/// What policies are made of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceBody {
    /// The schema: a text as people write it, or an object in Cedar's JSON. At most 16 KiB.
    ///
    /// Types are named as in questions: subjects are of the type `user` or `service_account`, which may be members of
    /// `organization` (its id) and `role` (its key). A `user` may have the attributes `metadata` (public metadata) and
    /// `email_domain` (of the verified primary address). Resources have what is declared of the properties sent with a
    /// question, and may be members of `organization`. Of the context what is declared is seen; `action` in it is the
    /// properties of the action. What is not declared is left out.
    #[schema(value_type = Value, example = "entity user; entity document { public?: Bool }; action read appliesTo { principal: user, resource: document };")]
    schema: Value,
    /// Static policies as people write them, named by `@id`. At most 200 and 32 KiB.
    #[schema(
        example = "@id(\"public\") permit(principal, action == Action::\"read\", resource) when { resource has public && resource.public };"
    )]
    policies: String,
}

impl SourceBody {
    pub(super) fn parse(self) -> Result<PolicySource, Vec<InvalidInput>> {
        let schema = match self.schema {
            Value::String(text) => SchemaSource::Text(text),
            Value::Object(json) => SchemaSource::Json(json.into()),
            _ => {
                let detail = "a schema is a text or an object";
                return Err(vec![InvalidInput::new("schema", "invalid_schema", detail)]);
            }
        };
        Ok(PolicySource { schema, policies: self.policies })
    }
}

/// A new version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVersionBody {
    /// See `schema` of a draft: a text, or an object in Cedar's JSON. At most 16 KiB.
    #[schema(value_type = Value, example = "entity user; entity document { public?: Bool }; action read appliesTo { principal: user, resource: document };")]
    schema: Value,
    /// Static policies as people write them, named by `@id`. At most 200 and 32 KiB.
    #[schema(
        example = "@id(\"public\") permit(principal, action == Action::\"read\", resource) when { resource has public && resource.public };"
    )]
    policies: String,
    /// What it is for, at most 500 characters.
    #[serde(default)]
    note: String,
}

impl NewVersionBody {
    fn parse(self) -> Result<NewPolicyVersion, Vec<InvalidInput>> {
        let note = self.note.trim().to_owned();
        if note.chars().count() > LONGEST_NOTE || note.chars().any(|c| c.is_control() && c != '\n') {
            let detail = "a note has at most 500 characters and no control characters but line breaks";
            return Err(vec![InvalidInput::new("note", "invalid_note", detail)]);
        }
        let source = SourceBody { schema: self.schema, policies: self.policies }.parse()?;
        Ok(NewPolicyVersion { source, note })
    }
}

/// Store a version of the policies. It is validated strictly against its schema, and is not active yet.
#[utoipa::path(post, path = "/v1/policies/versions", tag = "policies", request_body = NewVersionBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = PolicyVersion), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(body): JsonBody<NewVersionBody>,
) -> Result<impl IntoResponse, Problem> {
    let new = body.parse().map_err(ServiceError::from)?;
    let view = state.platform().create_policy_version(tenant, new, actor, state.deadline()).await?;
    let location = format!("/v1/policies/versions/{}", view.version);
    let location = HeaderValue::from_str(&location).map_err(|_| internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(PolicyVersion::from(view))))
}

/// The version a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct VersionPath {
    version: String,
}

/// One version of the policies.
#[utoipa::path(get, path = "/v1/policies/versions/{version}", tag = "policies", params(("version" = String, Path, example = "1")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = PolicyVersion), (status = 404, body = Problem)))]
async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<VersionPath>,
) -> Result<Json<PolicyVersion>, Problem> {
    let view = state.platform().policy_version(tenant, path_id(&path.version)?, state.deadline()).await?;
    Ok(Json(PolicyVersion::from(view)))
}

/// Delete a version of the policies that is not active. Its number is not used again.
#[utoipa::path(delete, path = "/v1/policies/versions/{version}", tag = "policies", params(("version" = String, Path, example = "1")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204, description = "gone"), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<VersionPath>,
) -> Result<StatusCode, Problem> {
    let version = path_id(&path.version)?;
    state.platform().delete_policy_version(tenant, version, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which version is active.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivePolicies {
    /// Its number; `null` for none.
    version: Option<i64>,
}

fn versioned(active: ActiveVersion) -> Versioned<ActivePolicies> {
    Versioned { version: active.activations, body: ActivePolicies { version: active.version } }
}

/// Which version of the policies is active. The answer's `ETag` changes with each activation.
#[utoipa::path(get, path = "/v1/policies/active", tag = "policies",
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = ActivePolicies)))]
async fn active(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
) -> Result<Versioned<ActivePolicies>, Problem> {
    Ok(versioned(state.platform().active_policy_version(tenant, state.deadline()).await?))
}

/// The version to be active.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivateBody {
    /// Its number; `null` for none.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, example = json!(null))]
    version: Option<i64>,
}

/// Make a version of the policies the active one, also an older one again, or none. It holds at once, on every node. With
/// `If-Match` only if nobody activated another one meanwhile.
///
/// What an active policy forbids is forbidden, whatever is granted; what it permits is permitted beside what is granted.
#[utoipa::path(put, path = "/v1/policies/active", tag = "policies", request_body = ActivateBody,
    params(("If-Match" = Option<String>, Header, description = "ETag of the choice to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = ActivePolicies), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn activate(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<ActivateBody>,
) -> Result<Versioned<ActivePolicies>, Problem> {
    let (version, deadline) = (body.version, state.deadline());
    let active =
        state.platform().activate_policy_version(tenant, version, precondition, actor, deadline).await?;
    Ok(versioned(active))
}

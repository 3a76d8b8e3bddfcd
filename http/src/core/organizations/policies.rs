//! What organizations ask of the sessions that are active in them.

use super::{Asking, OrganizationPath};
use crate::core::users::given;
use crate::extract::{JsonBody, path_id};
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::extract::{Path, State};
use axum::response::Response;
use plinto_actors::OrganizationPolicyView;
use plinto_domain::Timestamp;
use plinto_domain::organization::{PolicyChange, SignInMethod};
use plinto_domain::precondition::Precondition;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an organization asks of the sessions that are active in it.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationPolicy)]
pub(crate) struct Policy {
    /// Whether the user must have proved a second factor (`mfa` among the session's authentication methods).
    mfa_required: bool,
    /// Ways to sign in of which one must have been used; any if there are none.
    allowed_methods: Vec<SignInMethod>,
    /// Seconds after which a session that is active in it ends if it is not refreshed; null is as the tenant has it.
    #[schema(example = 3600)]
    idle_seconds: Option<u32>,
    /// Seconds since the user authenticated for which a session may be active in it; null is as long as the session
    /// lives.
    #[schema(example = 43200)]
    absolute_seconds: Option<u32>,
    /// When it was last changed, in milliseconds since the Unix epoch; null if never.
    #[schema(value_type = Option<i64>)]
    updated_at: Option<Timestamp>,
}

fn versioned(view: OrganizationPolicyView) -> Versioned<Policy> {
    let OrganizationPolicyView { policy, updated_at, version } = view;
    let body = Policy {
        mfa_required: policy.mfa_required,
        allowed_methods: policy.allowed_methods,
        idle_seconds: policy.idle_seconds,
        absolute_seconds: policy.absolute_seconds,
        updated_at,
    };
    Versioned { version, body }
}

/// A change (RFC 7396): what is left out stays, `null` goes back to the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationPolicyChange)]
pub(crate) struct PolicyChangeBody {
    /// Whether the user must have proved a second factor.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    mfa_required: Option<Option<bool>>,
    /// Ways to sign in of which one must have been used.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<SignInMethod>>)]
    allowed_methods: Option<Option<Vec<SignInMethod>>>,
    /// At least the lifetime of access tokens, at most `settings.session.idle_seconds`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, example = 3600)]
    idle_seconds: Option<Option<u32>>,
    /// At least 60, at most `settings.session.absolute_seconds`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, example = 43200)]
    absolute_seconds: Option<Option<u32>>,
}

impl From<PolicyChangeBody> for PolicyChange {
    fn from(body: PolicyChangeBody) -> Self {
        let PolicyChangeBody { mfa_required, allowed_methods, idle_seconds, absolute_seconds } = body;
        Self { mfa_required, allowed_methods, idle_seconds, absolute_seconds }
    }
}

/// The policy of an organization. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/organizations/{organization}/policy", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")), security(("service_key" = []), ("platform_key" = [])), responses((status = 200, body = Policy), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    read(&state, asking, &path, &known).await
}

/// Change the policy of an organization. With `If-Match` only if nobody else changed it meanwhile.
///
/// It holds when a session enters the organization, and at the next refresh of one that is active in it: where it is not
/// met (any more), the session goes on without the organization. Lifetimes are at most the tenant's.
#[utoipa::path(patch, path = "/v1/organizations/{organization}/policy", tag = "organizations", request_body = PolicyChangeBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("service_key" = []), ("platform_key" = [])), responses((status = 200, body = Policy), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<PolicyChangeBody>,
) -> Result<Versioned<Policy>, Problem> {
    set(&state, asking, &path, body, precondition).await
}

/// The policy of an organization the user belongs to. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/users/me/organizations/{organization}/policy", tag = "organizations", params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")), security(("access_token" = [])), responses((status = 200, body = Policy), (status = 304, description = "not changed"), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn mine(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    read(&state, asking, &path, &known).await
}

/// Change the policy of an organization. With `If-Match` only if nobody else changed it meanwhile.
///
/// For its owners and admins, whose session must meet the present policy: nobody without a second factor does away with
/// it. It holds when a session enters the organization, and at the next refresh of one that is active in it.
#[utoipa::path(patch, path = "/v1/users/me/organizations/{organization}/policy", tag = "organizations", request_body = PolicyChangeBody, params(("organization" = String, Path, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")), security(("access_token" = [])), responses((status = 200, body = Policy), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change_mine(
    State(state): State<AppState>,
    asking: Asking,
    Path(path): Path<OrganizationPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<PolicyChangeBody>,
) -> Result<Versioned<Policy>, Problem> {
    set(&state, asking, &path, body, precondition).await
}

async fn read(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    known: &IfNoneMatch,
) -> Result<Response, Problem> {
    let id = path_id(&path.organization)?;
    let view = state.platform().organization_policy(tenant, id, by, state.deadline()).await?;
    Ok(versioned(view).unless_known(known))
}

async fn set(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    body: PolicyChangeBody,
    precondition: Precondition,
) -> Result<Versioned<Policy>, Problem> {
    let (id, deadline) = (path_id(&path.organization)?, state.deadline());
    let changing =
        state.platform().change_organization_policy(tenant, id, body.into(), precondition, by, deadline);
    Ok(versioned(changing.await?))
}

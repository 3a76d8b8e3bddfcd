//! The signed-in user: who am I, and what I may change of myself.

use super::users::given;
use crate::extract::{JsonBody, NamedTenant};
use crate::guard::Bearer;
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfMatch, Rendered, Versioned, json_of};
use axum::Extension;
use axum::extract::State;
use plinto_actors::{Reader, ServiceError, UserView};
use plinto_domain::user::profile::{ProfileInput, UserChange};
use plinto_domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(me, change_me))]
pub(crate) struct Operations;

/// The signed-in user.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// The user's id.
    #[schema(value_type = String, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: UserId,
    /// Primary address.
    email: Option<String>,
    /// Whether the address was verified.
    email_verified: bool,
    /// What to call them.
    name: Option<String>,
    /// A name to sign in with.
    username: Option<String>,
    /// Their phone number in E.164 form.
    phone: Option<String>,
    /// Metadata the tenant lets them read.
    #[schema(value_type = Object)]
    public_metadata: Map<String, Value>,
    /// Metadata they may write.
    #[schema(value_type = Object)]
    unsafe_metadata: Map<String, Value>,
    /// When the account was created, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When it was last changed, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<UserView> for Me {
    fn from(view: UserView) -> Self {
        Self {
            id: view.id,
            email: view.email,
            email_verified: view.email_verified,
            name: view.name,
            username: view.username,
            phone: view.phone,
            public_metadata: view.public_metadata,
            unsafe_metadata: view.unsafe_metadata,
            created_at: view.created_at,
            updated_at: view.updated_at,
        }
    }
}

/// The signed-in user.
#[utoipa::path(get, path = "/v1/users/me", tag = "accounts", security(("access_token" = [])),
    responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub(crate) async fn me(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Extension(Bearer(token)): Extension<Bearer>,
) -> Result<Rendered, Problem> {
    let tenant = tenant.or_of_token(&token, &state).await?;
    let view = state.platform().me(tenant, &token, state.deadline()).await?;
    let json = view.rendered(Reader::User, |view| json_of(&Me::from(view.clone())));
    Ok(Rendered { version: view.version, json })
}

/// A change of oneself (RFC 7396): what is left out stays, `null` removes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeChangeBody {
    /// What to call you.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Ada King")]
    name: Option<Option<String>>,
    /// A name to sign in with.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "ada")]
    username: Option<Option<String>>,
    /// Metadata of your own.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    unsafe_metadata: Option<Option<Map<String, Value>>>,
}

/// Change the signed-in user. With `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/users/me", tag = "accounts", request_body = MeChangeBody, security(("access_token" = [])),
    params(("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    responses((status = 200, body = Me), (status = 400, body = Problem), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change_me(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Extension(Bearer(token)): Extension<Bearer>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<MeChangeBody>,
) -> Result<Versioned<Me>, Problem> {
    let tenant = tenant.or_of_token(&token, &state).await?;
    let input = ProfileInput {
        name: body.name,
        username: body.username,
        unsafe_metadata: body.unsafe_metadata,
        ..ProfileInput::default()
    };
    let change = UserChange::parse(input).map_err(ServiceError::from)?;
    let view = state.platform().change_me(tenant, &token, &change, &precondition, state.deadline()).await?;
    Ok(Versioned { version: view.version, body: Me::from(view) })
}

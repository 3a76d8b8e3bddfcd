//! Accounts: sign-up.

use crate::extract::{Client, JsonBody, NamedTenant};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(sign_up), tags((name = "accounts", description = "Users of a tenant")))]
pub(crate) struct Operations;

/// A request for an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUpBody {
    /// Address to sign in with.
    #[schema(example = "ada@example.com")]
    email: String,
    /// At least as long and as hard to guess as the tenant's policy asks.
    password: Secret,
    /// What to call you.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
}

/// The request was accepted. The same whether or not the address already had an account.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignUpAccepted {
    status: &'static str,
    detail: &'static str,
}

/// Create an account.
///
/// The answer is the same, and takes the same time, whether or not the address already had an account, so that nobody
/// can find out who has one. Sign in next.
#[utoipa::path(post, path = "/v1/auth/sign-up", tag = "accounts", request_body = SignUpBody,
    params(("Plinto-Tenant" = Option<String>, Header, description = "Tenant, unless the path or the host name names it")),
    responses((status = 202, body = SignUpAccepted), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn sign_up(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<SignUpBody>,
) -> Result<(StatusCode, Json<SignUpAccepted>), Problem> {
    let tenant = tenant.required()?;
    let deadline = state.deadline();
    state
        .platform()
        .sign_up(tenant, body.email, body.password.into_inner(), body.name, client, deadline)
        .await?;
    let accepted =
        SignUpAccepted { status: "accepted", detail: "sign in with your e-mail address and password" };
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

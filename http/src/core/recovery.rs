//! Proving addresses, and getting back to or changing a password.

use crate::cookies::{self, Carrier};
use crate::extract::{Client, JsonBody, Mine, NamedTenant};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::secret::Secret;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};

use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(
    paths(verify_email, resend, forgot, reset, accept_invitation, change),
    tags((name = "recovery", description = "Proving addresses and choosing new passwords"))
)]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    use Access::{AccessToken, Public};
    vec![
        Route::new(Method::POST, "/v1/auth/verify-email", Public, verify_email).of_tenant(),
        Route::new(Method::POST, "/v1/auth/verify-email/resend", Public, resend).of_tenant(),
        Route::new(Method::POST, "/v1/auth/password/forgot", Public, forgot).of_tenant(),
        Route::new(Method::POST, "/v1/auth/password/reset", Public, reset).of_tenant(),
        Route::new(Method::POST, "/v1/auth/invitation/accept", Public, accept_invitation).of_tenant(),
        Route::new(Method::POST, "/v1/users/me/password", AccessToken, change).of_tenant(),
    ]
}

/// An address to write to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressBody {
    /// The address.
    #[schema(example = "ada@example.com")]
    email: String,
}

/// The request was accepted. The same whether or not a mail is sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailAccepted {
    status: &'static str,
    detail: &'static str,
}

fn accepted() -> (StatusCode, Json<MailAccepted>) {
    let detail = "if the address has an account that this concerns, a mail is on its way";
    (StatusCode::ACCEPTED, Json(MailAccepted { status: "accepted", detail }))
}

/// The token of a link in a mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenBody {
    /// What stands behind `token=` in the link.
    token: Secret,
}

/// Prove an e-mail address by the link that was sent to it. The link works once.
#[utoipa::path(post, path = "/v1/auth/verify-email", tag = "recovery", request_body = TokenBody,
    responses((status = 204, description = "the address is proved"), (status = 410, body = Problem)))]
pub(crate) async fn verify_email(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<TokenBody>,
) -> Result<StatusCode, Problem> {
    let token = body.token.into_inner();
    state.platform().verify_email(tenant.required()?, &token, client, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send the link that proves an address once more.
///
/// The answer is the same, and takes the same time, whether or not there is an account with this address to prove.
#[utoipa::path(post, path = "/v1/auth/verify-email/resend", tag = "recovery", request_body = AddressBody,
    responses((status = 202, body = MailAccepted)))]
pub(crate) async fn resend(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<AddressBody>,
) -> Result<(StatusCode, Json<MailAccepted>), Problem> {
    let tenant = tenant.required()?;
    state.platform().ask_to_verify_email(tenant, &body.email, client, state.deadline()).await?;
    Ok(accepted())
}

/// Send a link to choose a new password.
///
/// The answer is the same, and takes the same time, whether or not the address has an account.
#[utoipa::path(post, path = "/v1/auth/password/forgot", tag = "recovery", request_body = AddressBody,
    responses((status = 202, body = MailAccepted)))]
pub(crate) async fn forgot(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<AddressBody>,
) -> Result<(StatusCode, Json<MailAccepted>), Problem> {
    let tenant = tenant.required()?;
    state.platform().forgot_password(tenant, &body.email, client, state.deadline()).await?;
    Ok(accepted())
}

/// A new password by a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetBody {
    /// What stands behind `token=` in the link.
    token: Secret,
    /// At least as long and as hard to guess as the tenant's policy asks.
    password: Secret,
}

/// Choose a new password by the link that was sent for it. The link works once; the address is proved by it, its owner
/// is told by mail, and all sessions end unless the tenant's settings say otherwise.
#[utoipa::path(post, path = "/v1/auth/password/reset", tag = "recovery", request_body = ResetBody,
    responses((status = 204, description = "the password is changed"), (status = 409, body = Problem),
        (status = 410, body = Problem)))]
pub(crate) async fn reset(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<ResetBody>,
) -> Result<StatusCode, Problem> {
    let tenant = tenant.required()?;
    let (token, password) = (body.token.into_inner(), body.password.into_inner());
    state.platform().reset_password(tenant, &token, &password, client, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A first password by an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserInvitationAcceptBody {
    /// What stands behind `token=` in the link.
    token: Secret,
    /// At least as long and as hard to guess as the tenant's policy asks.
    password: Secret,
}

/// Accept an invitation to become a user by the link that was sent for it, and choose a password. The link works once,
/// and the address is proved by it. Sign in next.
#[utoipa::path(post, path = "/v1/auth/invitation/accept", tag = "recovery", request_body = UserInvitationAcceptBody,
    responses((status = 204, description = "there is an account now"), (status = 409, body = Problem),
        (status = 410, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn accept_invitation(
    State(state): State<AppState>,
    tenant: NamedTenant,
    Client(client): Client,
    JsonBody(body): JsonBody<UserInvitationAcceptBody>,
) -> Result<StatusCode, Problem> {
    let tenant = tenant.required()?;
    let (token, password) = (body.token.into_inner(), body.password.into_inner());
    let deadline = state.deadline();
    state.platform().accept_user_invitation(tenant, &token, &password, client, deadline).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new password by the current one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeBody {
    /// The present one.
    current_password: Secret,
    /// At least as long and as hard to guess as the tenant's policy asks.
    new_password: Secret,
}

/// Change the signed-in user's password. Its owner is told by mail, and all other sessions end unless the tenant's
/// settings say otherwise. A browser's session gets new cookies.
#[utoipa::path(post, path = "/v1/users/me/password", tag = "recovery", request_body = ChangeBody,
    security(("access_token" = [])),
    responses((status = 204, description = "the password is changed"), (status = 409, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
    carrier: Carrier,
    Client(client): Client,
    JsonBody(body): JsonBody<ChangeBody>,
) -> Result<Response, Problem> {
    let (current, new) = (body.current_password.into_inner(), body.new_password.into_inner());
    let (passwords, deadline) = ((current.as_str(), new.as_str()), state.deadline());
    let platform = state.platform();
    let renewed = match carrier {
        Carrier::Bodies => {
            platform.change_password(tenant, &token, passwords, client, deadline).await?;
            None
        }
        Carrier::Cookies => {
            platform.change_password_and_renew(tenant, &token, passwords, client, deadline).await?
        }
    };
    Ok(match renewed {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(renewed) => {
            let cookies = AppendHeaders(cookies::set(&renewed, state.config().strict_transport));
            (StatusCode::NO_CONTENT, cookies).into_response()
        }
    })
}

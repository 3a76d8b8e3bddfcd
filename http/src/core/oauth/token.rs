use super::credentials::{self, parameter};
use super::failure::{Failure, TokenError};
use crate::extract::{Client, FormBody};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use plinto_actors::ClientAuthentication;
use plinto_domain::oauth::{CLIENT_CREDENTIALS, ClientTokenRequest, OAuthCode, OAuthError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Values of `resource` that are looked at.
const MOST_RESOURCES: usize = 20;

/// A request for a token (RFC 6749 §4.4.2, RFC 8707 §2.2).
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "the schema of a form that is read parameter by parameter")]
pub(crate) struct TokenForm {
    /// `client_credentials`: a token for the client itself.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// Scopes with one space between them, among the client's; all of the client's if left out.
    scope: Option<String>,
    /// Resource servers the token is meant for, among the client's; all of the client's if left out. May be given
    /// several times.
    resource: Option<String>,
    /// The client's id, if it is not in the `Authorization` header.
    client_id: Option<String>,
    /// The client's secret, if it is not in the `Authorization` header.
    #[schema(format = Password)]
    client_secret: Option<String>,
}

/// An access token (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// A JWT (RFC 9068).
    access_token: String,
    /// `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
    /// Seconds it is good for.
    expires_in: u32,
    /// What it may do.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    scope: String,
}

/// Get a token. The client proves who it is by HTTP Basic or in the body (`client_secret_basic`, `client_secret_post`).
#[utoipa::path(post, path = "/t/{tenant}/oauth2/token", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenAnswer), (status = 400, body = TokenError), (status = 401, body = TokenError),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn token(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Client(context): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<Json<TokenAnswer>, Failure> {
    let tenant = state.platform().resolve(&slug).await?;
    let grant_type = parameter(&form, "grant_type")?;
    let scope = parameter(&form, "scope")?;
    let resources = form.all("resource");
    let presented = credentials::read(&headers, &form)?;
    match grant_type.as_deref() {
        Some(CLIENT_CREDENTIALS) => {}
        Some(_) => {
            let description = "the only grant_type is client_credentials";
            return Err(OAuthError::new(OAuthCode::UnsupportedGrantType, description).into());
        }
        None => return Err(Failure::invalid_request("grant_type is missing")),
    }
    if resources.len() > MOST_RESOURCES {
        return Err(Failure::invalid_request("resource is given more than 20 times"));
    }
    let resources: Vec<&str> = resources.iter().map(AsRef::as_ref).collect();
    let request = ClientTokenRequest { scope: scope.as_deref(), resources: &resources };
    let authentication = ClientAuthentication {
        client_id: &presented.client_id,
        secret: &presented.secret,
        context: &context,
    };
    let issued = state.platform().client_token(tenant, authentication, request, state.deadline()).await??;
    Ok(Json(TokenAnswer {
        access_token: issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: issued.scope,
    }))
}

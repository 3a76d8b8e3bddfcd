use super::credentials::{self, parameter};
use super::failure::{Failure, TokenError};
use crate::extract::{Client, FormBody};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use plinto_actors::{ClientAuthentication, IssuedClientToken, IssuedTokens};
use plinto_domain::TenantId;
use plinto_domain::oauth::{ClientTokenRequest, CodePresented, GrantType, OAuthCode, OAuthError, TokenWish};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Values of `resource` that are looked at.
const MOST_RESOURCES: usize = 20;

/// Any page may ask: what is needed is in the request, and no browser adds it on its own.
pub(super) const ANY_ORIGIN: (HeaderName, &str) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");

/// A request for tokens (RFC 6749 §4.1.3, §4.4.2 and §6, RFC 7636 §4.5, RFC 8707 §2.2).
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "the schema of a form that is read parameter by parameter")]
pub(crate) struct TokenForm {
    /// `authorization_code`, `refresh_token`, or `client_credentials`: a token for the client itself.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// What the authorization endpoint gave out, for `authorization_code`.
    code: Option<String>,
    /// Where it was sent.
    redirect_uri: Option<String>,
    /// What its `code_challenge` was made from.
    code_verifier: Option<String>,
    /// What came with the last tokens, for `refresh_token`.
    refresh_token: Option<String>,
    /// Scopes with one space between them, among those granted or the client's; all of them if left out.
    scope: Option<String>,
    /// Resource servers the token is meant for, among those granted or the client's; all of them if left out. May be
    /// given several times.
    resource: Option<String>,
    /// The client's id, if it is not in the `Authorization` header.
    client_id: Option<String>,
    /// The client's secret, if it has one and it is not in the `Authorization` header.
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// A JWT the client signed, instead of a secret.
    client_assertion: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}

/// Tokens (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenAnswer {
    /// A JWT (RFC 9068).
    access_token: String,
    /// `Bearer`, or `DPoP` for one that is bound to a key.
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
    /// Seconds it is good for.
    expires_in: u32,
    /// Gets the next tokens, once. An honest retry within a few seconds is answered with the current one; any other use
    /// of a replaced one ends all that came of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Who the user is.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    /// What the access token may do.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    scope: String,
}

const fn token_type(is_bound: bool) -> &'static str {
    if is_bound { "DPoP" } else { "Bearer" }
}

impl From<IssuedTokens> for TokenAnswer {
    fn from(issued: IssuedTokens) -> Self {
        Self {
            access_token: issued.access_token,
            token_type: token_type(issued.is_bound),
            expires_in: issued.expires_in,
            refresh_token: issued.refresh_token.map(|token| token.expose().to_owned()),
            id_token: issued.id_token,
            scope: issued.scope,
        }
    }
}

impl From<IssuedClientToken> for TokenAnswer {
    fn from(issued: IssuedClientToken) -> Self {
        Self {
            access_token: issued.token,
            token_type: token_type(issued.is_bound),
            expires_in: issued.expires_in,
            refresh_token: None,
            id_token: None,
            scope: issued.scope,
        }
    }
}

/// Get tokens. The client proves who it is as it was registered to: by HTTP Basic or in the body with its secret, by a JWT
/// it signs (`private_key_jwt`), or, as a public client, by its id alone. With a `DPoP` header the tokens are bound to its
/// key (RFC 9449).
#[utoipa::path(post, path = "/t/{tenant}/oauth2/token", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("DPoP" = Option<String>, Header, description = "Proof that the client has a key")),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenAnswer), (status = 400, body = TokenError), (status = 401, body = TokenError),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn token(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Client(context): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<([(HeaderName, &'static str); 1], Json<TokenAnswer>), Failure> {
    let tenant = state.platform().resolve(&slug).await?;
    let grant_type = parameter(&form, "grant_type")?;
    let scope = parameter(&form, "scope")?;
    let resources = form.all("resource");
    let presented = credentials::read(&headers, &form, url(&state, &slug, "token"))?;
    let grant = match grant_type.as_deref().map(GrantType::of) {
        Some(Some(grant)) => grant,
        Some(None) => {
            let description = "grant_type is authorization_code, refresh_token or client_credentials";
            return Err(OAuthError::new(OAuthCode::UnsupportedGrantType, description).into());
        }
        None => return Err(Failure::invalid_request("grant_type is missing")),
    };
    if resources.len() > MOST_RESOURCES {
        return Err(Failure::invalid_request("resource is given more than 20 times"));
    }
    let resources: Vec<&str> = resources.iter().map(AsRef::as_ref).collect();
    let wish = TokenWish { scope: scope.as_deref(), resources: &resources, key: None };
    let client = presented.of(&context);
    let answer = match grant {
        GrantType::ClientCredentials => for_itself(&state, tenant, client, wish).await?,
        GrantType::AuthorizationCode => by_code(&state, tenant, client, &form, wish).await?,
        GrantType::RefreshToken => by_refresh_token(&state, tenant, client, &form, wish).await?,
    };
    Ok(([ANY_ORIGIN], Json(answer)))
}

async fn for_itself(
    state: &AppState,
    tenant: TenantId,
    client: ClientAuthentication<'_>,
    TokenWish { scope, resources, key }: TokenWish<'_>,
) -> Result<TokenAnswer, Failure> {
    let request = ClientTokenRequest { scope, resources, key };
    let issued = state.platform().client_token(tenant, client, request, state.deadline()).await??;
    Ok(issued.into())
}

async fn by_code(
    state: &AppState,
    tenant: TenantId,
    client: ClientAuthentication<'_>,
    form: &FormBody,
    wish: TokenWish<'_>,
) -> Result<TokenAnswer, Failure> {
    let code = parameter(form, "code")?.ok_or(Failure::invalid_request("code is missing"))?;
    let redirect_uri = parameter(form, "redirect_uri")?;
    let code_verifier = parameter(form, "code_verifier")?;
    let presented =
        CodePresented { redirect_uri: redirect_uri.as_deref(), code_verifier: code_verifier.as_deref() };
    let deadline = state.deadline();
    let issued = state.platform().redeem_code(tenant, client, &code, presented, wish, deadline).await??;
    Ok(issued.into())
}

async fn by_refresh_token(
    state: &AppState,
    tenant: TenantId,
    client: ClientAuthentication<'_>,
    form: &FormBody,
    wish: TokenWish<'_>,
) -> Result<TokenAnswer, Failure> {
    let token = parameter(form, "refresh_token")?;
    let token = token.ok_or(Failure::invalid_request("refresh_token is missing"))?;
    let issued = state.platform().refresh_tokens(tenant, client, &token, wish, state.deadline()).await??;
    Ok(issued.into())
}

/// A request about a token (RFC 7009 §2.1, RFC 7662 §2.1).
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "the schema of a form that is read parameter by parameter")]
pub(crate) struct AboutTokenForm {
    /// An access or refresh token.
    token: String,
    /// Which of the two it is; it is found out anyway.
    token_type_hint: Option<String>,
    /// The client's id, if it is not in the `Authorization` header.
    client_id: Option<String>,
    /// The client's secret, if it has one and it is not in the `Authorization` header.
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// A JWT the client signed, instead of a secret.
    client_assertion: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    client_assertion_type: Option<String>,
}

/// Give a token back (RFC 7009): all that came of what the user granted is good no longer. A token nobody knows is as good
/// as given back.
#[utoipa::path(post, path = "/t/{tenant}/oauth2/revoke", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = AboutTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200), (status = 400, body = TokenError), (status = 401, body = TokenError),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Client(context): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1]), Failure> {
    let tenant = state.platform().resolve(&slug).await?;
    let token = parameter(&form, "token")?.ok_or(Failure::invalid_request("token is missing"))?;
    let presented = credentials::read(&headers, &form, url(&state, &slug, "revoke"))?;
    state.platform().revoke_token(tenant, presented.of(&context), &token, state.deadline()).await??;
    Ok((StatusCode::OK, [ANY_ORIGIN]))
}

/// What is known of a token: of the client's own, and of one that is meant for a resource server the client is. Any other is
/// inactive. Services ask the auth service about all tokens of their tenant instead.
#[utoipa::path(post, path = "/t/{tenant}/oauth2/introspect", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    request_body(content = AboutTokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Object), (status = 400, body = TokenError), (status = 401, body = TokenError),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn introspect(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Client(context): Client,
    headers: HeaderMap,
    form: FormBody,
) -> Result<([(HeaderName, &'static str); 1], bytes::Bytes), Failure> {
    let tenant = state.platform().resolve(&slug).await?;
    let token = parameter(&form, "token")?.ok_or(Failure::invalid_request("token is missing"))?;
    let presented = credentials::read(&headers, &form, url(&state, &slug, "introspect"))?;
    let (client, deadline) = (presented.of(&context), state.deadline());
    let answer = state.platform().introspect_as_client(tenant, client, &token, deadline).await??;
    Ok(([(header::CONTENT_TYPE, "application/json")], answer.into_json()))
}

/// The URL of an endpoint, as clients know it.
pub(super) fn url(state: &AppState, slug: &str, endpoint: &str) -> String {
    format!("{}/t/{slug}/oauth2/{endpoint}", state.platform().config().base_url)
}

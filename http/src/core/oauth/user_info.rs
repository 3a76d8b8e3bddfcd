use super::credentials::{parameter, possession};
use super::failure::{Failure, TokenError};
use super::token::{ANY_ORIGIN, url};
use crate::extract::FormBody;
use crate::guard::credential;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderName, Method, header};
use plinto_actors::Possession;
use plinto_domain::oauth::{OAuthCode, OAuthError, PROOF_NEEDED};
use serde_json::{Map, Value};

const MISSING: OAuthError = OAuthError::new(
    OAuthCode::InvalidToken,
    "send an access token in the Authorization header, or as access_token in a form (RFC 6750 section 2)",
);

type Answer = ([(HeaderName, &'static str); 1], Json<Map<String, Value>>);

/// Who the user of an access token is (OpenID Connect Core §5.3): what its scopes and the client's request ask for.
#[utoipa::path(get, path = "/t/{tenant}/oauth2/userinfo", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("Authorization" = Option<String>, Header, description = "`Bearer`, or `DPoP` with a proof, and an access token a client was given for a user"), ("DPoP" = Option<String>, Header, description = "Proof that the sender has the key the token is bound to")),
    responses((status = 200, body = Object), (status = 401, body = TokenError), (status = 403, body = TokenError),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn user_info(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Answer, Failure> {
    answer(&state, &slug, request).await
}

/// The same by POST, which may have the token in a form.
#[utoipa::path(post, path = "/t/{tenant}/oauth2/userinfo", tag = "oauth",
    params(("tenant" = String, Path, description = "Slug of the tenant"), ("Authorization" = Option<String>, Header, description = "`Bearer`, or `DPoP` with a proof, and an access token a client was given for a user"), ("DPoP" = Option<String>, Header, description = "Proof that the sender has the key the token is bound to")),
    responses((status = 200, body = Object), (status = 400, body = TokenError), (status = 401, body = TokenError),
        (status = 403, body = TokenError), (status = 404, body = Problem), (status = 415, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn post_user_info(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Answer, Failure> {
    answer(&state, &slug, request).await
}

async fn answer(state: &AppState, slug: &str, request: Request) -> Result<Answer, Failure> {
    let tenant = state.platform().resolve(slug).await?;
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let (token, is_bound) = token(request, state).await?;
    let proof = if is_bound { Some(possession(&headers)?.ok_or(PROOF_NEEDED)?) } else { None };
    let url = url(state, slug, "userinfo");
    let possession = proof.as_deref().map(|proof| Possession { proof, method: method.as_str(), url: &url });
    let claims = state.platform().user_info(tenant, &token, possession, state.deadline()).await??;
    Ok(([ANY_ORIGIN], Json(claims)))
}

/// The token, presented in one way only (RFC 6750 §2), and whether it was presented as bound to a key (RFC 9449 §7.1).
async fn token(request: Request, state: &AppState) -> Result<(String, bool), Failure> {
    let bound = credential(request.headers(), "dpop").map(|token| (token.to_owned(), true));
    let by_header =
        bound.or_else(|| credential(request.headers(), "bearer").map(|token| (token.to_owned(), false)));
    let has_form = request.method() == Method::POST && request.headers().contains_key(header::CONTENT_TYPE);
    let by_form = match has_form {
        true => {
            let form = FormBody::from_request(request, state).await?;
            parameter(&form, "access_token")?.map(|token| (token.into_owned(), false))
        }
        false => None,
    };
    match (by_header, by_form) {
        (Some(_), Some(_)) => Err(Failure::invalid_request("send the access token in one way only")),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(MISSING.into()),
    }
}

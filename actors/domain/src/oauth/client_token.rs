use super::definition::is_resource;
use super::registered::GrantType;
use super::token_grant::check_key;
use super::{Client, OAuthCode, OAuthError, OAuthEvent, ScopeSet};
use crate::access_token::new_jti;
use crate::audit::Event;
use crate::decision::Decision;
use crate::id::ClientId;
use crate::randomness::Randomness;
use crate::time::Timestamp;
use serde::Serialize;

/// What a client asks for itself (RFC 6749 §4.4, RFC 8707).
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientTokenRequest<'r> {
    /// The parameter `scope`; none asks for all of the client's.
    pub scope: Option<&'r str>,
    /// The parameters `resource`; none asks for all of the client's.
    pub resources: &'r [&'r str],
    /// Thumbprint of the key the client proved to have (RFC 9449).
    pub key: Option<&'r str>,
}

/// What the bearer of a token must prove to have (`cnf`, RFC 7800).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Confirmation {
    /// Thumbprint of the key (RFC 9449 §6).
    pub jkt: String,
}

impl Confirmation {
    pub(super) fn of(key: Option<&str>) -> Option<Self> {
        key.map(|jkt| Self { jkt: jkt.to_owned() })
    }
}

/// `aud` of a token: one text where there is one (RFC 7519 §4.1.3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum TokenAudience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// Claims of an access token a client has for itself (RFC 9068 §2.2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ClientTokenClaims {
    /// Issuer: `{base}/t/{tenant}`.
    pub iss: String,
    /// The client: nobody else is behind the token.
    pub sub: String,
    /// The resource servers it is meant for; the issuer where the client has none.
    pub aud: TokenAudience,
    /// Expiry, NumericDate.
    pub exp: i64,
    /// Issued at, NumericDate.
    pub iat: i64,
    /// Unique token id.
    pub jti: String,
    /// The client.
    pub client_id: String,
    /// What it may do, if anything is said of that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// What the bearer must prove to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// A token to be signed, and how long it is good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientToken {
    /// What it says.
    pub claims: ClientTokenClaims,
    /// Seconds.
    pub expires_in: u32,
}

/// What a client that has proved to be one is given for itself.
pub fn grant_client_token(
    client: &Client,
    request: ClientTokenRequest<'_>,
    issuer: &str,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<Decision<ClientToken>, OAuthError> {
    check_key(client, None, request.key)?;
    let scope = granted_scope(client, request.scope)?.to_string();
    let aud = audience(&client.definition.resources, request.resources, issuer, false)?;
    let (expires_in, iat) = (client.definition.access_token_seconds, now.as_seconds());
    let claims = ClientTokenClaims {
        iss: issuer.to_owned(),
        sub: client.id.to_string(),
        aud,
        exp: iat + i64::from(expires_in),
        iat,
        jti: new_jti(randomness),
        client_id: client.id.to_string(),
        scope: scope.clone(),
        cnf: Confirmation::of(request.key),
    };
    let event = OAuthEvent::TokenIssued {
        client: client.id,
        grant_type: GrantType::ClientCredentials.as_str(),
        jti: claims.jti.clone(),
        scope,
        authorization: None,
    };
    let reply = ClientToken { claims, expires_in };
    Ok(Decision { writes: Vec::new(), events: vec![Event::OAuth(event)], reply })
}

/// A refusal, noted.
pub fn refuse_client(client: ClientId, error: OAuthError) -> Decision<OAuthError> {
    let event = OAuthEvent::TokenRefused { client, error: error.code.as_str() };
    Decision { writes: Vec::new(), events: vec![Event::OAuth(event)], reply: error }
}

fn granted_scope(client: &Client, asked: Option<&str>) -> Result<ScopeSet, OAuthError> {
    let Some(asked) = asked else { return Ok(client.definition.scopes.clone()) };
    let malformed = "scope is a list of scopes with one space between them (RFC 6749 section 3.3)";
    let asked = ScopeSet::of_parameter(asked).ok_or(OAuthError::new(OAuthCode::InvalidScope, malformed))?;
    let foreign = "this client may not ask for one of these scopes";
    let is_its_own = asked.is_within(&client.definition.scopes);
    if is_its_own { Ok(asked) } else { Err(OAuthError::new(OAuthCode::InvalidScope, foreign)) }
}

/// Resource servers a token is meant for: those asked for among those it may be for, or all of these; with `user_info` the
/// issuer as well, and the issuer alone where there are none.
pub(super) fn audience(
    allowed: &[String],
    asked: &[&str],
    issuer: &str,
    user_info: bool,
) -> Result<TokenAudience, OAuthError> {
    let refuse = |description| Err(OAuthError::new(OAuthCode::InvalidTarget, description));
    if !asked.iter().all(|resource| is_resource(resource)) {
        return refuse("resource is an absolute URI without fragment (RFC 8707)");
    }
    if asked.iter().any(|asked| !allowed.iter().any(|known| known == asked)) {
        return refuse("no tokens for this resource may be asked for here");
    }
    let mut audience: Vec<String> = match asked {
        [] => allowed.to_vec(),
        asked => asked.iter().map(|resource| (*resource).to_owned()).collect(),
    };
    if user_info || audience.is_empty() {
        audience.push(issuer.to_owned());
    }
    audience.sort_unstable();
    audience.dedup();
    Ok(match audience.len() {
        1 => TokenAudience::One(audience.swap_remove(0)),
        _ => TokenAudience::Several(audience),
    })
}

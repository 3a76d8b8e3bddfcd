use super::redirect_uri::{RedirectUri, parse_web_uri};
use super::registered::{AuthMethod, GrantType, IdTokenAlgorithm};
use super::scope::ScopeSet;
use crate::input::InvalidInput;
use crate::name::DisplayName;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use url::Url;

/// Seconds an access token may be good for.
const ACCESS_LIFETIMES: RangeInclusive<u32> = 60..=86_400;
/// Seconds it is good for where nobody says.
const USUAL_ACCESS_LIFETIME: u32 = 3_600;
/// Seconds a refresh token may be good for: up to a year.
const REFRESH_LIFETIMES: RangeInclusive<u32> = 60..=31_536_000;
/// Seconds it is good for where nobody says: thirty days.
const USUAL_REFRESH_LIFETIME: u32 = 2_592_000;
const MOST_RESOURCES: usize = 20;
const LONGEST_RESOURCE: usize = 500;
const MOST_KEYS: usize = 10;

/// What a client is, apart from its secrets. Stored as JSON: what is added later has a default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClientDefinition {
    /// What it is called.
    #[schema(value_type = String, example = "billing")]
    pub name: DisplayName,
    /// Scopes it may ask for, besides those that say what it learns of a user: `openid`, `profile`, `email`, `phone`,
    /// `offline_access`.
    #[schema(value_type = Vec<String>)]
    pub scopes: ScopeSet,
    /// Resource servers its tokens may be meant for (RFC 8707): absolute URIs without fragment, in order, each once.
    /// Without any its tokens are meant for the issuer.
    pub resources: Vec<String>,
    /// Seconds its access tokens are good for.
    pub access_token_seconds: u32,
    /// Whether it is refused everything, also what it was given before.
    pub disabled: bool,
    /// Grants it may use.
    #[serde(default = "only_its_own")]
    #[schema(value_type = Vec<GrantType>)]
    pub grant_types: BTreeSet<GrantType>,
    /// Where users are sent back to: one of these, as a text.
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    /// Where users may be sent after they have signed out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// How it proves who it is.
    #[serde(default)]
    pub token_endpoint_auth_method: AuthMethod,
    /// Whether it must protect its codes by PKCE (RFC 7636). A public client always must.
    #[serde(default = "yes")]
    pub require_pkce: bool,
    /// Whether it is the tenant's own: users are not asked whether they consent.
    #[serde(default)]
    pub first_party: bool,
    /// Seconds after which its refresh tokens are good no longer if they are not used.
    #[serde(default = "usual_refresh_lifetime")]
    pub refresh_token_seconds: u32,
    /// What its ID tokens are signed with.
    #[serde(default)]
    pub id_token_signed_response_alg: IdTokenAlgorithm,
    /// Its public keys (RFC 7517), for what it signs.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// Whether it must push its requests (RFC 9126).
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Whether it must sign its requests (RFC 9101).
    #[serde(default)]
    pub require_signed_request_object: bool,
    /// Whether its tokens are bound to a key, which it proves to have each time (RFC 9449).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// Its own page.
    #[serde(default)]
    pub client_uri: Option<String>,
    /// A picture of it, shown to users.
    #[serde(default)]
    pub logo_uri: Option<String>,
    /// What it does with data of users, linked where they are asked.
    #[serde(default)]
    pub policy_uri: Option<String>,
    /// Its terms, linked where users are asked.
    #[serde(default)]
    pub tos_uri: Option<String>,
}

const fn yes() -> bool {
    true
}

const fn usual_refresh_lifetime() -> u32 {
    USUAL_REFRESH_LIFETIME
}

/// What clients were that were made before there were other grants.
fn only_its_own() -> BTreeSet<GrantType> {
    BTreeSet::from([GrantType::ClientCredentials])
}

/// A change (RFC 7396), or what a new client is: what is left out stays, or is as usual.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientChange {
    /// What it is called, up to 200 characters. A new client needs one.
    #[schema(example = "billing")]
    pub name: Option<String>,
    /// Scopes it may ask for, all of them, at most 100.
    #[schema(example = json!(["invoices:read"]))]
    pub scopes: Option<Vec<String>>,
    /// Resource servers its tokens may be meant for, all of them: absolute URIs without fragment, at most 20.
    #[schema(example = json!(["https://api.example.com/"]))]
    pub resources: Option<Vec<String>>,
    /// Seconds its access tokens are good for; an hour as usual.
    #[schema(minimum = 60, maximum = 86_400)]
    pub access_token_seconds: Option<u32>,
    /// Whether it is refused everything, also by introspection what it was given before.
    pub disabled: Option<bool>,
    /// Grants it may use, all of them. As usual `authorization_code` and `refresh_token` for a client with redirect URIs,
    /// `client_credentials` for one without.
    pub grant_types: Option<BTreeSet<GrantType>>,
    /// Where users are sent back to, all of them, at most 50: https, or http on this machine, or a scheme of the
    /// application's own (RFC 8252).
    #[schema(example = json!(["https://app.example.com/callback"]))]
    pub redirect_uris: Option<Vec<String>>,
    /// Where users may be sent after they have signed out, all of them, at most 50.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// How it proves who it is; `none` for a public client, which has no secret.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// Whether it must protect its codes by PKCE, as usual.
    pub require_pkce: Option<bool>,
    /// Whether it is the tenant's own: users are not asked whether they consent.
    pub first_party: Option<bool>,
    /// Seconds after which its refresh tokens are good no longer if they are not used; thirty days as usual.
    #[schema(minimum = 60, maximum = 31_536_000)]
    pub refresh_token_seconds: Option<u32>,
    /// What its ID tokens are signed with; RS256 as usual.
    pub id_token_signed_response_alg: Option<IdTokenAlgorithm>,
    /// Its public keys (RFC 7517 §5), at most 10, for what it signs: itself (`private_key_jwt`) and its requests. Null for
    /// none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<Option<Value>>,
    /// Whether it must push its requests (RFC 9126).
    pub require_pushed_authorization_requests: Option<bool>,
    /// Whether it must sign its requests (RFC 9101).
    pub require_signed_request_object: Option<bool>,
    /// Whether its tokens are bound to a key, which it proves to have each time (RFC 9449).
    pub dpop_bound_access_tokens: Option<bool>,
    /// Its own page; null for none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub client_uri: Option<Option<String>>,
    /// A picture of it, shown to users; null for none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub logo_uri: Option<Option<String>>,
    /// What it does with data of users; null for none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub policy_uri: Option<Option<String>>,
    /// Its terms; null for none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub tos_uri: Option<Option<String>>,
}

/// What is there is given, also `null`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Reads the parts of a change, one after the other, and remembers what is wrong.
#[derive(Default)]
struct Reading(Vec<InvalidInput>);

impl Reading {
    /// A value that was given, if it is valid; otherwise what was there.
    fn of<W, T>(
        &mut self,
        place: &mut T,
        wanted: Option<W>,
        parse: impl FnOnce(W) -> Result<T, InvalidInput>,
    ) {
        match wanted.map(parse) {
            Some(Ok(value)) => *place = value,
            Some(Err(wrong)) => self.0.push(wrong),
            None => {}
        }
    }
}

impl ClientDefinition {
    /// A new client's. Its name is needed.
    pub fn of(mut wanted: ClientChange) -> Result<Self, Vec<InvalidInput>> {
        let needed = || vec![InvalidInput::new("name", "missing", "a client needs a name")];
        let name = wanted.name.as_deref().ok_or_else(needed)?;
        let name = DisplayName::parse("name", name).map_err(|invalid| vec![invalid])?;
        let has_users = wanted.redirect_uris.as_ref().is_some_and(|uris| !uris.is_empty());
        wanted.grant_types.get_or_insert_with(|| match has_users {
            true => BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
            false => only_its_own(),
        });
        let usual = Self {
            name,
            scopes: ScopeSet::default(),
            resources: Vec::new(),
            access_token_seconds: USUAL_ACCESS_LIFETIME,
            disabled: false,
            grant_types: BTreeSet::new(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            token_endpoint_auth_method: AuthMethod::default(),
            require_pkce: true,
            first_party: false,
            refresh_token_seconds: USUAL_REFRESH_LIFETIME,
            id_token_signed_response_alg: IdTokenAlgorithm::default(),
            jwks: None,
            require_pushed_authorization_requests: false,
            require_signed_request_object: false,
            dpop_bound_access_tokens: false,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
        };
        usual.changed(wanted)
    }

    /// The same with a change, if all of it is valid.
    pub fn changed(mut self, wanted: ClientChange) -> Result<Self, Vec<InvalidInput>> {
        let mut read = Reading::default();
        read.of(&mut self.name, wanted.name, |name| DisplayName::parse("name", &name));
        read.of(&mut self.scopes, wanted.scopes, |scopes| ScopeSet::parse("scopes", &scopes));
        read.of(&mut self.resources, wanted.resources, |texts| parse_resources("resources", texts));
        read.of(&mut self.access_token_seconds, wanted.access_token_seconds, parse_access_lifetime);
        read.of(&mut self.disabled, wanted.disabled, Ok);
        read.of(&mut self.grant_types, wanted.grant_types, Ok);
        let redirect = |uris| RedirectUri::parse_all("redirect_uris", uris);
        read.of(&mut self.redirect_uris, wanted.redirect_uris, redirect);
        let after_logout = |uris| RedirectUri::parse_all("post_logout_redirect_uris", uris);
        read.of(&mut self.post_logout_redirect_uris, wanted.post_logout_redirect_uris, after_logout);
        read.of(&mut self.token_endpoint_auth_method, wanted.token_endpoint_auth_method, Ok);
        read.of(&mut self.require_pkce, wanted.require_pkce, Ok);
        read.of(&mut self.first_party, wanted.first_party, Ok);
        read.of(&mut self.refresh_token_seconds, wanted.refresh_token_seconds, parse_refresh_lifetime);
        read.of(&mut self.id_token_signed_response_alg, wanted.id_token_signed_response_alg, Ok);
        read.of(&mut self.jwks, wanted.jwks, |keys| keys.map(parse_jwks).transpose());
        let pushes = wanted.require_pushed_authorization_requests;
        read.of(&mut self.require_pushed_authorization_requests, pushes, Ok);
        read.of(&mut self.require_signed_request_object, wanted.require_signed_request_object, Ok);
        read.of(&mut self.dpop_bound_access_tokens, wanted.dpop_bound_access_tokens, Ok);
        let web = |field| move |uri: Option<String>| uri.map(|uri| parse_web_uri(field, uri)).transpose();
        read.of(&mut self.client_uri, wanted.client_uri, web("client_uri"));
        read.of(&mut self.logo_uri, wanted.logo_uri, web("logo_uri"));
        read.of(&mut self.policy_uri, wanted.policy_uri, web("policy_uri"));
        read.of(&mut self.tos_uri, wanted.tos_uri, web("tos_uri"));
        read.0.extend(self.contradictions());
        if read.0.is_empty() { Ok(self) } else { Err(read.0) }
    }

    /// What does not go together.
    fn contradictions(&self) -> Vec<InvalidInput> {
        let has = |grant| self.grant_types.contains(&grant);
        let is_public = self.token_endpoint_auth_method == AuthMethod::None;
        let mut wrong = Vec::new();
        if has(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            let detail = "a client with authorization_code needs a redirect URI";
            wrong.push(InvalidInput::new("redirect_uris", "missing", detail));
        }
        if has(GrantType::ClientCredentials) && is_public {
            let detail = "a public client has no client_credentials (RFC 6749 section 4.4)";
            wrong.push(InvalidInput::new("grant_types", "public_client", detail));
        }
        if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
            let detail = "refresh_token needs authorization_code";
            wrong.push(InvalidInput::new("grant_types", "refresh_token_alone", detail));
        }
        let signs = self.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt
            || self.require_signed_request_object;
        if signs && self.jwks.is_none() {
            let detail = "what the client signs needs its public keys";
            wrong.push(InvalidInput::new("jwks", "missing", detail));
        }
        if is_public && !self.require_pkce {
            let detail = "a public client needs PKCE (RFC 9700 section 2.1.1)";
            wrong.push(InvalidInput::new("require_pkce", "public_client", detail));
        }
        wrong
    }

    /// Names of what is different.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let all = [
            ("name", self.name != other.name),
            ("scopes", self.scopes != other.scopes),
            ("resources", self.resources != other.resources),
            ("access_token_seconds", self.access_token_seconds != other.access_token_seconds),
            ("disabled", self.disabled != other.disabled),
            ("grant_types", self.grant_types != other.grant_types),
            ("redirect_uris", self.redirect_uris != other.redirect_uris),
            ("post_logout_redirect_uris", self.post_logout_redirect_uris != other.post_logout_redirect_uris),
            (
                "token_endpoint_auth_method",
                self.token_endpoint_auth_method != other.token_endpoint_auth_method,
            ),
            ("require_pkce", self.require_pkce != other.require_pkce),
            ("first_party", self.first_party != other.first_party),
            ("refresh_token_seconds", self.refresh_token_seconds != other.refresh_token_seconds),
            (
                "id_token_signed_response_alg",
                self.id_token_signed_response_alg != other.id_token_signed_response_alg,
            ),
            ("jwks", self.jwks != other.jwks),
            (
                "require_pushed_authorization_requests",
                self.require_pushed_authorization_requests != other.require_pushed_authorization_requests,
            ),
            (
                "require_signed_request_object",
                self.require_signed_request_object != other.require_signed_request_object,
            ),
            ("dpop_bound_access_tokens", self.dpop_bound_access_tokens != other.dpop_bound_access_tokens),
            ("client_uri", self.client_uri != other.client_uri),
            ("logo_uri", self.logo_uri != other.logo_uri),
            ("policy_uri", self.policy_uri != other.policy_uri),
            ("tos_uri", self.tos_uri != other.tos_uri),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }

    /// Whether it may use a grant.
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

/// A key set in form; whether its keys are keys, those who verify with them say.
fn parse_jwks(keys: Value) -> Result<Value, InvalidInput> {
    let detail = "give a JWK set of 1 to 10 public keys: {\"keys\": [...]}";
    let listed = keys.get("keys").and_then(Value::as_array);
    let is_set = listed.is_some_and(|listed| (1..=MOST_KEYS).contains(&listed.len()));
    is_set.then_some(keys).ok_or_else(|| InvalidInput::new("jwks", "invalid_jwks", detail))
}

fn parse_access_lifetime(seconds: u32) -> Result<u32, InvalidInput> {
    let detail = "an access token is good for 60 to 86400 seconds";
    let wrong = || InvalidInput::new("access_token_seconds", "out_of_range", detail);
    ACCESS_LIFETIMES.contains(&seconds).then_some(seconds).ok_or_else(wrong)
}

fn parse_refresh_lifetime(seconds: u32) -> Result<u32, InvalidInput> {
    let detail = "a refresh token is good for 60 to 31536000 seconds";
    let wrong = || InvalidInput::new("refresh_token_seconds", "out_of_range", detail);
    REFRESH_LIFETIMES.contains(&seconds).then_some(seconds).ok_or_else(wrong)
}

/// Whether a text is a resource indicator (RFC 8707 §2).
pub(super) fn is_resource(text: &str) -> bool {
    let is_uri = text.len() <= LONGEST_RESOURCE && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_uri && Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}

pub(super) fn parse_resources(
    field: &'static str,
    mut texts: Vec<String>,
) -> Result<Vec<String>, InvalidInput> {
    if texts.len() > MOST_RESOURCES {
        let detail = "a client has at most 20 resources";
        return Err(InvalidInput::new(field, "too_many_resources", detail));
    }
    if !texts.iter().all(|text| is_resource(text)) {
        let detail = "a resource is an absolute URI without fragment, at most 500 characters (RFC 8707)";
        return Err(InvalidInput::new(field, "invalid_resource", detail));
    }
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}

//! Reading requests: bodies, the client, the tenant.

use crate::guard::Bearer;
use crate::listener::Peer;
use crate::problem::{self, Problem, catalogue};
use crate::state::AppState;
use axum::body::HttpBody;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use ipnet::IpNet;
use plinto_actors::{Caller, ClientContext, ServiceError};
use plinto_domain::TenantId;
use plinto_domain::api_key::ApiKeyKind;
use plinto_domain::audit::Actor;
use plinto_domain::user::avatar::LARGEST_FILE;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !has_media_type(request.headers(), "application/json") {
            return Err(unsupported("application/json"));
        }
        let bytes = read_body(request, state).await?;
        // serde would read an array as a struct, field by field.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(malformed("the body must be a JSON object".to_owned()));
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| wrong_json(&error))?;
        json.end().map_err(|error| malformed_json(&error))?;
        Ok(Self(value))
    }
}

/// No body at all is fine where a body is optional; a body of another kind is not.
impl<T: DeserializeOwned> OptionalFromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Option<Self>, Problem> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        if !typed && request.body().size_hint().exact() == Some(0) {
            return Ok(None);
        }
        <Self as FromRequest<AppState>>::from_request(request, state).await.map(Some)
    }
}

/// A form body, as in OAuth: no parameter may be given twice (RFC 6749 §3.2).
pub(crate) struct FormBody(Bytes);

impl FromRequest<AppState> for FormBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !has_media_type(request.headers(), "application/x-www-form-urlencoded") {
            return Err(unsupported("application/x-www-form-urlencoded"));
        }
        Ok(Self(read_body(request, state).await?))
    }
}

impl FormBody {
    /// A parameter's value. Borrowed where nothing is encoded, as in tokens: this is on the hot path.
    pub(crate) fn required(&self, name: &'static str) -> Result<Cow<'_, str>, Problem> {
        self.optional(name)?.ok_or_else(|| {
            let detail = format!("the form parameter `{name}` is missing");
            Problem::of(catalogue::INVALID_REQUEST).detailed(detail)
        })
    }

    /// The value of a parameter that may be left out.
    pub(crate) fn optional(&self, name: &'static str) -> Result<Option<Cow<'_, str>>, Problem> {
        let mut values = self.pairs().filter_map(|pair| value_of(pair, name));
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => {
                let detail = format!("the form parameter `{name}` is given more than once");
                Err(Problem::of(catalogue::INVALID_REQUEST).detailed(detail))
            }
        }
    }
}

impl FormBody {
    /// All its parameters, decoded.
    pub(crate) fn parse(&self) -> form_urlencoded::Parse<'_> {
        form_urlencoded::parse(&self.0)
    }

    fn pairs(&self) -> impl Iterator<Item = &[u8]> {
        let ends = memchr::memchr_iter(b'&', &self.0).chain([self.0.len()]);
        ends.scan(0, |start, end| {
            let pair = self.0.get(*start..end);
            *start = end + 1;
            pair
        })
    }

    /// All values of a parameter that may be given several times (RFC 8707 §2), empty ones left out.
    pub(crate) fn all(&self, name: &'static str) -> Vec<Cow<'_, str>> {
        let values = self.pairs().filter_map(|pair| value_of(pair, name));
        values.filter(|value| !value.is_empty()).collect()
    }
}

/// The value of one `name=value` pair, if it is of that name.
fn value_of<'p>(pair: &'p [u8], name: &str) -> Option<Cow<'p, str>> {
    // No early end, so that the compiler looks at many bytes at once.
    let is_plain = |part: &[u8]| {
        !part
            .iter()
            .fold(false, |special, byte| special | !byte.is_ascii() | (*byte == b'%') | (*byte == b'+'))
    };
    let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    let (key, value) = (&pair[..end], pair.get(end + 1..).unwrap_or_default());
    if is_plain(key) {
        if key != name.as_bytes() {
            return None;
        }
        if is_plain(value) {
            return std::str::from_utf8(value).ok().map(Cow::Borrowed);
        }
    }
    form_urlencoded::parse(pair).find(|(key, _)| key == name).map(|(_, value)| value)
}

pub(crate) fn has_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
}

pub(crate) fn unsupported(wanted: &'static str) -> Problem {
    Problem::of(catalogue::UNSUPPORTED_MEDIA_TYPE).detailed(format!("send the body as {wanted}"))
}

/// A picture as it was sent. While it is there it takes one of the places for large bodies.
pub(crate) struct ImageBody {
    pub(crate) file: Bytes,
    _place: OwnedSemaphorePermit,
}

impl FromRequest<AppState> for ImageBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let known = ["image/png", "image/jpeg", "image/webp"];
        if !known.iter().any(|kind| has_media_type(request.headers(), kind)) {
            return Err(unsupported("image/png, image/jpeg or image/webp"));
        }
        let place = state.upload().ok_or_else(problem::overloaded)?;
        let file = read_within(request, LARGEST_FILE, state).await?;
        Ok(Self { file, _place: place })
    }
}

/// Reads a body within the bound for all of them.
pub(crate) async fn read_body(request: Request, state: &AppState) -> Result<Bytes, Problem> {
    read_within(request, state.config().limits.body_bytes, state).await
}

/// Reads a body within a bound; one that announces too much is not read at all.
async fn read_within(request: Request, most: usize, state: &AppState) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("a request body has at most {most} bytes");
        Problem::of(catalogue::BODY_TOO_LARGE).detailed(detail)
    };
    let body = request.into_body();
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    // A body that came with the head is read at the first poll: no timer is set for it.
    let reading = axum::body::to_bytes(body, most);
    let read = tokio::time::timeout(state.config().limits.request_time(), reading).await;
    read.map_err(|_elapsed| problem::timed_out())?.map_err(|error| {
        let exceeded =
            std::error::Error::source(&error).is_some_and(|source| source.is::<LengthLimitError>());
        if exceeded {
            return too_large();
        }
        Problem::of(catalogue::BODY_UNREADABLE)
    })
}

/// Says where the JSON is wrong, never what stood there: it may be a password.
fn malformed_json(error: &serde_json::Error) -> Problem {
    malformed(format!("the body is not JSON (line {}, column {})", error.line(), error.column()))
}

fn malformed(detail: String) -> Problem {
    Problem::of(catalogue::MALFORMED_JSON).detailed(detail)
}

fn wrong_json(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let inner = error.inner();
    if inner.is_syntax() || inner.is_eof() || inner.is_io() {
        return malformed_json(inner);
    }
    let text = inner.to_string();
    let (field, detail) = if let Some(known) = known_members(&text) {
        // The last step of the path is the unknown name itself: the sender's text.
        (path_text(error.path(), 1), format!("has an unknown member; there are {known}"))
    } else if let Some(missing) = missing_member(&text) {
        (path_text(error.path(), 0), missing.to_owned())
    } else {
        let place = format!("has the wrong type (line {}, column {})", inner.line(), inner.column());
        (path_text(error.path(), 0), place)
    };
    Problem::of(catalogue::INVALID_FIELDS).with_field(field, "wrong_type", detail)
}

/// A path within the body, without its last `but` steps.
fn path_text(path: &serde_path_to_error::Path, but: usize) -> String {
    let mut steps: Vec<String> = path.iter().map(ToString::to_string).collect();
    steps.truncate(steps.len().saturating_sub(but));
    if steps.is_empty() { "body".to_owned() } else { steps.join(".") }
}

/// serde's text about a missing field holds only names from our own types.
fn missing_member(text: &str) -> Option<&str> {
    let (message, _) = text.split_once(" at line ")?;
    message.starts_with("missing field `").then_some(message)
}

/// The members there are, from serde's text about an unknown one; they are names from our own types.
fn known_members(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("unknown field `")?;
    let (_, known) = rest.rsplit_once("`, expected ")?;
    Some(known.rsplit_once(" at line ").map_or(known, |(known, _)| known))
}

/// Where the request came from.
pub(crate) struct Client(pub(crate) ClientContext);

impl FromRequestParts<AppState> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical());
        let address = peer.map(|peer| client_address(peer, &parts.headers, &state.config().trusted_proxies));
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(ClientContext { address, user_agent: user_agent.map(str::to_owned) }))
    }
}

/// The nearest address in `X-Forwarded-For` that is no trusted proxy, read from the right: what stands further left
/// was written by the client itself.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut nearest = peer;
    for text in forwarded.into_iter().rev() {
        match text.parse::<IpAddr>() {
            Ok(address) => nearest = address.to_canonical(),
            Err(_) => return nearest,
        }
        if !is_trusted(&nearest) {
            return nearest;
        }
    }
    nearest
}

/// The tenant a request names: by `/t/{tenant}`, host name, header or publishable key. Two that differ are refused.
pub(crate) struct NamedTenant(pub(crate) Option<TenantId>);

impl FromRequestParts<AppState> for NamedTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        // The parameters are copied to be read, and most requests name no tenant among them.
        let params = match parts.uri.path().starts_with("/t/") {
            true => RawPathParams::from_request_parts(parts, state).await.ok(),
            false => None,
        };
        let by_path = params.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "tenant"));
        let by_path = by_path.map(|(_, value)| value);
        let by_header = match parts.headers.get("plinto-tenant") {
            None => None,
            Some(value) => Some(value.to_str().map_err(|_| ServiceError::UnknownTenant)?),
        };
        let by_host = tenant_of_host(&parts.headers, state.config().tenant_domain.as_deref());
        let mut names = [by_path, by_host, by_header].into_iter().flatten();
        let by_key = tenant_of_key(&parts.headers, state).await?;
        let Some(slug) = names.next() else { return Ok(Self(by_key)) };
        if names.any(|other| other != slug) {
            return Err(Problem::of(catalogue::TENANT_AMBIGUOUS));
        }
        let tenant = in_time(state, state.platform().resolve(slug)).await??;
        if by_key.is_some_and(|other| other != tenant) {
            return Err(Problem::of(catalogue::TENANT_AMBIGUOUS));
        }
        Ok(Self(Some(tenant)))
    }
}

/// The tenant of a publishable key. Any other kind of key has no business in this header.
async fn tenant_of_key(headers: &HeaderMap, state: &AppState) -> Result<Option<TenantId>, Problem> {
    let Some(value) = headers.get("plinto-publishable-key") else { return Ok(None) };
    let text = value.to_str().map_err(|_| ServiceError::Unauthenticated)?;
    let caller = state.platform().authenticate(text).await?;
    match caller.kind {
        ApiKeyKind::Publishable => Ok(caller.tenant),
        ApiKeyKind::Platform | ApiKeyKind::Secret => Err(ServiceError::Unauthenticated.into()),
    }
}

impl NamedTenant {
    /// The named tenant, which the request must name.
    pub(crate) fn required(self) -> Result<TenantId, Problem> {
        self.0.ok_or_else(|| Problem::of(catalogue::TENANT_NEEDED))
    }

    /// The named tenant, or the one whose issuer the access token names.
    pub(crate) async fn or_of_token(self, token: &str, state: &AppState) -> Result<TenantId, Problem> {
        match self.0 {
            Some(named) => Ok(named),
            None => {
                let found = in_time(state, state.platform().tenant_named_by(token)).await?;
                found.map_err(|error| match error {
                    ServiceError::UnknownTenant => {
                        ServiceError::InvalidToken { reason: "wrong_issuer" }.into()
                    }
                    other => other.into(),
                })
            }
        }
    }
}

/// Bounds what is waited for before the handler's call into the platform, which has a deadline of its own.
async fn in_time<F: Future>(state: &AppState, found: F) -> Result<F::Output, Problem> {
    let found = tokio::time::timeout_at(state.deadline().instant(), found).await;
    found.map_err(|_elapsed| problem::timed_out())
}

/// The tenant and the good access token of a signed-in user's request. It stands before the body, so that a request
/// without a good token is not told what is wrong with its body. Whether the session still lives, the handler's one call
/// into the platform finds out.
pub(crate) struct Mine {
    pub(crate) tenant: TenantId,
    pub(crate) token: Arc<str>,
}

impl FromRequestParts<AppState> for Mine {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let bearer = parts.extensions.get::<Bearer>().cloned();
        let Bearer(token) = bearer.ok_or(ServiceError::InvalidToken { reason: problem::MISSING })?;
        let named = NamedTenant::from_request_parts(parts, state).await?;
        let tenant = named.or_of_token(&token, state).await?;
        state.platform().verify_token(tenant, &token, state.deadline()).await?;
        Ok(Self { tenant, token })
    }
}

/// The tenant a management route works on, and who does it: a tenant's key reaches its own tenant and no other, a
/// platform key the one the request names.
pub(crate) struct ManagedTenant {
    pub(crate) tenant: TenantId,
    pub(crate) actor: Actor,
}

impl FromRequestParts<AppState> for ManagedTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().copied().ok_or(ServiceError::Unauthenticated)?;
        let named = NamedTenant::from_request_parts(parts, state).await?;
        let tenant = match (caller.tenant, named.0) {
            (Some(own), None) => own,
            (Some(own), Some(named)) if own == named => own,
            // A tenant's key learns nothing about other tenants, not even that they exist.
            (Some(_), Some(_)) => return Err(ServiceError::UnknownTenant.into()),
            (None, _) => named.required()?,
        };
        Ok(Self { tenant, actor: Actor::ApiKey(caller.key) })
    }
}

/// The parameters after `?`.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(_) => Err(invalid_query("the query has an unknown parameter or a value of the wrong type")),
        }
    }
}

/// Parameters after `?` that cannot be used. `detail` must not repeat what was sent.
pub(crate) fn invalid_query(detail: &'static str) -> Problem {
    Problem::of(catalogue::INVALID_QUERY).detailed(detail)
}

/// The tenant a host name under the domain of tenants names.
pub(crate) fn tenant_of_host<'h>(headers: &'h HeaderMap, domain: Option<&str>) -> Option<&'h str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let slug = host.strip_suffix(domain?)?.strip_suffix('.')?;
    (!slug.contains('.')).then_some(slug)
}

/// A typed id in a path; one that is none names nothing.
pub(crate) fn path_id<T: std::str::FromStr>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| problem::not_found())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_addresses_count_only_behind_trusted_proxies() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("net")];
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.9, 203.0.113.7, 10.0.0.2".parse().expect("header"));
        let of = |peer: &str| client_address(peer.parse().expect("address"), &headers, &trusted).to_string();
        assert_eq!(of("10.0.0.1"), "203.0.113.7", "the nearest address that is no proxy of ours");
        assert_eq!(of("192.0.2.1"), "192.0.2.1", "a stranger's header is not believed");
    }

    #[test]
    fn form_parameters_are_read_plain_or_encoded() {
        let form = FormBody(Bytes::from_static(b"a=1&to%6ben=x%2By+z&other"));
        assert_eq!(form.required("token").expect("encoded"), "x+y z");
        assert_eq!(form.required("a").expect("plain"), "1");
        assert_eq!(form.required("other").expect("without a value"), "");
        assert_eq!(form.required("none").expect_err("missing").code, "invalid_request");
        let twice = FormBody(Bytes::from_static(b"token=a&tok%65n=b"));
        assert_eq!(twice.required("token").expect_err("given twice").code, "invalid_request");
        let several = FormBody(Bytes::from_static(b"&resource=a&x=b&&resource=&resourc%65=%C3%A9&"));
        assert_eq!(several.all("resource"), ["a", "\u{e9}"]);
        assert_eq!(FormBody(Bytes::new()).all("resource"), Vec::<&str>::new());
    }

    #[test]
    fn host_names_select_tenants_only_under_the_configured_domain() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "acme.id.example.com:8000".parse().expect("header"));
        assert_eq!(tenant_of_host(&headers, Some("id.example.com")), Some("acme"));
        assert_eq!(tenant_of_host(&headers, Some("example.com")), None);
        assert_eq!(tenant_of_host(&headers, None), None);
    }
}

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::strict_json::{Name, StrictValue, put_once, read_once};
use crate::{Part, TokenError};

/// The last second of the year 9999: later times are mistakes (milliseconds, mostly).
const LATEST: i64 = 253_402_300_799;

/// The claims of an access token (RFC 9068), to be issued or as verified. Times are Unix seconds.
///
/// `Debug` leaves out everything that says something about a person. Serializing fails when `extra`
/// holds a claim that has a field here: it would be in the token twice.
#[derive(Clone, PartialEq)]
pub struct Claims {
    /// The issuer's URL.
    pub iss: String,
    /// The subject: a user, or the client itself for client credentials.
    pub sub: String,
    /// The audiences, at least one. On the wire a single one is a plain string.
    pub aud: Vec<String>,
    /// Not valid at and after this time.
    pub exp: i64,
    /// Issued at.
    pub iat: i64,
    /// Not valid before.
    pub nbf: Option<i64>,
    /// The token's own id.
    pub jti: String,
    /// The client it was issued to.
    pub client_id: String,
    /// The session it belongs to; absent for client credentials.
    pub sid: Option<String>,
    /// Granted scopes, separated by spaces.
    pub scope: Option<String>,
    /// When the subject last authenticated.
    pub auth_time: Option<i64>,
    /// The authentication context class reached.
    pub acr: Option<String>,
    /// The authentication methods used (RFC 8176).
    pub amr: Vec<String>,
    /// Every other claim.
    pub extra: Map<String, Value>,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("iss", &self.iss)
            .field("exp", &self.exp)
            .field("iat", &self.iat)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl Claims {
    /// Reads a decoded payload whose signature has been verified.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        const UNREADABLE: TokenError = TokenError::Malformed(Part::Payload);
        let text = std::str::from_utf8(bytes).map_err(|_| UNREADABLE)?;
        serde_json::from_str::<RawClaims>(text).map_err(|_| UNREADABLE)?.complete()
    }
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(name) = self.extra.keys().find(|name| REGISTERED.contains(&name.as_str())) {
            return Err(S::Error::custom(format!("extra claim `{name}` has a field of its own; set that")));
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("iss", &self.iss)?;
        map.serialize_entry("sub", &self.sub)?;
        match self.aud.as_slice() {
            [one] => map.serialize_entry("aud", one)?,
            many => map.serialize_entry("aud", many)?,
        }
        map.serialize_entry("exp", &self.exp)?;
        map.serialize_entry("iat", &self.iat)?;
        serialize_some(&mut map, "nbf", self.nbf.as_ref())?;
        map.serialize_entry("jti", &self.jti)?;
        map.serialize_entry("client_id", &self.client_id)?;
        serialize_some(&mut map, "sid", self.sid.as_ref())?;
        serialize_some(&mut map, "scope", self.scope.as_ref())?;
        serialize_some(&mut map, "auth_time", self.auth_time.as_ref())?;
        serialize_some(&mut map, "acr", self.acr.as_ref())?;
        serialize_some(&mut map, "amr", (!self.amr.is_empty()).then_some(&self.amr))?;
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn serialize_some<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

/// The claims that have a field in [`Claims`].
const REGISTERED: [&str; 13] =
    ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "sid", "scope", "auth_time", "acr", "amr"];

/// The claims as they come, each at most once and of the right type, none required yet.
#[derive(Default)]
struct RawClaims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    exp: Option<Seconds>,
    iat: Option<Seconds>,
    nbf: Option<Seconds>,
    jti: Option<String>,
    client_id: Option<String>,
    sid: Option<String>,
    scope: Option<String>,
    auth_time: Option<Seconds>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    extra: Map<String, Value>,
}

impl RawClaims {
    fn complete(self) -> Result<Claims, TokenError> {
        let claims = Claims {
            iss: present(self.iss, "iss")?,
            sub: present(self.sub, "sub")?,
            aud: self
                .aud
                .map(|aud| aud.0)
                .filter(|aud| !aud.is_empty())
                .ok_or(TokenError::MissingClaim("aud"))?,
            exp: self.exp.ok_or(TokenError::MissingClaim("exp"))?.0,
            iat: self.iat.ok_or(TokenError::MissingClaim("iat"))?.0,
            nbf: self.nbf.map(|seconds| seconds.0),
            jti: present(self.jti, "jti")?,
            client_id: present(self.client_id, "client_id")?,
            sid: self.sid,
            scope: self.scope,
            auth_time: self.auth_time.map(|seconds| seconds.0),
            acr: self.acr,
            amr: self.amr.unwrap_or_default(),
            extra: self.extra,
        };
        let times = [Some(claims.exp), Some(claims.iat), claims.nbf, claims.auth_time];
        if claims.iat > claims.exp || times.iter().flatten().any(|time| !(0..=LATEST).contains(time)) {
            return Err(TokenError::Malformed(Part::Times));
        }
        Ok(claims)
    }
}

fn present(claim: Option<String>, name: &'static str) -> Result<String, TokenError> {
    claim.filter(|value| !value.is_empty()).ok_or(TokenError::MissingClaim(name))
}

impl<'de> Deserialize<'de> for RawClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ClaimsVisitor;
        impl<'de> Visitor<'de> for ClaimsVisitor {
            type Value = RawClaims;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a claims set")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<RawClaims, A::Error> {
                let mut claims = RawClaims::default();
                while let Some(Name(name)) = members.next_key()? {
                    let from = &mut members;
                    match name.as_ref() {
                        "iss" => read_once(from, &mut claims.iss)?,
                        "sub" => read_once(from, &mut claims.sub)?,
                        "aud" => read_once(from, &mut claims.aud)?,
                        "exp" => read_once(from, &mut claims.exp)?,
                        "iat" => read_once(from, &mut claims.iat)?,
                        "nbf" => read_once(from, &mut claims.nbf)?,
                        "jti" => read_once(from, &mut claims.jti)?,
                        "client_id" => read_once(from, &mut claims.client_id)?,
                        "sid" => read_once(from, &mut claims.sid)?,
                        "scope" => read_once(from, &mut claims.scope)?,
                        "auth_time" => read_once(from, &mut claims.auth_time)?,
                        "acr" => read_once(from, &mut claims.acr)?,
                        "amr" => read_once(from, &mut claims.amr)?,
                        _ => {
                            let StrictValue(value) = from.next_value()?;
                            put_once(&mut claims.extra, name.into_owned(), value)?;
                        }
                    }
                }
                Ok(claims)
            }
        }
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

/// A NumericDate of whole seconds. `1.7e9` and `1700000000.0` are the same number and are taken, because a
/// verifier in JavaScript cannot tell them apart; a fraction is refused.
struct Seconds(i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SecondsVisitor;
        impl Visitor<'_> for SecondsVisitor {
            type Value = Seconds;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("whole seconds since 1970")
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Seconds, E> {
                Ok(Seconds(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Seconds, E> {
                i64::try_from(value).map(Seconds).map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Seconds, E> {
                // NaN and the infinities fail the range test, and within it the conversion is exact
                if value.fract() == 0.0 && value.abs() <= LATEST as f64 {
                    Ok(Seconds(value as i64))
                } else {
                    Err(E::custom("not whole seconds"))
                }
            }
        }
        deserializer.deserialize_any(SecondsVisitor)
    }
}

/// `aud`: one string or an array of strings.
struct OneOrMany(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor;
        impl<'de> Visitor<'de> for OneOrManyVisitor {
            type Value = OneOrMany;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<OneOrMany, E> {
                if value.is_empty() {
                    return Err(E::custom("empty audience"));
                }
                Ok(OneOrMany(vec![value.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany, A::Error> {
                let mut all: Vec<String> = Vec::new();
                while let Some(item) = items.next_element::<String>()? {
                    if item.is_empty() {
                        return Err(A::Error::custom("empty audience"));
                    }
                    all.push(item);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

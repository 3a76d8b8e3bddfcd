use super::scope::ScopeSet;
use super::secret::ClientSecret;
use crate::id::ClientId;
use crate::input::InvalidInput;
use crate::name::DisplayName;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use url::Url;

/// Seconds an access token may be good for.
const LIFETIMES: RangeInclusive<u32> = 60..=86_400;
/// Seconds it is good for where nobody says.
const USUAL_LIFETIME: u32 = 3_600;
const MOST_RESOURCES: usize = 20;
const LONGEST_RESOURCE: usize = 500;

/// What a client is, apart from its secrets. Stored as JSON: what is added later has a default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClientDefinition {
    /// What it is called.
    pub name: DisplayName,
    /// Scopes it may ask for.
    pub scopes: ScopeSet,
    /// Resource servers its tokens may be meant for (RFC 8707): absolute URIs without fragment, in order, each once.
    pub resources: Vec<String>,
    /// Seconds its access tokens are good for.
    pub access_token_seconds: u32,
    /// Whether it is refused everything, also what it was given before.
    pub disabled: bool,
}

/// A client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Which.
    pub id: ClientId,
    /// What it is.
    pub definition: ClientDefinition,
    /// The present one first.
    pub secrets: Vec<ClientSecret>,
    /// Grows by one with each change.
    pub version: i64,
}

impl Client {
    /// Whether a hash proves who presented its secret to be this client.
    pub fn is_proved_by(&self, hash: &[u8; 32], now: Timestamp) -> bool {
        // Every secret is looked at, whichever it is.
        self.secrets.iter().fold(false, |proved, secret| proved | secret.is_proved_by(hash, now))
    }
}

/// A change (RFC 7396), or what a new client is: what is left out stays, or is as usual.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientChange {
    /// What it is called.
    pub name: Option<String>,
    /// Scopes it may ask for.
    pub scopes: Option<Vec<String>>,
    /// Resource servers its tokens may be meant for.
    pub resources: Option<Vec<String>>,
    /// Seconds its access tokens are good for.
    pub access_token_seconds: Option<u32>,
    /// Whether it is refused everything.
    pub disabled: Option<bool>,
}

impl ClientDefinition {
    /// A new client's. Its name is needed.
    pub fn of(wanted: ClientChange) -> Result<Self, Vec<InvalidInput>> {
        let needed = || vec![InvalidInput::new("name", "missing", "a client needs a name")];
        let name = wanted.name.as_deref().ok_or_else(needed)?;
        let name = DisplayName::parse("name", name).map_err(|invalid| vec![invalid])?;
        let usual = Self {
            name,
            scopes: ScopeSet::default(),
            resources: Vec::new(),
            access_token_seconds: USUAL_LIFETIME,
            disabled: false,
        };
        usual.changed(wanted)
    }

    /// The same with a change, if all of it is valid.
    pub fn changed(self, wanted: ClientChange) -> Result<Self, Vec<InvalidInput>> {
        let ClientChange { name, scopes, resources, access_token_seconds, disabled } = wanted;
        let name = name.map(|name| DisplayName::parse("name", &name)).transpose();
        let scopes = scopes.map(|scopes| ScopeSet::parse("scopes", &scopes)).transpose();
        let resources = resources.map(parse_resources).transpose();
        let lifetime = access_token_seconds.map(parse_lifetime).transpose();
        match (name, scopes, resources, lifetime) {
            (Ok(name), Ok(scopes), Ok(resources), Ok(lifetime)) => Ok(Self {
                name: name.unwrap_or(self.name),
                scopes: scopes.unwrap_or(self.scopes),
                resources: resources.unwrap_or(self.resources),
                access_token_seconds: lifetime.unwrap_or(self.access_token_seconds),
                disabled: disabled.unwrap_or(self.disabled),
            }),
            (name, scopes, resources, lifetime) => {
                let wrong = [name.err(), scopes.err(), resources.err(), lifetime.err()];
                Err(wrong.into_iter().flatten().collect())
            }
        }
    }

    /// Names of what is different.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let all = [
            ("name", self.name != other.name),
            ("scopes", self.scopes != other.scopes),
            ("resources", self.resources != other.resources),
            ("access_token_seconds", self.access_token_seconds != other.access_token_seconds),
            ("disabled", self.disabled != other.disabled),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

fn parse_lifetime(seconds: u32) -> Result<u32, InvalidInput> {
    let detail = "an access token is good for 60 to 86400 seconds";
    let wrong = || InvalidInput::new("access_token_seconds", "out_of_range", detail);
    LIFETIMES.contains(&seconds).then_some(seconds).ok_or_else(wrong)
}

/// Whether a text is a resource indicator (RFC 8707 §2).
pub(super) fn is_resource(text: &str) -> bool {
    let is_uri = text.len() <= LONGEST_RESOURCE && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_uri && Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}

fn parse_resources(mut texts: Vec<String>) -> Result<Vec<String>, InvalidInput> {
    if texts.len() > MOST_RESOURCES {
        let detail = "a client has at most 20 resources";
        return Err(InvalidInput::new("resources", "too_many_resources", detail));
    }
    if !texts.iter().all(|text| is_resource(text)) {
        let detail = "a resource is an absolute URI without fragment, at most 500 characters (RFC 8707)";
        return Err(InvalidInput::new("resources", "invalid_resource", detail));
    }
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}

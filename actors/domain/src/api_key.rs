//! API keys: what they are for, and the rules for making, rotating and withdrawing them.

mod text;

pub use text::{ApiKeyText, NewKeyText, PATTERN};

use crate::api_scope::{ApiScope, ApiScopes, Resource};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{ApiKeyId, ServiceAccountId, TenantId};
use crate::input::InvalidInput;
use crate::name::DisplayName;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// There is no such key in the tenant.
pub const UNKNOWN_API_KEY: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_api_key",
    "Unknown API key",
    "there is no API key of this id in the tenant",
);
/// Nobody gives away rights they do not hold.
pub const SCOPE_NOT_HELD: Denial = Denial::new(
    DenialKind::Forbidden,
    "scope_not_held",
    "Scope not held",
    "a key gives away only scopes it has itself; use one that has them",
);
/// The key was revoked or has expired.
pub const API_KEY_ENDED: Denial = Denial::new(
    DenialKind::Conflict,
    "api_key_ended",
    "API key ended",
    "this API key was revoked or has expired; make a new one",
);
/// Without a platform key nobody could administer the platform.
pub const LAST_PLATFORM_KEY: Denial = Denial::new(
    DenialKind::Conflict,
    "last_platform_key",
    "Last platform key",
    "this is the last platform key; make another one first (plinto keys platform)",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNKNOWN_API_KEY, SCOPE_NOT_HELD, API_KEY_ENDED, LAST_PLATFORM_KEY];

/// Longest time for which a replaced secret still works.
const LONGEST_OVERLAP: Duration = Duration::from_secs(30 * 86_400);

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApiKeyKind {
    /// An operator's: it may do everything on every tenant.
    Platform,
    /// A tenant's service's: it may do what its scopes say, and is kept secret.
    Secret,
    /// Names a tenant in what its users run, and may do nothing else.
    Publishable,
}

impl ApiKeyKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Platform, Self::Secret, Self::Publishable];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Secret => "secret",
            Self::Publishable => "publishable",
        }
    }
}

/// A secret as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SecretHash {
    /// The keyed hash.
    pub hash: [u8; 32],
    /// Version of the data key its key is derived from; 0 for a bare SHA-256, as older keys have it.
    pub key_version: u32,
}

/// What a decision has to know of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Which.
    pub id: ApiKeyId,
    /// The tenant it reaches; none for a platform key.
    pub tenant: Option<TenantId>,
    /// What it may do.
    pub scopes: ApiScopes,
    /// What it is called.
    pub name: DisplayName,
    /// When it stops to work.
    pub expires_at: Option<Timestamp>,
    /// When it was withdrawn.
    pub revoked_at: Option<Timestamp>,
    /// Grows by one with each change.
    pub version: i64,
}

/// What a new key shall be.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What it is for.
    pub kind: ApiKeyKind,
    /// What it is called.
    pub name: DisplayName,
    /// What it may do.
    pub scopes: ApiScopes,
    /// When it stops to work.
    pub expires_at: Option<Timestamp>,
    /// Whose it is.
    pub account: Option<ServiceAccountId>,
}

impl NewApiKey {
    /// A key with which services ask whether tokens are good, and nothing else.
    pub fn for_introspection(name: &str) -> Result<Self, InvalidInput> {
        Ok(Self {
            kind: ApiKeyKind::Secret,
            name: DisplayName::parse("name", name)?,
            scopes: [ApiScope::read(Resource::Tokens)].into_iter().collect(),
            expires_at: None,
            account: None,
        })
    }

    /// Checks a wish for a tenant's key.
    pub fn parse(
        kind: ApiKeyKind,
        name: &str,
        scopes: &[String],
        expires_at: Option<Timestamp>,
        account: Option<ServiceAccountId>,
        now: Timestamp,
    ) -> Result<Self, Vec<InvalidInput>> {
        let (name, scopes) = (DisplayName::parse("name", name), of_kind(kind, scopes));
        let expiry = match expires_at {
            Some(at) if at <= now => Err(InvalidInput::new(
                "expires_at",
                "in_the_past",
                "a key expires in the future; leave it out for never",
            )),
            at => Ok(at),
        };
        match (name, scopes, expiry) {
            (Ok(name), Ok(scopes), Ok(expires_at)) => Ok(Self { kind, name, scopes, expires_at, account }),
            (name, scopes, expiry) => {
                Err([name.err(), scopes.err(), expiry.err()].into_iter().flatten().collect())
            }
        }
    }
}

fn of_kind(kind: ApiKeyKind, scopes: &[String]) -> Result<ApiScopes, InvalidInput> {
    let scopes = ApiScopes::parse("scopes", scopes)?;
    match (kind, scopes.is_empty()) {
        (ApiKeyKind::Secret, true) => {
            Err(InvalidInput::new("scopes", "scopes_needed", "a secret key has at least one scope"))
        }
        (ApiKeyKind::Publishable, false) => Err(InvalidInput::new(
            "scopes",
            "scopes_not_allowed",
            "a publishable key is known to everybody and has no scopes",
        )),
        _ => Ok(scopes),
    }
}

/// How long a replaced secret still works.
pub fn parse_overlap(seconds: u32) -> Result<Duration, InvalidInput> {
    let overlap = Duration::from_secs(seconds.into());
    if overlap > LONGEST_OVERLAP {
        return Err(InvalidInput::new(
            "overlap_seconds",
            "out_of_range",
            "choose at most 2592000 seconds (30 days)",
        ));
    }
    Ok(overlap)
}

/// A change of API keys.
#[derive(Debug)]
pub enum ApiKeyWrite {
    /// A new one.
    Insert {
        /// Its id.
        key: ApiKeyId,
        /// The tenant it reaches; none for a platform key.
        tenant: Option<TenantId>,
        /// What it is.
        new: NewApiKey,
        /// Its secret.
        secret: SecretHash,
        /// When.
        at: Timestamp,
    },
    /// What it is called.
    Rename {
        /// Which.
        key: ApiKeyId,
        /// The name.
        name: DisplayName,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// A new secret; the present one works until an instant.
    Rotate {
        /// Which.
        key: ApiKeyId,
        /// The new secret.
        secret: SecretHash,
        /// Until when the present one works.
        previous_until: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// It is withdrawn.
    Revoke {
        /// Which.
        key: ApiKeyId,
        /// When.
        at: Timestamp,
    },
    /// An operator's key is withdrawn, unless it is the last one.
    RevokePlatformKey {
        /// Which.
        key: ApiKeyId,
        /// When.
        at: Timestamp,
    },
}

/// What happened to a key that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApiKeyEvent {
    /// It is called something else.
    Renamed {
        /// Which.
        key: ApiKeyId,
        /// The tenant it reaches.
        tenant: Option<TenantId>,
    },
    /// It has a new secret.
    Rotated {
        /// Which.
        key: ApiKeyId,
        /// The tenant it reaches.
        tenant: Option<TenantId>,
        /// Seconds for which the older secret works on.
        overlap_seconds: u64,
    },
    /// It was withdrawn.
    Revoked {
        /// Which.
        key: ApiKeyId,
        /// The tenant it reached.
        tenant: Option<TenantId>,
    },
}

impl ApiKeyEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Renamed { .. } => "api_key.renamed",
            Self::Rotated { .. } => "api_key.rotated",
            Self::Revoked { .. } => "api_key.revoked",
        }
    }

    /// Whether other nodes hold in memory what it changed.
    pub const fn concerns_other_nodes(&self) -> bool {
        matches!(self, Self::Rotated { .. } | Self::Revoked { .. })
    }

    /// What it is about.
    pub fn subject(&self) -> String {
        let (Self::Renamed { key, .. } | Self::Rotated { key, .. } | Self::Revoked { key, .. }) = self;
        key.to_string()
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Renamed { tenant, .. } | Self::Revoked { tenant, .. } => json!({ "tenant": tenant }),
            Self::Rotated { tenant, overlap_seconds, .. } => {
                json!({ "tenant": tenant, "overlap_seconds": overlap_seconds })
            }
        }
    }
}

/// Makes a key. Its maker gives away what it has.
pub fn issue(
    key: ApiKeyId,
    tenant: Option<TenantId>,
    new: NewApiKey,
    secret: SecretHash,
    maker: ApiScopes,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    if !maker.cover_all(new.scopes) {
        return Err(SCOPE_NOT_HELD);
    }
    Ok(Decision {
        writes: vec![Write::ApiKey(ApiKeyWrite::Insert { key, tenant, new, secret, at: now })],
        events: vec![Event::ApiKeyIssued { key, tenant }],
        reply: (),
    })
}

/// Renames a key. What is already so is not written again.
pub fn rename(key: &ApiKey, name: DisplayName, precondition: &Precondition) -> Result<Decision<()>, Denial> {
    precondition.check(key.version)?;
    if key.name == name {
        return Ok(Decision::reply_only(()));
    }
    let write = ApiKeyWrite::Rename { key: key.id, name, expected_version: key.version };
    Ok(changed(write, ApiKeyEvent::Renamed { key: key.id, tenant: key.tenant }))
}

/// Gives a key a new secret. Whoever hears it may do what the key may, so its maker must be allowed all of that.
pub fn rotate(
    key: &ApiKey,
    secret: SecretHash,
    overlap: Duration,
    maker: ApiScopes,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|end| end <= now) {
        return Err(API_KEY_ENDED);
    }
    if !maker.cover_all(key.scopes) {
        return Err(SCOPE_NOT_HELD);
    }
    let previous_until = now.plus(overlap);
    let write = ApiKeyWrite::Rotate { key: key.id, secret, previous_until, expected_version: key.version };
    let overlap_seconds = overlap.as_secs();
    Ok(changed(write, ApiKeyEvent::Rotated { key: key.id, tenant: key.tenant, overlap_seconds }))
}

/// Withdraws a key. One that was withdrawn stays so.
pub fn revoke(key: &ApiKey, now: Timestamp) -> Decision<()> {
    if key.revoked_at.is_some() {
        return Decision::reply_only(());
    }
    let write = match key.tenant {
        Some(_) => ApiKeyWrite::Revoke { key: key.id, at: now },
        None => ApiKeyWrite::RevokePlatformKey { key: key.id, at: now },
    };
    changed(write, ApiKeyEvent::Revoked { key: key.id, tenant: key.tenant })
}

fn changed(write: ApiKeyWrite, event: ApiKeyEvent) -> Decision<()> {
    Decision { writes: vec![Write::ApiKey(write)], events: vec![Event::ApiKey(event)], reply: () }
}

#[cfg(test)]
mod tests;

//! A key in memory, and whether what is presented is it.

use super::Caller;
use super::mac_keys::MacKeys;
use crate::error::ServiceError;
use plinto_domain::api_key::{ApiKeyKind, ApiKeyText};
use plinto_domain::api_scope::ApiScopes;
use plinto_domain::{ApiKeyId, TenantId, Timestamp};
use plinto_storage::repositories::api_keys::{self, ApiKeyRow, HashedSecret};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Whether a presented key is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Good,
    Bad,
    /// Only whoever has the owner's MAC key can say.
    MacKeyNeeded,
}

/// A key that is not revoked.
pub(super) struct Known {
    pub(super) caller: Caller,
    /// The secret, and the one before it with the end of its time.
    secrets: [Option<(HashedSecret, Timestamp)>; 2],
    expires_at: Timestamp,
    account_disabled: bool,
    /// When it was last used, in Unix milliseconds; shared with the pictures of this key before and after this one.
    pub(super) used: Arc<AtomicI64>,
}

/// An instant that does not come.
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

pub(super) fn kind_of(kind: api_keys::ApiKeyKind) -> ApiKeyKind {
    match kind {
        api_keys::ApiKeyKind::Platform => ApiKeyKind::Platform,
        api_keys::ApiKeyKind::Secret => ApiKeyKind::Secret,
        api_keys::ApiKeyKind::Publishable => ApiKeyKind::Publishable,
    }
}

/// What a stored key may do.
pub(super) fn scopes_of(row: &ApiKeyRow) -> Result<ApiScopes, ServiceError> {
    match row.kind {
        api_keys::ApiKeyKind::Platform => Ok(ApiScopes::all()),
        // A newer version may know more scopes: those this one knows hold.
        _ => Ok(row
            .scopes
            .split_ascii_whitespace()
            .filter_map(plinto_domain::api_scope::ApiScope::parse)
            .collect()),
    }
}

impl Known {
    pub(super) fn of(row: &ApiKeyRow, before: Option<&Arc<Self>>) -> Result<Arc<Self>, ServiceError> {
        let caller = Caller {
            key: ApiKeyId::from_uuid(row.key_id),
            kind: kind_of(row.kind),
            tenant: row.tenant.map(TenantId::from_uuid),
            scopes: scopes_of(row)?,
        };
        let used = before.map(|before| Arc::clone(&before.used));
        Ok(Arc::new(Self {
            caller,
            secrets: [
                Some((row.secret, NEVER)),
                row.previous.map(|(secret, until)| (secret, Timestamp::from_millis(until))),
            ],
            expires_at: row.expires_at.map_or(NEVER, Timestamp::from_millis),
            account_disabled: row.account_disabled,
            used: used.unwrap_or_else(|| Arc::new(AtomicI64::new(row.last_used_at.unwrap_or(i64::MIN)))),
        }))
    }

    /// Whose keys its MAC key is derived from: the tenant, or nil for the platform.
    pub(super) fn owner(&self) -> Uuid {
        self.caller.tenant.map_or(Uuid::nil(), TenantId::uuid)
    }

    fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = HashedSecret> {
        self.secrets.iter().flatten().filter(move |(_, until)| now < *until).map(|(secret, _)| *secret)
    }

    /// Versions of the owner's data key whose MAC keys are needed to check a secret.
    pub(super) fn mac_key_versions(&self, now: Timestamp) -> Vec<u32> {
        self.live_secrets(now).map(|secret| secret.key_version).filter(|version| *version > 0).collect()
    }

    /// Constant time in the secret.
    pub(super) fn check(&self, given: &ApiKeyText<'_>, now: Timestamp, mac_keys: &MacKeys) -> Verdict {
        let of_another_kind = given.kind.is_some_and(|kind| kind != self.caller.kind);
        if of_another_kind || self.account_disabled || self.expires_at <= now {
            return Verdict::Bad;
        }
        let mut verdict = Verdict::Bad;
        for stored in self.live_secrets(now) {
            match mac_keys.hash(self.owner(), stored.key_version, given.secret) {
                Some(hash) if bool::from(hash.ct_eq(&stored.hash)) => return Verdict::Good,
                Some(_) => {}
                None => verdict = Verdict::MacKeyNeeded,
            }
        }
        verdict
    }
}

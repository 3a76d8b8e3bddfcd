//! Making and finding secrets that are good once.

use crate::error::ServiceError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plinto_domain::email::EmailAddress;
use plinto_domain::one_time::{Purpose, SecretHash, StoredSecret};
use plinto_domain::randomness::Randomness;
use plinto_domain::recovery::Fresh;
use plinto_domain::{Timestamp, UserId};
use plinto_storage::TenantVault;
use plinto_storage::repositories::one_time_tokens::OneTimeTokenRow;

/// Purpose of the keyed hash of tokens and challenges.
const TOKEN: &str = "one_time.token";
/// Purpose of the keyed hash of what is mailed for a challenge.
const SENT: &str = "one_time.sent";
/// Longest secret looked at.
const LONGEST: usize = 128;

/// 256 random bits, as they may stand in a link.
pub(crate) fn fresh(vault: &TenantVault, randomness: &dyn Randomness) -> Fresh {
    let mut secret = [0; 32];
    randomness.fill(&mut secret);
    let text = URL_SAFE_NO_PAD.encode(secret);
    let hash = vault.blind_index(TOKEN, text.as_bytes());
    Fresh { text, hash }
}

/// The keyed hash of what was presented; none of what cannot be ours.
pub(crate) fn hash_of(vault: &TenantVault, presented: &str) -> Option<SecretHash> {
    (presented.len() <= LONGEST).then(|| vault.blind_index(TOKEN, presented.as_bytes()))
}

/// The keyed hash of what is good together with a challenge only: the same code has another one for another challenge.
pub(crate) fn hash_sent(vault: &TenantVault, challenge: &SecretHash, presented: &str) -> Option<SecretHash> {
    let bound = || [&challenge[..], presented.as_bytes()].concat();
    (presented.len() <= LONGEST).then(|| vault.blind_index(SENT, &bound()))
}

/// A row as decisions see it.
pub(crate) fn stored(row: OneTimeTokenRow) -> Result<StoredSecret, ServiceError> {
    let damaged = ServiceError::Damaged("one-time secret");
    let Some(purpose) = Purpose::parse(&row.purpose) else { return Err(damaged) };
    let Ok(email) = EmailAddress::parse("email", &row.email) else { return Err(damaged) };
    Ok(StoredSecret {
        id: row.token_hash,
        purpose,
        user: row.user_id.map(UserId::from_uuid),
        email,
        sent: row.sent_hash,
        attempts: row.attempts,
        expires_at: Timestamp::from_millis(row.expires_at),
        used: row.used_at.is_some(),
        version: row.version,
    })
}

//! Accounts and sessions put straight into storage, where making them by request would take hours of hashing.

use super::environment::SystemRandomness;
use super::error::BenchError;
use super::instance::Tenant;
use hmac::{Hmac, KeyInit, Mac};
use plinto_actors::{ClientContext, HashMemory, Platform, hash_password};
use plinto_domain::email::EmailAddress;
use plinto_domain::password::{Password, PasswordHash};
use plinto_domain::refresh_token::{RefreshToken, RefreshTokenParts};
use plinto_domain::{SessionId, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::credentials::{self, CredentialKind, CredentialRow};
use plinto_storage::repositories::sessions::{self, ClientInfo, SessionRow};
use plinto_storage::repositories::user_emails::{self, UserEmailRow};
use plinto_storage::repositories::users::{self, UserProfile, UserRow};
use plinto_storage::{Engine, Scope, Statement, TenantVault, Unit};
use sha2::Sha256;
use std::ops::Range;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Password of every account.
pub(crate) const PASSWORD: &str = "plain oat zebra lantern";
/// Purpose of the key refresh tokens are made with; the same text as in `plinto_actors`.
const PURPOSE: &str = "refresh-token";
const STATEMENTS_PER_UNIT: usize = 2_000;
const DAY: Duration = Duration::from_secs(86_400);

/// The password of every account, parsed.
pub(crate) fn password() -> Password {
    Password::entered("password", PASSWORD).expect("the benchmark's password is valid")
}

/// A hash of it with the current parameters.
pub(crate) fn password_hash() -> PasswordHash {
    hash_password(&mut HashMemory::default(), &password(), &SystemRandomness)
}

/// The address of account `number`.
pub(crate) fn email(number: u64) -> String {
    format!("user{number}@bench.example")
}

fn uuid(at: Timestamp, kind: u8, number: u64) -> Uuid {
    let mut random = [kind; 10];
    random[2..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let millis = u64::try_from(at.as_millis()).unwrap_or(0) + number / 16;
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The id of seeded session `number`, so that a million of them need not be kept in memory.
pub(crate) fn session_id(epoch: Timestamp, number: u64) -> SessionId {
    SessionId::from_uuid(uuid(epoch, 2, number))
}

/// Adds accounts that all have [`PASSWORD`]; one hash serves them all, as checking costs the same.
pub(crate) async fn add_accounts(
    engine: &dyn Engine,
    vault: &TenantVault,
    numbers: Range<u64>,
    now: Timestamp,
) -> Result<(), BenchError> {
    let hash = password_hash();
    let mut statements = Vec::new();
    for number in numbers {
        let user_id = uuid(now, 1, number);
        let address = email(number);
        let normalized = EmailAddress::parse("email", &address).expect("the benchmark's addresses are valid");
        let at = now.as_millis();
        let profile = UserProfile { name: Some("Ada Lovelace".to_owned()), ..UserProfile::default() };
        let user = UserRow { profile, ..UserRow::new(user_id, at) };
        let email =
            UserEmailRow { user_id, email: address, verified_at: None, is_primary: true, created_at: at };
        let credential = CredentialRow {
            user_id,
            kind: CredentialKind::Password,
            secret: Zeroizing::new(hash.as_phc().to_owned()),
            created_at: at,
            updated_at: at,
            version: 1,
        };
        statements.push(users::insert(vault, &user));
        statements.push(user_emails::insert(vault, normalized.normalized(), &email));
        statements.push(credentials::insert(vault, &credential));
    }
    commit(engine, vault, statements).await
}

async fn commit(
    engine: &dyn Engine,
    vault: &TenantVault,
    statements: Vec<Statement>,
) -> Result<(), BenchError> {
    let unit = Unit { statements, entries: Vec::new() };
    for answer in engine.commit(Scope::Tenant(vault.tenant()), "bench.seed", vec![unit]).await? {
        answer?;
    }
    Ok(())
}

/// Adds live sessions `numbers` of one user, in large transactions.
pub(crate) async fn add_sessions(
    engine: &dyn Engine,
    vault: &TenantVault,
    user: UserId,
    numbers: impl IntoIterator<Item = u64>,
    epoch: Timestamp,
) -> Result<(), BenchError> {
    let tenant = TenantId::from_uuid(vault.tenant());
    let mut rows = numbers.into_iter().map(|number| {
        let session = session_id(epoch, number);
        let token = refresh_token(vault, tenant, session);
        sessions::insert(vault, &row(session, user, token.sha256(), vault.current_version(), epoch))
    });
    loop {
        let some: Vec<_> = rows.by_ref().take(STATEMENTS_PER_UNIT).collect();
        if some.is_empty() {
            return Ok(());
        }
        commit(engine, vault, some).await?;
    }
}

fn row(
    session: SessionId,
    user: UserId,
    refresh_hash: [u8; 32],
    key_version: u32,
    at: Timestamp,
) -> SessionRow {
    SessionRow {
        session_id: session.uuid(),
        user_id: user.uuid(),
        created_at: at.as_millis(),
        authenticated_at: at.as_millis(),
        expires_at: at.plus(DAY * 90).as_millis(),
        idle_expires_at: at.plus(DAY * 14).as_millis(),
        amr: vec!["pwd".to_owned()],
        client: Some(ClientInfo {
            address: Some("203.0.113.7".into()),
            user_agent: Some("plinto-bench".into()),
        }),
        refresh_generation: 1,
        refresh_hash,
        rotated_at: 0,
        refresh_client: None,
        key_version,
        revoked_at: None,
        revoked_reason: None,
        version: 1,
        last_seen_at: at.as_millis(),
        organization: None,
    }
}

/// The id of account `number` added at `now`.
pub(crate) fn user_id(now: Timestamp, number: u64) -> UserId {
    UserId::from_uuid(uuid(now, 1, number))
}

/// The first refresh token of a session, made as `plinto_actors` makes it.
pub(crate) fn refresh_token(vault: &TenantVault, tenant: TenantId, session: SessionId) -> RefreshToken {
    let parts = RefreshTokenParts { tenant, session, generation: 1, key_version: vault.current_version() };
    let key = vault.derive_at(parts.key_version, PURPOSE, session.uuid().as_bytes());
    let key = key.expect("the current key version is loaded");
    let mut mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of any length");
    mac.update(&parts.authenticated_bytes());
    parts.encode(&mac.finalize().into_bytes().into())
}

/// Adds live sessions to the first account and exchanges their refresh tokens, which yields access tokens without
/// hashing.
pub(crate) async fn live_sessions(
    platform: &Platform,
    engine: &dyn Engine,
    tenant: &Tenant,
    count: u64,
    now: Timestamp,
) -> Result<Vec<String>, BenchError> {
    add_sessions(engine, &tenant.vault, user_id(now, 0), 0..count, now).await?;
    let mut tokens = Vec::new();
    for number in 0..count {
        let first = refresh_token(&tenant.vault, tenant.id, session_id(now, number));
        let deadline = Deadline::after(Duration::from_secs(10));
        let pair = platform.refresh(None, first.expose(), ClientContext::default(), deadline).await?;
        tokens.push(pair.access.token);
    }
    Ok(tokens)
}

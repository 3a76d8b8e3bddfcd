//! Bringing a tenant to life: unlock its vault, load its keys.

use super::cell::TenantCell;
use super::known_clients::KnownClients;
use super::known_users::{KnownUsers, UserStamps};
use super::outcomes::Outcomes;
use super::published::Published;
use super::rights::Rights;
use super::signers::Signers;
use super::slot::Slot;
use super::tokens::VerifiedTokens;
use crate::config::PlatformConfig;
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::nodes::UnknownKeys;
use crate::persist;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::metadata::MetadataRules;
use plinto_domain::tenant::{TenantSettings, TenantSlug};
use plinto_domain::{TenantId, Timestamp};
use plinto_storage::repositories::signing_keys::{self, SigningKeyRow, SigningKeyState};
use plinto_storage::{Scope, Store, TenantState, TenantVault, Unit};
use plinto_token::{Algorithm, KeySet, SigningKey};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Loads a tenant, or `None` if there is no such (live) tenant.
pub(crate) async fn load(
    store: &Store,
    config: &PlatformConfig,
    environment: &Environment,
    stamps: &Arc<UserStamps>,
    id: TenantId,
) -> Result<Option<TenantCell>, ServiceError> {
    let Some(row) = store.tenants().get(id.uuid()).await? else { return Ok(None) };
    if row.state != TenantState::Active {
        return Ok(None);
    }
    let Some(vault) = store.unlock(id.uuid()).await? else { return Ok(None) };
    let slug = TenantSlug::parse("slug", &row.slug).map_err(|_| ServiceError::Damaged("tenant slug"))?;
    let settings: TenantSettings =
        serde_json::from_value(row.settings).map_err(|_| ServiceError::Damaged("tenant settings"))?;
    let rows = signing_keys_or_first(store, &vault, id, environment.now()).await?;
    let (signers, keys) = parse_keys(&rows, environment.now())?;
    let jwks = serde_json::to_vec(&keys.to_jwks()).map_err(|_| ServiceError::Damaged("public keys"))?;
    Ok(Some(TenantCell {
        id,
        name: row.name,
        issuer: format!("{}/t/{slug}", config.base_url),
        metadata: metadata_rules(id, &settings),
        settings,
        vault,
        signers,
        keys,
        retired: retirements(&rows),
        jwks: Published::of(jwks.into()),
        server_metadata: OnceLock::new(),
        verified: VerifiedTokens::new(&config.limits),
        unknown_keys: UnknownKeys::default(),
        audit_streams: Arc::new(Semaphore::new(config.limits.audit_streams)),
        bulk_streams: Arc::new(Semaphore::new(config.limits.bulk_streams)),
        rights: Rights::default(),
        outcomes: Outcomes::default(),
        clients: KnownClients::default(),
        flags: Slot::default(),
        // Another node's changes would be heard of too late.
        users: KnownUsers::new(id, (!store.engine().is_shared()).then(|| Arc::clone(stamps))),
        policies: Slot::default(),
    }))
}

/// Schemas of another version may be of no use to this one: the tenant lives all the same, and no metadata is written.
fn metadata_rules(id: TenantId, settings: &TenantSettings) -> Option<Arc<MetadataRules>> {
    let rules = MetadataRules::of(&settings.metadata);
    rules
        .map(Arc::new)
        .inspect_err(|_| tracing::error!(tenant = %id, "its metadata schemas cannot be used"))
        .ok()
}

/// The stored keys; a tenant that has none yet (its creation was cut short, or this is its first activation) gets one.
async fn signing_keys_or_first(
    store: &Store,
    vault: &Arc<TenantVault>,
    id: TenantId,
    now: Timestamp,
) -> Result<Vec<SigningKeyRow>, ServiceError> {
    let engine = store.engine();
    let rows = signing_keys::list(&**engine, vault).await?;
    if rows.iter().any(|row| row.state == SigningKeyState::Active) {
        return Ok(rows);
    }
    let unit = new_signing_key(vault, Algorithm::EdDsa, Actor::System, now)?;
    let outcomes = engine.commit(Scope::Tenant(id.uuid()), "tenant.first_signing_key", vec![unit]).await?;
    if outcomes.iter().any(Result::is_err) {
        return Err(ServiceError::Conflict);
    }
    Ok(signing_keys::list(&**engine, vault).await?)
}

/// A unit of work that adds a new active signing key.
pub(crate) fn new_signing_key(
    vault: &TenantVault,
    algorithm: Algorithm,
    actor: Actor,
    now: Timestamp,
) -> Result<Unit, ServiceError> {
    let broken = |_| ServiceError::Damaged("the cryptographic library made no key");
    let key = SigningKey::generate(algorithm).map_err(broken)?;
    let private = key.to_pkcs8().map_err(broken)?;
    let public = serde_json::to_value(key.public_jwk()).map_err(|_| ServiceError::Damaged("public key"))?;
    let row = SigningKeyRow {
        kid: key.kid().to_owned(),
        alg: algorithm.name().to_owned(),
        private_key: private,
        public_jwk: public,
        state: SigningKeyState::Active,
        created_at: now.as_millis(),
        not_after: None,
    };
    let event = Event::SigningKeyRotated { kid: row.kid.clone(), alg: algorithm.name() };
    Ok(Unit {
        statements: vec![signing_keys::insert(vault, &row)],
        entries: persist::entries(&[event], actor, now),
    })
}

fn retirements(rows: &[SigningKeyRow]) -> HashMap<String, i64> {
    rows.iter().filter_map(|row| Some((row.kid.clone(), row.not_after?))).collect()
}

/// Active keys sign; every key that has not retired verifies.
fn parse_keys(rows: &[SigningKeyRow], now: Timestamp) -> Result<(Signers, KeySet), ServiceError> {
    let (mut keys, mut active) = (KeySet::new(), Vec::new());
    for row in rows {
        if row.not_after.is_some_and(|end| end <= now.as_millis()) {
            continue;
        }
        let algorithm =
            Algorithm::from_name(&row.alg).ok_or(ServiceError::Damaged("signing key algorithm"))?;
        let key = SigningKey::from_pkcs8(algorithm, &row.kid, &row.private_key)
            .map_err(|_| ServiceError::Damaged("signing key"))?;
        keys.insert(key.verifying_key().clone()).map_err(|_| ServiceError::Damaged("signing key id"))?;
        if row.state == SigningKeyState::Active {
            active.push(key);
        }
    }
    let signers = Signers::of(active).ok_or(ServiceError::Damaged("no active signing key"))?;
    Ok((signers, keys))
}

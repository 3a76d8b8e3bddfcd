//! API keys and service accounts. Their rows are the platform's.

use super::FIRST_VERSION;
use plinto_domain::api_key::{ApiKeyKind, ApiKeyWrite, NewApiKey, SecretHash};
use plinto_domain::name::DisplayName;
use plinto_domain::service_account::{ServiceAccount, ServiceAccountWrite};
use plinto_domain::{ApiKeyId, ServiceAccountId, TenantId, Timestamp};
use plinto_storage::Statement;
use plinto_storage::repositories::api_keys::{self, ApiKeyRow, HashedSecret};
use plinto_storage::repositories::service_accounts::{self, ServiceAccountRow};

pub(super) fn of_key(write: ApiKeyWrite) -> Vec<Statement> {
    match write {
        ApiKeyWrite::Insert { key, tenant, new, secret, at } => insert(key, tenant, new, secret, at),
        ApiKeyWrite::Rename { key, name, expected_version } => {
            vec![api_keys::rename(key.uuid(), name.as_str(), expected_version)]
        }
        ApiKeyWrite::Rotate { key, secret, previous_until, expected_version } => {
            let until = previous_until.as_millis();
            vec![api_keys::rotate(key.uuid(), hashed(secret), until, expected_version)]
        }
        ApiKeyWrite::Revoke { key, at } => vec![api_keys::revoke(key.uuid(), at.as_millis())],
        ApiKeyWrite::RevokePlatformKey { key, at } => {
            vec![api_keys::revoke_unless_last(key.uuid(), at.as_millis())]
        }
    }
}

fn hashed(secret: SecretHash) -> HashedSecret {
    HashedSecret { hash: secret.hash, key_version: secret.key_version }
}

fn insert(
    key: ApiKeyId,
    tenant: Option<TenantId>,
    new: NewApiKey,
    secret: SecretHash,
    at: Timestamp,
) -> Vec<Statement> {
    let row = ApiKeyRow {
        key_id: key.uuid(),
        tenant: tenant.map(TenantId::uuid),
        kind: match new.kind {
            ApiKeyKind::Platform => api_keys::ApiKeyKind::Platform,
            ApiKeyKind::Secret => api_keys::ApiKeyKind::Secret,
            ApiKeyKind::Publishable => api_keys::ApiKeyKind::Publishable,
        },
        name: new.name.as_str().to_owned(),
        scopes: new.scopes.to_string(),
        secret: hashed(secret),
        previous: None,
        account: new.account.map(ServiceAccountId::uuid),
        account_disabled: false,
        created_at: at.as_millis(),
        expires_at: new.expires_at.map(Timestamp::as_millis),
        last_used_at: None,
        revoked_at: None,
        version: FIRST_VERSION,
    };
    let owner = tenant.zip(new.account);
    let owner = owner.map(|(tenant, account)| service_accounts::require(tenant.uuid(), account.uuid()));
    owner.into_iter().chain([api_keys::insert(&row)]).collect()
}

pub(super) fn of_account(write: ServiceAccountWrite) -> Vec<Statement> {
    match write {
        ServiceAccountWrite::Insert { account, at } => vec![service_accounts::insert(&row(account, at, at))],
        ServiceAccountWrite::Update { account, created_at, at } => {
            vec![service_accounts::update(&row(account, created_at, at))]
        }
        ServiceAccountWrite::Remove { account, expected_version, at } => vec![
            api_keys::revoke_of_account(account.uuid(), at.as_millis()),
            service_accounts::remove(account.uuid(), expected_version),
        ],
    }
}

fn row(account: ServiceAccount, created_at: Timestamp, updated_at: Timestamp) -> ServiceAccountRow {
    ServiceAccountRow {
        account_id: account.id.uuid(),
        tenant: account.tenant.uuid(),
        name: account.name.as_str().to_owned(),
        description: account.description.as_ref().map(DisplayName::as_str).map(str::to_owned),
        disabled: account.disabled,
        created_at: created_at.as_millis(),
        updated_at: updated_at.as_millis(),
        version: account.version,
    }
}

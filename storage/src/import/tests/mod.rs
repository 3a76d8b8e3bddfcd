#[macro_use]
mod delegate;

mod catalogue;
mod claims;
mod moving;
mod on_postgres;
mod whole;

use std::sync::Arc;

use uuid::Uuid;

use crate::conformance::{Fixture, Subject, entry};
use crate::engines::sqlite::{SqliteEngine, SqliteOptions};
use crate::import::Claimant;
use crate::ledger::prunable;
use crate::repositories::api_keys::{self, ApiKeyKind, ApiKeyRow, HashedSecret};
use crate::repositories::consents::{self, ConsentRow};
use crate::repositories::legal_holds::{self, LegalHoldRow, WHOLE_TENANT};
use crate::repositories::service_accounts::{self, ServiceAccountRow};
use crate::repositories::signing_keys::{self, SigningKeyRow, SigningKeyState};
use crate::repositories::{credentials, password_history, sessions, user_avatars, user_emails};
use crate::{Engine, Scope, TenantVault, Unit};

const SLUGS: [&str; 3] = ["acme", "beta", "gamma"];

fn engine() -> Arc<dyn Engine> {
    Arc::new(SqliteEngine::in_memory(SqliteOptions::default()).unwrap())
}

/// The directory of most tests.
fn here() -> Claimant {
    Claimant::new(b"here")
}

async fn fixture() -> Fixture {
    Fixture::new(Subject { engine: engine(), keep: Box::new(()) }).await
}

/// An installation with a row in every table, and in one tenant more rows than fit into a batch.
async fn furnished() -> Fixture {
    let fixture = fixture().await;
    for (index, slug) in SLUGS.into_iter().enumerate() {
        let vault = fixture.tenant(slug).await;
        furnish(&fixture, &vault, if index == 0 { 300 } else { 2 }).await;
        fixture.store.tenants().rotate_key(vault.tenant(), 5, vec![entry("rotated", slug)]).await.unwrap();
        furnish(&fixture, &vault, 1).await;
        prune_and_hold(&fixture, &vault).await;
    }
    let gone = fixture.tenant("gone").await.tenant();
    fixture.store.tenants().delete(gone, 9, vec![entry("tenant.deleted", gone)]).await.unwrap();
    fixture
}

async fn furnish(fixture: &Fixture, vault: &TenantVault, users: usize) {
    for _ in 0..users {
        let user = fixture.stored_user(vault).await.user_id;
        let email = fixture.email(user, &format!("{user}@example.com"));
        let statements = vec![
            user_emails::insert(vault, &email.email, &email),
            credentials::insert(vault, &fixture.credential(user)),
            password_history::insert(vault, user, &crate::conformance::rows::former_password(1)),
            user_avatars::put(vault, user, &crate::conformance::rows::avatar()),
            sessions::insert(vault, &fixture.session(vault, user)),
            signing_keys::insert(vault, &signing_key(fixture.id())),
            consents::insert(vault.tenant(), user, &consent(fixture.id())),
        ];
        fixture.commit(vault, statements, vec![entry("user.created", user)]).await.unwrap();
    }
    let account = ServiceAccountRow {
        account_id: fixture.id(),
        tenant: vault.tenant(),
        name: "orders".to_owned(),
        description: None,
        disabled: false,
        created_at: 4,
        updated_at: 4,
        version: 1,
    };
    let key = ApiKeyRow {
        key_id: fixture.id(),
        tenant: Some(vault.tenant()),
        kind: ApiKeyKind::Secret,
        name: "orders".to_owned(),
        scopes: "tokens:read".to_owned(),
        secret: HashedSecret { hash: [3; 32], key_version: 1 },
        previous: None,
        account: Some(account.account_id),
        account_disabled: false,
        created_at: 4,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        version: 1,
    };
    let unit = Unit {
        statements: vec![service_accounts::insert(&account), api_keys::insert(&key)],
        entries: vec![],
    };
    assert!(fixture.engine().commit(Scope::Platform, "suite", vec![unit]).await.unwrap()[0].is_ok());
}

/// The ledger begins at a checkpoint, and what is left of it is kept.
async fn prune_and_hold(fixture: &Fixture, vault: &TenantVault) {
    let pruning = prunable(fixture.engine(), vault, i64::MAX, 7, 1).await.unwrap().expect("something may go");
    fixture.commit(vault, pruning.statements, vec![entry("audit.pruned", 1)]).await.unwrap();
    let hold = LegalHoldRow {
        user_id: WHOLE_TENANT,
        reason: "case 12".to_owned(),
        placed_by: "system".to_owned(),
        placed_at: 8,
    };
    fixture.commit(vault, vec![legal_holds::insert(vault, &hold)], vec![]).await.unwrap();
}

fn consent(consent_id: Uuid) -> ConsentRow {
    ConsentRow {
        consent_id,
        purpose: "newsletter".to_owned(),
        document: "1".to_owned(),
        granted: true,
        actor: "system".to_owned(),
        at: 6,
    }
}

fn signing_key(id: Uuid) -> SigningKeyRow {
    // Upper and lower case, which engines may sort differently.
    let kid: String = id.simple().to_string().replace('a', "B").replace('c', "D");
    SigningKeyRow {
        kid,
        alg: "EdDSA".to_owned(),
        private_key: vec![1, 2, 3].into(),
        public_jwk: serde_json::json!({ "kty": "OKP" }),
        state: SigningKeyState::Retiring,
        created_at: 1,
        not_after: Some(2),
    }
}

async fn tenant_id(fixture: &Fixture, slug: &str) -> Uuid {
    fixture.store.tenants().by_slug(slug).await.unwrap().expect("it is there").id
}

/// How many users of a tenant a store can open with its keys.
async fn readable_users(store: &crate::Store, tenant: Uuid) -> usize {
    use crate::repositories::users;
    let vault = store.unlock(tenant).await.unwrap().expect("it has keys");
    users::list(&**store.engine(), &vault, users::Span::after(None, 1_000), None, 0).await.unwrap().len()
}

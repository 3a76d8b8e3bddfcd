use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::repositories::credentials::{CredentialKind, CredentialRow};
use crate::repositories::sessions::{ClientInfo, SessionRow};
use crate::repositories::user_emails::UserEmailRow;
use crate::repositories::users::{UserProfile, UserRow};
use crate::{
    Engine, Entropy, MasterKey, NewEntry, NewTenant, Receipt, Scope, Statement, Store, TenantVault, Unit,
    UnitError,
};

/// Reproducible bytes: SHA-256 of a seed and a counter.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: AtomicU64,
}

impl SeededEntropy {
    /// The same seed gives the same bytes.
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::Relaxed);
            let block = Sha256::digest([self.seed.to_be_bytes(), count.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// A new engine under test.
pub struct Subject {
    /// The engine.
    pub engine: Arc<dyn Engine>,
    /// Whatever must outlive it, such as a temporary folder.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// An engine with an opened store, and makers of rows.
pub struct Fixture {
    /// The store on the engine.
    pub store: Store,
    entropy: Arc<SeededEntropy>,
    _keep: Box<dyn Any + Send + Sync>,
}

/// Text of the master key all fixtures use.
pub const MASTER: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The time at which fixtures do things, unix milliseconds.
pub const NOW: i64 = 1_790_000_000_000;

/// An audit entry.
pub fn entry(event: &'static str, subject: impl ToString) -> NewEntry {
    NewEntry {
        at: NOW,
        event: event.into(),
        actor: "system".to_owned(),
        subject: subject.to_string(),
        data: serde_json::json!({ "by": "suite", "n": 1 }),
    }
}

/// The master key all fixtures use.
pub fn master() -> MasterKey {
    MasterKey::parse(MASTER).expect("64 hexadecimal digits")
}

impl Fixture {
    /// Opens a store on the engine.
    pub async fn new(subject: Subject) -> Self {
        let entropy = Arc::new(SeededEntropy::new(7));
        let store = Store::open(subject.engine, master(), Arc::<SeededEntropy>::clone(&entropy), NOW)
            .await
            .expect("a new engine opens");
        Self { store, entropy, _keep: subject.keep }
    }

    /// The engine.
    pub fn engine(&self) -> &dyn Engine {
        &**self.store.engine()
    }

    /// A second store on the same engine, as another node or a restart would open it.
    pub async fn reopen(&self, master: MasterKey) -> Result<Store, crate::StorageError> {
        let entropy = Arc::new(SeededEntropy::new(8));
        Store::open(Arc::clone(self.store.engine()), master, entropy, NOW).await
    }

    /// A random id.
    pub fn id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Creates a tenant and unlocks it.
    pub async fn tenant(&self, slug: &str) -> Arc<TenantVault> {
        let id = self.id();
        let new = NewTenant {
            id,
            slug: slug.to_owned(),
            name: format!("Tenant {slug}"),
            settings: serde_json::json!({ "theme": "plain" }),
            at: NOW,
            entries: vec![entry("tenant.created", id)],
        };
        self.store.tenants().create(new).await.expect("the tenant is new");
        self.store.unlock(id).await.expect("keys open").expect("the tenant has keys")
    }

    /// Commits one unit for a tenant.
    pub async fn commit(
        &self,
        vault: &TenantVault,
        statements: Vec<Statement>,
        entries: Vec<NewEntry>,
    ) -> Result<Receipt, UnitError> {
        let unit = Unit { statements, entries };
        let mut answers = self
            .engine()
            .commit(Scope::of(vault.tenant()), "suite", vec![unit])
            .await
            .expect("the transaction commits");
        assert_eq!(answers.len(), 1, "one answer per unit");
        answers.remove(0)
    }

    /// A user that is not stored yet.
    pub fn user(&self) -> UserRow {
        let profile = UserProfile { name: Some("Ada Lovelace".to_owned()), ..UserProfile::default() };
        UserRow { profile, ..UserRow::new(self.id(), NOW) }
    }

    /// Stores a user and returns it.
    pub async fn stored_user(&self, vault: &TenantVault) -> UserRow {
        use crate::repositories::users;
        let row = self.user();
        self.commit(vault, vec![users::insert(vault, &row)], vec![]).await.expect("the user is new");
        row
    }

    /// An address of a user.
    pub fn email(&self, user_id: Uuid, email: &str) -> UserEmailRow {
        UserEmailRow {
            user_id,
            email: email.to_owned(),
            verified_at: None,
            is_primary: true,
            created_at: NOW,
        }
    }

    /// A password of a user.
    pub fn credential(&self, user_id: Uuid) -> CredentialRow {
        CredentialRow {
            user_id,
            kind: CredentialKind::Password,
            secret: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned().into(),
            created_at: NOW,
            updated_at: NOW,
            version: 1,
        }
    }

    /// A session of a user.
    pub fn session(&self, vault: &TenantVault, user_id: Uuid) -> SessionRow {
        SessionRow {
            session_id: self.id(),
            user_id,
            created_at: NOW,
            authenticated_at: NOW,
            expires_at: NOW + 86_400_000,
            idle_expires_at: NOW + 3_600_000,
            amr: vec!["pwd".to_owned()],
            client: Some(ClientInfo {
                address: Some("192.0.2.7".to_owned()),
                user_agent: Some("suite/1".to_owned()),
            }),
            refresh_generation: 0,
            refresh_hash: [7; 32],
            rotated_at: 0,
            refresh_client: None,
            key_version: vault.current_version(),
            revoked_at: None,
            revoked_reason: None,
            version: 1,
            last_seen_at: 0,
            organization: None,
        }
    }
}

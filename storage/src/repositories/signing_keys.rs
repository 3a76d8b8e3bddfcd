//! Keys that sign a tenant's tokens. The private key is sealed, the public one is published.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "signing_keys";

statements! {
    INSERT = "INSERT INTO signing_keys \
              (tenant_id, kid, alg, private_key, public_jwk, state, created_at, not_after) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST = "SELECT kid, alg, private_key, public_jwk, state, created_at, not_after \
            FROM signing_keys WHERE tenant_id = $1 ORDER BY created_at, kid";
    RETIRE = "UPDATE signing_keys SET state = 'retiring', not_after = $2 \
              WHERE tenant_id = $1 AND kid = $3 AND state = 'active'";
    REMOVE = "DELETE FROM signing_keys WHERE tenant_id = $1 AND kid = $2 AND state = 'retiring'";
}

/// Whether a key signs or only verifies.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SigningKeyState {
    /// Signs new tokens.
    Active,
    /// Published for verification until `not_after`.
    Retiring,
}

impl SigningKeyState {
    /// The name as stored: `active` or `retiring`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retiring => "retiring",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Retiring].into_iter().find(|state| state.as_str() == text)
    }
}

/// A signing key. `Debug` never prints the private key.
#[derive(Clone, PartialEq)]
pub struct SigningKeyRow {
    /// Key id in token headers and the JWKS.
    pub kid: String,
    /// JOSE algorithm, such as `EdDSA`.
    pub alg: String,
    /// PKCS#8 DER; sealed at rest.
    pub private_key: Zeroizing<Vec<u8>>,
    /// The public JWK.
    pub public_jwk: serde_json::Value,
    /// Whether it signs.
    pub state: SigningKeyState,
    /// Unix milliseconds.
    pub created_at: i64,
    /// No longer published after this, unix milliseconds.
    pub not_after: Option<i64>,
}

impl std::fmt::Debug for SigningKeyRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SigningKeyRow")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .field("state", &self.state)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// Adds a key.
pub fn insert(vault: &TenantVault, row: &SigningKeyRow) -> Statement {
    let private_key = vault.seal(TABLE, row.kid.as_bytes(), "private_key", &row.private_key);
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.kid.as_str().into(),
            row.alg.as_str().into(),
            private_key.into(),
            row.public_jwk.to_string().into(),
            row.state.as_str().into(),
            row.created_at.into(),
            row.not_after.into(),
        ],
    )
}

/// Stops an active key from signing; it is published until `not_after`. Otherwise the conflict `signing_key_state`.
pub fn retire(tenant: Uuid, kid: &str, not_after: i64) -> Statement {
    Statement::new(RETIRE, vec![tenant.into(), not_after.into(), kid.into()])
        .expecting(1, "signing_key_state")
}

/// Removes a retiring key. Otherwise the conflict `signing_key_state`.
pub fn remove(tenant: Uuid, kid: &str) -> Statement {
    Statement::new(REMOVE, vec![tenant.into(), kid.into()]).expecting(1, "signing_key_state")
}

/// Every key of the tenant, oldest first.
pub async fn list(engine: &dyn Engine, vault: &TenantVault) -> Result<Vec<SigningKeyRow>, StorageError> {
    let statement = Statement::new(LIST, vec![vault.tenant().into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, row)).collect()
}

fn decode(vault: &TenantVault, row: Row) -> Result<SigningKeyRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let kid = columns.text("kid")?;
    Ok(SigningKeyRow {
        alg: columns.text("alg")?,
        private_key: columns.sealed(vault, kid.as_bytes(), "private_key")?,
        public_jwk: columns.json("public_jwk")?,
        state: columns.named("state", SigningKeyState::parse)?,
        created_at: columns.int("created_at")?,
        not_after: columns.maybe_int("not_after")?,
        kid,
    })
}

/// A sealed private key as it lies in storage, to see whether it opens.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSample {
    kid: String,
    sealed: Vec<u8>,
}

impl std::fmt::Debug for SealedSample {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SealedSample").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SealedSample {
    /// Whether these keys open it.
    pub fn opens_with(&self, vault: &TenantVault) -> bool {
        vault.open(TABLE, self.kid.as_bytes(), "private_key", &self.sealed).is_ok()
    }
}

/// Every key of the tenant, unopened. Damaged storage has none that could be read.
pub(crate) async fn sealed_sample(
    engine: &dyn Engine,
    tenant: Uuid,
) -> Result<Vec<SealedSample>, StorageError> {
    let statement = Statement::new(LIST, vec![tenant.into()]);
    let rows = match engine.read(Scope::of(tenant), statement).await {
        Err(StorageError::Corrupt { .. }) => Vec::new(),
        read => read?,
    };
    let unopened = |row| {
        let mut columns = Columns::of(TABLE, row);
        let kid = columns.text("kid")?;
        columns.text("alg")?;
        Ok(SealedSample { kid, sealed: columns.blob("private_key")? })
    };
    rows.into_iter().map(unopened).collect()
}

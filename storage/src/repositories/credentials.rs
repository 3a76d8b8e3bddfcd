//! What a user proves itself with. The secret (a PHC string for passwords) is sealed.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "credentials";

statements! {
    INSERT = "INSERT INTO credentials (tenant_id, user_id, kind, secret, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    GET = "SELECT user_id, kind, secret, created_at, updated_at, version \
           FROM credentials WHERE tenant_id = $1 AND user_id = $2 AND kind = $3";
    LIST_BETWEEN = "SELECT user_id, kind, secret, created_at, updated_at, version FROM credentials \
                    WHERE tenant_id = $1 AND user_id >= $2 AND user_id <= $3 AND kind = $4 ORDER BY user_id";
    UPDATE = "UPDATE credentials SET secret = $2, updated_at = $3, version = version + 1 \
              WHERE tenant_id = $1 AND user_id = $4 AND kind = $5 AND version = $6";
    REMOVE = "DELETE FROM credentials WHERE tenant_id = $1 AND user_id = $2 AND kind = $3";
}

/// Kinds of credentials; a user has at most one of each.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A password, kept as a PHC string.
    Password,
}

impl CredentialKind {
    /// The name as stored: `password`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        (text == Self::Password.as_str()).then_some(Self::Password)
    }
}

/// A credential. `Debug` never prints the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// Whose it is.
    pub user_id: Uuid,
    /// What kind.
    pub kind: CredentialKind,
    /// The secret, such as a PHC string; sealed at rest.
    pub secret: Zeroizing<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for CredentialRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("CredentialRow")
            .field("user_id", &self.user_id)
            .field("kind", &self.kind)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn sealed(vault: &TenantVault, user_id: Uuid, kind: CredentialKind, secret: &str) -> Vec<u8> {
    vault.seal(TABLE, &binding(user_id, kind), "secret", secret.as_bytes())
}

/// The id has a fixed length, so the two parts cannot run into each other.
fn binding(user_id: Uuid, kind: CredentialKind) -> Vec<u8> {
    [user_id.as_bytes().as_slice(), kind.as_str().as_bytes()].concat()
}

/// Adds a credential.
pub fn insert(vault: &TenantVault, row: &CredentialRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.user_id.into(),
            row.kind.as_str().into(),
            sealed(vault, row.user_id, row.kind, &row.secret).into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// Replaces the secret while the version is still `expected_version`; otherwise the conflict `credential_version`.
pub fn update(
    vault: &TenantVault,
    user_id: Uuid,
    kind: CredentialKind,
    secret: &str,
    at: i64,
    expected_version: i64,
) -> Statement {
    Statement::new(
        UPDATE,
        vec![
            vault.tenant().into(),
            sealed(vault, user_id, kind, secret).into(),
            at.into(),
            user_id.into(),
            kind.as_str().into(),
            expected_version.into(),
        ],
    )
    .expecting(1, "credential_version")
}

/// Removes a credential, if there is one.
pub fn remove(tenant: Uuid, user_id: Uuid, kind: CredentialKind) -> Statement {
    Statement::new(REMOVE, vec![tenant.into(), user_id.into(), kind.as_str().into()])
}

/// The credential of one kind.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
    kind: CredentialKind,
) -> Result<Option<CredentialRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), user_id.into(), kind.as_str().into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, &mut Columns::of(TABLE, row))).transpose()
}

/// The credentials of one kind of all users from `first` to `last`, in order of user.
pub async fn list_between(
    engine: &dyn Engine,
    vault: &TenantVault,
    first: Uuid,
    last: Uuid,
    kind: CredentialKind,
) -> Result<Vec<CredentialRow>, StorageError> {
    let params = vec![vault.tenant().into(), first.into(), last.into(), kind.as_str().into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(LIST_BETWEEN, params)).await?;
    rows.into_iter().map(|row| decode(vault, &mut Columns::of(TABLE, row))).collect()
}

pub(super) fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<CredentialRow, StorageError> {
    let columns = columns.of_table(TABLE);
    let user_id = columns.uuid("user_id")?;
    let kind = columns.named("kind", CredentialKind::parse)?;
    Ok(CredentialRow {
        user_id,
        kind,
        secret: Zeroizing::new(columns.sealed_text(vault, &binding(user_id, kind), "secret")?),
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}

//! Users of a tenant. The name is sealed.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "users";

statements! {
    INSERT = "INSERT INTO users (tenant_id, user_id, state, name, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7)";
    GET = "SELECT user_id, state, name, created_at, updated_at, version \
           FROM users WHERE tenant_id = $1 AND user_id = $2";
    LIST = "SELECT user_id, state, name, created_at, updated_at, version \
            FROM users WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
    UPDATE_STATE = "UPDATE users SET state = $2, updated_at = $3, version = version + 1 \
                    WHERE tenant_id = $1 AND user_id = $4 AND version = $5";
    UPDATE_NAME = "UPDATE users SET name = $2, updated_at = $3, version = version + 1 \
                   WHERE tenant_id = $1 AND user_id = $4 AND version = $5";
}

/// Whether a user may sign in.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UserState {
    /// May sign in.
    Active,
    /// May not, and holds no live session.
    Blocked,
}

impl UserState {
    /// The name as stored: `active` or `blocked`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked => "blocked",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Blocked].into_iter().find(|state| state.as_str() == text)
    }
}

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Its id.
    pub user_id: Uuid,
    /// Whether it may sign in.
    pub state: UserState,
    /// Name for people; sealed at rest.
    pub name: Option<String>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UserRow")
            .field("user_id", &self.user_id)
            .field("state", &self.state)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn sealed_name(vault: &TenantVault, user_id: Uuid, name: Option<&str>) -> Option<Vec<u8>> {
    name.map(|name| vault.seal(TABLE, user_id.as_bytes(), "name", name.as_bytes()))
}

/// Adds a user.
pub fn insert(vault: &TenantVault, row: &UserRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.user_id.into(),
            row.state.as_str().into(),
            sealed_name(vault, row.user_id, row.name.as_deref()).into(),
            row.created_at.into(),
            row.updated_at.into(),
            row.version.into(),
        ],
    )
}

/// Sets the state of a user whose version is still `expected_version`; otherwise the conflict `user_version`.
pub fn update_state(
    vault: &TenantVault,
    user_id: Uuid,
    state: UserState,
    at: i64,
    expected_version: i64,
) -> Statement {
    Statement::new(
        UPDATE_STATE,
        vec![
            vault.tenant().into(),
            state.as_str().into(),
            at.into(),
            user_id.into(),
            expected_version.into(),
        ],
    )
    .expecting(1, "user_version")
}

/// Sets the name of a user whose version is still `expected_version`; otherwise the conflict `user_version`.
pub fn update_name(
    vault: &TenantVault,
    user_id: Uuid,
    name: Option<&str>,
    at: i64,
    expected_version: i64,
) -> Statement {
    Statement::new(
        UPDATE_NAME,
        vec![
            vault.tenant().into(),
            sealed_name(vault, user_id, name).into(),
            at.into(),
            user_id.into(),
            expected_version.into(),
        ],
    )
    .expecting(1, "user_version")
}

/// One user.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Option<UserRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), user_id.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, &mut Columns::of(TABLE, row))).transpose()
}

/// Users in order of id, after `after`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<UserRow>, StorageError> {
    let after = after.unwrap_or(Uuid::nil());
    let statement = Statement::new(LIST, vec![vault.tenant().into(), after.into(), limit.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().map(|row| decode(vault, &mut Columns::of(TABLE, row))).collect()
}

pub(super) fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<UserRow, StorageError> {
    let columns = columns.of_table(TABLE);
    let user_id = columns.uuid("user_id")?;
    Ok(UserRow {
        user_id,
        state: columns.named("state", UserState::parse)?,
        name: columns.maybe_sealed_text(vault, user_id.as_bytes(), "name")?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}

//! Users of a tenant. What is personal is sealed; usernames, external ids and phone numbers are found by blind indexes.

use uuid::Uuid;

use super::user_emails::{self, UserEmailRow};
use crate::engine::{Columns, Engine, Row, Scope, Statement, Value};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "users";

/// The columns of a user as [`decode`] takes them, of the table called `e`.
macro_rules! user_columns {
    () => {
        "e.user_id, e.state, e.locked_until, e.purge_at, e.name, e.username_index, e.username, e.external_id_index, \
         e.external_id, e.phone_index, e.phone, e.public_metadata, e.private_metadata, e.unsafe_metadata, \
         e.created_at, e.updated_at, e.version"
    };
}
pub(super) use user_columns;

/// A list of users with their primary addresses. A range and a condition are added to it.
macro_rules! list_of_users {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", CASE WHEN m.email_index IS NULL THEN 0 ELSE 1 END, \
             m.email_index, m.user_id, m.email, m.verified_at, m.is_primary, m.created_at \
             FROM users e LEFT JOIN user_emails m ON m.tenant_id = e.tenant_id AND m.user_id = e.user_id \
             AND m.user_id > $2 AND m.user_id < $3 AND m.is_primary = 1 \
             WHERE e.tenant_id = $1 AND e.user_id > $2 AND e.user_id < $3",
            $condition,
            " ORDER BY e.user_id LIMIT $4"
        )
    };
}

statements! {
    INSERT = "INSERT INTO users (tenant_id, user_id, state, locked_until, purge_at, name, username_index, username, \
              external_id_index, external_id, phone_index, phone, public_metadata, private_metadata, \
              unsafe_metadata, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    GET = concat!("SELECT ", user_columns!(), " FROM users e WHERE e.tenant_id = $1 AND e.user_id = $2");
    LIST = list_of_users!("");
    LIST_ACTIVE = list_of_users!(" AND e.state = 'active' AND e.purge_at IS NULL \
                                  AND (e.locked_until IS NULL OR e.locked_until <= $5)");
    LIST_BLOCKED = list_of_users!(" AND e.state = 'blocked' AND e.purge_at IS NULL");
    LIST_LOCKED = list_of_users!(" AND e.locked_until IS NOT NULL AND e.locked_until > $5 \
                                  AND e.state = 'active' AND e.purge_at IS NULL");
    LIST_DELETED = list_of_users!(" AND e.purge_at IS NOT NULL");
    LIST_MEMBERS = concat!(
        "SELECT ",
        user_columns!(),
        ", CASE WHEN m.email_index IS NULL THEN 0 ELSE 1 END, \
         m.email_index, m.user_id, m.email, m.verified_at, m.is_primary, m.created_at \
         FROM organization_members o \
         JOIN users e ON o.tenant_id = e.tenant_id AND e.user_id = o.user_id \
         LEFT JOIN user_emails m ON m.tenant_id = e.tenant_id AND m.user_id = e.user_id AND m.is_primary = 1 \
         WHERE o.tenant_id = $1 AND o.organization_id = $5 AND o.user_id > $2 AND o.user_id < $3 \
         ORDER BY o.user_id LIMIT $4"
    );
    LIST_DUE = "SELECT user_id, version FROM users \
                WHERE tenant_id = $1 AND purge_at IS NOT NULL AND purge_at <= $2 ORDER BY user_id LIMIT $3";
    BY_USERNAME = "SELECT user_id FROM users WHERE tenant_id = $1 AND username_index = $2";
    BY_EXTERNAL_ID = "SELECT user_id FROM users WHERE tenant_id = $1 AND external_id_index = $2";
    BY_PHONE = "SELECT user_id FROM users WHERE tenant_id = $1 AND phone_index = $2";
    UPDATE_STANDING = "UPDATE users SET state = $2, locked_until = $3, purge_at = $4, updated_at = $5, \
                       version = version + 1 WHERE tenant_id = $1 AND user_id = $6 AND version = $7";
    UPDATE_PROFILE = "UPDATE users SET name = $2, username_index = $3, username = $4, external_id_index = $5, \
                      external_id = $6, phone_index = $7, phone = $8, public_metadata = $9, private_metadata = $10, \
                      unsafe_metadata = $11, updated_at = $12, version = version + 1 \
                      WHERE tenant_id = $1 AND user_id = $13 AND version = $14";
    TOUCH = "UPDATE users SET updated_at = $2, version = version + 1 \
             WHERE tenant_id = $1 AND user_id = $3 AND version = $4";
}

/// Whether a user is blocked.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum UserState {
    /// May sign in, unless locked or being deleted.
    #[default]
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

/// What decides whether a user may sign in.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct UserStanding {
    /// Whether it is blocked.
    pub state: UserState,
    /// Until when it is locked, unix milliseconds.
    pub locked_until: Option<i64>,
    /// When it will be removed, unix milliseconds; only of one that is being deleted.
    pub purge_at: Option<i64>,
}

impl From<UserState> for UserStanding {
    fn from(state: UserState) -> Self {
        Self { state, ..Self::default() }
    }
}

/// What is known of a user; all of it sealed at rest. Metadata is JSON.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct UserProfile {
    /// Name for people.
    pub name: Option<String>,
    /// Normalized name to sign in with; unique in the tenant.
    pub username: Option<String>,
    /// Id in another system; unique in the tenant.
    pub external_id: Option<String>,
    /// Phone number in E.164 form; unique in the tenant.
    pub phone: Option<String>,
    /// Metadata the user may read.
    pub public_metadata: Option<String>,
    /// Metadata the user never sees.
    pub private_metadata: Option<String>,
    /// Metadata the user may write.
    pub unsafe_metadata: Option<String>,
}

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Its id.
    pub user_id: Uuid,
    /// Whether it may sign in.
    pub standing: UserStanding,
    /// What is known of it.
    pub profile: UserProfile,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

impl UserRow {
    /// A new user of whom nothing is known yet.
    pub fn new(user_id: Uuid, at: i64) -> Self {
        let (standing, profile) = (UserStanding::default(), UserProfile::default());
        Self { user_id, standing, profile, created_at: at, updated_at: at, version: 1 }
    }
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UserRow")
            .field("user_id", &self.user_id)
            .field("standing", &self.standing)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UserProfile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("UserProfile(redacted)")
    }
}

/// Something of a user that no other user of the tenant has.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// Name to sign in with.
    Username,
    /// Id in another system.
    ExternalId,
    /// Phone number.
    Phone,
}

impl Identifier {
    fn column(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::ExternalId => "external_id",
            Self::Phone => "phone",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Username => "users.username",
            Self::ExternalId => "users.external_id",
            Self::Phone => "users.phone",
        }
    }

    pub(super) fn index(self, vault: &TenantVault, value: &str) -> [u8; 32] {
        vault.blind_index(self.purpose(), value.as_bytes())
    }

    /// Index and sealed value. The value is bound to both, so that it cannot be found as another's.
    fn columns(self, vault: &TenantVault, user_id: Uuid, value: Option<&str>) -> [Value; 2] {
        let Some(value) = value else { return [Value::Null, Value::Null] };
        let index = self.index(vault, value);
        let sealed = vault.seal(TABLE, &binding(user_id, &index), self.column(), value.as_bytes());
        [index.into(), sealed.into()]
    }

    pub(super) fn decode(
        self,
        vault: &TenantVault,
        user_id: Uuid,
        columns: &mut Columns,
    ) -> Result<Option<String>, StorageError> {
        let index = columns.maybe_bytes32(self.column())?.unwrap_or_default();
        columns.maybe_sealed_text(vault, &binding(user_id, &index), self.column())
    }
}

fn binding(user_id: Uuid, index: &[u8; 32]) -> Vec<u8> {
    [user_id.as_bytes().as_slice(), index].concat()
}

/// The columns from `name` to `unsafe_metadata`, in order.
fn profile_columns(vault: &TenantVault, user_id: Uuid, profile: &UserProfile) -> Vec<Value> {
    let sealed = |column: &str, value: &Option<String>| -> Value {
        value.as_ref().map(|text| vault.seal(TABLE, user_id.as_bytes(), column, text.as_bytes())).into()
    };
    let identifiers = [
        (Identifier::Username, &profile.username),
        (Identifier::ExternalId, &profile.external_id),
        (Identifier::Phone, &profile.phone),
    ];
    let mut columns = vec![sealed("name", &profile.name)];
    columns.extend(
        identifiers.into_iter().flat_map(|(kind, value)| kind.columns(vault, user_id, value.as_deref())),
    );
    columns.push(sealed("public_metadata", &profile.public_metadata));
    columns.push(sealed("private_metadata", &profile.private_metadata));
    columns.push(sealed("unsafe_metadata", &profile.unsafe_metadata));
    columns
}

/// Adds a user.
pub fn insert(vault: &TenantVault, row: &UserRow) -> Statement {
    let UserStanding { state, locked_until, purge_at } = row.standing;
    let mut params = vec![
        vault.tenant().into(),
        row.user_id.into(),
        state.as_str().into(),
        locked_until.into(),
        purge_at.into(),
    ];
    params.extend(profile_columns(vault, row.user_id, &row.profile));
    params.extend([row.created_at.into(), row.updated_at.into(), row.version.into()]);
    Statement::new(INSERT, params)
}

/// Sets the standing of a user whose version is still `expected_version`; otherwise the conflict `user_version`.
pub fn update_standing(
    vault: &TenantVault,
    user_id: Uuid,
    standing: impl Into<UserStanding>,
    at: i64,
    expected_version: i64,
) -> Statement {
    let UserStanding { state, locked_until, purge_at } = standing.into();
    let params = vec![
        vault.tenant().into(),
        state.as_str().into(),
        locked_until.into(),
        purge_at.into(),
        at.into(),
        user_id.into(),
        expected_version.into(),
    ];
    Statement::new(UPDATE_STANDING, params).expecting(1, "user_version")
}

/// Sets what is known of a user whose version is still `expected_version`; otherwise the conflict `user_version`.
pub fn update_profile(
    vault: &TenantVault,
    user_id: Uuid,
    profile: &UserProfile,
    at: i64,
    expected_version: i64,
) -> Statement {
    let mut params = vec![vault.tenant().into()];
    params.extend(profile_columns(vault, user_id, profile));
    params.extend([at.into(), user_id.into(), expected_version.into()]);
    Statement::new(UPDATE_PROFILE, params).expecting(1, "user_version")
}

/// Moves a user to its next version, because something that belongs to it changes.
pub fn touch(tenant: Uuid, user_id: Uuid, at: i64, expected_version: i64) -> Statement {
    let params = vec![tenant.into(), at.into(), user_id.into(), expected_version.into()];
    Statement::new(TOUCH, params).expecting(1, "user_version")
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

/// The user who has an identifier. The value in the row, sealed, says so too: see [`get`].
pub async fn find(
    engine: &dyn Engine,
    vault: &TenantVault,
    kind: Identifier,
    value: &str,
) -> Result<Option<Uuid>, StorageError> {
    let text = match kind {
        Identifier::Username => BY_USERNAME,
        Identifier::ExternalId => BY_EXTERNAL_ID,
        Identifier::Phone => BY_PHONE,
    };
    let statement = Statement::new(text, vec![vault.tenant().into(), kind.index(vault, value).into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| Columns::of(TABLE, row).uuid("user_id")).transpose()
}

/// Users in one of the states people see.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ListedState {
    /// Nothing keeps them from signing in.
    Active,
    /// Blocked.
    Blocked,
    /// Locked for a time.
    Locked,
    /// Being deleted.
    Deleted,
}

/// A part of a list: ids strictly between `after` and `before`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Below all of them.
    pub after: Uuid,
    /// Above all of them.
    pub before: Uuid,
    /// At most so many.
    pub limit: u32,
}

impl Span {
    /// Everything after an id, or from the beginning.
    pub fn after(after: Option<Uuid>, limit: u32) -> Self {
        Self { after: after.unwrap_or(Uuid::nil()), before: Uuid::max(), limit }
    }
}

/// Users in order of id, with their primary addresses; those in one state as of `now`, if one is named.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    span: Span,
    state: Option<ListedState>,
    now: i64,
) -> Result<Vec<(UserRow, Option<UserEmailRow>)>, StorageError> {
    let mut params = vec![vault.tenant().into(), span.after.into(), span.before.into(), span.limit.into()];
    let text = match state {
        None => LIST,
        Some(ListedState::Active) => LIST_ACTIVE,
        Some(ListedState::Blocked) => LIST_BLOCKED,
        Some(ListedState::Locked) => LIST_LOCKED,
        Some(ListedState::Deleted) => LIST_DELETED,
    };
    if matches!(state, Some(ListedState::Active | ListedState::Locked)) {
        params.push(now.into());
    }
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(text, params)).await?;
    rows.into_iter().map(|row| decode_listed(vault, row)).collect()
}

/// Members of an organization in order of id, with their primary addresses.
pub async fn list_members(
    engine: &dyn Engine,
    vault: &TenantVault,
    organization_id: Uuid,
    span: Span,
) -> Result<Vec<(UserRow, Option<UserEmailRow>)>, StorageError> {
    let Span { after, before, limit } = span;
    let params =
        vec![vault.tenant().into(), after.into(), before.into(), limit.into(), organization_id.into()];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(LIST_MEMBERS, params)).await?;
    rows.into_iter().map(|row| decode_listed(vault, row)).collect()
}

/// Users, with their versions, whose deletion is due.
pub async fn list_due(
    engine: &dyn Engine,
    tenant: Uuid,
    now: i64,
    limit: u32,
) -> Result<Vec<(Uuid, i64)>, StorageError> {
    let statement = Statement::new(LIST_DUE, vec![tenant.into(), now.into(), limit.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    let decoded = rows.into_iter().map(|row| {
        let mut columns = Columns::of(TABLE, row);
        Ok((columns.uuid("user_id")?, columns.int("version")?))
    });
    decoded.collect()
}

/// A user and its primary address, of a text that [`list_of_users`] or the search made.
pub(super) fn decode_listed(
    vault: &TenantVault,
    row: Row,
) -> Result<(UserRow, Option<UserEmailRow>), StorageError> {
    let mut columns = Columns::of(TABLE, row);
    let user = decode(vault, &mut columns)?;
    let has_email = columns.flag("has_email")?;
    let email = has_email.then(|| user_emails::decode(vault, &mut columns)).transpose()?;
    Ok((user, email))
}

/// The columns that make up a standing, in the order they are always read.
pub(super) fn decode_standing(columns: &mut Columns) -> Result<UserStanding, StorageError> {
    Ok(UserStanding {
        state: columns.named("state", UserState::parse)?,
        locked_until: columns.maybe_int("locked_until")?,
        purge_at: columns.maybe_int("purge_at")?,
    })
}

fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<UserRow, StorageError> {
    let columns = columns.of_table(TABLE);
    let user_id = columns.uuid("user_id")?;
    let row = user_id.as_bytes();
    Ok(UserRow {
        user_id,
        standing: decode_standing(columns)?,
        profile: UserProfile {
            name: columns.maybe_sealed_text(vault, row, "name")?,
            username: Identifier::Username.decode(vault, user_id, columns)?,
            external_id: Identifier::ExternalId.decode(vault, user_id, columns)?,
            phone: Identifier::Phone.decode(vault, user_id, columns)?,
            public_metadata: columns.maybe_sealed_text(vault, row, "public_metadata")?,
            private_metadata: columns.maybe_sealed_text(vault, row, "private_metadata")?,
            unsafe_metadata: columns.maybe_sealed_text(vault, row, "unsafe_metadata")?,
        },
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}

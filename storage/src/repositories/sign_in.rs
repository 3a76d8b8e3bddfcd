//! The one read that a sign-in needs: the user's standing and password credential in one query.

use uuid::Uuid;

use super::credentials::{self, CredentialRow};
use super::user_emails;
use super::users::{self, Identifier, UserStanding};
use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

statements! {
    BY_EMAIL = "SELECT CASE WHEN c.version IS NULL THEN 0 ELSE 1 END, \
                CASE WHEN EXISTS (SELECT 1 FROM user_emails p WHERE p.tenant_id = $1 AND p.user_id = e.user_id \
                AND p.verified_at IS NOT NULL) THEN 1 ELSE 0 END, \
                e.email_index, e.user_id, e.email, e.verified_at, e.is_primary, e.created_at, \
                u.state, u.locked_until, u.purge_at, \
                c.user_id, c.kind, c.secret, c.created_at, c.updated_at, c.version \
                FROM user_emails e \
                JOIN users u ON u.tenant_id = e.tenant_id AND u.user_id = e.user_id \
                LEFT JOIN credentials c ON c.tenant_id = e.tenant_id AND c.user_id = e.user_id \
                AND c.kind = 'password' \
                WHERE e.tenant_id = $1 AND e.email_index = $2";
    BY_USERNAME = "SELECT CASE WHEN c.version IS NULL THEN 0 ELSE 1 END, \
                   CASE WHEN EXISTS (SELECT 1 FROM user_emails p WHERE p.tenant_id = $1 AND p.user_id = e.user_id \
                   AND p.verified_at IS NOT NULL) THEN 1 ELSE 0 END, \
                   e.user_id, e.username_index, e.username, e.state, e.locked_until, e.purge_at, \
                   c.user_id, c.kind, c.secret, c.created_at, c.updated_at, c.version \
                   FROM users e \
                   LEFT JOIN credentials c ON c.tenant_id = e.tenant_id AND c.user_id = e.user_id \
                   AND c.kind = 'password' \
                   WHERE e.tenant_id = $1 AND e.username_index = $2";
    STANDING = "SELECT state, locked_until, purge_at FROM users WHERE tenant_id = $1 AND user_id = $2";
}

/// What is known of somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRow {
    /// The user.
    pub user_id: Uuid,
    /// Whether it may sign in.
    pub standing: UserStanding,
    /// Whether one of the user's addresses was proved.
    pub any_proved: bool,
    /// The password, if the user has one.
    pub credential: Option<CredentialRow>,
}

/// Finds the user and password credential behind a normalized address.
pub async fn by_email(
    engine: &dyn Engine,
    vault: &TenantVault,
    normalized: &str,
) -> Result<Option<SignInRow>, StorageError> {
    let index = user_emails::index(vault, normalized);
    // Opening the address proves that it was given to this user, and not moved to it in the database.
    find(engine, vault, BY_EMAIL, index, |columns| Ok(user_emails::decode(vault, columns)?.user_id)).await
}

/// Finds the user and password credential behind a normalized username.
pub async fn by_username(
    engine: &dyn Engine,
    vault: &TenantVault,
    normalized: &str,
) -> Result<Option<SignInRow>, StorageError> {
    let index = Identifier::Username.index(vault, normalized);
    find(engine, vault, BY_USERNAME, index, |columns| {
        let user_id = columns.of_table("users").uuid("user_id")?;
        Identifier::Username.decode(vault, user_id, columns)?;
        Ok(user_id)
    })
    .await
}

async fn find(
    engine: &dyn Engine,
    vault: &TenantVault,
    text: &'static str,
    index: [u8; 32],
    user: impl Fn(&mut Columns) -> Result<Uuid, StorageError>,
) -> Result<Option<SignInRow>, StorageError> {
    let statement = Statement::new(text, vec![vault.tenant().into(), index.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut columns = Columns::of("sign_in", row);
    let has_credential = columns.flag("has_credential")?;
    let any_proved = columns.flag("any_proved")?;
    Ok(Some(SignInRow {
        user_id: user(&mut columns)?,
        standing: users::decode_standing(columns.of_table("users"))?,
        any_proved,
        credential: has_credential.then(|| credentials::decode(vault, &mut columns)).transpose()?,
    }))
}

/// Whether a user may sign in, as of now.
pub async fn standing(
    engine: &dyn Engine,
    tenant: Uuid,
    user_id: Uuid,
) -> Result<Option<UserStanding>, StorageError> {
    let statement = Statement::new(STANDING, vec![tenant.into(), user_id.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    rows.into_iter().next().map(|row| users::decode_standing(&mut Columns::of("users", row))).transpose()
}

//! The one read that a sign-in needs: address, user and password credential in one query.

use super::credentials::{self, CredentialRow};
use super::user_emails::{self, UserEmailRow};
use super::users::{self, UserRow};
use crate::engine::{Columns, Engine, Row, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

statements! {
    BY_EMAIL = "SELECT CASE WHEN c.version IS NULL THEN 0 ELSE 1 END, \
                e.email_index, e.user_id, e.email, e.verified_at, e.is_primary, e.created_at, \
                u.user_id, u.state, u.name, u.created_at, u.updated_at, u.version, \
                c.user_id, c.kind, c.secret, c.created_at, c.updated_at, c.version \
                FROM user_emails e \
                JOIN users u ON u.tenant_id = e.tenant_id AND u.user_id = e.user_id \
                LEFT JOIN credentials c ON c.tenant_id = e.tenant_id AND c.user_id = e.user_id \
                AND c.kind = 'password' \
                WHERE e.tenant_id = $1 AND e.email_index = $2";
}

/// What is known of an address that signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRow {
    /// The address.
    pub email: UserEmailRow,
    /// Its user.
    pub user: UserRow,
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
    let statement = Statement::new(BY_EMAIL, vec![vault.tenant().into(), index.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, row)).transpose()
}

fn decode(vault: &TenantVault, row: Row) -> Result<SignInRow, StorageError> {
    let mut columns = Columns::of("user_emails", row);
    let has_credential = columns.flag("has_credential")?;
    Ok(SignInRow {
        email: user_emails::decode(vault, &mut columns)?,
        user: users::decode(vault, &mut columns)?,
        credential: has_credential.then(|| credentials::decode(vault, &mut columns)).transpose()?,
    })
}

//! Finding users by the beginning of a name or of an address, although both are sealed.
//!
//! For every beginning of three to eight characters there is a row with its keyed hash and the user. That costs about
//! six rows of some 70 bytes for each word of a name and each address (a user with a name of two words and one address
//! has up to 18, and as many entries in a second index). It leaks to whoever reads the database without its keys how
//! many users share a beginning, and which ones, but not what it is; and nothing about longer beginnings than eight
//! characters. With a key and a list of common names the beginnings could be counted up; without it they cannot.

use uuid::Uuid;

use super::user_emails::UserEmailRow;
use super::users::{self, Span, UserRow};
use crate::engine::{Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

/// Bytes of a keyed hash that are kept. Whoever searches compares what is found, so that a collision costs a row read
/// in vain and nothing more.
const TOKEN: usize = 16;

statements! {
    INSERT = "INSERT INTO user_search (tenant_id, token_index, user_id) VALUES ($1, $2, $3)";
    REMOVE = "DELETE FROM user_search WHERE tenant_id = $1 AND token_index = $2 AND user_id = $3";
    FIND = "SELECT u.user_id, u.state, u.locked_until, u.purge_at, u.name, u.username_index, u.username, \
            u.external_id_index, u.external_id, u.phone_index, u.phone, u.public_metadata, u.private_metadata, \
            u.unsafe_metadata, u.created_at, u.updated_at, u.version, \
            CASE WHEN m.email_index IS NULL THEN 0 ELSE 1 END, \
            m.email_index, m.user_id, m.email, m.verified_at, m.is_primary, m.created_at \
            FROM user_search e \
            JOIN users u ON u.tenant_id = e.tenant_id AND u.user_id = e.user_id \
            LEFT JOIN user_emails m ON m.tenant_id = e.tenant_id AND m.user_id = e.user_id AND m.is_primary = 1 \
            WHERE e.tenant_id = $1 AND e.token_index = $2 AND e.user_id > $3 AND e.user_id < $4 \
            ORDER BY e.user_id LIMIT $5";
}

/// What a beginning is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Searched {
    /// A name or a word of it.
    Name,
    /// An e-mail address.
    Email,
}

fn token(vault: &TenantVault, kind: Searched, beginning: &str) -> Vec<u8> {
    let purpose = match kind {
        Searched::Name => "user_search.name",
        Searched::Email => "user_search.email",
    };
    vault.blind_index(purpose, beginning.as_bytes())[..TOKEN].to_vec()
}

/// Adds a beginning by which a user is found. It must not be there yet.
pub fn insert(vault: &TenantVault, kind: Searched, beginning: &str, user_id: Uuid) -> Statement {
    let token = token(vault, kind, beginning);
    Statement::new(INSERT, vec![vault.tenant().into(), token.into(), user_id.into()])
}

/// Removes a beginning, if it is there: users made before there was a search have none.
pub fn remove(vault: &TenantVault, kind: Searched, beginning: &str, user_id: Uuid) -> Statement {
    let token = token(vault, kind, beginning);
    Statement::new(REMOVE, vec![vault.tenant().into(), token.into(), user_id.into()])
}

/// Users found by a beginning, in order of id, with their primary addresses.
pub async fn find(
    engine: &dyn Engine,
    vault: &TenantVault,
    kind: Searched,
    beginning: &str,
    span: Span,
) -> Result<Vec<(UserRow, Option<UserEmailRow>)>, StorageError> {
    let params = vec![
        vault.tenant().into(),
        token(vault, kind, beginning).into(),
        span.after.into(),
        span.before.into(),
        span.limit.into(),
    ];
    let rows = engine.read(Scope::of(vault.tenant()), Statement::new(FIND, params)).await?;
    rows.into_iter().map(|row| users::decode_listed(vault, row)).collect()
}

//! What users consented to: each record stands as it was made, and the newest of a purpose counts.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

const TABLE: &str = "consents";

statements! {
    INSERT = "INSERT INTO consents (tenant_id, user_id, consent_id, purpose, document, granted, actor, at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST = "SELECT consent_id, purpose, document, granted, actor, at FROM consents \
            WHERE tenant_id = $1 AND user_id = $2 AND consent_id < $3 ORDER BY consent_id DESC LIMIT $4";
}

/// A consent that was given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRow {
    /// Its id (UUIDv7: lists are newest first by id).
    pub consent_id: Uuid,
    /// What for.
    pub purpose: String,
    /// Which version of the text was shown.
    pub document: String,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Who recorded it.
    pub actor: String,
    /// Unix milliseconds.
    pub at: i64,
}

/// Adds a record.
pub fn insert(tenant: Uuid, user_id: Uuid, row: &ConsentRow) -> Statement {
    Statement::new(
        INSERT,
        vec![
            tenant.into(),
            user_id.into(),
            row.consent_id.into(),
            row.purpose.as_str().into(),
            row.document.as_str().into(),
            row.granted.into(),
            row.actor.as_str().into(),
            row.at.into(),
        ],
    )
}

/// Records of a user, newest first, those before `cursor`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    tenant: Uuid,
    user_id: Uuid,
    limit: u32,
    cursor: Option<Uuid>,
) -> Result<Vec<ConsentRow>, StorageError> {
    let before = cursor.unwrap_or(super::LAST);
    let statement = Statement::new(LIST, vec![tenant.into(), user_id.into(), before.into(), limit.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    let decode = |row| {
        let mut columns = Columns::of(TABLE, row);
        Ok(ConsentRow {
            consent_id: columns.uuid("consent_id")?,
            purpose: columns.text("purpose")?,
            document: columns.text("document")?,
            granted: columns.flag("granted")?,
            actor: columns.text("actor")?,
            at: columns.int("at")?,
        })
    };
    rows.into_iter().map(decode).collect()
}

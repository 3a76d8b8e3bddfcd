//! A user together with the primary address, as it is shown, and which statements change what is shown.

use uuid::Uuid;

use super::user_emails::UserEmailRow;
use super::users::{self, UserRow, user_columns};
use crate::engine::{Engine, Scope, Statement, Value};
use crate::error::StorageError;
use crate::vault::TenantVault;

statements! {
    GET = concat!(
        "SELECT ",
        user_columns!(),
        ", CASE WHEN m.email_index IS NULL THEN 0 ELSE 1 END, \
         m.email_index, m.user_id, m.email, m.verified_at, m.is_primary, m.created_at \
         FROM users e LEFT JOIN user_emails m ON m.tenant_id = e.tenant_id AND m.user_id = e.user_id \
         AND m.user_id = $2 AND m.is_primary = 1 WHERE e.tenant_id = $1 AND e.user_id = $2"
    );
}

/// A user and the primary address, if there is one.
pub type UserWithEmail = (UserRow, Option<UserEmailRow>);

/// One user with the primary address.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Option<UserWithEmail>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), user_id.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| users::decode_listed(vault, row)).transpose()
}

/// Whose view a statement may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concerned {
    /// Nobody's who was there before.
    Nobody,
    /// Theirs; ids that are not of users may be among them.
    Users(Vec<Uuid>),
    /// The statement does not name them.
    Everybody,
}

/// Tables a view is read from.
const TABLES: [&str; 2] = ["users", "user_emails"];

/// Whose view `statement` may change.
pub fn concerned(statement: &Statement) -> Concerned {
    let mut words = statement.sql.split_ascii_whitespace();
    let table = match words.next() {
        // A user who is new was seen by nobody.
        Some("INSERT") => words.nth(1).filter(|table| *table != "users"),
        Some("UPDATE") => words.next(),
        Some("DELETE") => words.nth(1),
        _ => None,
    };
    if !table.is_some_and(|table| TABLES.contains(&table)) {
        return Concerned::Nobody;
    }
    // The first parameter is the tenant.
    let ids: Vec<_> = statement.params.iter().skip(1).filter_map(id).collect();
    if ids.is_empty() { Concerned::Everybody } else { Concerned::Users(ids) }
}

fn id(value: &Value) -> Option<Uuid> {
    match value {
        Value::Uuid(id) => Some(*id),
        Value::Null | Value::Int(_) | Value::Text(_) | Value::Blob(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repositories::{erasure, purge, user_emails};

    const TENANT: Uuid = Uuid::from_u128(1);
    const USER: Uuid = Uuid::from_u128(7);

    /// Every text that writes one of the tables, wherever it stands, names its users by a parameter of its own.
    #[test]
    fn no_text_changes_a_user_unnoticed() {
        let texts = users::ALL.iter().chain(user_emails::ALL).chain(purge::ALL);
        let writes = texts.filter(|(_, text)| !text.starts_with("SELECT"));
        let mut seen = 0;
        for (name, text) in writes {
            let written = TABLES.iter().any(|table| {
                [format!("UPDATE {table} "), format!("DELETE FROM {table} "), format!("INSERT INTO {table} ")]
                    .iter()
                    .any(|beginning| text.starts_with(beginning))
            });
            let statement = Statement::new(text, vec![TENANT.into(), 3_i64.into(), USER.into()]);
            let expected = match (written, text.starts_with("INSERT INTO users ")) {
                (true, false) => Concerned::Users(vec![USER]),
                _ => Concerned::Nobody,
            };
            assert_eq!(concerned(&statement), expected, "{name}");
            seen += u32::from(written);
        }
        assert!(seen >= 6, "{seen}");
    }

    #[test]
    fn removing_a_user_concerns_that_user() {
        for statements in [purge::purge(TENANT, USER, 1), erasure::of_user(TENANT, USER, 0)] {
            let named = statements.iter().map(concerned).filter(|who| *who == Concerned::Users(vec![USER]));
            assert_eq!(named.count(), 2, "the user's row and the addresses");
        }
    }

    #[test]
    fn what_names_nobody_concerns_everybody() {
        let all = Statement::new(
            "UPDATE users SET state = $2 WHERE tenant_id = $1",
            vec![TENANT.into(), "blocked".into()],
        );
        assert_eq!(concerned(&all), Concerned::Everybody);
        let other =
            Statement::new("UPDATE sessions SET version = 1 WHERE tenant_id = $1", vec![TENANT.into()]);
        assert_eq!(concerned(&other), Concerned::Nobody);
    }
}

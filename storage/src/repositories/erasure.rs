//! Erasing a user: every row that names one goes, in whatever table it stands.

use uuid::Uuid;

use super::whole_rows::CATALOGUE;
use crate::engine::Statement;

/// Removes every row of a user from every table that has a `user_id`, those that refer to others first. A user that is
/// not there is the conflict `unknown_user`; other than `sessions` sessions are the conflict `user_sessions`.
pub fn of_user(tenant: Uuid, user_id: Uuid, sessions: u64) -> Vec<Statement> {
    let tables = CATALOGUE.of_a_tenant.iter().rev();
    let remove = |(table, text): (&str, &'static str)| {
        let statement = Statement::new(text, vec![tenant.into(), user_id.into()]);
        match table {
            "users" => statement.expecting(1, "unknown_user"),
            "sessions" => statement.expecting(sessions, "user_sessions"),
            _ => statement,
        }
    };
    let rows = tables.filter_map(|table| Some((table.name(), table.of_user()?))).map(remove);
    let disowned = super::organizations::disown(tenant, user_id);
    let uninvited = super::organization_invitations::remove_to_user(tenant, user_id);
    [disowned, uninvited].into_iter().chain(rows).collect()
}

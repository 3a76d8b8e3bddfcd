//! Removing a user with everything that belongs to it.

use uuid::Uuid;

use crate::engine::Statement;

statements! {
    SEARCH = "DELETE FROM user_search WHERE tenant_id = $1 AND user_id = $2";
    SESSIONS = "DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2";
    CONSENTS = "DELETE FROM consents WHERE tenant_id = $1 AND user_id = $2";
    AUTHORIZATIONS = "DELETE FROM authorizations WHERE tenant_id = $1 AND user_id = $2";
    CLIENT_CONSENTS = "DELETE FROM client_consents WHERE tenant_id = $1 AND user_id = $2";
    HOLDS = "DELETE FROM legal_holds WHERE tenant_id = $1 AND user_id = $2";
    INVITATIONS = "DELETE FROM organization_invitations WHERE tenant_id = $1 AND user_id = $2";
    DEPARTURES = "DELETE FROM organization_departures WHERE tenant_id = $1 AND user_id = $2";
    MEMBERSHIPS = "DELETE FROM organization_members WHERE tenant_id = $1 AND user_id = $2";
    FORMER_PASSWORDS = "DELETE FROM password_history WHERE tenant_id = $1 AND user_id = $2";
    AVATARS = "DELETE FROM user_avatars WHERE tenant_id = $1 AND user_id = $2";
    CREDENTIALS = "DELETE FROM credentials WHERE tenant_id = $1 AND user_id = $2";
    EMAILS = "DELETE FROM user_emails WHERE tenant_id = $1 AND user_id = $2";
    ONE_TIME_TOKENS = "DELETE FROM one_time_tokens WHERE tenant_id = $1 AND user_id = $2";
    USER = "DELETE FROM users WHERE tenant_id = $1 AND user_id = $2 AND version = $3";
}

/// Tables with rows of a user, in an order in which nothing refers to what is gone. A test compares it with the
/// catalogue of all tables; the user's own row is the last.
const BELONGING: &[&str] = &[
    SEARCH,
    SESSIONS,
    CONSENTS,
    AUTHORIZATIONS,
    CLIENT_CONSENTS,
    HOLDS,
    INVITATIONS,
    DEPARTURES,
    MEMBERSHIPS,
    FORMER_PASSWORDS,
    AVATARS,
    CREDENTIALS,
    ONE_TIME_TOKENS,
    EMAILS,
];

/// Removes a user whose version is still `expected_version`; otherwise the conflict `user_version`, or `legal_hold` while
/// one keeps it.
pub fn purge(tenant: Uuid, user_id: Uuid, expected_version: i64) -> Vec<Statement> {
    let belonging = BELONGING.iter().map(|text| Statement::new(text, vec![tenant.into(), user_id.into()]));
    let user = Statement::new(USER, vec![tenant.into(), user_id.into(), expected_version.into()]);
    let free = super::legal_holds::none_of_user(tenant, user_id);
    let disowned = super::organizations::disown(tenant, user_id);
    let uninvited = super::organization_invitations::remove_to_user(tenant, user_id);
    [free, disowned, uninvited]
        .into_iter()
        .chain(belonging)
        .chain([user.expecting(1, "user_version")])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repositories::whole_rows::CATALOGUE;

    #[test]
    fn no_table_of_a_user_is_forgotten() {
        for table in &CATALOGUE.of_a_tenant {
            if table.columns().contains(&"user_id") {
                let text = format!("DELETE FROM {} WHERE tenant_id = $1 AND user_id = $2", table.name());
                assert!(ALL.iter().any(|(_, known)| known.starts_with(&text)), "{}", table.name());
            }
        }
        assert_eq!(BELONGING.len() + 1, ALL.len(), "every text is used");
    }
}

//! The schema keeps the rules that other engines need it to keep.

use rusqlite::{Connection, StatementStatus};

use super::super::connection::in_memory;
use super::super::options::SqliteOptions;
use crate::Scope;
use crate::repositories::{
    api_keys, authorizations, client_consents, clients, consents, constraint, credentials, flags, grants,
    ledger, ledger_checkpoints, legal_holds, master_checks, one_time_tokens, organization_domains,
    organization_invitations, organization_members, organization_policies, organizations, outbox,
    password_history, policies, purge, role_sets, roles, service_accounts, session_organizations, sessions,
    sign_in, signing_keys, taken, tenant_keys, tenants, used_proofs, user_avatars, user_emails, user_imports,
    user_invitations, user_search, user_views, users, write_probe,
};

fn database(scope: Scope) -> Connection {
    in_memory(scope, &SqliteOptions::default()).unwrap()
}

fn tenant() -> Connection {
    database(Scope::Tenant(uuid::Uuid::from_bytes([1; 16])))
}

fn strings(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_text_is_valid_where_it_is_used() {
    let cases = [
        (
            database(Scope::Platform),
            vec![
                master_checks::ALL,
                tenant_keys::ALL,
                tenants::ALL,
                api_keys::ALL,
                service_accounts::ALL,
                write_probe::ALL,
                ledger::ALL,
            ],
        ),
        (
            tenant(),
            vec![
                users::ALL,
                user_imports::ALL,
                taken::ALL,
                user_search::ALL,
                purge::ALL,
                user_emails::ALL,
                user_views::ALL,
                credentials::ALL,
                password_history::ALL,
                user_avatars::ALL,
                sessions::ALL,
                sign_in::ALL,
                signing_keys::ALL,
                outbox::ALL,
                role_sets::ALL,
                roles::ALL,
                grants::ALL,
                flags::ALL,
                clients::ALL,
                authorizations::ALL,
                client_consents::ALL,
                used_proofs::ALL,
                policies::ALL,
                one_time_tokens::ALL,
                user_invitations::ALL,
                organizations::ALL,
                organization_members::ALL,
                organization_invitations::ALL,
                organization_domains::ALL,
                organization_policies::ALL,
                session_organizations::ALL,
                ledger::ALL,
                ledger_checkpoints::ALL,
                legal_holds::ALL,
                consents::ALL,
            ],
        ),
    ];
    for (connection, groups) in cases {
        for (name, sql) in groups.into_iter().flatten() {
            if let Err(error) = connection.prepare(sql) {
                panic!("{name}: {error}");
            }
        }
    }
}

#[test]
fn tenant_id_comes_first_in_every_key_and_index_of_a_tenant() {
    let connection = tenant();
    let tables = strings(&connection, "SELECT name FROM sqlite_schema WHERE type = 'table'");
    let of_tenants = |table: &&String| {
        !table.starts_with("sqlite_") && !["schema_migrations", "file_identity"].contains(&table.as_str())
    };
    let mut checked = 0;
    for table in tables.iter().filter(of_tenants) {
        let key =
            strings(&connection, &format!("SELECT name FROM pragma_table_info('{table}') WHERE pk = 1"));
        assert_eq!(key, ["tenant_id"], "primary key of {table}");
        for index in strings(&connection, &format!("SELECT name FROM pragma_index_list('{table}')")) {
            let first = format!("SELECT name FROM pragma_index_info('{index}') WHERE seqno = 0");
            assert_eq!(strings(&connection, &first), ["tenant_id"], "{index}");
            checked += 1;
        }
    }
    assert!(checked >= 9, "keys and indexes were found: {checked}");
}

#[test]
fn every_table_is_strict() {
    for connection in [database(Scope::Platform), tenant()] {
        let loose =
            strings(&connection, "SELECT name FROM pragma_table_list WHERE strict = 0 AND schema = 'main'");
        assert!(loose.iter().all(|table| table.starts_with("sqlite_")), "{loose:?}");
    }
}

/// Texts that go through what the tenant has in a table, or in an index of what waits for something or is verified:
/// there is one row or a few, or they read in the order of the key and end soon.
const OF_THE_WHOLE_TENANT: &[&str] = &[
    "LIST_DUE of users",
    "FORGET_ERRORS of user_imports",
    "FORGET of user_imports",
    "LIST_PROVED_FOR_DOMAINS of user_emails",
    "HEAD of ledger",
    "SET_HEAD of ledger",
    "FIRST_SINCE of ledger",
    "LATEST of ledger_checkpoints",
    "LIST of ledger_checkpoints",
    "ANY of legal_holds",
    "NONE_OF_TENANT of legal_holds",
    "COUNT of clients",
    "GET_SET of policies",
    "UPDATE_SET of policies",
];

/// Whether a text is parsed and planned anew when its values change.
fn is_planned_again(connection: &Connection, sql: &str) -> bool {
    let mut statement = connection.prepare(sql).unwrap();
    for value in [1, 2] {
        for index in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(index, value).unwrap();
        }
        // What it does with such values does not matter, only that it ran.
        drop(statement.raw_query().next());
    }
    statement.get_status(StatementStatus::RePrepare) > 0
}

#[test]
fn look_ups_use_a_key_and_never_scan() {
    let connection = tenant();
    let reads = [
        users::ALL,
        user_imports::ALL,
        taken::ALL,
        user_search::ALL,
        purge::ALL,
        user_emails::ALL,
        user_views::ALL,
        credentials::ALL,
        password_history::ALL,
        user_avatars::ALL,
        sessions::ALL,
        sign_in::ALL,
        ledger::ALL,
        outbox::ALL,
        one_time_tokens::ALL,
        user_invitations::ALL,
        ledger_checkpoints::ALL,
        legal_holds::ALL,
        consents::ALL,
        organizations::ALL,
        organization_members::ALL,
        flags::ALL,
        clients::ALL,
        authorizations::ALL,
        client_consents::ALL,
        used_proofs::ALL,
        organization_invitations::ALL,
        organization_domains::ALL,
        policies::ALL,
        organization_policies::ALL,
        session_organizations::ALL,
    ];
    let mut of_everything = Vec::new();
    for (name, sql) in reads.into_iter().flatten() {
        assert!(!is_planned_again(&connection, sql), "{name}");
        let plan = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = connection.prepare(&plan).unwrap();
        let steps: Vec<String> =
            statement.raw_query().mapped(|row| row.get("detail")).map(Result::unwrap).collect();
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{name}: {steps:?}");
        if steps.iter().any(|step| step.contains("(tenant_id=?)")) {
            of_everything.push(name.rsplit("::").take(2).collect::<Vec<_>>().join(" of "));
        }
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")) || name.contains("emails"),
            "{name}: {steps:?}"
        );
    }
    assert_eq!(of_everything, OF_THE_WHOLE_TENANT);
}

#[test]
fn actors_and_subjects_are_found_by_their_indexes() {
    let connection = tenant();
    let texts = [
        (ledger::OF_SUBJECT_UPWARD, "ledger_entries_subject"),
        (ledger::OF_SUBJECT_DOWNWARD, "ledger_entries_subject"),
        (ledger::OF_ACTOR_UPWARD, "ledger_entries_actor"),
        (ledger::OF_ACTOR_DOWNWARD, "ledger_entries_actor"),
    ];
    for (sql, index) in texts {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps: Vec<String> =
            statement.raw_query().mapped(|row| row.get("detail")).map(Result::unwrap).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{sql}: {steps:?}");
    }
}

/// Without statistics a tenant is taken to have few rows, so that reading all of them looks cheap.
#[test]
fn what_a_user_has_is_found_by_the_user() {
    let connection = tenant();
    let texts = [
        (user_emails::LIST_FOR_USER, "user_emails_user"),
        (user_emails::LIST_PRIMARY, "user_emails_user"),
        (user_emails::LIST_PROVED, "user_emails_user"),
        (user_emails::LIST_PROVED_FOR_DOMAINS, "user_emails_user"),
        (organization_invitations::ACCEPTED_BY, "organization_invitations_user"),
    ];
    for (sql, index) in texts {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps: Vec<String> =
            statement.raw_query().mapped(|row| row.get("detail")).map(Result::unwrap).collect();
        assert!(steps.iter().any(|step| step.contains(index)), "{sql}: {steps:?}");
    }
}

/// It is built in by another crate, which takes the options from the environment of the build (`.cargo/config.toml`).
#[test]
fn sqlite_is_built_as_it_is_meant_to_be() {
    let options = strings(&tenant(), "PRAGMA compile_options");
    assert!(options.iter().any(|option| option == "DEFAULT_MEMSTATUS=0"), "{options:?}");
    assert!(!options.iter().any(|option| option.contains("STAT4")), "{options:?}");
}

#[test]
fn every_named_constraint_exists() {
    let (platform, tenant) = (database(Scope::Platform), tenant());
    for (table, columns, name) in constraint::KEYS {
        let of = |connection: &Connection| {
            let unique = format!("SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" = 1");
            strings(connection, &unique).iter().any(|index| {
                let named = format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno");
                strings(connection, &named) == *columns
            })
        };
        assert!(of(&platform) || of(&tenant), "{name}");
    }
}

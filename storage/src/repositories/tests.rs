//! Rules that hold for every SQL text.

use std::collections::BTreeSet;

use super::*;

const PLATFORM: &[&[(&str, &str)]] = &[
    master_checks::ALL,
    tenant_keys::ALL,
    tenants::ALL,
    api_keys::ALL,
    service_accounts::ALL,
    write_probe::ALL,
    whole_rows::ALL,
];
const TENANT: &[&[(&str, &str)]] = &[
    organizations::ALL,
    organization_members::ALL,
    organization_invitations::ALL,
    organization_domains::ALL,
    organization_policies::ALL,
    session_organizations::ALL,
    users::ALL,
    user_imports::ALL,
    taken::ALL,
    user_emails::ALL,
    user_views::ALL,
    user_search::ALL,
    purge::ALL,
    credentials::ALL,
    password_history::ALL,
    user_avatars::ALL,
    sessions::ALL,
    sign_in::ALL,
    signing_keys::ALL,
    one_time_tokens::ALL,
    user_invitations::ALL,
    outbox::ALL,
    kept_answers::ALL,
    role_sets::ALL,
    roles::ALL,
    grants::ALL,
    flags::ALL,
    clients::ALL,
    authorizations::ALL,
    client_consents::ALL,
    used_proofs::ALL,
    policies::ALL,
    ledger_checkpoints::ALL,
    legal_holds::ALL,
    consents::ALL,
];

fn texts(groups: &[&[(&'static str, &'static str)]]) -> Vec<(&'static str, &'static str)> {
    groups.iter().flat_map(|group| group.iter().copied()).collect()
}

/// Every `$n` of a text, in order of appearance.
fn parameters(sql: &str) -> Vec<usize> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    sql.split('$').skip(1).map(|rest| digits(rest).parse().expect("a number follows the dollar")).collect()
}

#[test]
fn parameters_are_numbered_without_a_gap() {
    for (name, sql) in texts(PLATFORM).into_iter().chain(texts(TENANT)).chain(texts(&[ledger::ALL])) {
        let used: BTreeSet<_> = parameters(sql).into_iter().collect();
        let expected: BTreeSet<_> = (1..=used.len()).collect();
        assert_eq!(used, expected, "{name}");
        assert!(!sql.contains('?') && !sql.contains(':') && !sql.contains('@'), "{name}");
    }
}

#[test]
fn every_text_of_a_tenant_is_bound_to_the_tenant_by_its_first_parameter() {
    for (name, sql) in texts(TENANT).into_iter().chain(texts(&[ledger::ALL])) {
        let bound = match sql.split(' ').next() {
            Some("INSERT") => {
                let columns = sql.split_once('(').expect("an insert names its columns").1;
                columns.starts_with("tenant_id,") && sql.contains("VALUES ($1,")
            }
            _ => sql.contains("tenant_id = $1"),
        };
        assert!(bound, "{name}: {sql}");
    }
}

#[test]
fn every_joined_table_is_joined_by_tenant() {
    for (name, sql) in texts(TENANT) {
        for (index, join) in sql.split(" JOIN ").enumerate().skip(1) {
            assert!(join.contains(".tenant_id = e.tenant_id"), "{name}, join {index}");
        }
    }
}

#[test]
fn only_the_repositories_hold_sql_of_tables() {
    let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let tables: BTreeSet<_> = constraint::KEYS.iter().map(|(table, ..)| *table).collect();
    let mut folders = vec![sources.clone()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = path.strip_prefix(&sources).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let exempt =
                name.starts_with("repositories/") || name.contains("tests") || name.ends_with(".sql");
            if exempt || name.starts_with("conformance/") {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            for table in &tables {
                for verb in ["FROM", "INTO", "UPDATE"] {
                    assert!(!text.contains(&format!("{verb} {table} ")), "{name}: {verb} {table}");
                }
            }
        }
    }
    assert!(seen > 20, "the sources were found");
}

#[test]
fn every_named_constraint_is_a_key_of_its_table() {
    let names: BTreeSet<_> = constraint::KEYS.iter().map(|(.., name)| *name).collect();
    assert_eq!(names.len(), constraint::KEYS.len());
    for (table, columns, name) in constraint::KEYS {
        assert!(name.starts_with(&format!("{table}.")), "{name}");
        assert!(!columns.is_empty());
    }
}

#[test]
fn the_text_for_changes_names_every_changing_event() {
    let listed: Vec<&str> = ledger::CHANGES.split('\'').skip(1).step_by(2).collect();
    assert_eq!(listed, ledger::CHANGING);
}

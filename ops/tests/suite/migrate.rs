//! `plinto migrate`, and what a database must be like.

use plinto_servers::{APP_ROLE, Database, OWNER_ROLE, PostgresConfig, PostgresServer};

use super::shared::{Installation, psql};
use super::support::{Data, plinto, run};

/// A server without our roles, and where a superuser reaches it.
fn bare_server() -> (PostgresServer, Database) {
    let server = PostgresServer::start(PostgresConfig::default()).unwrap_or_else(|error| panic!("{error}"));
    let database = server.database();
    let drop = format!(
        "\\set ON_ERROR_STOP on\n\\c postgres\nDROP DATABASE {};\nDROP ROLE {OWNER_ROLE};\nDROP ROLE {APP_ROLE};",
        database.name
    );
    let url = database.superuser_url.replace(&database.name, "postgres");
    psql(&url, &drop, &[]).good();
    (server, Database { superuser_url: url, ..database })
}

#[test]
fn from_nothing_with_the_printed_roles() {
    let (server, database) = bare_server();
    let roles = run(plinto().args(["migrate", "--print-roles"])).good();
    let passwords = [("OWNER_PASSWORD", "owner-secret"), ("APP_PASSWORD", "app's-secret")];
    psql(&database.superuser_url, &roles, &passwords).good();

    let place = format!("{}:{}/plinto", server.host(), server.port());
    let app = format!("postgres://plinto_app:app%27s-secret@{place}");
    let owner = format!("postgres://plinto_owner:owner-secret@{place}");
    let command = |words: &[&str]| {
        let mut command = plinto();
        command.args(words).env("PLINTO_DATABASE_URL", &app);
        command
    };
    let before = run(&mut command(&["migrate", "--check"])).bad(1);
    assert!(before.contains("schema 0") && before.contains("initial"), "{before}");
    let nobody = run(&mut command(&["migrate"])).bad(1);
    assert!(nobody.contains("PLINTO_DATABASE_OWNER_URL") && nobody.contains("--print-roles"), "{nobody}");

    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{owner}\n")).expect("written");
    let applied = run(command(&["migrate", "--owner-url-file"]).arg(file.path())).good();
    assert!(applied.contains("applied") && applied.contains("`plinto_app` may use it"), "{applied}");
    let again = run(command(&["migrate"]).env("PLINTO_DATABASE_OWNER_URL", &owner)).good();
    assert!(!again.contains("applied"), "{again}");
    let after = run(&mut command(&["migrate", "--check"])).good();
    assert!(after.contains("nothing is pending"), "{after}");
    for said in [before, nobody, applied, again, after] {
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn without_a_database_there_is_nothing_to_migrate() {
    for words in [&["migrate"][..], &["migrate", "--check"]] {
        let said = run(plinto().args(words)).bad(1);
        assert!(said.contains("no database") && said.contains("PLINTO_DATABASE_URL"), "{said}");
    }
}

#[test]
fn a_node_on_a_database_without_schema_says_what_to_do() {
    let installation = Installation::empty();
    let data = Data::new();
    let said = run(&mut installation.serve_command(&data, "node")).bad(1);
    assert!(said.contains("plinto migrate"), "{said}");
    installation.assert_no_password(&said);
}

#[test]
fn roles_that_are_not_safe_are_refused() {
    let installation = Installation::migrated();
    let data = Data::new();
    let Database { owner_url, superuser_url, app_url, .. } = &installation.database;
    for url in [owner_url, superuser_url] {
        let said = run(installation.serve_command(&data, "node").env("PLINTO_DATABASE_URL", url)).bad(1);
        assert!(said.contains("the database cannot be used") && said.contains("role"), "{said}");
        installation.assert_no_password(&said);
    }
    let same = run(installation.command(&["migrate"]).env("PLINTO_DATABASE_OWNER_URL", app_url)).bad(1);
    assert!(same.contains("the same role `plinto_app`"), "{same}");
    installation.assert_no_password(&same);
}

#[test]
fn a_database_that_is_away_or_refuses_is_named_without_its_password() {
    let installation = Installation::migrated();
    let data = Data::new();
    let port = PostgresServer::shared().port().to_string();
    let away = installation.database.app_url.replace(&format!(":{port}/"), ":1/");
    let wrong = installation.database.app_url.replacen("@", "x@", 1);
    for (url, wanted) in [(away.as_str(), "127.0.0.1:1"), (&wrong, "password")] {
        let said = run(installation.serve_command(&data, "node").env("PLINTO_DATABASE_URL", url)).bad(1);
        assert!(said.contains(wanted), "wanted {wanted}: {said}");
        installation.assert_no_password(&said);
    }
    let nonsense = "mysql://somebody:swordfish@x/y";
    let said = run(installation.serve_command(&data, "node").env("PLINTO_DATABASE_URL", nonsense)).bad(1);
    assert!(said.contains("postgres://") && !said.contains("swordfish"), "{said}");
}

//! Databases and roles that are not safe to use are refused before anything is written.

use plinto_servers::{Database, OWNER_ROLE};

use super::super::{PostgresEngine, PostgresOptions, migrate};
use super::{APPLICATION, client, database, empty_database, url};
use crate::StorageError;

async fn refusal(at: &str) -> String {
    match PostgresEngine::open(&url(at), PostgresOptions::default()).await {
        Err(StorageError::Unsuitable { reason }) => reason,
        other => panic!("{:?}", other.map(|_| "opened")),
    }
}

/// Makes a role with the given powers and gives the URL to connect as it.
async fn role(database: &Database, name: &str, powers: &str) -> String {
    let superuser = client(&database.superuser_url).await;
    let name = format!("{name}_{}", database.name);
    let text = format!(
        "CREATE ROLE {name} LOGIN PASSWORD 'secret' {powers}; GRANT CONNECT ON DATABASE {} TO {name}",
        database.name
    );
    superuser.batch_execute(&text).await.unwrap();
    let (_, at) = database.app_url.split_once('@').unwrap();
    format!("postgres://{name}:secret@{at}")
}

#[tokio::test]
async fn a_role_that_can_pass_row_level_security_is_refused() {
    let database = database().await;
    assert!(refusal(&database.superuser_url).await.contains("superuser"));
    assert!(refusal(&database.owner_url).await.contains("owns the tables"));
    let bypassing = role(&database, "bypassing", "BYPASSRLS").await;
    assert!(refusal(&bypassing).await.contains("NOBYPASSRLS"));
    let making = role(&database, "making", "CREATEROLE").await;
    assert!(refusal(&making).await.contains("NOCREATEROLE"));
    let replicating = role(&database, "replicating", "REPLICATION").await;
    assert!(refusal(&replicating).await.contains("NOREPLICATION"));
    let member = role(&database, "member", &format!("IN ROLE {OWNER_ROLE}")).await;
    assert!(refusal(&member).await.contains("may become their owner"));
    let heir = role(&database, "heir", "IN ROLE postgres").await;
    assert!(refusal(&heir).await.contains("superuser"));
    let stranger = role(&database, "stranger", "").await;
    assert!(refusal(&stranger).await.contains("plinto migrate"));
}

#[tokio::test]
async fn such_a_role_is_not_granted_anything_either() {
    let database = empty_database().await;
    let bypassing = role(&database, "granted", "BYPASSRLS").await;
    let bypassing = url(&bypassing);
    for (name, said) in [("nobody", "no role"), (OWNER_ROLE, "owner"), (bypassing.user(), "bypass")] {
        let refused = migrate(&url(&database.owner_url), name, &PostgresOptions::default()).await;
        let Err(StorageError::Unsuitable { reason }) = refused else { panic!("{refused:?}") };
        assert!(reason.contains(said), "{reason}");
    }
    migrate(&url(&database.owner_url), APPLICATION, &PostgresOptions::default())
        .await
        .expect("can be repaired");
}

#[tokio::test]
async fn a_database_that_may_lose_commits_or_mix_tenants_is_refused() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    let name = &database.name;
    superuser.batch_execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await.unwrap();
    assert!(refusal(&database.app_url).await.contains("synchronous_commit"));
    superuser.batch_execute(&format!("ALTER DATABASE {name} RESET synchronous_commit")).await.unwrap();
    superuser.batch_execute("ALTER TABLE users NO FORCE ROW LEVEL SECURITY").await.unwrap();
    assert!(refusal(&database.app_url).await.contains("not forced on users"));
    superuser.batch_execute("ALTER TABLE users FORCE ROW LEVEL SECURITY").await.unwrap();
    super::open(&database, PostgresOptions::default()).await;
}

/// The powers of a role that went to sleep as another are still its own.
#[tokio::test]
async fn a_role_that_connects_as_another_is_seen_through() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    let hidden = role(&database, "hidden", &format!("BYPASSRLS IN ROLE {APPLICATION}")).await;
    let name = url(&hidden).user().to_owned();
    superuser.batch_execute(&format!("ALTER ROLE {name} SET role = {APPLICATION}")).await.unwrap();
    assert!(refusal(&hidden).await.contains("NOBYPASSRLS"));
}

#[tokio::test]
async fn privileges_and_policies_beyond_those_of_the_migrations_are_refused() {
    let database = database().await;
    let superuser = client(&database.superuser_url).await;
    for (spoil, said, repair) in [
        (
            "GRANT TRUNCATE ON sessions TO PUBLIC",
            "rewrite sessions",
            "REVOKE TRUNCATE ON sessions FROM PUBLIC",
        ),
        (
            "GRANT UPDATE (data) ON ledger_entries TO plinto_app",
            "rewrite ledger_entries",
            "REVOKE UPDATE (data) ON ledger_entries FROM plinto_app",
        ),
        (
            "GRANT UPDATE ON schema_migrations TO plinto_app",
            "rewrite schema_migrations",
            "REVOKE UPDATE ON schema_migrations FROM plinto_app",
        ),
        ("CREATE POLICY everybody ON users USING (true)", "everybody", "DROP POLICY everybody ON users"),
        (
            "CREATE POLICY tenants ON tenants FOR SELECT USING (true)",
            "policies",
            "DROP POLICY tenants ON tenants",
        ),
    ] {
        superuser.batch_execute(spoil).await.unwrap();
        let reason = refusal(&database.app_url).await;
        assert!(reason.contains(said), "{spoil}: {reason}");
        superuser.batch_execute(repair).await.unwrap();
        super::open(&database, PostgresOptions::default()).await;
    }
}

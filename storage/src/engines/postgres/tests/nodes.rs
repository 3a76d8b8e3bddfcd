//! Several nodes on one database.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::super::PostgresOptions;
use super::super::read::Beginning;
use super::{database, fixture, open};
use crate::conformance::entry;
use crate::ledger::{page, verify};
use crate::repositories::users::{self, UserState};
use crate::{Engine, Scope, StorageError, Unit, UnitError};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_write_one_chain_without_fork_or_gap() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let mut tasks = tokio::task::JoinSet::new();
    for node in 0..3 {
        let engine = Arc::new(open(&database, PostgresOptions::default()).await);
        for caller in 0..4 {
            let engine = Arc::clone(&engine);
            tasks.spawn(async move {
                let mut receipts = Vec::new();
                for batch in 0..10 {
                    let unit = |number| Unit {
                        statements: vec![],
                        entries: vec![entry("user.seen", format!("{node}/{caller}/{batch}/{number}")); 2],
                    };
                    let answers = engine.commit(scope, "suite", (0..3).map(unit).collect()).await;
                    receipts
                        .extend(answers.expect("commits").into_iter().map(|answer| answer.expect("stands")));
                }
                receipts
            });
        }
    }
    let receipts: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let mut seqs: Vec<_> = receipts.iter().flat_map(|receipt| receipt.first_seq..=receipt.last_seq).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=720).collect::<Vec<_>>(), "every sequence was given once");
    let verified = verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies");
    assert_eq!(verified.head.seq, 720);
    let entries = page(fixture.engine(), scope, 0, 1_000).await.expect("reads");
    assert_eq!(entries.iter().map(|entry| &entry.subject).collect::<BTreeSet<_>>().len(), 360);
    let heads =
        fixture.engine().ledger_heads(&[vault.tenant(), fixture.id(), Uuid::nil()]).await.expect("reads");
    assert_eq!(
        heads.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from([(Uuid::nil(), 2), (vault.tenant(), 720)])
    );
}

#[tokio::test]
async fn of_nodes_that_change_one_version_exactly_one_wins() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let engine = open(&database, PostgresOptions::default()).await;
        let update = users::update_standing(&vault, user.user_id, UserState::Blocked, 5, 1);
        let unit = Unit { statements: vec![update], entries: vec![entry("user.blocked", user.user_id)] };
        let scope = Scope::Tenant(vault.tenant());
        tasks.spawn(
            async move { engine.commit(scope, "suite", vec![unit]).await.expect("commits").remove(0) },
        );
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    let lost = Err(UnitError::Conflict("user_version"));
    assert_eq!(answers.iter().filter(|answer| **answer == lost).count(), 2, "{answers:?}");
}

#[tokio::test]
async fn a_tenant_removed_on_one_node_is_unknown_on_the_next() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let other = open(&database, PostgresOptions::default()).await;
    // More rows than are removed at once.
    for _ in 0..3 {
        let entries = vec![entry("user.seen", 1); 700];
        fixture.commit(&vault, vec![], entries).await.expect("commits");
    }
    fixture.stored_user(&vault).await;
    other.destroy_tenant(vault.tenant()).await.expect("removes");
    let scope = Scope::Tenant(vault.tenant());
    let written = fixture.engine().commit(scope, "suite", vec![Unit::default()]).await;
    assert_eq!(written, Err(StorageError::UnknownTenant));
    let superuser = super::client(&database.superuser_url).await;
    for table in super::super::suitability::TENANT_TABLES {
        let text = format!("SELECT count(*) FROM {table} WHERE tenant_id = $1");
        let left: i64 = superuser.query_one(&text, &[&vault.tenant()]).await.unwrap().get(0);
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_node_that_vanishes_with_the_head_locked_holds_up_the_others_only_for_a_while() {
    let database = database().await;
    let idle_timeout = Duration::from_millis(600);
    let options = PostgresOptions { idle_timeout, ..PostgresOptions::default() };
    let fixture = fixture(&database, options.clone()).await;
    let scope = Scope::Tenant(fixture.tenant("ours").await.tenant());
    let vanished = super::client(&database.app_url).await;
    vanished.batch_execute(&Beginning::new(&options).write(scope)).await.expect("begins");
    let lock = "SELECT seq FROM ledger_heads WHERE tenant_id = $1 FOR UPDATE";
    assert_eq!(vanished.query(lock, &[&scope.id()]).await.expect("locks").len(), 1);
    let begun = Instant::now();
    let unit = Unit { statements: vec![], entries: vec![entry("user.seen", 1)] };
    let answers = fixture.engine().commit(scope, "suite", vec![unit]).await.expect("has its turn");
    assert_eq!(answers[0].as_ref().expect("stands").last_seq, 1);
    assert!(begun.elapsed() >= Duration::from_millis(300), "it waited: {:?}", begun.elapsed());
    vanished.batch_execute("COMMIT").await.expect_err("it is gone");
}

/// Whatever keeps the head from moving keeps the entries out, although the commit is sent before the answers come.
#[tokio::test]
async fn entries_are_not_stored_without_their_head() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let superuser = super::client(&database.superuser_url).await;
    let spoil = "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
                 CREATE TRIGGER stay BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION stay()";
    for table in ["ledger_heads", "ledger_entries"] {
        superuser.batch_execute(&spoil.replace("{}", table)).await.expect("spoils");
        let user = fixture.user();
        let unit = Unit {
            statements: vec![users::insert(&vault, &user)],
            entries: vec![entry("user.created", user.user_id)],
        };
        let scope = Scope::Tenant(vault.tenant());
        let refused = fixture.engine().commit(scope, "suite", vec![unit]).await;
        assert!(matches!(refused, Err(StorageError::Corrupt { .. })), "{table}: {refused:?}");
        assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(None));
        superuser.batch_execute("DROP FUNCTION stay CASCADE").await.expect("repairs");
        assert_eq!(verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies").head.seq, 0);
    }
    fixture.commit(&vault, vec![], vec![entry("user.seen", 1)]).await.expect("the connections are in order");
}

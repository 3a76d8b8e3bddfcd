//! Lost connections lose no acknowledged write and make none twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_postgres::Client;

use super::super::{PostgresEngine, PostgresOptions};
use super::proxy::Proxy;
use super::{client, database, fixture, url};
use crate::conformance::{Fixture, Subject, entry};
use crate::ledger::{page, verify};
use crate::repositories::users;
use crate::{Scope, StorageError, Unit};

/// Ends every connection of the application to this database.
async fn cut_all(superuser: &Client) -> u64 {
    let text = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND usename = $1";
    superuser.query(text, &[&super::APPLICATION]).await.unwrap().len() as u64
}

async fn behind(proxy: &Proxy) -> Fixture {
    let engine = PostgresEngine::open(&url(&proxy.url), PostgresOptions::default()).await.expect("opens");
    Fixture::new(Subject { engine: Arc::new(engine), keep: Box::new(()) }).await
}

#[tokio::test]
async fn connections_cut_while_idle_are_replaced_unseen() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let superuser = client(&database.superuser_url).await;
    for _ in 0..3 {
        assert!(cut_all(&superuser).await >= 1);
        let user = fixture.stored_user(&vault).await;
        assert!(cut_all(&superuser).await >= 1);
        assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
    }
    assert!(fixture.engine().health().await.ready());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_in_the_middle_lose_nothing_and_double_nothing() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let superuser = client(&database.superuser_url).await;
    let ended = Arc::new(AtomicBool::new(false));
    let cutting = Arc::clone(&ended);
    let cutter = tokio::spawn(async move {
        let mut cut = 0;
        while !cutting.load(Ordering::Relaxed) {
            cut += cut_all(&superuser).await;
            tokio::time::sleep(Duration::from_millis(23)).await;
        }
        cut
    });
    let mut outcomes = BTreeMap::new();
    for number in 0..150 {
        let unit = |part| Unit {
            statements: vec![users::insert(&vault, &fixture.user())],
            entries: vec![entry("user.created", format!("{number}/{part}"))],
        };
        let answers = fixture.engine().commit(scope, "suite", vec![unit(0), unit(1)]).await;
        outcomes.insert(number, answers.map(|answers| answers.into_iter().all(|answer| answer.is_ok())));
    }
    ended.store(true, Ordering::Relaxed);
    assert!(cutter.await.unwrap() > 10, "connections were cut");

    let verified = verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies");
    let entries = page(fixture.engine(), scope, 0, 1_000).await.expect("reads");
    assert_eq!(entries.len() as i64, verified.head.seq);
    let mut acknowledged = 0;
    for (number, outcome) in outcomes {
        let found = entries.iter().filter(|entry| entry.subject.starts_with(&format!("{number}/"))).count();
        match outcome {
            Ok(stood) => {
                acknowledged += 1;
                assert!(stood && found == 2, "{number} was acknowledged and stands {found} times");
            }
            Err(StorageError::Unacknowledged) => assert!(found == 0 || found == 2, "{number}: {found}"),
            Err(error) => assert_eq!(found, 0, "{number} was refused: {error}"),
        }
    }
    assert!(acknowledged > 50, "{acknowledged} of 150");
    let span = users::Span::after(None, 1_000);
    let users = users::list(fixture.engine(), &vault, span, None, 0).await.expect("reads");
    assert_eq!(users.len(), entries.len(), "rows and entries stand together");
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_looked_up_and_not_made_twice() {
    let database = database().await;
    let proxy = Proxy::before(&database.app_url).await;
    let fixture = behind(&proxy).await;
    let vault = fixture.tenant("ours").await;
    let user = fixture.user();
    proxy.lose_the_next_commit();
    let insert = users::insert(&vault, &user);
    let receipt = fixture.commit(&vault, vec![insert], vec![entry("user.created", user.user_id)]).await;
    assert_eq!(receipt.expect("stands").last_seq, 1);
    assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
    let scope = Scope::Tenant(vault.tenant());
    assert_eq!(verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies").head.seq, 1);
    let health = fixture.engine().health().await;
    let suite = health.transactions.iter().find(|total| total.name == "suite").expect("was counted");
    assert_eq!((suite.retried, suite.committed, suite.failed), (1, 1, 0));
}

#[tokio::test]
async fn a_commit_that_left_no_entry_is_unacknowledged_when_its_answer_is_lost() {
    let database = database().await;
    let proxy = Proxy::before(&database.app_url).await;
    let fixture = behind(&proxy).await;
    let vault = fixture.tenant("ours").await;
    let user = fixture.user();
    proxy.lose_the_next_commit();
    let unit = Unit { statements: vec![users::insert(&vault, &user)], entries: vec![] };
    let scope = Scope::Tenant(vault.tenant());
    let answer = fixture.engine().commit(scope, "suite", vec![unit]).await;
    assert_eq!(answer, Err(StorageError::Unacknowledged));
    // Here it did stand; the caller was told to look.
    assert_eq!(users::get(fixture.engine(), &vault, user.user_id).await, Ok(Some(user)));
}

#[tokio::test]
async fn a_transaction_ended_while_it_commits_is_run_again() {
    let database = database().await;
    let fixture = fixture(&database, PostgresOptions::default()).await;
    let vault = fixture.tenant("ours").await;
    let superuser = client(&database.superuser_url).await;
    // Runs at the commit, and long enough to be cut.
    superuser
        .batch_execute(
            "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_sleep(0.15); RETURN NULL; END'; \
             CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION linger()",
        )
        .await
        .unwrap();
    let user = fixture.user();
    let cutter = tokio::spawn(async move {
        let committing = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                          WHERE datname = current_database() AND query = 'COMMIT' AND state = 'active'";
        while superuser.query(committing, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let insert = users::insert(&vault, &user);
    let receipt = fixture.commit(&vault, vec![insert], vec![entry("user.created", user.user_id)]).await;
    cutter.await.unwrap();
    assert_eq!(receipt.expect("stands").last_seq, 1);
    let health = fixture.engine().health().await;
    let suite = health.transactions.iter().find(|total| total.name == "suite").expect("was counted");
    assert_eq!((suite.retried, suite.committed), (1, 1));
}

//! Queues are bounded, slow writers stall no reader, panics and departed callers do no harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use tempfile::TempDir;

use super::super::{SqliteEngine, SqliteOptions};
use crate::conformance::{Fixture, Subject};
use crate::{Engine, Scope, StorageError, Unit};

async fn single(queue_depth: usize) -> (Arc<SqliteEngine>, Fixture) {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions { writers: 1, readers: 1, queue_depth, ..SqliteOptions::default() };
    let engine = Arc::new(SqliteEngine::open(&folder.path().join("data"), options).unwrap());
    let subject = Subject { engine: Arc::<SqliteEngine>::clone(&engine), keep: Box::new(folder) };
    (engine, Fixture::new(subject).await)
}

/// Occupies the only writer until the sender is dropped, as an fsync that takes long would.
async fn occupy_writer(engine: &Arc<SqliteEngine>) -> mpsc::Sender<()> {
    let (release, gate) = mpsc::channel::<()>();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let engine = Arc::clone(engine);
    tokio::spawn(async move {
        engine
            .writers
            .run(Scope::Platform, move |_| {
                begun.send(()).unwrap();
                assert!(gate.recv().is_err(), "released by dropping the sender");
                Ok(())
            })
            .await
    });
    begins.await.unwrap();
    release
}

#[tokio::test]
async fn a_slow_write_does_not_stall_reads() {
    let (engine, fixture) = single(8).await;
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let release = occupy_writer(&engine).await;
    let read = crate::repositories::users::get(&*engine, &vault, user.user_id).await;
    assert_eq!(read, Ok(Some(user)));
    drop(release);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (engine, _fixture) = single(1).await;
    let release = occupy_writer(&engine).await;
    let mut waiting = Box::pin(engine.commit(Scope::Platform, "suite", vec![Unit::default()]));
    assert!(poll_once(&mut waiting).is_none(), "the one place in the queue is taken");
    assert_eq!(engine.health().await.queued_writes, 1);
    let refused = engine.commit(Scope::Platform, "suite", vec![Unit::default()]).await;
    assert_eq!(refused, Err(StorageError::Overloaded));
    drop(release);
    assert_eq!(waiting.await.unwrap().len(), 1, "who waited is served");
}

#[tokio::test]
async fn work_of_a_caller_that_left_is_not_begun() {
    let (engine, _fixture) = single(8).await;
    let release = occupy_writer(&engine).await;
    let ran = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ran);
    let mut abandoned = Box::pin(engine.writers.run(Scope::Platform, move |_| {
        flag.store(true, Ordering::SeqCst);
        Ok(())
    }));
    assert!(poll_once(&mut abandoned).is_none());
    drop(abandoned);
    drop(release);
    engine.writers.run(Scope::Platform, |_| Ok(())).await.unwrap();
    assert!(!ran.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_panic_in_a_job_fails_only_its_caller() {
    let (engine, fixture) = single(8).await;
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    let panicked: Result<(), _> =
        engine.writers.run(Scope::Platform, |_| panic!("a defect, on purpose in a test")).await;
    assert!(matches!(panicked, Err(StorageError::Unavailable { .. })), "{panicked:?}");
    let second = fixture.stored_user(&vault).await;
    for user in [user, second] {
        let read = crate::repositories::users::get(&*engine, &vault, user.user_id).await;
        assert_eq!(read, Ok(Some(user)));
    }
}

#[tokio::test]
async fn closing_finishes_what_was_accepted() {
    let (engine, fixture) = single(8).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let release = occupy_writer(&engine).await;
    let unit = Unit { statements: vec![], entries: vec![crate::conformance::entry("user.seen", 1)] };
    let mut accepted = Box::pin(engine.commit(scope, "suite", vec![unit]));
    assert!(poll_once(&mut accepted).is_none());
    drop(release);
    engine.close().await;
    assert_eq!(accepted.await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_least_recently_used_file_is_closed() {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions { writers: 1, readers: 1, open_files: 3, ..SqliteOptions::default() };
    let engine = Arc::new(SqliteEngine::open(&folder.path().join("data"), options).unwrap());
    let subject = Subject { engine: Arc::<SqliteEngine>::clone(&engine), keep: Box::new(folder) };
    let fixture = Fixture::new(subject).await;
    let mut users = Vec::new();
    for slug in ["a", "b", "c", "d", "e", "f"] {
        let vault = fixture.tenant(slug).await;
        users.push((fixture.stored_user(&vault).await, vault));
    }
    for _ in 0..2 {
        for (user, vault) in &users {
            let read = crate::repositories::users::get(&*engine, vault, user.user_id).await;
            assert_eq!(read.as_ref(), Ok(&Some(user.clone())));
        }
    }
    assert_eq!(engine.health().await.open, 6, "three for the writer, three for the reader");
}

/// Polls a future once: `None` while it waits.
fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

//! A full disk refuses writes, loses nothing, and is written again once there is room.

use std::sync::Arc;

use super::{Folder, SqliteEngine};
use crate::conformance::{Fixture, Subject, entry};
use crate::{Engine, Scope, StorageError, Unit};

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let folder = Folder::new();
    let engine = Arc::new(folder.open().unwrap());
    let fixture =
        Fixture::new(Subject { engine: Arc::<SqliteEngine>::clone(&engine), keep: Box::new(()) }).await;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let user = fixture.stored_user(&vault).await;
    let mut large = entry("user.seen", 1);
    large.data = serde_json::json!({ "ids": "0123456789".repeat(2_000) });
    let write =
        || engine.commit(scope, "suite", vec![Unit { statements: vec![], entries: vec![large.clone()] }]);

    engine.set_max_page_count(Some(24));
    let mut stood = 0;
    let refused = loop {
        match write().await {
            Ok(answers) => stood += answers.iter().filter(|answer| answer.is_ok()).count() as i64,
            Err(error) => break error,
        }
        assert!(stood < 100, "the limit was never met");
    };
    assert_eq!(refused, StorageError::Full);
    let read = crate::repositories::users::get(&*engine, &vault, user.user_id).await;
    assert_eq!(read, Ok(Some(user)), "reads go on");
    assert_eq!(write().await, Err(StorageError::Full));

    engine.set_max_page_count(None);
    write().await.unwrap()[0].as_ref().expect("there is room again");
    let verified = crate::ledger::verify(&*engine, scope, |_, _| {}).await.unwrap();
    assert_eq!(verified.head.seq, stood + 1, "what was refused left no trace");
}

#[tokio::test]
async fn health_says_the_disk_is_full_until_a_write_goes_through() {
    let folder = Folder::new();
    let engine = Arc::new(folder.open().unwrap());
    let fixture =
        Fixture::new(Subject { engine: Arc::<SqliteEngine>::clone(&engine), keep: Box::new(()) }).await;
    let vault = fixture.tenant("ours").await;
    engine.last_write.record::<()>(&Err(StorageError::Full));
    assert_eq!(engine.last_write.reason(), Some(StorageError::Full.to_string()));
    // The probe writes for real, and finds that there is room.
    let health = engine.health().await;
    assert!(health.ready(), "{health:?}");
    // What is refused for other reasons says nothing about the disk.
    let unknown = engine.commit(Scope::Tenant(fixture.id()), "suite", vec![Unit::default()]).await;
    assert_eq!(unknown, Err(StorageError::UnknownTenant));
    assert!(engine.last_write.good());
    fixture.stored_user(&vault).await;
}

//! The data directory: private, owned by one process, untouched by mere starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::SqliteOptions;
use super::super::connection::create;
use super::super::directory::{Layout, with_suffix};
use super::Folder;
use crate::{Engine, Scope, StorageError};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn everything_is_private() {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let vault = fixture.tenant("ours").await;
    fixture.stored_user(&vault).await;
    assert_eq!(mode(&folder.root), 0o700);
    assert_eq!(mode(&folder.root.join("tenants")), 0o700);
    let mut files = 0;
    for place in [folder.root.clone(), folder.root.join("tenants")] {
        for entry in fs::read_dir(place).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
                files += 1;
            }
        }
    }
    assert!(files >= 5, "lock, two databases and their logs, found {files}");
}

#[tokio::test]
async fn an_open_directory_of_ours_is_closed_and_a_strangers_is_left_alone() {
    let folder = Folder::new();
    folder.open().unwrap().close().await;
    fs::set_permissions(&folder.root, fs::Permissions::from_mode(0o755)).unwrap();
    folder.open().unwrap().close().await;
    assert_eq!(mode(&folder.root), 0o700);

    let shared = Folder::new();
    fs::create_dir(&shared.root).unwrap();
    fs::write(shared.root.join("something"), "else").unwrap();
    fs::set_permissions(&shared.root, fs::Permissions::from_mode(0o755)).unwrap();
    shared.open().unwrap().close().await;
    assert_eq!(mode(&shared.root), 0o755);
}

#[tokio::test]
async fn a_second_owner_is_refused_and_told_who_has_it() {
    let folder = Folder::new();
    let first = folder.open().unwrap();
    let directory = folder.root.display().to_string();
    let holder = format!("process {}", std::process::id());
    assert_eq!(folder.open().err(), Some(StorageError::Locked { directory, holder }));
    first.close().await;
    folder.open().expect("free again once the first is closed");
}

#[tokio::test]
async fn a_start_opens_no_tenant() {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let mut tenants = Vec::new();
    for slug in ["a", "b", "c"] {
        tenants.push(fixture.tenant(slug).await.tenant());
    }
    fixture.engine().close().await;
    drop(fixture);
    // Nothing of them is looked at: they might as well be nonsense.
    for tenant in &tenants {
        fs::write(folder.file(Scope::Tenant(*tenant)), "nonsense").unwrap();
    }
    let fixture = folder.fixture().await;
    let health = fixture.engine().health().await;
    assert!(health.ready(), "{health:?}");
    assert!(health.open <= 2, "platform alone, once to read and once to write: {}", health.open);
}

#[tokio::test]
async fn a_draft_left_by_a_crash_is_made_again() {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let id = fixture.id();
    let draft = folder.root.join("tenants").join(format!("{id}.db.creating"));
    fs::write(&draft, "half").unwrap();
    assert!(fixture.engine().list_tenants().await.unwrap().is_empty(), "a draft is no tenant");
    fixture.engine().create_tenant(id).await.unwrap();
    assert!(!draft.exists());
    let head = crate::ledger::head(fixture.engine(), Scope::Tenant(id)).await.unwrap();
    assert_eq!(head, Some(crate::ledger::chain::genesis(id)));
}

#[test]
fn a_new_file_needs_no_change_of_mode_that_a_crash_could_cut_off() {
    let folder = Folder::new();
    drop(folder.open().unwrap());
    let (layout, scope) = (Layout::new(&folder.root), Scope::Tenant(uuid::Uuid::from_u128(7)));
    create(&layout, scope, &SqliteOptions::default()).unwrap();
    // "File format write version" and "read version" (SQLite's file format, 1.3): 2 is a write-ahead log.
    let header = fs::read(folder.file(scope)).unwrap();
    assert_eq!(header[18..20], [2, 2]);
    let beside = ["-wal", "-shm", "-journal"].map(|suffix| with_suffix(&folder.file(scope), suffix).exists());
    assert_eq!(beside, [false; 3], "a file and nothing beside it");
}

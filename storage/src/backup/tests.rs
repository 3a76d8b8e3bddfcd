use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::{BackupError, Phase, backup, restore, verify_backup};
use crate::conformance::{Fixture, MASTER, NOW, Subject, entry};
use crate::engines::sqlite::{SqliteEngine, SqliteOptions};
use crate::repositories::users;
use crate::{Scope, StorageError, Unit};

struct Bench {
    folder: TempDir,
    fixture: Fixture,
}

impl Bench {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let fixture = open(&folder.path().join("data")).await;
        Self { folder, fixture }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn backup(&self, name: &str) -> Result<super::Manifest, BackupError> {
        backup(&self.path("data"), &self.path(name), NOW, &mut |_| {})
    }
}

async fn open(root: &Path) -> Fixture {
    let engine = Arc::new(SqliteEngine::open(root, SqliteOptions::default()).unwrap());
    Fixture::new(Subject { engine, keep: Box::new(()) }).await
}

#[tokio::test]
async fn a_backup_of_a_running_server_restores_to_what_was_there() {
    let bench = Bench::new().await;
    let mut expected = Vec::new();
    for slug in ["a", "b"] {
        let vault = bench.fixture.tenant(slug).await;
        expected.push((vault.tenant(), bench.fixture.stored_user(&vault).await));
        bench.fixture.store.tenants().rotate_key(vault.tenant(), 1, vec![]).await.unwrap();
        expected.push((vault.tenant(), bench.fixture.stored_user(&vault).await));
    }
    let mut seen = Vec::new();
    let manifest =
        backup(&bench.path("data"), &bench.path("copy"), NOW, &mut |step| seen.push(step)).unwrap();
    assert_eq!((manifest.files.len(), manifest.created_at), (3, NOW));
    assert_eq!(manifest.files[2].path, "platform.db");
    assert!(seen.iter().any(|step| step.phase == Phase::Copying));
    assert!(seen.last().is_some_and(|step| step.phase == Phase::Verifying && step.done == step.total));
    assert_eq!(verify_backup(&bench.path("copy"), &mut |_| {}), Ok(manifest.clone()));

    assert_eq!(restore(&bench.path("copy"), &bench.path("restored"), &mut |_| {}), Ok(manifest));
    let restored = open(&bench.path("restored")).await;
    for (tenant, user) in expected {
        let vault = restored.store.unlock(tenant).await.unwrap().expect("its keys came along");
        assert_eq!(users::get(restored.engine(), &vault, user.user_id).await, Ok(Some(user)));
        crate::ledger::verify(restored.engine(), Scope::Tenant(tenant), |_, _| {}).await.unwrap();
        restored.stored_user(&vault).await;
    }
}

#[tokio::test]
async fn files_are_private_and_the_master_key_is_not_among_them() {
    let bench = Bench::new().await;
    bench.fixture.tenant("a").await;
    bench.backup("copy").unwrap();
    restore(&bench.path("copy"), &bench.path("restored"), &mut |_| {}).unwrap();
    let key = hex::decode(MASTER).unwrap();
    let mut files = 0;
    for root in [bench.path("copy"), bench.path("restored")] {
        for folder in [root.clone(), root.join("tenants")] {
            assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
            for file in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if file.file_type().unwrap().is_file() {
                    files += 1;
                    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
                    let bytes = fs::read(file.path()).unwrap();
                    assert!(!bytes.windows(key.len()).any(|window| window == key));
                    assert!(!bytes.windows(MASTER.len()).any(|window| window == MASTER.as_bytes()));
                }
            }
        }
    }
    assert_eq!(files, 5, "two databases twice and one manifest, nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_during_writes_rotations_and_new_tenants_is_consistent() {
    let bench = Bench::new().await;
    let vault = bench.fixture.tenant("busy").await;
    let done = Arc::new(AtomicBool::new(false));
    let (source, target, flag) = (bench.path("data"), bench.path("copy"), Arc::clone(&done));
    let copying = tokio::task::spawn_blocking(move || {
        let outcome = backup(&source, &target, NOW, &mut |_| {});
        flag.store(true, Ordering::SeqCst);
        outcome
    });
    let mut tenants = vec![vault];
    let mut rounds = 0;
    while !done.load(Ordering::SeqCst) || rounds == 0 {
        // New tenants for a while, then only writes and rotations.
        if rounds < 8 {
            tenants.push(bench.fixture.tenant(&format!("t{rounds}")).await);
        }
        let vault = &tenants[rounds % tenants.len()];
        bench.fixture.store.tenants().rotate_key(vault.tenant(), 1, vec![]).await.unwrap();
        let unit = Unit {
            statements: vec![users::insert(vault, &bench.fixture.user())],
            entries: vec![entry("user.created", rounds)],
        };
        let scope = Scope::Tenant(vault.tenant());
        bench.fixture.engine().commit(scope, "suite", vec![unit]).await.unwrap()[0].clone().unwrap();
        rounds += 1;
    }
    copying.await.unwrap().unwrap();
    restore(&bench.path("copy"), &bench.path("restored"), &mut |_| {}).unwrap();
    let restored = open(&bench.path("restored")).await;
    for tenant in restored.store.tenants().list(None, 10_000).await.unwrap() {
        let vault = restored.store.unlock(tenant.id).await.unwrap().expect("keys exist");
        // Every row opens: no file is newer than the keys the platform's copy has.
        users::list(restored.engine(), &vault, users::Span::after(None, 10_000), None, 0).await.unwrap();
    }
}

#[tokio::test]
async fn deleted_tenants_are_not_in_a_backup() {
    let bench = Bench::new().await;
    let (gone, kept) = (bench.fixture.tenant("gone").await, bench.fixture.tenant("kept").await);
    bench.fixture.store.tenants().delete(gone.tenant(), 1, vec![]).await.unwrap();
    let manifest = bench.backup("copy").unwrap();
    let paths: Vec<_> = manifest.files.iter().map(|file| file.path.clone()).collect();
    assert_eq!(paths, [format!("tenants/{}.db", kept.tenant()), "platform.db".to_owned()]);
}

#[tokio::test]
async fn a_tenant_whose_file_is_lost_is_named() {
    let bench = Bench::new().await;
    let vault = bench.fixture.tenant("a").await;
    bench.fixture.engine().close().await;
    let file = bench.path("data").join(format!("tenants/{}.db", vault.tenant()));
    fs::remove_file(&file).unwrap();
    let lost = StorageError::Corrupt { what: format!("{} (it is missing)", file.display()) };
    assert_eq!(bench.backup("copy"), Err(BackupError::Storage(lost)));
    assert!(!bench.path("copy/manifest.json").exists());
}

#[tokio::test]
async fn nothing_is_written_over() {
    let bench = Bench::new().await;
    bench.fixture.tenant("a").await;
    bench.backup("copy").unwrap();
    let not_empty = |path: PathBuf| BackupError::NotEmpty { path };
    assert_eq!(bench.backup("copy"), Err(not_empty(bench.path("copy"))));
    let onto_data = restore(&bench.path("copy"), &bench.path("data"), &mut |_| {});
    assert_eq!(onto_data, Err(not_empty(bench.path("data"))));
    let nothing = backup(&bench.path("copy/tenants"), &bench.path("x"), NOW, &mut |_| {});
    assert!(matches!(nothing, Err(BackupError::NotData { .. })));
    assert!(!bench.path("x").exists());
}

#[tokio::test]
async fn a_damaged_backup_is_named_and_not_restored() {
    let bench = Bench::new().await;
    let vault = bench.fixture.tenant("a").await;
    bench.fixture.commit(&vault, vec![], vec![entry("user.seen", 1)]).await.unwrap();
    bench.backup("copy").unwrap();
    let copy = bench.path("copy");
    let name = format!("tenants/{}.db", vault.tenant());
    let restore = || restore(&copy, &bench.path("restored"), &mut |_| {});

    let good = fs::read(copy.join(&name)).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(copy.join(&name), &bad).unwrap();
    assert_eq!(restore(), Err(BackupError::Differs { file: name.clone() }));
    fs::remove_file(copy.join(&name)).unwrap();
    assert_eq!(restore(), Err(BackupError::Differs { file: name.clone() }));
    fs::write(copy.join(&name), &good).unwrap();

    let manifest = copy.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("platform.db", "../../etc/passwd", 1)).unwrap();
    assert_eq!(restore(), Err(BackupError::NoManifest { path: copy.clone() }));
    fs::write(&manifest, text.replacen("\"format\": 1", "\"format\": 2", 1)).unwrap();
    assert_eq!(restore(), Err(BackupError::NewerFormat { found: 2, known: 1 }));
    fs::remove_file(&manifest).unwrap();
    assert_eq!(restore(), Err(BackupError::NoManifest { path: copy.clone() }));
    assert!(!bench.path("restored").exists());
}

//! Damaged and foreign files are refused by name, and not touched.

use std::fs;

use super::super::connection::schema;
use super::{Folder, sqlite};
use crate::conformance::{Fixture, entry, master};
use crate::engines::sqlite::verify_file;
use crate::ledger::{BadEntry, VerifyError};
use crate::{Engine, Scope, StorageError};

/// A closed data directory with one tenant that has a user and entries.
async fn closed() -> (Folder, Scope) {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let vault = fixture.tenant("ours").await;
    fixture.stored_user(&vault).await;
    let entries = (0..20).map(|n| entry("user.seen", n)).collect();
    fixture.commit(&vault, vec![], entries).await.unwrap();
    fixture.engine().close().await;
    (folder, Scope::Tenant(vault.tenant()))
}

fn named_damaged<T: std::fmt::Debug>(outcome: Result<T, StorageError>, folder: &Folder, scope: Scope) {
    let name = folder.file(scope).display().to_string();
    match outcome {
        Err(StorageError::Corrupt { what }) => assert!(what.contains(&name), "{what} is not {name}"),
        other => panic!("expected damage to be named, got {other:?}"),
    }
}

type Damage = fn(&mut Vec<u8>);

const DAMAGES: &[(&str, Damage)] = &[
    ("empty", |bytes| bytes.clear()),
    ("cut within the header", |bytes| bytes.truncate(60)),
    ("cut within a page", |bytes| bytes.truncate(bytes.len() - 100)),
    ("a page short", |bytes| bytes.truncate(bytes.len() - 4096)),
    ("grown", |bytes| bytes.extend([0; 4096])),
    ("a flipped bit in the magic", |bytes| bytes[3] ^= 1),
    ("a flipped bit in the page size", |bytes| bytes[16] ^= 1),
    ("a flipped bit in the page count", |bytes| bytes[31] ^= 1),
    ("a flipped bit in the application id", |bytes| bytes[70] ^= 1),
    ("a flipped bit in the schema", |bytes| bytes[100] ^= 4),
    ("another format", |bytes| bytes.fill(b'x')),
];

#[tokio::test]
async fn a_damaged_platform_file_is_refused_at_open_and_not_touched() {
    let (folder, _) = closed().await;
    let file = folder.file(Scope::Platform);
    let good = fs::read(&file).unwrap();
    for (what, damage) in DAMAGES {
        let mut bytes = good.clone();
        damage(&mut bytes);
        fs::write(&file, &bytes).unwrap();
        named_damaged(folder.open(), &folder, Scope::Platform);
        assert_eq!(fs::read(&file).unwrap(), bytes, "{what}: the file was changed");
    }
    fs::write(&file, &good).unwrap();
    folder.open().expect("the good file opens");
}

#[tokio::test]
async fn a_flipped_bit_in_the_structure_of_any_platform_page_is_refused_at_open() {
    let (folder, _) = closed().await;
    let file = folder.file(Scope::Platform);
    let good = fs::read(&file).unwrap();
    // A page begins with its kind; its fifth byte is the lower half of the number of its cells.
    let mut damaged = 0;
    for page in (1..good.len() / 4096).filter(|page| good[page * 4096 + 4] > 0) {
        for bit in [3, 4 * 8] {
            let mut bytes = good.clone();
            bytes[page * 4096 + bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &bytes).unwrap();
            named_damaged(folder.open(), &folder, Scope::Platform);
            damaged += 1;
        }
    }
    assert!(damaged > 10, "pages with rows were found: {damaged}");
}

#[tokio::test]
async fn a_missing_platform_file_is_not_replaced_by_a_new_one() {
    let (folder, tenant) = closed().await;
    fs::remove_file(folder.file(Scope::Platform)).unwrap();
    named_damaged(folder.open(), &folder, Scope::Platform);
    assert!(!folder.file(Scope::Platform).exists());
    assert!(folder.file(tenant).exists());
}

#[tokio::test]
async fn a_damaged_tenant_file_is_refused_when_first_used_and_others_are_served() {
    let (folder, tenant) = closed().await;
    let file = folder.file(tenant);
    let good = fs::read(&file).unwrap();
    for (what, damage) in DAMAGES {
        let mut bytes = good.clone();
        damage(&mut bytes);
        fs::write(&file, &bytes).unwrap();
        let engine = folder.open().expect("the platform is sound");
        named_damaged(crate::ledger::head(&engine, tenant).await, &folder, tenant);
        let unit = crate::Unit { statements: vec![], entries: vec![entry("user.seen", 1)] };
        named_damaged(engine.commit(tenant, "suite", vec![unit]).await, &folder, tenant);
        assert!(crate::ledger::head(&engine, Scope::Platform).await.unwrap().is_some());
        engine.close().await;
        assert_eq!(fs::read(&file).unwrap(), bytes, "{what}: the file was changed");
    }
}

#[tokio::test]
async fn the_file_of_another_tenant_under_this_name_is_refused() {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let (ours, theirs) = (fixture.tenant("ours").await, fixture.tenant("theirs").await);
    fixture.engine().close().await;
    let (ours, theirs) = (Scope::Tenant(ours.tenant()), Scope::Tenant(theirs.tenant()));
    fs::copy(folder.file(theirs), folder.file(ours)).unwrap();
    drop(fixture);
    let engine = folder.open().unwrap();
    named_damaged(crate::ledger::head(&engine, ours).await, &folder, ours);
    assert!(crate::ledger::head(&engine, theirs).await.unwrap().is_some());
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_not_touched() {
    let (folder, tenant) = closed().await;
    for scope in [tenant, Scope::Platform] {
        let statement = "INSERT INTO schema_migrations VALUES (99, 'later', x'00')";
        sqlite(&folder.file(scope)).execute(statement, []).unwrap();
        let before = folder.bytes(scope);
        let refused = match scope {
            Scope::Platform => folder.open().err(),
            Scope::Tenant(_) => {
                let engine = folder.open().unwrap();
                let refused = crate::ledger::head(&engine, tenant).await.err();
                engine.close().await;
                refused
            }
        };
        let what = folder.file(scope).display().to_string();
        let known = schema(scope).len() as i64;
        assert_eq!(refused, Some(StorageError::NewerSchema { what, found: 99, known }));
        assert_eq!(folder.bytes(scope), before);
    }
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let (folder, _) = closed().await;
    let statement = "UPDATE schema_migrations SET checksum = x'00' WHERE version = 1";
    sqlite(&folder.file(Scope::Platform)).execute(statement, []).unwrap();
    let what = folder.file(Scope::Platform).display().to_string();
    assert_eq!(folder.open().err(), Some(StorageError::MigrationChanged { what, version: 1 }));
}

#[tokio::test]
async fn a_wrapped_key_that_was_altered_is_named() {
    let (folder, tenant) = closed().await;
    let statement = "UPDATE tenant_keys SET wrapped = zeroblob(60) WHERE tenant_id = ?1 AND purpose = 'data'";
    sqlite(&folder.file(Scope::Platform)).execute(statement, [tenant.id().as_bytes()]).unwrap();
    let fixture = folder.fixture().await;
    let refused = fixture.store.unlock(tenant.id()).await;
    assert!(
        matches!(&refused, Err(StorageError::Corrupt { what }) if what.contains("data key 1")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_offline_verification_names_the_first_bad_entry() {
    let (folder, tenant) = closed().await;
    let file = folder.file(tenant);
    let good = fs::read(&file).unwrap();
    let mut seen = Vec::new();
    let verified = verify_file(&file, &mut |done, total| seen.push((done, total))).unwrap();
    assert_eq!((verified.tenant, verified.head.seq), (tenant.id(), 20));
    assert_eq!(seen, [(20, 20)]);
    assert_eq!(fs::read(&file).unwrap(), good, "verifying writes nothing");

    type Check = fn(&BadEntry) -> bool;
    let cases: &[(&str, Check)] = &[
        ("UPDATE ledger_entries SET actor = 'mallory' WHERE seq IN (7, 9)", |bad| {
            matches!(bad, BadEntry::Hash { seq: 7, .. })
        }),
        ("UPDATE ledger_entries SET prev_hash = zeroblob(32) WHERE seq = 4", |bad| {
            matches!(bad, BadEntry::Previous { seq: 4, .. })
        }),
        ("DELETE FROM ledger_entries WHERE seq = 11", |bad| {
            *bad == BadEntry::Sequence { expected: 11, found: 12 }
        }),
        ("DELETE FROM ledger_entries WHERE seq = 20", |bad| {
            matches!(bad, BadEntry::Head { expected_seq: 20, found_seq: 19, .. })
        }),
        ("DELETE FROM ledger_heads", |bad| *bad == BadEntry::NoHead),
    ];
    for (tampering, expected) in cases {
        fs::write(&file, &good).unwrap();
        sqlite(&file).execute(tampering, []).unwrap();
        match verify_file(&file, &mut |_, _| {}) {
            Err(VerifyError::Bad { tenant: named, bad }) => {
                assert!(expected(&bad), "{tampering}: {bad:?}");
                assert_eq!(named, tenant.id());
            }
            other => panic!("{tampering}: {other:?}"),
        }
    }
    assert!(verify_file(&folder.root.join("absent.db"), &mut |_, _| {}).is_err());
}

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_crash() {
    let folder = Folder::new();
    let fixture = folder.fixture().await;
    let vault = fixture.tenant("ours").await;
    let user = fixture.stored_user(&vault).await;
    fixture.commit(&vault, vec![], vec![entry("user.seen", 1)]).await.unwrap();
    // A copy of the files as they lie, logs included, is what a killed process leaves behind.
    let crashed = Folder::new();
    copy_tree(&folder.root, &crashed.root);
    drop(fixture);

    let revived: Fixture = crashed.fixture().await;
    revived.reopen(master()).await.expect("the master key is known");
    let vault = revived.store.unlock(vault.tenant()).await.unwrap().unwrap();
    let read = crate::repositories::users::get(revived.engine(), &vault, user.user_id).await;
    assert_eq!(read, Ok(Some(user)));
    let verified = crate::ledger::verify(revived.engine(), Scope::Tenant(vault.tenant()), |_, _| {}).await;
    assert_eq!(verified.unwrap().head.seq, 1);
}

fn copy_tree(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

//! Data that must not be touched is refused with words that help, and stays as it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::support::{Data, MASTER_KEY, run};

/// Every database and key of a data directory, byte for byte.
fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files =
        fs::read_dir(path).expect("a folder").chain(fs::read_dir(path.join("tenants")).expect("a folder"));
    let files = files.map(|entry| entry.expect("an entry").path());
    let kept =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "db" || extension == "key");
    files.filter(kept).map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

/// `dev` and `serve` both refuse, say these words, and change nothing.
fn refused(data: &Data, key: Option<&str>, wanted: &[&str]) {
    let before = contents(&data.path);
    let mut serve = data.command(&["serve", "--listen", "core=127.0.0.1:0", "--services", "core"]);
    let mut dev = data.command(&["dev", "--base-port", "0"]);
    for command in [&mut serve, &mut dev] {
        if let Some(key) = key {
            command.env("PLINTO_MASTER_KEY", key);
        }
        let said = run(command).bad(1);
        for text in wanted {
            assert!(said.contains(text), "wanted: {text}\nsaid: {said}");
        }
    }
    assert!(contents(&data.path) == before, "something was overwritten");
}

#[test]
fn a_second_process_on_the_same_data() {
    let data = Data::new();
    let server = data.dev();
    for command in [&mut data.command(&["dev", "--base-port", "0"]), &mut data.serve_command()] {
        let said = run(command).bad(1);
        assert!(said.contains("is in use by process"), "{said}");
        assert!(
            said.contains(&server.pid().to_string()) && said.contains("another data directory"),
            "{said}"
        );
    }
    run(&mut data.command(&["healthcheck"])).good();
    assert!(server.stop().success());
}

#[test]
fn a_wrong_master_key() {
    let data = Data::seeded();
    refused(&data, Some(MASTER_KEY), &["the master key does not belong to this data", "nothing was changed"]);
}

#[test]
fn a_lost_master_key_is_never_replaced() {
    let data = Data::seeded();
    let file = data.path.join("master.key");
    fs::remove_file(&file).expect("removed");
    let said = run(&mut data.command(&["dev", "--base-port", "0"])).bad(1);
    assert!(said.contains("master.key is missing") && said.contains("put the file back"), "{said}");
    assert!(!file.exists(), "no new key was made");
}

#[test]
fn a_truncated_platform_database() {
    let data = Data::seeded();
    let path = data.path.join("platform.db");
    let bytes = fs::read(&path).expect("readable");
    for keep in [bytes.len() / 2, 50, 0] {
        fs::write(&path, &bytes[..keep]).expect("written");
        refused(&data, None, &["platform.db is damaged", "plinto restore"]);
    }
}

#[test]
fn a_flipped_bit_in_the_platform_database() {
    let data = Data::seeded();
    let path = data.path.join("platform.db");
    let good = fs::read(&path).expect("readable");
    for at in [0, 20, 105] {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        fs::write(&path, &bytes).expect("written");
        refused(&data, None, &["platform.db", "is damaged"]);
    }
}

#[test]
fn a_missing_platform_database() {
    let data = Data::seeded();
    fs::remove_file(data.path.join("platform.db")).expect("removed");
    refused(&data, None, &["platform.db", "is missing"]);
}

#[test]
fn a_newer_schema() {
    let data = Data::seeded();
    let database = Connection::open(data.path.join("platform.db")).expect("opens");
    let bumped = database.execute_batch(
        "INSERT INTO schema_migrations SELECT version + 1000, name, checksum FROM schema_migrations \
         ORDER BY version DESC LIMIT 1",
    );
    bumped.expect("a row of a later version");
    database.close().expect("closed");
    refused(&data, None, &["this version knows", "start the version of plinto that wrote it"]);
}

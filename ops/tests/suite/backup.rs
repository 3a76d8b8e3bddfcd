//! `plinto backup` and `plinto restore`

use std::fs;

use super::support::{Data, run};

#[test]
fn a_backup_taken_while_serving_restores_to_the_same_tenants() {
    let data = Data::new();
    let server = data.dev();
    run(&mut data.command(&["tenant", "create", "acme"])).good();
    let backup = data.beside("backup");
    let said = run(data.command(&["backup"]).arg("--output").arg(&backup)).good();
    assert!(said.contains("3 databases") && said.contains("verified"), "{said}");
    for secret in ["master.key", "platform.key", "dev-credentials.json"] {
        assert!(!backup.join(secret).exists(), "{secret} is in the backup");
    }
    run(&mut data.command(&["tenant", "create", "later"])).good();
    let full = run(data.command(&["backup"]).arg("--output").arg(&backup)).bad(1);
    assert!(full.contains("is not empty"), "{full}");
    assert!(server.stop().success());

    let restored = Data::new();
    run(restored.command(&["restore"]).arg("--from").arg(&backup)).good();
    let said = run(&mut restored.command(&["dev", "--base-port", "0"])).bad(1);
    assert!(said.contains("master.key is missing"), "{said}");
    for key in ["master.key", "platform.key"] {
        fs::copy(data.path.join(key), restored.path.join(key)).expect("copied");
    }
    let listed = run(&mut restored.command(&["tenant", "list"])).good();
    assert!(listed.contains("demo") && listed.contains("acme") && !listed.contains("later"), "{listed}");
    run(&mut restored.command(&["audit", "verify"])).good();

    let over = run(restored.command(&["restore"]).arg("--from").arg(&backup)).bad(1);
    assert!(over.contains("is not empty"), "{over}");
}

#[test]
fn a_damaged_backup_is_refused() {
    let data = Data::seeded();
    let backup = data.beside("backup");
    run(data.command(&["backup"]).arg("--output").arg(&backup)).good();
    let file = backup.join("platform.db");
    let mut bytes = fs::read(&file).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("written");
    let target = Data::new();
    let said = run(target.command(&["restore"]).arg("--from").arg(&backup)).bad(1);
    assert!(said.contains("platform.db differs from the manifest"), "{said}");
    assert!(!target.path.exists(), "nothing was restored");
}

//! Users go in and out in files.

use std::fs;

use serde_json::Value;

use super::support::{Data, run};

#[test]
fn a_file_of_users_is_checked_imported_and_exported() {
    let data = Data::seeded();
    let file = data.beside("users.jsonl");
    let lines: Vec<String> =
        (0..2_500).map(|number| format!("{{\"email\":\"user-{number}@example.com\"}}")).collect();
    fs::write(
        &file,
        format!("{}\n{{\"email\":\"nobody\"}}\n{{\"email\":\"USER-1@example.com\"}}", lines.join("\n")),
    )
    .expect("written");
    let name = file.to_str().expect("UTF-8");
    let import = ["user", "import", "--tenant", "demo", "--file", name];
    let checked = run(data.command(&import).arg("--dry-run")).bad(1);
    assert!(checked.contains("2502 lines: 2500 can be imported, 0 passed over, 2 with errors"), "{checked}");
    assert!(checked.contains("line 2501: email:") && checked.contains("(invalid_email)"), "{checked}");
    assert!(checked.contains("line 2502: email:") && checked.contains("(email_taken)"), "{checked}");
    let imported = run(&mut data.command(&import)).bad(1);
    assert!(imported.contains("2502 lines: 2500 imported, 0 passed over, 2 with errors"), "{imported}");
    let again = run(data.command(&import).arg("--skip-existing")).bad(1);
    assert!(again.contains("2502 lines: 0 imported, 2501 passed over, 1 with errors"), "{again}");

    let output = data.beside("exported.jsonl");
    let name = output.to_str().expect("UTF-8");
    let export = ["user", "export", "--tenant", "demo", "--output", name];
    run(&mut data.command(&export)).good();
    let exported = fs::read_to_string(&output).expect("written");
    let users: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    // With the user that development begins with.
    assert_eq!(users.len(), 2_501);
    assert!(!exported.contains("argon2"));
    let twice = run(&mut data.command(&export)).bad(1);
    assert!(twice.contains("cannot create"), "{twice}");
    let to_pipe = ["user", "export", "--tenant", "demo", "--password-hashes"];
    assert!(run(&mut data.command(&to_pipe)).good().contains("$argon2id$"));

    let missing = ["user", "import", "--tenant", "demo", "--file", "no-such-file.jsonl"];
    assert!(run(&mut data.command(&missing)).bad(1).contains("cannot read no-such-file.jsonl"));
}

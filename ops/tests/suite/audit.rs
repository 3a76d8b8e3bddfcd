//! `plinto audit`

use std::fs;

use rusqlite::Connection;

use super::support::{Data, plinto, run};

#[test]
fn good_ledgers_verify_also_while_it_runs() {
    let data = Data::new();
    let server = data.dev();
    let running = run(&mut data.command(&["audit", "verify"])).good();
    assert!(running.contains("good  platform:") && running.contains("good  demo (ten_"), "{running}");
    assert!(server.stop().success());
    assert_eq!(run(&mut data.command(&["audit", "verify"])).good(), running);
    let one = run(&mut data.command(&["audit", "verify", "--tenant", "demo"])).good();
    assert_eq!(one.lines().count(), 1, "{one}");
    let said = run(&mut data.command(&["audit", "verify", "--tenant", "nobody"])).bad(1);
    assert!(said.contains("no tenant `nobody`"), "{said}");
}

#[test]
fn the_first_bad_entry_is_named() {
    let data = Data::seeded();
    let path = data.tenant_file("demo");
    let database = Connection::open(&path).expect("opens");
    let changed = database.execute("UPDATE ledger_entries SET actor = 'somebody' WHERE seq = 2", []);
    assert_eq!(changed.expect("an entry to tamper with"), 1);
    database.close().expect("closed");
    for words in [&["audit", "verify"][..], &["audit", "verify", "--tenant", "demo"]] {
        let said = run(&mut data.command(words)).bad(1);
        assert!(said.contains("BAD   demo") && said.contains("entry 2 was altered"), "{said}");
    }
    let said = run(plinto().args(["audit", "verify", "--file"]).arg(&path)).bad(1);
    assert!(said.contains("entry 2 was altered"), "{said}");
    run(&mut data.command(&["audit", "verify", "--tenant", "platform"])).good();
}

#[test]
fn a_missing_tenant_file_does_not_verify() {
    let data = Data::seeded();
    fs::remove_file(data.tenant_file("demo")).expect("removed");
    let said = run(&mut data.command(&["audit", "verify"])).bad(1);
    assert!(said.contains("BAD   demo") && said.contains("does not exist"), "{said}");
}

#[test]
fn exports_verify_by_themselves() {
    let data = Data::new();
    let server = data.dev();
    let file = data.beside("demo.jsonl");
    run(data.command(&["audit", "export", "--tenant", "demo"]).arg("--output").arg(&file)).good();
    let again = run(data.command(&["audit", "export", "--tenant", "demo"]).arg("--output").arg(&file)).bad(1);
    assert!(again.contains("demo.jsonl"), "{again}");
    drop(server);
    run(plinto().args(["audit", "verify", "--file"]).arg(&file)).good();

    let text = fs::read_to_string(&file).expect("an export");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() >= 3, "a header and two entries: {text}");
    let without_first = [&lines[..1], &lines[2..]].concat().join("\n");
    fs::write(&file, without_first).expect("written");
    let said = run(plinto().args(["audit", "verify", "--file"]).arg(&file)).bad(1);
    assert!(said.contains("entry 1 is missing"), "{said}");
}

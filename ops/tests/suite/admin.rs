//! Commands against a running instance, and against one that is started for the command alone.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use super::support::{Data, run, run_with_input};

/// Everything an operator does to a tenant; the same whether or not something runs.
fn life_of_a_tenant(data: &Data) {
    let created =
        run(&mut data.command(&["tenant", "create", "acme", "--name", "Acme GmbH", "--json"])).good();
    let created: Value = serde_json::from_str(&created).expect("JSON");
    let id = created[0]["id"].as_str().expect("an id").to_owned();
    let listed = run(&mut data.command(&["tenant", "list"])).good();
    assert!(listed.contains("acme") && listed.contains(&id) && listed.contains("Acme GmbH"), "{listed}");
    let again = run(&mut data.command(&["tenant", "create", "acme"])).bad(1);
    assert!(again.contains("slug_taken"), "{again}");

    let create = ["user", "create", "--tenant", "acme", "--email", "ada@example.com"];
    let user = run_with_input(&mut data.command(&create), "glowing-otter-lifts-pianos\n").good();
    assert!(user.starts_with("usr_"), "{user}");
    let twice = run_with_input(&mut data.command(&create), "glowing-otter-lifts-pianos\n").bad(1);
    assert!(twice.contains("email_taken"), "{twice}");
    let weak = ["user", "create", "--tenant", &id, "--email", "bob@example.com"];
    let weak = run_with_input(&mut data.command(&weak), "password123\n").bad(1);
    assert!(weak.contains("password:") && !weak.contains("password123"), "{weak}");
    let none = run_with_input(&mut data.command(&create), "").bad(1);
    assert!(none.contains("no password"), "{none}");

    for alg in ["EdDSA", "es256"] {
        run(&mut data.command(&["keys", "rotate", "--tenant", "acme", "--alg", alg])).good();
    }
    let key =
        run(&mut data.command(&["service-key", "create", "--tenant", "acme", "--name", "orders-api"])).good();
    assert!(key.starts_with("plk_"), "{key}");

    let unsure = run_with_input(&mut data.command(&["tenant", "delete", "acme"]), "acmee\n").bad(1);
    assert!(unsure.contains("nothing was changed"), "{unsure}");
    run_with_input(&mut data.command(&["tenant", "delete", "acme"]), "acme\n").good();
    let gone = run(&mut data.command(&["tenant", "delete", "acme", "--yes"])).bad(1);
    assert!(gone.contains("no tenant `acme`"), "{gone}");
}

#[test]
fn while_it_runs() {
    let data = Data::new();
    let server = data.dev();
    life_of_a_tenant(&data);
    assert!(server.stop().success());
}

#[test]
fn while_nothing_runs() {
    let data = Data::seeded();
    life_of_a_tenant(&data);
    assert!(!data.path.join("run.json").exists());
}

#[test]
fn without_data_nothing_is_created() {
    let data = Data::new();
    for words in [&["tenant", "list"][..], &["keys", "platform"], &["audit", "verify"]] {
        let said = run(&mut data.command(words)).bad(1);
        assert!(said.contains("holds no data of plinto"), "{words:?}: {said}");
    }
    assert!(!data.path.exists());
}

#[test]
fn a_platform_key_is_needed_and_can_be_replaced() {
    let data = Data::seeded();
    let file = data.path.join("platform.key");
    let old = data.platform_key();
    fs::remove_file(&file).expect("removed");
    let said = run(&mut data.command(&["tenant", "list"])).bad(1);
    assert!(said.contains("no platform key") && said.contains("plinto keys platform"), "{said}");
    run(data.command(&["tenant", "list"]).args(["--key", &old])).good();
    run(data.command(&["tenant", "list"]).env("PLINTO_PLATFORM_KEY", &old)).good();
    let wrong = run(data.command(&["tenant", "list"]).args(["--key", "plk_wrong"])).bad(1);
    assert!(wrong.contains("api_key_needed"), "{wrong}");

    run(&mut data.command(&["keys", "platform"])).good();
    assert_ne!(data.platform_key(), old);
    run(&mut data.command(&["tenant", "list"])).good();
}

#[test]
fn a_platform_key_is_made_only_while_nothing_runs() {
    let data = Data::new();
    let server = data.dev();
    let said = run(&mut data.command(&["keys", "platform"])).bad(1);
    assert!(said.contains("stop it first") && said.contains(&server.pid().to_string()), "{said}");
}

#[test]
fn a_command_can_be_pointed_at_a_url() {
    let data = Data::new();
    let server = data.dev();
    let elsewhere = Data::new();
    let (url, key) = (server.url("core"), data.platform_key());
    let listed = run(elsewhere.command(&["tenant", "list"]).args(["--url", &url, "--key", &key])).good();
    assert!(listed.contains("demo"), "{listed}");
    assert!(!elsewhere.path.exists());
}

#[test]
fn commands_at_the_same_time_wait_for_each_other() {
    let data = Data::seeded();
    let create = |number: usize| {
        let mut command = data.command(&["tenant", "create", &format!("tenant-{number}")]);
        command.stdout(Stdio::null()).spawn()
    };
    let children: Vec<_> = (0..4).map(|number| create(number).expect("it starts")).collect();
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    let listed = run(&mut data.command(&["tenant", "list"])).good();
    assert_eq!(listed.lines().count(), 5, "{listed}");
}

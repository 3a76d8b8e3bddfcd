//! `plinto dev` and the script it prints.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::support::{Data, plinto, run};

fn script(banner: &str) -> String {
    let lines =
        banner.lines().skip_while(|line| !line.starts_with("CORE=")).take_while(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

fn credentials(banner: &str) -> Vec<String> {
    let labels = ["  Tenant ", "  E-mail ", "  Password ", "  Service key "];
    let lines = banner.lines().filter(|line| labels.iter().any(|label| line.starts_with(label)));
    lines.map(ToOwned::to_owned).collect()
}

#[test]
fn the_printed_script_signs_up_in_and_out() {
    let data = Data::new();
    let server = data.dev();
    let script = script(&server.banner);
    assert!(!script.is_empty(), "{}", server.banner);
    // Twice: somebody may paste it again.
    for _ in 0..2 {
        let said = run(Command::new("sh").args(["-u", "-c", &script])).good();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 3, "{said}");
        assert!(lines[0].contains(r#""status":"accepted""#), "{said}");
        assert!(lines[1].contains(r#""active":true"#) && lines[1].contains(r#""sub":"usr_"#), "{said}");
        assert_eq!(lines[2], r#"{"active":false}"#, "{said}");
    }
    assert!(server.stop().success(), "a graceful stop is exit code 0");
    assert!(!data.path.join("run.json").exists(), "run.json is there only while it runs");
}

#[test]
fn a_restart_prints_the_same_credentials() {
    let data = Data::new();
    let first = data.dev();
    let before = credentials(&first.banner);
    assert_eq!(before.len(), 4, "{}", first.banner);
    assert!(first.stop().success());
    let second = data.dev();
    assert_eq!(credentials(&second.banner), before);
    let said = run(Command::new("sh").args(["-c", &script(&second.banner)])).good();
    assert!(said.contains(r#""active":true"#) && said.ends_with("{\"active\":false}\n"), "{said}");
}

#[test]
fn a_start_that_was_interrupted_while_seeding_is_completed() {
    let data = Data::seeded();
    let path = data.path.join("dev-credentials.json");
    let stored = std::fs::read(&path).expect("credentials");
    let mut stored: serde_json::Value = serde_json::from_slice(&stored).expect("JSON");
    // As after a crash between creating the user and storing the service key.
    stored["service_key"] = serde_json::Value::Null;
    stored["tenant_id"] = serde_json::Value::Null;
    std::fs::write(&path, stored.to_string()).expect("written");
    let server = data.dev();
    assert!(server.banner.contains(stored["password"].as_str().expect("a text")), "{}", server.banner);
    let said = run(Command::new("sh").args(["-c", &script(&server.banner)])).good();
    assert!(said.contains(r#""active":true"#), "{said}");
}

#[test]
fn a_deleted_demo_tenant_is_made_anew() {
    let data = Data::seeded();
    run(&mut data.command(&["tenant", "delete", "demo", "--yes"])).good();
    let server = data.dev();
    let said = run(Command::new("sh").args(["-c", &script(&server.banner)])).good();
    assert!(said.contains(r#""active":true"#), "{said}");
}

#[test]
fn a_lost_platform_key_is_replaced() {
    let data = Data::seeded();
    let before = data.platform_key();
    std::fs::remove_file(data.path.join("platform.key")).expect("removed");
    assert!(data.dev().stop().success());
    assert_ne!(data.platform_key(), before);
}

#[test]
fn only_the_owner_may_read_the_data() {
    let data = Data::seeded();
    let mode =
        |name: &str| std::fs::metadata(data.path.join(name)).expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("tenants"), 0o700);
    for file in ["master.key", "platform.key", "dev-credentials.json", "platform.db"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    let key = std::fs::read_to_string(data.path.join("master.key")).expect("a key");
    assert_eq!(key.trim().len(), 64);
}

#[test]
fn without_a_command_it_is_dev() {
    let data = Data::new();
    let mut command = plinto();
    command.env("PLINTO_DATA_DIR", &data.path);
    for service in ["CORE", "AUTH", "MOCK", "WEBHOOKS"] {
        command.env(format!("PLINTO_LISTEN__{service}"), "127.0.0.1:0");
    }
    let server = super::support::Server::start(&mut command, &data.path);
    assert!(server.banner.contains("Password"));
    assert!(server.stop().success());
}

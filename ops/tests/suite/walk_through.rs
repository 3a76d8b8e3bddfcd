//! The README's walk-through, run as it stands there.

use std::process::Command;

use super::support::{Data, run};

const README: &str = include_str!("../../../README.md");

/// The indented lines of a section, which are shell.
fn shell_of(section: &str) -> String {
    let lines = README.lines().skip_while(|line| *line != section).skip(1);
    let lines = lines.take_while(|line| !line.starts_with("## "));
    lines.filter_map(|line| line.strip_prefix("    ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_walk_through_does_what_it_says() {
    let data = Data::new();
    let server = data.dev();
    let script = shell_of("## Walk through it")
        .replace("http://localhost:8000", &server.url("core"))
        .replace("http://localhost:8001", &server.url("auth"))
        .replace("plinto-data", &data.path.display().to_string());
    assert!(script.lines().count() > 30, "{script}");
    let said = run(Command::new("bash").args(["-euo", "pipefail", "-c", &script])).good();
    for part in [
        r#"{"name":"Ada Lovelace","state":"active"}"#,
        r#"{"plan":"gold"}"#,
        r#"{"plan":{"enum":["silver","gold"]}}"#,
        r#"{"field":"public_metadata","code":"metadata_mismatch"}"#,
        r#"{"imported":1,"failed":0}"#,
        r#"{"completed":"completed"}"#,
        r#"{"invited":"pending"}"#,
        r#"{"authentication_methods":["pwd"],"current":true}"#,
        r#"{"authentication_methods":["email","otp"],"current":false}"#,
        r#"{"state":"pending","role":"member"}"#,
        r#"{"active":true,"org_role":"owner"}"#,
        r#"{"organization_id":null}"#,
        r#"{"type":"boolean","enabled":true}"#,
        r#"{"decision":true}"#,
        r#"{"decision":false}"#,
        r#"{"active":true,"tried":false}"#,
        r#"{"secret":false}"#,
        r#"{"decision":false,"decided_by":"policy","policies":["no-secrets"]}"#,
        r#"{"grant_types_supported":["authorization_code","refresh_token","client_credentials"]}"#,
        "/t/demo/sign-in?flow=…",
        r#"{"token_type":"Bearer","expires_in":3600,"scope":"invoices:read"}"#,
        r#"{"active":true,"aud":["https://invoices.example/"]}"#,
        r#"{"disabled":true}"#,
        r#"{"error":"invalid_client"}"#,
        r#"{"purpose":"newsletter","granted":true}"#,
        r#"{"active":false}"#,
        r#"{"now":"blocked"}"#,
        r#"{"reason":"litigation 7"}"#,
        r#"{"refused":"legal_hold"}"#,
        r#"{"afterwards":"unknown_user"}"#,
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert!(server.stop().success());
}

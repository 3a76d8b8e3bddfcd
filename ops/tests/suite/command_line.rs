//! Help, completions, and what needs no data.

use std::process::Stdio;

use super::support::{plinto, run};

#[test]
fn every_command_explains_itself() {
    let commands: &[&[&str]] = &[
        &[],
        &["dev"],
        &["serve"],
        &["tenant"],
        &["tenant", "create"],
        &["tenant", "list"],
        &["tenant", "delete"],
        &["user", "create"],
        &["keys"],
        &["keys", "generate"],
        &["keys", "rotate"],
        &["keys", "platform"],
        &["service-key", "create"],
        &["migrate"],
        &["import-embedded"],
        &["move", "tenant"],
        &["node", "list"],
        &["tree"],
        &["audit", "verify"],
        &["audit", "export"],
        &["backup"],
        &["restore"],
        &["healthcheck"],
        &["completions"],
    ];
    for words in commands {
        let help = run(plinto().args(*words).arg("--help")).good();
        assert!(help.contains("Usage: plinto"), "{words:?}: {help}");
        let wide = help.lines().find(|line| line.chars().count() > 110);
        assert_eq!(wide, None, "{words:?} has a line that is too long");
    }
    let help = run(plinto().arg("--help")).good();
    for word in ["First steps", "plinto tree", "plinto audit verify", "Exit codes"] {
        assert!(help.contains(word), "{word}");
    }
    assert!(run(plinto().args(["serve", "--help"])).good().contains("PLINTO_LIMITS__TENANT_PER_SECOND"));
}

#[test]
fn secrets_are_never_asked_for_on_the_command_line() {
    let help = run(plinto().args(["user", "create", "--help"])).good();
    assert!(!help.contains("--password"), "{help}");
    let shown =
        run(plinto().args(["tenant", "list", "--help"]).env("PLINTO_PLATFORM_KEY", "plk_shown")).good();
    assert!(!shown.contains("plk_shown"), "{shown}");
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(plinto().args(["completions", shell])).good();
        for word in ["healthcheck", "service-key", "restore"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for words in
        [&["nonsense"][..], &["tenant"], &["dev", "--base-port", "65534"], &["dev", "--listen", "core"]]
    {
        let said = run(plinto().args(words)).bad(2);
        assert!(said.contains("Usage") || said.contains("error:"), "{said}");
    }
}

#[test]
fn generated_master_keys_are_fresh_and_well_formed() {
    let one = run(plinto().args(["keys", "generate"])).good();
    let two = run(plinto().args(["keys", "generate"])).good();
    assert_ne!(one, two);
    assert_eq!(one.trim().len(), 64);
    assert!(one.trim().bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let mut command = plinto();
    command.args(["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let said = child.wait_with_output().expect("it ends");
    assert!(said.status.success());
    assert_eq!(String::from_utf8_lossy(&said.stderr), "");
}

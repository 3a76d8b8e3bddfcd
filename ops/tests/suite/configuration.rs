//! Wrong configuration is named: key, problem, fix, all at once.

use super::support::{Data, MASTER_KEY, plinto, run};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plinto.example.toml");

fn check(toml: &str, variables: &[(&str, &str)]) -> std::process::Command {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    let file = folder.join("plinto.toml");
    std::fs::write(&file, toml).expect("written");
    let mut command = plinto();
    command.args(["serve", "--check", "--config"]).arg(file).envs(variables.iter().copied());
    command
}

/// A file, the environment, and what must be said.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn wrong_values_are_named_with_their_fix() {
    let table: &[Case] = &[
        ("base_ulr = 'x'", &[], &["base_ulr (in ", "there is no such key", "did you mean `base_url`?"]),
        ("base_url = 'id.example.com'", &[], &["base_url", "such as https://id.example.com"]),
        ("base_url = 'https://id.example.com/auth'", &[], &["base_url", "scheme, host and port only"]),
        (
            "[listen]\ncore = '0.0.0.0:8000'",
            &[],
            &["base_url", "it is needed because core listens on 0.0.0.0:8000"],
        ),
        (
            "[listen]\ncore = 'eight thousand'",
            &[],
            &["listen.core", "this is not an address", "127.0.0.1:8000"],
        ),
        ("[listen]\nauth = '127.0.0.1:8000'", &[], &["listen.auth", "already taken by core"]),
        ("services = ['core', 'smtp']", &[], &["services", "`smtp`", "core, auth, mock and webhooks"]),
        ("services = []", &[], &["services", "no service is left"]),
        ("services = 'core'", &[], &["services", "not a list", r#"["one", "two"]"#]),
        ("[limits]\ntenant_per_second = 0", &[], &["limits.tenant_per_second", "0 would refuse everything"]),
        ("[limits]\ntenant_per_second = -1", &[], &["limits.tenant_per_second", "-1 is out of range"]),
        ("[limits]\ntenant_per_secnd = 1", &[], &["did you mean `limits.tenant_per_second`?"]),
        ("[http]\nbody_bytes = 'lots'", &[], &["http.body_bytes", "not a whole number"]),
        (
            "",
            &[("PLINTO_LIMITS__TENANT_PER_SECOND", "fast")],
            &["(from PLINTO_LIMITS__TENANT_PER_SECOND)", "digits only"],
        ),
        ("", &[("PLINTO_BASE_ULR", "x")], &["(from PLINTO_BASE_ULR)", "did you mean `base_url`?"]),
        ("", &[("PLINTO_OPEN_METRICS", "yes")], &["open_metrics", "give true or false"]),
        ("", &[("PLINTO_LOG__FORMAT", "xml")], &["log.format", "give text or json"]),
        ("", &[("PLINTO_LOG__FILTER", "plinto=loud")], &["log.filter", "warn,plinto_actors=debug"]),
        (
            "trusted_proxies = ['10.0.0.0/99']",
            &[],
            &["trusted_proxies", "`10.0.0.0/99`", "such as 10.0.0.0/8"],
        ),
        ("cors_origins = ['*']", &[], &["cors_origins", "`*`"]),
        ("tenant_domain = 'not a host'", &[], &["tenant_domain", "not a host name"]),
        ("master_key = 'abc'", &[], &["master_key", "a secret does not belong into this file"]),
        (
            "master_key_file = '/x'",
            &[("PLINTO_MASTER_KEY", MASTER_KEY)],
            &["master_key", "master_key_file is given as well"],
        ),
        (
            "[shutdown]\nsoft_seconds = 30\nhard_seconds = 5",
            &[],
            &["shutdown.hard_seconds", "at least soft_seconds"],
        ),
        (
            "passwords.breached_url = 'api.example.com?x=1'",
            &[],
            &["passwords.breached_url", "https://api.pwnedpasswords.com/range"],
        ),
        (
            "[passwords]\nbreached_timeout_millis = 10\nbreached_unavailable = 'maybe'",
            &[],
            &["breached_timeout_millis", "no", "`maybe` cannot be used", "give accept or refuse"],
        ),
        (
            "passwords.breached_unavailable = 'refuse'",
            &[],
            &["passwords.breached_unavailable", "is always there"],
        ),
        ("this is not toml", &[], &["is not valid TOML", "line 1"]),
    ];
    refused(table);
}

#[test]
fn wrong_settings_of_nodes_are_named_with_their_fix() {
    let table: &[Case] = &[
        (
            "database_url = 'postgres://a:hush@b/c'",
            &[],
            &["database_url", "does not belong", "PLINTO_DATABASE_URL", "`database_url_file`"],
        ),
        ("redis_url = 'redis://b'", &[], &["redis_url", "PLINTO_REDIS_URL", "`redis_url_file`"]),
        (
            "database_url_file = '/x'",
            &[("PLINTO_DATABASE_URL", "postgres://a:hush@b/c")],
            &["database_url", "database_url_file is given as well"],
        ),
        ("redis_url_file = '/x'", &[], &["redis_url_file", "PLINTO_DATABASE_URL"]),
        ("[database]\nconnections = 0", &[], &["database.connections", "give 1 or more"]),
        ("[database]\nconnections = 100000", &[], &["database.connections", "1 to 1000"]),
        ("[database]\nqueue_depth = -1", &[], &["database.queue_depth", "-1 is out of range"]),
        ("[database]\nstatement_millis = 9000000", &[], &["database.statement_millis", "out of range"]),
        ("[database]\nlock_millis = 'long'", &[], &["database.lock_millis", "not a whole number"]),
        ("[database]\nca_file = 1", &[], &["database.ca_file", "not a text"]),
        ("[redis]\nca_file = 1", &[], &["redis.ca_file", "not a text"]),
        (
            "[redis]\nprefix = 'a b'",
            &[("PLINTO_REDIS_URL", "redis://x"), ("PLINTO_DATABASE_URL", "postgres://a:hush@b/c")],
            &["redis.prefix", "`a b`"],
        ),
        ("[node]\nname = 'my node'", &[], &["node.name", "`my node`", "node-1"]),
        (
            "redis.prefix = 'x:'\nnode.expected = 3\n[database]\nconnections = 4",
            &[("PLINTO_NODE__CORE_URL", "http://10.0.0.7:8000")],
            &[
                "database.connections",
                "no URL of it is given",
                "PLINTO_DATABASE_URL or `database_url_file`",
                "redis.prefix",
                "PLINTO_REDIS_URL or `redis_url_file`",
                "node.expected",
                "node.core_url (from PLINTO_NODE__CORE_URL)",
                "4 problems",
            ],
        ),
        (
            "[redis]\nprefix = 'x:'",
            &[("PLINTO_DATABASE_URL", "postgres://a:hush@b/c")],
            &["redis.prefix", "PLINTO_REDIS_URL"],
        ),
        (
            "[node]\nexpected = 100000",
            &[("PLINTO_REDIS_URL", "redis://x"), ("PLINTO_DATABASE_URL", "postgres://a:hush@b/c")],
            &["node.expected", "1 to 1000"],
        ),
        ("[node]\nauth_url = '10.0.0.7:8001'", &[], &["node.auth_url", "scheme, host and port only"]),
        (
            "base_url = 'https://id.example.com'\n[listen]\nauth = '0.0.0.0:8001'",
            &[("PLINTO_DATABASE_URL", "postgres://a:hush@b/c")],
            &["node.auth_url", "auth listens on 0.0.0.0:8001", "http://10.0.0.7:8001"],
        ),
        ("[shutdown]\ndrain_seconds = 100000", &[], &["shutdown.drain_seconds", "0 to 3600"]),
    ];
    refused(table);
}

fn refused(table: &[Case]) {
    for (toml, variables, wanted) in table {
        let said = run(&mut check(toml, variables)).bad(2);
        for text in *wanted {
            assert!(said.contains(text), "{toml} {variables:?}\nwanted: {text}\nsaid: {said}");
        }
        assert!(!said.contains(MASTER_KEY) && !said.contains("hush"), "a secret was printed: {said}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let toml = "services = ['smtp']\nbase_url = 'ftp://x'\n[limits]\ntenant_burst = 0\nsession_burst = -4\n[log]\nformat = 'xml'";
    let said = run(&mut check(toml, &[("PLINTO_NONSENSE", "1")])).bad(2);
    for key in
        ["services", "base_url", "limits.tenant_burst", "limits.session_burst", "log.format", "nonsense"]
    {
        assert!(said.contains(key), "{key} is missing:\n{said}");
    }
    assert!(said.contains("there are 6 problems"), "{said}");
}

#[test]
fn the_example_file_is_good_and_complete() {
    let example = std::fs::read_to_string(EXAMPLE).expect("the example");
    run(&mut check(&example, &[])).good();
    // Every value that is commented out must be good as well.
    let off: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("#: ")).collect();
    assert!(off.len() >= 4, "{off:?}");
    let replaced =
        |line: &&str| off.iter().any(|other| line.split(" = ").next() == other.split(" = ").next());
    let rest = example.lines().filter(|line| !line.starts_with('#') && !replaced(line));
    let everything: String = off.iter().copied().chain(rest).map(|line| format!("{line}\n")).collect();
    run(&mut check(&everything, &[])).good();
}

#[test]
fn what_kubernetes_injects_is_no_configuration() {
    run(&mut check("", &[("PLINTO_PORT", "tcp://10.0.0.1:8000"), ("PLINTO_SERVICE_HOST", "10.0.0.1")]))
        .good();
}

#[test]
fn a_missing_file_is_named() {
    let said = run(plinto().args(["serve", "--check", "--config", "/nowhere/plinto.toml"])).bad(2);
    assert!(said.contains("/nowhere/plinto.toml") && said.contains("--config"), "{said}");
}

#[test]
fn serve_never_makes_a_master_key() {
    let data = Data::new();
    let said = run(&mut data.command(&["serve"])).bad(1);
    for text in ["no master key", "PLINTO_MASTER_KEY", "plinto keys generate"] {
        assert!(said.contains(text), "{said}");
    }
    assert!(!data.path.exists(), "nothing was created");
    for (variable, value, wanted) in [
        ("PLINTO_MASTER_KEY", "too short", "64 hexadecimal digits"),
        ("PLINTO_MASTER_KEY_FILE", "/nowhere/master.key", "/nowhere/master.key does not exist"),
    ] {
        let said = run(data.command(&["serve"]).env(variable, value)).bad(1);
        assert!(said.contains(wanted) && !said.contains("too short"), "{said}");
    }
}

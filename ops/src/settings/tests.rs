use std::collections::BTreeSet;

use plinto_actors::Limits;
use plinto_http::ListenerName;
use plinto_http::config::HttpLimits;
use plinto_storage::engines::postgres::PostgresOptions;

use super::{Layers, LogFormat, Origin, Settings, schema};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plinto.example.toml");

fn load(variables: &[(&str, &str)], flags: &Layers) -> Settings {
    let owned: Vec<_> =
        variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    match Settings::load(None, &owned, Layers::default(), flags) {
        Ok(settings) => settings,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn nothing_at_all_is_a_good_configuration() {
    let settings = load(&[], &Layers::default());
    assert_eq!(settings.base_url, "http://localhost:8000");
    assert_eq!(settings.listeners.len(), 4);
    assert_eq!((settings.limits, settings.http), (Limits::default(), HttpLimits::default()));
    assert!(!settings.open_metrics && !settings.fault_injection);
}

#[test]
fn the_environment_reaches_every_type_and_flags_win() {
    let mut flags = Layers::default();
    flags.set("log.filter", "error", Origin::Flag("--log"));
    let variables = [
        ("PLINTO_SERVICES", "auth, core"),
        ("PLINTO_LISTEN__CORE", "0.0.0.0:0"),
        ("PLINTO_BASE_URL", "https://id.example.com/"),
        ("PLINTO_LIMITS__TENANT_PER_SECOND", "5"),
        ("PLINTO_HTTP__BODY_BYTES", "1024"),
        ("PLINTO_OPEN_METRICS", "true"),
        ("PLINTO_LOG__FORMAT", "json"),
        ("PLINTO_LOG__FILTER", "debug"),
        ("PLINTO_TRUSTED_PROXIES", "10.0.0.0/8,192.168.0.1/32"),
        ("PLINTO_DNS__SERVERS", "9.9.9.9,[2620:fe::fe]:5353"),
        ("HOME", "/root"),
    ];
    let settings = load(&variables, &flags);
    let names: Vec<_> = settings.listeners.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [ListenerName::Core, ListenerName::Auth], "in the order of their ports");
    assert_eq!(settings.base_url, "https://id.example.com");
    assert!(settings.http_config().strict_transport);
    assert_eq!(settings.limits.tenant_per_second, 5);
    assert_eq!(settings.limits.tenant_burst, Limits::default().tenant_burst);
    assert_eq!(settings.http.body_bytes, 1024);
    assert!(settings.open_metrics);
    assert_eq!((settings.log.format, settings.log.filter.as_str()), (LogFormat::Json, "error"));
    assert_eq!(settings.trusted_proxies.len(), 2);
    let servers = ["9.9.9.9:53", "[2620:fe::fe]:5353"].map(|text| text.parse().expect("an address"));
    assert_eq!(settings.dns_servers, servers);
}

#[test]
fn an_ephemeral_port_does_not_change_the_issuer() {
    let standard = load(&[("PLINTO_LISTEN__CORE", "127.0.0.1:0")], &Layers::default());
    assert_eq!(standard.base_url, "http://localhost:8000");
    let chosen = load(&[("PLINTO_LISTEN__CORE", "127.0.0.1:9000")], &Layers::default());
    assert_eq!(chosen.base_url, "http://localhost:9000");
}

#[test]
fn the_example_shows_every_key_with_its_default() {
    let example = std::fs::read_to_string(EXAMPLE).expect("the example");
    let shown = |text: &str| {
        let table: toml::Table = text.parse().expect("TOML");
        let mut keys = BTreeSet::new();
        for (name, value) in table {
            match value {
                toml::Value::Table(section) => keys.extend(section.keys().map(|key| format!("{name}.{key}"))),
                _ => drop(keys.insert(name)),
            }
        }
        keys
    };
    let mut keys = shown(&example);
    for line in example.lines().filter_map(|line| line.strip_prefix("#: ")) {
        keys.extend(shown(line));
    }
    let known: BTreeSet<String> = schema::keys().map(ToOwned::to_owned).collect();
    let secret =
        ["master_key", "database_url", "redis_url", "mail.smtp_password"].map(ToOwned::to_owned).into();
    assert_eq!(&known - &secret, keys);

    let path = std::path::Path::new(EXAMPLE);
    let settings = Settings::load(Some(path), &[], Layers::default(), &Layers::default()).expect("good");
    assert_eq!((settings.limits, settings.http), (Limits::default(), HttpLimits::default()));
    assert!(settings.database.is_none() && settings.redis.is_none());
}

#[test]
fn what_the_example_says_of_nodes_is_what_holds_without_it() {
    let example = std::fs::read_to_string(EXAMPLE).expect("the example");
    let mut shown = Layers::default();
    let off = example.lines().filter_map(|line| line.strip_prefix("#: "));
    for (key, value) in off.filter_map(|line| line.split_once(" = ")) {
        let of_nodes = key.starts_with("database.") || key.starts_with("redis.") || key == "node.expected";
        if (of_nodes && !key.ends_with("_file")) || key == "shutdown.drain_seconds" {
            let line: toml::Table = format!("value = {value}").parse().expect("TOML");
            shown.set(key, line["value"].clone(), Origin::Flag("--shown"));
        }
    }
    let urls = [("PLINTO_DATABASE_URL", "postgres://a@b/c"), ("PLINTO_REDIS_URL", "redis://b")];
    let (with, without) = (load(&urls, &shown), load(&urls, &Layers::default()));
    let [with_options, without_options] =
        [&with, &without].map(|settings| format!("{:?}", settings.database.as_ref().expect("given").options));
    assert_eq!(with_options, without_options);
    assert_eq!(without_options, format!("{:?}", PostgresOptions::default()));
    let prefix = |settings: &Settings| settings.redis.as_ref().expect("given").prefix.clone();
    assert_eq!(prefix(&with), prefix(&without));
    assert_eq!((with.node, with.shutdown), (without.node, without.shutdown));
}

#[test]
fn a_node_beside_others_waits_until_load_balancers_have_noticed() {
    let drain = |variables: &[(&str, &str)]| load(variables, &Layers::default()).shutdown.drain.as_secs();
    let database = ("PLINTO_DATABASE_URL", "postgres://a@b/c");
    assert_eq!(drain(&[]), 0);
    assert_eq!(drain(&[database]), 5);
    assert_eq!(drain(&[database, ("PLINTO_SHUTDOWN__DRAIN_SECONDS", "0")]), 0);
}

//! Every key there is, with the type of its value.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plinto_actors::Limits;
use plinto_http::config::HttpLimits;
use toml::Value;

/// Type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A text that may be given in the environment only.
    Secret,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    List,
}

const KEYS: &[(&str, Kind)] = &[
    ("data_dir", Kind::Text),
    ("base_url", Kind::Text),
    ("services", Kind::List),
    ("master_key", Kind::Secret),
    ("master_key_file", Kind::Text),
    ("database_url", Kind::Secret),
    ("database_url_file", Kind::Text),
    ("database.connections", Kind::Integer),
    ("database.queue_depth", Kind::Integer),
    ("database.statement_millis", Kind::Integer),
    ("database.lock_millis", Kind::Integer),
    ("database.ca_file", Kind::Text),
    ("redis_url", Kind::Secret),
    ("redis_url_file", Kind::Text),
    ("redis.prefix", Kind::Text),
    ("redis.ca_file", Kind::Text),
    ("node.name", Kind::Text),
    ("node.expected", Kind::Integer),
    ("node.core_url", Kind::Text),
    ("node.auth_url", Kind::Text),
    ("node.mock_url", Kind::Text),
    ("node.webhooks_url", Kind::Text),
    ("cors_origins", Kind::List),
    ("trusted_proxies", Kind::List),
    ("tenant_domain", Kind::Text),
    ("geo.database", Kind::Text),
    ("dns.servers", Kind::List),
    ("open_metrics", Kind::Flag),
    ("fault_injection", Kind::Flag),
    ("listen.core", Kind::Text),
    ("listen.auth", Kind::Text),
    ("listen.mock", Kind::Text),
    ("listen.webhooks", Kind::Text),
    ("mail.from", Kind::Text),
    ("mail.mailbox", Kind::Flag),
    ("mail.smtp_host", Kind::Text),
    ("mail.smtp_port", Kind::Integer),
    ("mail.smtp_security", Kind::Text),
    ("mail.smtp_user", Kind::Text),
    ("mail.smtp_password", Kind::Secret),
    ("mail.smtp_password_file", Kind::Text),
    ("mail.smtp_ca_file", Kind::Text),
    ("passwords.breached_file", Kind::Text),
    ("passwords.breached_url", Kind::Text),
    ("passwords.breached_ca_file", Kind::Text),
    ("passwords.breached_timeout_millis", Kind::Integer),
    ("passwords.breached_unavailable", Kind::Text),
    ("log.filter", Kind::Text),
    ("log.format", Kind::Text),
    ("shutdown.drain_seconds", Kind::Integer),
    ("shutdown.soft_seconds", Kind::Integer),
    ("shutdown.hard_seconds", Kind::Integer),
];

static SCHEMA: LazyLock<BTreeMap<String, Kind>> = LazyLock::new(|| {
    let fixed = KEYS.iter().map(|(key, kind)| ((*key).to_owned(), *kind));
    fixed
        .chain(integers("limits", &Limits::default()))
        .chain(integers("http", &HttpLimits::default()))
        .collect()
});

/// The bounds are whole numbers, named once: by the fields of the types that hold them.
fn integers(section: &'static str, defaults: &impl serde::Serialize) -> Vec<(String, Kind)> {
    let table = Value::try_from(defaults).expect("bounds are plain integers");
    let names = table.as_table().expect("a struct is a table").keys();
    names.map(|name| (format!("{section}.{name}"), Kind::Integer)).collect()
}

/// Type of a key's value; `None` if there is no such key.
pub(super) fn kind(key: &str) -> Option<Kind> {
    SCHEMA.get(key).copied()
}

/// What is wrong with a key that does not exist, and which one was probably meant.
pub(super) fn unknown(key: &str) -> (String, String) {
    let close = |known: &&String| strsim::jaro_winkler(key, known);
    let nearest = SCHEMA.keys().max_by(|a, b| close(a).total_cmp(&close(b)));
    let fix = match nearest.filter(|known| close(known) > 0.8) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "see ops/plinto.example.toml for every key".to_owned(),
    };
    ("there is no such key".to_owned(), fix)
}

/// What a value of this type looks like.
pub(super) fn expected(kind: Kind) -> (String, String) {
    let (what, fix) = match kind {
        Kind::Text | Kind::Secret => ("this is not a text", "write it in double quotes"),
        Kind::Integer => ("this is not a whole number", "give digits only, such as 100"),
        Kind::Flag => ("this is not true or false", "give true or false"),
        Kind::List => ("this is not a list of texts", r#"write ["one", "two"]"#),
    };
    (what.to_owned(), fix.to_owned())
}

/// Whether a value is of a type.
pub(super) fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text | Kind::Secret => value.is_str(),
        Kind::Integer => value.is_integer(),
        Kind::Flag => value.is_bool(),
        Kind::List => value.as_array().is_some_and(|items| items.iter().all(Value::is_str)),
    }
}

#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    SCHEMA.keys().map(String::as_str)
}

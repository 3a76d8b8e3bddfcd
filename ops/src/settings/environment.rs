//! `PLINTO_*` variables: `PLINTO_` and the key in capitals, `__` for the dot between section and key.
//!
//! `PLINTO_BASE_URL` is `base_url`, `PLINTO_LIMITS__TENANT_PER_SECOND` is `limits.tenant_per_second`. Lists are
//! separated by commas.

use toml::Value;

use super::schema::{self, Kind};

const PREFIX: &str = "PLINTO_";

/// Read by the commands themselves; no key of the configuration.
const OF_COMMANDS: &[&str] =
    &["PLINTO_CONFIG", "PLINTO_PLATFORM_KEY", "PLINTO_DATABASE_OWNER_URL", "PLINTO_DATABASE_OWNER_URL_FILE"];

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// The key a variable sets; `None` if it is none of ours.
pub(super) fn key(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix(PREFIX)?;
    // Kubernetes injects these into every container beside a Service that is called `plinto`.
    let injected = rest.starts_with("SERVICE_") || rest == "PORT" || rest.starts_with("PORT_");
    if injected || OF_COMMANDS.contains(&variable) {
        return None;
    }
    Some(rest.to_ascii_lowercase().replace("__", "."))
}

/// The value of a variable in the type its key asks for, or what is wrong and how to mend it.
pub(super) fn value(key: &str, text: &str) -> Result<Value, (String, String)> {
    match schema::kind(key) {
        Some(Kind::Text | Kind::Secret) => Ok(Value::String(text.to_owned())),
        Some(Kind::List) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        Some(Kind::Flag) => text.trim().parse().map(Value::Boolean).map_err(|_| schema::expected(Kind::Flag)),
        Some(Kind::Integer) => {
            text.trim().parse().map(Value::Integer).map_err(|_| schema::expected(Kind::Integer))
        }
        None => Err(schema::unknown(key)),
    }
}

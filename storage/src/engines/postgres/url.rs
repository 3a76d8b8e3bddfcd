use std::fmt;
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::StorageError;

/// Where a database is and as whom to connect. `Debug` and `Display` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    config: Config,
    user: String,
}

impl DatabaseUrl {
    /// Reads `postgres://user:password@host:port/database?sslmode=disable|prefer|require`.
    ///
    /// `require` refuses a server without TLS; `prefer`, the default, goes on in the clear when the server
    /// has none; `disable` never asks for it. **Whenever TLS is used, certificate and host name are
    /// verified**, which is more than `libpq` does under these names.
    ///
    /// Several hosts (`host1:port1,host2:port2`) are tried in order, and the first that takes writes is used.
    pub fn parse(text: &str) -> Result<Self, StorageError> {
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err(invalid("it must start with postgres://"));
        }
        // The parser's own message may quote the text, which holds a password.
        let mut config =
            Config::from_str(text).map_err(|_| invalid("its form or one of its options is wrong"))?;
        let user = config
            .get_user()
            .filter(|user| !user.is_empty())
            .ok_or_else(|| invalid("it names no user"))?
            .to_owned();
        if config.get_dbname().is_none() {
            return Err(invalid("it names no database"));
        }
        if config.get_hosts().is_empty() {
            return Err(invalid("it names no host"));
        }
        if config.get_application_name().is_none() {
            config.application_name("plinto");
        }
        // Of several hosts the primary is meant, at every connection: a standby may have become it, or it a standby.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { config, user })
    }

    /// The role to connect as.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Whether TLS may be used.
    pub(super) fn wants_tls(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }
}

fn invalid(what: &str) -> StorageError {
    let form = "postgres://user:password@host:port/database?sslmode=disable|prefer|require";
    StorageError::Unsuitable { reason: format!("its URL is not valid, {what}; write {form}") }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "postgres://{}", self.user)?;
        if self.config.get_password().is_some() {
            out.write_str(":***")?;
        }
        out.write_str("@")?;
        let ports = self.config.get_ports();
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            if index > 0 {
                out.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => out.write_str(name)?,
                Host::Unix(path) => write!(out, "{}", path.display())?,
            }
            if let Some(port) = ports.get(index).or_else(|| ports.first()) {
                write!(out, ":{port}")?;
            }
        }
        write!(out, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "DatabaseUrl({self})")
    }
}

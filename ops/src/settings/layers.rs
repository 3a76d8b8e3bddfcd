//! Where a value comes from: built in, configuration file, environment, command line. The later wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::Value;

use super::environment;
use super::problem::{ConfigError, Problem};

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By the command itself.
    BuiltIn,
    /// In the configuration file.
    File(PathBuf),
    /// In an environment variable.
    Variable(String),
    /// On the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::File(path) => write!(f, "in {}", path.display()),
            Self::Variable(name) => write!(f, "from {name}"),
            Self::Flag(flag) => write!(f, "from {flag}"),
        }
    }
}

/// One value with its origin.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Every given value under its dotted key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers(BTreeMap<String, Leaf>);

impl Layers {
    /// Sets one value, over whatever an earlier layer said.
    pub(crate) fn set(&mut self, key: impl Into<String>, value: impl Into<Value>, origin: Origin) {
        self.0.insert(key.into(), Leaf { value: value.into(), origin });
    }

    /// Adds the configuration file.
    pub(super) fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
            path: path.to_owned(),
            detail: error.to_string().trim_end().to_owned(),
        })?;
        self.add_table("", table, &Origin::File(path.to_owned()));
        Ok(())
    }

    fn add_table(&mut self, prefix: &str, table: toml::Table, origin: &Origin) {
        for (name, value) in table {
            let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match value {
                Value::Table(inner) => self.add_table(&key, inner, origin),
                value => self.set(key, value, origin.clone()),
            }
        }
    }

    /// Adds the `PLINTO_*` variables. Returns those that cannot be read.
    pub(super) fn add_environment(&mut self, variables: &[(String, String)]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, text) in variables {
            let Some(key) = environment::key(name) else { continue };
            let origin = Origin::Variable(name.clone());
            match environment::value(&key, text) {
                Ok(value) => self.set(key, value, origin),
                Err((what, fix)) => problems.push(Problem { key, origin, what, fix }),
            }
        }
        problems
    }

    pub(super) fn get(&self, key: &str) -> Option<&Leaf> {
        self.0.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Leaf)> {
        self.0.iter().map(|(key, leaf)| (key.as_str(), leaf))
    }
}

//! What is wrong with a configuration, in words that name the key, the problem and the fix.

use std::fmt;
use std::path::PathBuf;

use super::layers::Origin;

/// One wrong value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) key: String,
    pub(crate) origin: Origin,
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, origin, what, fix } = self;
        match origin {
            Origin::BuiltIn => write!(f, "{key}: {what}; {fix}"),
            origin => write!(f, "{key} ({origin}): {what}; {fix}"),
        }
    }
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}; check the path given by --config", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML:\n{detail}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what was expected.
        detail: String,
    },
    /// Values are wrong; all of them are listed.
    #[error("{}", list(problems))]
    Invalid {
        /// In order of their keys.
        problems: Vec<Problem>,
    },
}

fn list(problems: &[Problem]) -> String {
    let count = problems.len();
    let what = if count == 1 { "is 1 problem" } else { "are problems" };
    let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
    let intro = if count == 1 { what.to_owned() } else { what.replacen("are", &format!("are {count}"), 1) };
    format!("there {intro} in the configuration:\n{}", lines.join("\n"))
}

use std::path::PathBuf;

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A program is not installed.
    #[error("{program} is missing: install the package {package} (as root: chaos/servers/install)")]
    Missing {
        /// What was looked for.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// PostgreSQL is too old.
    #[error("postgresql {found} is too old: 15 or newer is needed")]
    TooOld {
        /// Its major version.
        found: u32,
    },
    /// The account postgres runs under is missing; postgres refuses to run as root.
    #[error(
        "there is no user postgres to run under: install the package postgresql (as root: chaos/servers/install)"
    )]
    NoAccount,
    /// A file or directory could not be made or read.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("cannot run {program}: {source}")]
    Run {
        /// Which.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program said no.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which.
        program: String,
        /// What it wrote.
        said: String,
    },
    /// A server ended or did not answer in time.
    #[error("{server} {what}; its log ends with:\n{log}")]
    NotReady {
        /// Which.
        server: &'static str,
        /// What happened.
        what: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// No free port was found.
    #[error("no free port on 127.0.0.1")]
    NoPort,
}

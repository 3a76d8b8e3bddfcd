//! Nodes over a PostgreSQL of their own and, unless a test wants none, a Redis.

use std::path::Path;
use std::process::Command;

use plinto_servers::{Database, PostgresServer, RedisServer};
use serde_json::Value;

use super::support::{Data, MASTER_KEY, Server, run};

/// One installation: a database, and Redis if there is one.
pub(crate) struct Installation {
    pub(crate) database: Database,
    pub(crate) redis: Option<RedisServer>,
}

impl Installation {
    /// An empty database.
    pub(crate) fn empty() -> Self {
        Self { database: PostgresServer::shared().database(), redis: None }
    }

    /// A migrated database.
    pub(crate) fn migrated() -> Self {
        let this = Self::empty();
        let mut migrate = this.command(&["migrate"]);
        run(migrate.env("PLINTO_DATABASE_OWNER_URL", &this.database.owner_url)).good();
        this
    }

    /// A migrated database, and a Redis.
    pub(crate) fn with_redis() -> Self {
        let redis = RedisServer::start().unwrap_or_else(|error| panic!("{error}"));
        Self { redis: Some(redis), ..Self::migrated() }
    }

    /// `plinto <words>` with the settings of this installation.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = super::support::plinto();
        command.args(words);
        self.settings(&mut command);
        command
    }

    /// `plinto <words> --data-dir <that>` with the settings of this installation.
    pub(crate) fn command_on(&self, data: &Data, words: &[&str]) -> Command {
        let mut command = data.command(words);
        self.settings(&mut command);
        command
    }

    fn settings(&self, command: &mut Command) {
        command.env("PLINTO_DATABASE_URL", &self.database.app_url).env("PLINTO_MASTER_KEY", MASTER_KEY);
        // No load balancer has to notice anything.
        command.env("PLINTO_SHUTDOWN__DRAIN_SECONDS", "0");
        if let Some(redis) = &self.redis {
            command.env("PLINTO_REDIS_URL", redis.url());
        }
    }

    /// `plinto serve` of a node on free ports.
    pub(crate) fn serve_command(&self, data: &Data, name: &str) -> Command {
        let mut command = data.serve_command();
        self.settings(&mut command);
        command.env("PLINTO_NODE__NAME", name);
        command
    }

    /// Starts a node on free ports.
    pub(crate) fn serve(&self, data: &Data, name: &str) -> Server {
        Server::start(&mut self.serve_command(data, name), &data.path)
    }

    /// Nothing that was said may hold a password.
    pub(crate) fn assert_no_password(&self, said: &str) {
        for url in [&self.database.app_url, &self.database.owner_url, &self.database.superuser_url] {
            let password = url.split("://").nth(1).and_then(|rest| rest.split(['@', ':']).nth(1));
            let password = password.expect("the URL has a password");
            assert!(password.len() >= 8 && !said.contains(password), "a password was said:\n{said}");
        }
        assert!(!said.contains(MASTER_KEY), "the master key was said:\n{said}");
    }
}

/// Runs SQL from standard input as psql does it, at a URL.
pub(crate) fn psql(url: &str, sql: &str, variables: &[(&str, &str)]) -> super::support::Said {
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-d", url]).envs(variables.iter().copied());
    super::support::run_with_input(&mut command, sql)
}

/// A value of `run.json`.
pub(crate) fn run_info(path: &Path) -> Value {
    let text = std::fs::read(path.join("run.json")).expect("run.json while it runs");
    serde_json::from_slice(&text).expect("JSON")
}

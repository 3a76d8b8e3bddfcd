use crate::home::Home;
use crate::machine::{command, free_port, program, run};
use crate::service::Service;
use crate::{ServerError, ServerTls};
use rustix::process::Signal;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// How a Redis is set up.
#[derive(Clone, Default)]
pub struct RedisConfig {
    /// The certificate it shows; with one, plain connections are refused.
    pub tls: Option<ServerTls>,
    /// What clients must say first.
    pub password: Option<String>,
}

/// A private Redis that keeps nothing on disk.
pub struct RedisServer {
    service: Service,
    client: PathBuf,
    port: u16,
    config: RedisConfig,
}

impl RedisServer {
    /// A new, empty one that everybody on this machine may use.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_with(RedisConfig::default())
    }

    /// A new, empty one.
    pub fn start_with(config: RedisConfig) -> Result<Self, ServerError> {
        Self::start_as(&config, false)
    }

    pub(super) fn start_as(config: &RedisConfig, clustered: bool) -> Result<Self, ServerError> {
        let mut attempts = 0;
        loop {
            match Self::attempt(config, clustered) {
                // Somebody else may have taken the port between the look and the start.
                Err(ServerError::NotReady { log, .. }) if attempts < 5 && log.contains("already in use") => {
                    attempts += 1
                }
                outcome => return outcome,
            }
        }
    }

    /// The one all tests of this process share.
    ///
    /// # Panics
    ///
    /// When it cannot be started; the text says what to do.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start() {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        })
    }

    fn attempt(config: &RedisConfig, clustered: bool) -> Result<Self, ServerError> {
        let file = program("redis-server", "redis-server")?;
        let client = program("redis-cli", "redis-tools")?;
        let home = Home::new("redis", None, "TERM")?;
        let port = free_port()?;
        let mut arguments = arguments(&home, port, config)?;
        if clustered {
            let bus = free_port()?.to_string();
            let more = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &bus];
            arguments.extend(more.map(OsString::from));
        }
        let service = Service::new("redis-server", home, file, arguments, Signal::TERM);
        let server = Self { service, client, port, config: config.clone() };
        server.start_again()?;
        Ok(server)
    }

    /// A command line client that is connected to it; by itself it would wait for a frozen server for ever.
    pub(super) fn client(&self, seconds: u32) -> Command {
        let mut client = command(Path::new("timeout"), None);
        client.arg(seconds.to_string()).arg(&self.client).args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
        ]);
        if self.config.tls.is_some() {
            client.args(["--tls", "--insecure"]);
        }
        if let Some(password) = &self.config.password {
            client.env("REDISCLI_AUTH", password);
        }
        client
    }

    /// Asks it one thing, words by words.
    pub fn ask(&self, words: &[&str]) -> Result<String, ServerError> {
        let mut client = self.client(2);
        client.args(words);
        run(client, "redis-cli")
    }

    /// Where it is, with the password if it has one.
    pub fn url(&self) -> String {
        let scheme = if self.config.tls.is_some() { "rediss" } else { "redis" };
        match &self.config.password {
            Some(password) => format!("{scheme}://:{password}@127.0.0.1:{}/", self.port),
            None => format!("{scheme}://127.0.0.1:{}/", self.port),
        }
    }

    /// Its port, the same after every start.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it. What it held is lost.
    pub fn stop(&self) {
        self.service.stop();
    }

    /// Starts it on its port, empty, and waits until it answers.
    pub fn start_again(&self) -> Result<(), ServerError> {
        self.service.start(|| self.ask(&["ping"]).is_ok_and(|said| said.trim() == "PONG"))
    }

    /// `kill -9`.
    pub fn kill(&self) {
        self.service.kill();
    }

    /// Freezes it: connections stay open and nothing answers.
    pub fn pause(&self) {
        self.service.pause();
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.service.resume();
    }
}

fn arguments(home: &Home, port: u16, config: &RedisConfig) -> Result<Vec<OsString>, ServerError> {
    let port = port.to_string();
    let mut arguments: Vec<OsString> = Vec::new();
    let plain = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"];
    arguments.extend(plain.map(OsString::from));
    arguments.push(home.path().into());
    if let Some(tls) = &config.tls {
        arguments
            .extend(["--port", "0", "--tls-auth-clients", "no", "--tls-port", &port].map(OsString::from));
        arguments.extend(["--tls-cert-file".into(), home.write("server.crt", &tls.cert_pem)?.into()]);
        arguments.extend(["--tls-key-file".into(), home.write("server.key", &tls.key_pem)?.into()]);
    } else {
        arguments.extend(["--port", &port].map(OsString::from));
    }
    if let Some(password) = &config.password {
        arguments.extend(["--requirepass", password].map(OsString::from));
    }
    Ok(arguments)
}

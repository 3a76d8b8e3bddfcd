use super::{APP_ROLE, Database, OWNER_ROLE, SUPERUSER};
use crate::home::Home;
use crate::machine::{Account, command, free_port, postgres_folder, random_text, run};
use crate::service::Service;
use crate::{ServerError, ServerTls};
use rustix::process::Signal;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Settings for tests of many connections; nothing a plain installation of 15 would refuse.
const SETTINGS: &str = "\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
password_encryption = 'scram-sha-256'
dynamic_shared_memory_type = mmap
shared_buffers = '64MB'
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = off
";

/// For functional tests: a crash of the machine may lose data, a crash of the server does not.
const NOT_DURABLE: &str = "fsync = off\nfull_page_writes = off\n";

/// How a server is set up.
#[derive(Clone, Debug, Default)]
pub struct PostgresConfig {
    /// Whether commits wait for the disk. Without it tests are faster, and only a crash of the machine would show.
    pub durable: bool,
    /// The certificate it shows; with one, plain connections are refused.
    pub tls: Option<ServerTls>,
    /// More settings as in `postgresql.conf`: name and value. The value is quoted.
    pub settings: Vec<(String, String)>,
}

/// A private PostgreSQL.
pub struct PostgresServer {
    service: Service,
    folder: PathBuf,
    port: u16,
    secrets: Secrets,
    databases: AtomicU32,
}

pub(super) struct Secrets {
    superuser: String,
    pub(super) owner: String,
    pub(super) app: String,
}

impl PostgresServer {
    /// A new, empty one.
    pub fn start(config: PostgresConfig) -> Result<Self, ServerError> {
        let folder = postgres_folder()?;
        let mut attempts = 0;
        loop {
            match Self::attempt(&folder, &config) {
                // Somebody else may have taken the port between the look and the start.
                Err(ServerError::NotReady { log, .. }) if attempts < 5 && log.contains("could not bind") => {
                    attempts += 1;
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
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start(PostgresConfig::default()) {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        })
    }

    fn attempt(folder: &std::path::Path, config: &PostgresConfig) -> Result<Self, ServerError> {
        let home = Home::new("postgres", Account::for_postgres()?, "QUIT")?;
        let secrets = Secrets { superuser: random_text()?, owner: random_text()?, app: random_text()? };
        let data = home.file("data");
        let password = home.write("password", &secrets.superuser)?;
        let mut initdb = command(&folder.join("initdb"), home.account());
        initdb.args(["-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync", "-U", SUPERUSER]);
        initdb.arg("--pwfile").arg(&password).arg("-D").arg(&data).current_dir(home.path());
        run(initdb, "initdb")?;

        let port = free_port()?;
        home.write("data/postgresql.auto.conf", &settings(&home, port, config)?)?;
        let scheme = if config.tls.is_some() { "hostssl" } else { "host" };
        home.write("data/pg_hba.conf", &format!("{scheme} all all 127.0.0.1/32 scram-sha-256\n"))?;
        let arguments = vec!["-D".into(), data.into()];
        let service = Service::new("postgres", home, folder.join("postgres"), arguments, Signal::INT);
        let server = Self { service, folder: folder.to_owned(), port, secrets, databases: AtomicU32::new(0) };
        server.start_again()?;
        server.create_roles()?;
        Ok(server)
    }

    fn create_roles(&self) -> Result<(), ServerError> {
        let Secrets { owner, app, .. } = &self.secrets;
        let roles = format!(
            "CREATE ROLE {OWNER_ROLE} LOGIN NOSUPERUSER CREATEDB NOBYPASSRLS PASSWORD '{owner}'; \
             CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{app}'"
        );
        self.psql(&[&roles])
    }

    /// Runs statements as the superuser, each by itself.
    fn psql(&self, statements: &[&str]) -> Result<(), ServerError> {
        let mut psql = command(&self.folder.join("psql"), None);
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"]).arg(self.url(SUPERUSER, "postgres"));
        for statement in statements {
            psql.args(["-c", statement]);
        }
        run(psql, "psql").map(drop)
    }

    fn url(&self, role: &str, database: &str) -> String {
        let Secrets { superuser, owner, app } = &self.secrets;
        let password = match role {
            OWNER_ROLE => owner,
            APP_ROLE => app,
            _ => superuser,
        };
        format!("postgresql://{role}:{password}@{}:{}/{database}", self.host(), self.port)
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// A new, empty database. Only its owner may create anything in it; the application may connect.
    ///
    /// # Panics
    ///
    /// When the server refuses; see [`Self::try_database`].
    pub fn database(&self) -> Database {
        match self.try_database() {
            Ok(database) => database,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Self::database`], with its error.
    pub fn try_database(&self) -> Result<Database, ServerError> {
        let name = format!("plinto_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        // Since version 15 nobody but the owner may create in the schema `public`.
        self.psql(&[
            &format!("CREATE DATABASE {name} OWNER {OWNER_ROLE}"),
            &format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"),
            &format!("GRANT CONNECT ON DATABASE {name} TO {APP_ROLE}"),
        ])?;
        Ok(Database {
            owner_url: self.url(OWNER_ROLE, &name),
            app_url: self.url(APP_ROLE, &name),
            superuser_url: self.url(SUPERUSER, &name),
            name,
        })
    }

    /// The address it listens on.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// Its port, the same after every start.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.service.log()
    }

    /// Ends it in order (`fast`: connections are cut, committed data stays).
    pub fn stop(&self) {
        self.service.stop();
    }

    /// Starts it on its data and its port, and waits until it accepts connections.
    pub fn start_again(&self) -> Result<(), ServerError> {
        self.service.start(|| {
            let mut ask = command(&self.folder.join("pg_isready"), None);
            ask.args(["-q", "-t", "1", "-d", "postgres", "-h", self.host(), "-p", &self.port.to_string()]);
            run(ask, "pg_isready").is_ok()
        })
    }

    /// [`Self::stop`] and [`Self::start_again`].
    pub fn restart(&self) -> Result<(), ServerError> {
        self.stop();
        self.start_again()
    }

    /// `kill -9` to it and all its processes.
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

fn settings(home: &Home, port: u16, config: &PostgresConfig) -> Result<String, ServerError> {
    let mut text = format!("{SETTINGS}port = {port}\n");
    if !config.durable {
        text.push_str(NOT_DURABLE);
    }
    if let Some(tls) = &config.tls {
        home.write("data/server.crt", &tls.cert_pem)?;
        home.write("data/server.key", &tls.key_pem)?;
        text.push_str("ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n");
    }
    for (name, value) in &config.settings {
        writeln!(text, "{name} = '{}'", value.replace('\'', "''")).expect("a string takes everything");
    }
    Ok(text)
}

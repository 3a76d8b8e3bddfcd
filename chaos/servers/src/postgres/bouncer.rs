use super::{APP_ROLE, Database, OWNER_ROLE, PostgresServer};
use crate::ServerError;
use crate::home::Home;
use crate::machine::{Account, free_port, program};
use crate::service::Service;
use rustix::process::Signal;
use std::net::{Ipv4Addr, TcpStream};

/// PgBouncer in transaction mode before one database: each transaction may run on another connection.
pub struct PgBouncer {
    service: Service,
    app_url: String,
    owner_url: String,
}

impl PgBouncer {
    /// Starts it with four connections to the server per role.
    pub fn start(server: &PostgresServer, database: &Database) -> Result<Self, ServerError> {
        let file = program("pgbouncer", "pgbouncer")?;
        let home = Home::new("pgbouncer", Account::for_postgres()?, "TERM")?;
        let secrets = server.secrets();
        let users = format!("\"{OWNER_ROLE}\" \"{}\"\n\"{APP_ROLE}\" \"{}\"\n", secrets.owner, secrets.app);
        let users = home.write("users", &users)?;
        let port = free_port()?;
        let configuration = format!(
            "[databases]\n{name} = host={host} port={upstream} dbname={name}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = scram-sha-256\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = 4\n\
             max_client_conn = 500\nserver_tls_sslmode = prefer\nserver_login_retry = 1\n",
            name = database.name,
            host = server.host(),
            upstream = server.port(),
            users = users.display(),
        );
        let configuration = home.write("pgbouncer.ini", &configuration)?;
        let service = Service::new("pgbouncer", home, file, vec![configuration.into()], Signal::TERM);
        service.start(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
        let through = |url: &str| url.replace(&format!(":{}/", server.port()), &format!(":{port}/"));
        Ok(Self { service, app_url: through(&database.app_url), owner_url: through(&database.owner_url) })
    }

    /// The database through it, as [`APP_ROLE`].
    pub fn url(&self) -> &str {
        &self.app_url
    }

    /// The database through it, as [`OWNER_ROLE`].
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        self.service.log()
    }
}

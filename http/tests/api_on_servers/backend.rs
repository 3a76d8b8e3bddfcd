//! PostgreSQL and Redis: servers of this test process, a database for each place.

use crate::app::this_node;
use plinto_cluster::Cluster;
use plinto_cluster::{RedisOptions, RedisShared, RedisUrl};
use plinto_servers::{APP_ROLE, Database, PostgresServer, RedisServer};
use plinto_storage::Engine;
use plinto_storage::engines::postgres::{DatabaseUrl, PostgresEngine, PostgresOptions, migrate};
use std::process::Command;
use std::sync::Arc;

/// Where apps keep their data.
pub(crate) struct Place {
    database: Database,
}

fn options() -> PostgresOptions {
    // Many tests run at once on one server.
    PostgresOptions { connections: 4, ..PostgresOptions::default() }
}

impl Place {
    /// For one app.
    pub(crate) async fn passing() -> Self {
        Self::lasting().await
    }

    /// For apps one after the other.
    pub(crate) async fn lasting() -> Self {
        let server = tokio::task::spawn_blocking(|| PostgresServer::shared().database());
        let database = server.await.expect("a database");
        let owner = DatabaseUrl::parse(&database.owner_url).expect("url");
        migrate(&owner, APP_ROLE, &options()).await.expect("migrates");
        Self { database }
    }

    pub(crate) async fn open(&self) -> (Arc<dyn Engine>, Arc<dyn Cluster>) {
        let url = DatabaseUrl::parse(&self.database.app_url).expect("url");
        let engine = PostgresEngine::open(&url, options()).await.expect("engine");
        let redis: RedisUrl = RedisServer::shared().url().parse().expect("url");
        // Tests share one Redis: each place is an installation of its own.
        let options =
            RedisOptions { prefix: format!("{}:", self.database.name), ..RedisOptions::new(vec![redis]) };
        let cluster = RedisShared::connect(options, this_node()).await.expect("cluster");
        (Arc::new(engine), Arc::new(cluster))
    }

    /// From now on the server says that its disk is full.
    pub(crate) async fn fill(&self) {
        self.psql(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER no_room BEFORE INSERT ON ledger_entries EXECUTE FUNCTION no_room()",
        );
    }

    /// There is room again.
    pub(crate) async fn free(&self) {
        self.psql("DROP TRIGGER no_room ON ledger_entries; DROP FUNCTION no_room()");
    }

    /// Everything that is stored, as a thief of the database would see it: every column's bytes, not their printed form.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let tables = self.psql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
        let tables = String::from_utf8(tables).unwrap();
        let names: Vec<_> = tables.lines().collect();
        assert!(names.contains(&"ledger_entries"), "{names:?}");
        names
            .into_iter()
            .flat_map(|name| self.psql(&format!("COPY {name} TO STDOUT (FORMAT binary)")))
            .collect()
    }

    /// Runs statements as the superuser, who sees every row.
    fn psql(&self, statements: &str) -> Vec<u8> {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"]).arg(&self.database.superuser_url);
        let done = psql.args(["-c", statements]).output().expect("psql is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }
}

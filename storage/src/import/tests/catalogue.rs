use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::repositories::whole_rows::{CATALOGUE, Catalogue, Table};

/// Tables that belong to the files of one engine, hold nothing anybody reads, or are written in one piece.
const OF_THE_ENGINE: &[&str] =
    &["file_identity", "schema_migrations", "write_probes", "ledger_heads", "master_checks"];

pub(super) fn known() -> BTreeMap<String, BTreeSet<String>> {
    let Catalogue { tenants, tenant_keys, api_keys, service_accounts, ledger, of_a_tenant } = &*CATALOGUE;
    let tables = [tenants, tenant_keys, api_keys, service_accounts, ledger].into_iter().chain(of_a_tenant);
    let columns = |table: &Table| table.columns().iter().map(ToString::to_string).collect();
    tables.map(|table| (table.name().to_owned(), columns(table))).collect()
}

/// Tables and columns of every file an installation of this build has.
fn schema() -> BTreeMap<String, BTreeSet<String>> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use crate::Engine;
        use crate::engines::sqlite::{SqliteEngine, SqliteOptions};
        let engine = SqliteEngine::open(&root, SqliteOptions::default()).unwrap();
        engine.create_tenant(uuid::Uuid::max()).await.unwrap();
        engine.close().await;
    });
    let tenant = root.join("tenants").join(format!("{}.db", uuid::Uuid::max()));
    let mut found = BTreeMap::new();
    for file in [root.join("platform.db"), tenant] {
        let connection = Connection::open(file).unwrap();
        let text = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
                    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'";
        let mut query = connection.prepare(text).unwrap();
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        for (table, column) in rows.map(Result::<(String, String), _>::unwrap) {
            found.entry(table).or_insert_with(BTreeSet::new).insert(column);
        }
    }
    found
}

#[test]
fn no_table_and_no_column_is_forgotten() {
    let mut schema = schema();
    for table in OF_THE_ENGINE {
        assert!(schema.remove(*table).is_some(), "{table} is not there any more");
    }
    assert_eq!(known(), schema);
}

#[test]
fn a_tenants_table_is_bound_to_the_tenant_by_its_first_column() {
    for table in CATALOGUE.of_a_tenant.iter().chain([&CATALOGUE.ledger]) {
        assert_eq!(table.columns()[0], "tenant_id", "{}", table.name());
    }
}

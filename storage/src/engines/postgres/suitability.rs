//! Whether a database is set up so that tenants stay apart and acknowledged writes stay written.

use tokio_postgres::Client;

use super::failure::Fault;
use crate::error::StorageError;

/// The oldest server that was tried.
const OLDEST: i32 = 150_000;

/// Tables of a tenant, those that refer to others before those they refer to.
pub(super) const TENANT_TABLES: &[&str] =
    &["ledger_entries", "sessions", "credentials", "user_emails", "signing_keys", "users"];
/// Every table.
pub(super) const TABLES: &[&str] = &[
    "schema_migrations",
    "tenant_storage",
    "master_checks",
    "tenants",
    "tenant_keys",
    "api_keys",
    "write_probes",
    "ledger_heads",
    "ledger_entries",
    "sessions",
    "credentials",
    "user_emails",
    "signing_keys",
    "users",
];

fn unsuitable<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(StorageError::Unsuitable { reason: reason.into() }.into())
}

/// The server must be new enough and wait for its log before it answers a commit.
pub(super) async fn of_server(client: &Client) -> Result<(), Fault> {
    let text = "SELECT current_setting('server_version_num')::int, current_setting('synchronous_commit'), \
                current_setting('fsync')";
    let row = client.query_typed(text, &[]).await?;
    let Some(row) = row.first() else { return unsuitable("the server does not say what it is") };
    let (version, waits, syncs): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
    if version < OLDEST {
        return unsuitable(format!("PostgreSQL {} is too old, 15 or later is needed", version / 10_000));
    }
    if waits == "off" {
        return unsuitable(
            "synchronous_commit is off, so acknowledged writes could be lost; set it to on for the server, \
             the database and the role",
        );
    }
    if syncs == "off" {
        tracing::warn!(
            "fsync is off in PostgreSQL: acknowledged writes are lost when its machine fails; set it to on"
        );
    }
    Ok(())
}

/// The role we are must be unable to pass row-level security, and row-level security must be in force.
pub(super) async fn of_role(client: &Client) -> Result<(), Fault> {
    let text = "SELECT coalesce(bool_or(rolsuper), false), coalesce(bool_or(rolbypassrls), false) \
                FROM pg_catalog.pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')";
    let powers = client.query_typed(text, &[]).await?;
    if powers.first().is_none_or(|row| row.get(0)) {
        return unsuitable("the application's role is a superuser, or may become one; use a role of its own");
    }
    if powers.first().is_none_or(|row| row.get(1)) {
        return unsuitable(
            "the application's role may bypass row-level security; ALTER ROLE it to NOBYPASSRLS",
        );
    }
    let text = "SELECT pg_has_role(current_user, c.relowner, 'MEMBER'), \
                c.relrowsecurity AND c.relforcerowsecurity, c.relname::text \
                FROM unnest($1::text[]) AS name JOIN pg_catalog.pg_class c ON c.oid = to_regclass(name)";
    let rows = client.query_typed(text, &[(&TABLES, tokio_postgres::types::Type::TEXT_ARRAY)]).await?;
    for row in &rows {
        let (owned, forced, name): (bool, bool, String) = (row.get(0), row.get(1), row.get(2));
        if owned {
            return unsuitable(
                "the application's role owns the tables, or may become their owner; \
                 run `plinto migrate` as an owner and serve as another role",
            );
        }
        if !forced {
            return unsuitable(format!(
                "row-level security is not forced on {name}; as the owner run \
                 ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
            ));
        }
    }
    Ok(())
}

/// Gives the application's role what it needs and takes from it what it does not.
pub(super) async fn grant(client: &Client, role: &str) -> Result<(), Fault> {
    let text = "SELECT r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, current_user, 'MEMBER'), \
                current_schema()::text FROM pg_catalog.pg_roles r WHERE r.rolname = $1";
    let rows = client.query_typed(text, &[(&role, tokio_postgres::types::Type::TEXT)]).await?;
    let Some(row) = rows.first() else {
        return unsuitable(format!("there is no role {role:?}; CREATE ROLE it with LOGIN and a password"));
    };
    if row.get(0) {
        return unsuitable(format!(
            "{role:?} is a superuser, may bypass row-level security or may become the owner; \
             use a role of its own for the application"
        ));
    }
    let role = quoted(role);
    let schema = quoted(&row.get::<_, String>(1));
    let tables = |tables: &[&str]| tables.join(", ");
    let text = format!(
        "REVOKE ALL ON {all} FROM {role}; GRANT USAGE ON SCHEMA {schema} TO {role}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON {all} TO {role}; \
         REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM {role}; \
         REVOKE UPDATE ON ledger_entries FROM {role}",
        all = tables(TABLES),
    );
    Ok(client.batch_execute(&text).await?)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

//! Whether a database is set up so that tenants stay apart and acknowledged writes stay written.

use tokio_postgres::Client;

use super::failure::Fault;
use crate::error::StorageError;

/// The oldest server that was tried.
const OLDEST: i32 = 150_000;

/// Tables of a tenant, those that refer to others before those they refer to.
pub(super) const TENANT_TABLES: &[&str] = &[
    "ledger_entries",
    "flags",
    "clients",
    "authorizations",
    "client_consents",
    "used_proofs",
    "user_import_errors",
    "user_imports",
    "organization_invitations",
    "organization_domains",
    "organization_departures",
    "policy_versions",
    "policy_sets",
    "organization_members",
    "organizations",
    "grants",
    "roles",
    "role_sets",
    "ledger_checkpoints",
    "legal_holds",
    "consents",
    "sessions",
    "password_history",
    "user_avatars",
    "credentials",
    "user_emails",
    "user_search",
    "signing_keys",
    "users",
    "outbox",
    "kept_answers",
    "one_time_tokens",
    "user_invitations",
];
/// Every table.
pub(super) const TABLES: &[&str] = &[
    "schema_migrations",
    "tenant_storage",
    "master_checks",
    "tenants",
    "tenant_keys",
    "api_keys",
    "service_accounts",
    "write_probes",
    "ledger_heads",
    "ledger_entries",
    "flags",
    "clients",
    "authorizations",
    "client_consents",
    "used_proofs",
    "user_import_errors",
    "user_imports",
    "organization_invitations",
    "organization_domains",
    "organization_departures",
    "policy_versions",
    "policy_sets",
    "organization_members",
    "organizations",
    "grants",
    "roles",
    "role_sets",
    "ledger_checkpoints",
    "legal_holds",
    "consents",
    "sessions",
    "password_history",
    "user_avatars",
    "credentials",
    "user_emails",
    "user_search",
    "signing_keys",
    "kept_answers",
    "users",
    "outbox",
    "one_time_tokens",
    "user_invitations",
];

/// Tables whose rows are never changed by those who serve.
const UNCHANGING: &[&str] = &["ledger_entries", "ledger_checkpoints", "consents", "schema_migrations"];

/// Names of the row-level security policies of a table, in order.
fn policies_of(table: &str) -> &'static [&'static str] {
    match table {
        "ledger_heads" => &["platform_sees", "tenant"],
        table if TENANT_TABLES.contains(&table) => &["tenant"],
        _ => &["platform"],
    }
}

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
    // Who connected may go back to being it, whoever it became meanwhile.
    let text = "SELECT coalesce(bool_or(rolsuper), false), coalesce(bool_or(rolbypassrls), false), \
                coalesce(bool_or(rolcreaterole), false), coalesce(bool_or(rolreplication), false) \
                FROM pg_catalog.pg_roles \
                WHERE pg_has_role(current_user, oid, 'MEMBER') OR pg_has_role(session_user, oid, 'MEMBER')";
    let powers = client.query_typed(text, &[]).await?;
    let refusals = [
        "the application's role is a superuser, or may become one; use a role of its own",
        "the application's role may bypass row-level security; ALTER ROLE it to NOBYPASSRLS",
        "the application's role may make roles and so become others; ALTER ROLE it to NOCREATEROLE",
        "the application's role may replicate and so read every tenant; ALTER ROLE it to NOREPLICATION",
    ];
    for (column, refusal) in refusals.into_iter().enumerate() {
        if powers.first().is_none_or(|row| row.get(column)) {
            return unsuitable(refusal);
        }
    }
    of_tables(client).await
}

/// What the role may do to each table, and which rows row-level security shows it.
async fn of_tables(client: &Client) -> Result<(), Fault> {
    let text = "SELECT c.relname::text, \
                pg_has_role(current_user, c.relowner, 'MEMBER') OR pg_has_role(session_user, c.relowner, 'MEMBER'), \
                c.relrowsecurity AND c.relforcerowsecurity, \
                has_table_privilege(current_user, c.oid, 'TRUNCATE') \
                OR has_table_privilege(session_user, c.oid, 'TRUNCATE'), \
                has_any_column_privilege(current_user, c.oid, 'UPDATE') \
                OR has_any_column_privilege(session_user, c.oid, 'UPDATE'), \
                array(SELECT polname::text FROM pg_catalog.pg_policy WHERE polrelid = c.oid ORDER BY polname) \
                FROM unnest($1::text[]) AS name JOIN pg_catalog.pg_class c ON c.oid = to_regclass(name)";
    let rows = client.query_typed(text, &[(&TABLES, tokio_postgres::types::Type::TEXT_ARRAY)]).await?;
    for row in &rows {
        let (name, owned, forced): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
        let (empties, changes, policies): (bool, bool, Vec<String>) = (row.get(3), row.get(4), row.get(5));
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
        if policies != policies_of(&name) {
            return unsuitable(format!(
                "{name} has other row-level security policies than it should, {policies:?}; as the owner drop \
                 those that Plinto did not make"
            ));
        }
        if empties || (changes && UNCHANGING.contains(&name.as_str())) {
            return unsuitable(format!(
                "the application's role may empty or rewrite {name}; REVOKE that from it and from PUBLIC"
            ));
        }
    }
    Ok(())
}

/// Gives the application's role what it needs and takes from it what it does not.
pub(super) async fn grant(client: &Client, role: &str) -> Result<(), Fault> {
    let text = "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR pg_has_role(r.oid, current_user, 'MEMBER'), \
                current_schema()::text FROM pg_catalog.pg_roles r WHERE r.rolname = $1";
    let rows = client.query_typed(text, &[(&role, tokio_postgres::types::Type::TEXT)]).await?;
    let Some(row) = rows.first() else {
        return unsuitable(format!("there is no role {role:?}; CREATE ROLE it with LOGIN and a password"));
    };
    if row.get(0) {
        return unsuitable(format!(
            "{role:?} is a superuser, may bypass row-level security, make roles, replicate or become the owner; \
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
         REVOKE UPDATE ON ledger_entries, ledger_checkpoints, consents FROM {role}",
        all = tables(TABLES),
    );
    Ok(client.batch_execute(&text).await?)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

//! Forward-only, checksummed migrations, safe to run while the previous version serves.
//!
//! Each migration either expands (adds what the previous version ignores) or contracts (removes what no version
//! that still serves uses) and says which is the oldest build that may run beside it.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::connect::Connector;
use super::failure::{Fault, Kind};
use super::suitability;
use super::{DatabaseUrl, PostgresOptions};
use crate::error::{PLATFORM, StorageError};
use crate::ledger::chain;
use crate::repositories::ledger;

/// One step of the schema. Its text never changes once released.
#[derive(Copy, Clone, Debug)]
pub(super) struct Migration {
    pub(super) version: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    /// The oldest schema a build may know to serve with this one.
    pub(super) oldest_compatible: i64,
}

pub(super) const KNOWN: &[Migration] = &[
    Migration {
        version: 1,
        name: "initial",
        sql: include_str!("migrations/0001_initial.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 2,
        name: "audit_look_ups",
        sql: include_str!("migrations/0002_audit_look_ups.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 3,
        name: "outbox",
        sql: include_str!("migrations/0003_outbox.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 4,
        name: "session_last_seen",
        sql: include_str!("migrations/0004_session_last_seen.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 5,
        name: "kept_answers",
        sql: include_str!("migrations/0005_kept_answers.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 6,
        name: "api_keys",
        sql: include_str!("migrations/0006_api_keys.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 7,
        name: "authorization",
        sql: include_str!("migrations/0007_authorization.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 8,
        name: "user_profiles",
        sql: include_str!("migrations/0008_user_profiles.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 9,
        name: "one_time_tokens",
        sql: include_str!("migrations/0009_one_time_tokens.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 10,
        name: "privacy",
        sql: include_str!("migrations/0010_privacy.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 11,
        name: "organizations",
        sql: include_str!("migrations/0011_organizations.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 12,
        name: "flags",
        sql: include_str!("migrations/0012_flags.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 13,
        name: "user_imports",
        sql: include_str!("migrations/0013_user_imports.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 14,
        name: "password_history",
        sql: include_str!("migrations/0014_password_history.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 15,
        name: "user_avatars",
        sql: include_str!("migrations/0015_user_avatars.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 16,
        name: "organization_invitations",
        sql: include_str!("migrations/0016_organization_invitations.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 17,
        name: "user_invitations",
        sql: include_str!("migrations/0017_user_invitations.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 18,
        name: "policies",
        sql: include_str!("migrations/0018_policies.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 19,
        name: "active_organizations",
        sql: include_str!("migrations/0019_active_organizations.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 20,
        name: "clients",
        sql: include_str!("migrations/0020_clients.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 21,
        name: "authorizations",
        sql: include_str!("migrations/0021_authorizations.sql"),
        oldest_compatible: 1,
    },
    Migration {
        version: 22,
        name: "used_proofs",
        sql: include_str!("migrations/0022_used_proofs.sql"),
        oldest_compatible: 1,
    },
];

/// What is locked while a migration runs; any number that nothing else in the database uses.
pub(super) const LOCK: i64 = 0x706c_696e_746f;
/// Longest look at a database before it is served or migrated.
const LOOK: Duration = Duration::from_secs(5);
const DATABASE: &str = "the database";

/// What [`migrate`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Names of the migrations applied now, in order; empty when there was nothing to do.
    pub applied: Vec<String>,
    /// Schema version of the database afterwards.
    pub version: i64,
}

/// The schema of a database beside the one this build knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// Version found; 0 when there is no schema.
    pub found: i64,
    /// Newest version this build knows.
    pub known: i64,
    /// Names of the migrations [`migrate`] would apply.
    pub pending: Vec<&'static str>,
}

/// Brings the schema up to date as its owner and grants `application_role` what it needs: reading and changing
/// rows, nothing else. Nodes of the previous version may serve meanwhile, and any number may migrate at once.
///
/// # Errors
/// `Unsuitable` when the server or the application's role is not safe to use, `MigrationChanged` and
/// `NewerSchema` when the database was built by a version this one does not follow. Nothing was changed then.
/// `Unavailable` when another migration does not end in time, or the server cannot be reached.
pub async fn migrate(
    owner: &DatabaseUrl,
    application_role: &str,
    options: &PostgresOptions,
) -> Result<Migrated, StorageError> {
    apply_all(owner, application_role, options, KNOWN).await.map_err(|fault| fault.storage())
}

pub(super) async fn apply_all(
    owner: &DatabaseUrl,
    application_role: &str,
    options: &PostgresOptions,
    known: &'static [Migration],
) -> Result<Migrated, Fault> {
    let line = Connector::new(owner, options, Handle::current())?.connect().await?;
    suitability::of_server(&line.client).await?;
    let patience = format!("SET LOCAL lock_timeout = {}", options.migration_wait.as_millis().max(1));
    let mut applied = Vec::new();
    loop {
        begin(&line.client).await?;
        line.client.batch_execute(&patience).await?;
        let lock = line
            .client
            .execute_typed("SELECT pg_advisory_xact_lock($1)", &[(&LOCK, tokio_postgres::types::Type::INT8)])
            .await;
        lock.map_err(|error| others_migrate(error.into()))?;
        // From here on others wait for us, so we wait for nobody long: a table that is locked means "later".
        let impatient = format!("SET LOCAL lock_timeout = {}", options.lock_timeout.as_millis().max(1));
        line.client.batch_execute(&impatient).await?;
        let register = register(&line.client).await?;
        check_texts(&register, known)?;
        check_age(&register, known)?;
        if let Some(migration) = known.get(register.len()) {
            line.client.batch_execute(migration.sql).await?;
            record(&line.client, migration).await?;
            line.client.batch_execute("COMMIT").await?;
            applied.push(migration.name.to_owned());
            continue;
        }
        let head = chain::genesis(PLATFORM);
        line.client.execute(ledger::CREATE_HEAD, &[&PLATFORM, &head.seq, &head.hash.as_slice()]).await?;
        suitability::grant(&line.client, application_role).await?;
        line.client.batch_execute("COMMIT").await?;
        return Ok(Migrated { applied, version: register.last().map_or(0, |step| step.version) });
    }
}

fn others_migrate(fault: Fault) -> Fault {
    match fault.kind() {
        Kind::Locked => StorageError::unavailable(
            "another migration of this database is running and does not end: wait for it, or look for what it \
             waits for in pg_stat_activity, then migrate again",
        )
        .into(),
        _ => fault,
    }
}

/// For a look at a database, which is short: whoever asks for one is told soon when it hangs.
pub(super) async fn within_bound<T>(look: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    timeout(LOOK, look).await.unwrap_or(Err(Fault::Silent))
}

/// Compares the schema of a database with the one this build knows. The owner's URL or the application's will do.
///
/// # Errors
/// `MigrationChanged` when an applied migration has another text in this build; `Unavailable` when the server does
/// not answer within seconds; whatever connecting may answer.
pub async fn schema_state(url: &DatabaseUrl, options: &PostgresOptions) -> Result<SchemaState, StorageError> {
    let state = async {
        let line = Connector::new(url, options, Handle::current())?.connect().await?;
        begin(&line.client).await?;
        let register = register(&line.client).await?;
        line.client.batch_execute("ROLLBACK").await?;
        check_texts(&register, KNOWN)?;
        Ok::<_, Fault>(SchemaState {
            found: register.last().map_or(0, |step| step.version),
            known: newest(KNOWN),
            pending: KNOWN.iter().skip(register.len()).map(|migration| migration.name).collect(),
        })
    };
    within_bound(state).await.map_err(|fault| fault.storage())
}

/// Refuses a schema this build cannot serve with. Runs inside a transaction in the platform's scope.
pub(super) async fn check(client: &Client, known: &[Migration]) -> Result<(), Fault> {
    let register = register(client).await?;
    check_age(&register, known)?;
    check_texts(&register, known)?;
    let found = register.last().map_or(0, |step| step.version);
    let needed = newest(known);
    if found < needed { Err(StorageError::OlderSchema { found, needed }.into()) } else { Ok(()) }
}

/// A migration that was applied.
struct Applied {
    version: i64,
    checksum: Vec<u8>,
    oldest_compatible: i64,
}

pub(super) async fn begin(client: &Client) -> Result<(), Fault> {
    // A step may take its time, but one that vanished must not hold its locks for hours.
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL plinto.scope = '{PLATFORM}'; \
         SET LOCAL idle_in_transaction_session_timeout = '1min'"
    );
    Ok(client.batch_execute(&begin).await?)
}

async fn register(client: &Client) -> Result<Vec<Applied>, Fault> {
    let there = client.query_typed("SELECT to_regclass('schema_migrations') IS NOT NULL", &[]).await?;
    if !there.first().is_some_and(|row| row.get(0)) {
        return Ok(Vec::new());
    }
    let text = "SELECT version, checksum, oldest_compatible FROM schema_migrations ORDER BY version";
    let rows = client.query_typed(text, &[]).await?;
    let applied = |row: &tokio_postgres::Row| Applied {
        version: row.get(0),
        checksum: row.get(1),
        oldest_compatible: row.get(2),
    };
    Ok(rows.iter().map(applied).collect())
}

async fn record(client: &Client, migration: &Migration) -> Result<(), Fault> {
    let text =
        "INSERT INTO schema_migrations (version, name, checksum, oldest_compatible) VALUES ($1, $2, $3, $4)";
    let Migration { version, name, oldest_compatible, .. } = migration;
    client.execute(text, &[version, name, &sum(migration), oldest_compatible]).await?;
    Ok(())
}

/// What is applied must be what we know, as far as both go.
fn check_texts(register: &[Applied], known: &[Migration]) -> Result<(), StorageError> {
    for (step, migration) in register.iter().zip(known) {
        if step.version != migration.version || step.checksum != sum(migration) {
            return Err(StorageError::MigrationChanged { what: DATABASE.to_owned(), version: step.version });
        }
    }
    Ok(())
}

/// A newer schema will do while it says that it goes with builds of our age.
fn check_age(register: &[Applied], known: &[Migration]) -> Result<(), StorageError> {
    let known = newest(known);
    match register.iter().map(|step| step.oldest_compatible).max() {
        Some(oldest) if oldest > known => {
            let found = register.last().map_or(0, |step| step.version);
            Err(StorageError::NewerSchema { what: DATABASE.to_owned(), found, known })
        }
        _ => Ok(()),
    }
}

fn newest(known: &[Migration]) -> i64 {
    known.last().map_or(0, |migration| migration.version)
}

fn sum(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}

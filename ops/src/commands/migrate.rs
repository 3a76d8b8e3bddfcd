//! `plinto migrate`

use std::path::Path;
use std::process::ExitCode;

use plinto_storage::StorageError;
use plinto_storage::engines::postgres::{DatabaseUrl, migrate, schema_state};
use zeroize::Zeroizing;

use super::{CommandError, access};
use crate::cli::MigrateArgs;
use crate::composition::{self, DatabaseProblem};
use crate::settings::{DatabaseSettings, Layers, SecretSource};
use crate::terminal;

const ROLES: &str = include_str!("roles.sql");
const OWNER_VARIABLE: &str = "PLINTO_DATABASE_OWNER_URL";

pub(super) async fn run(args: &MigrateArgs) -> Result<ExitCode, CommandError> {
    if args.print_roles {
        terminal::answer(ROLES.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let settings = access::load(args.config.config.as_deref(), &Layers::default())?;
    let database = settings.database.ok_or(CommandError::NoDatabase)?;
    let application = composition::database_url(&database.url)?;
    if args.check {
        return check(&application, &database).await;
    }
    let owner = owner(args.owner_url_file.as_deref())?;
    if owner.user() == application.user() {
        return Err(CommandError::SameRole { role: owner.user().to_owned() });
    }
    let migrated = migrate(&owner, application.user(), &database.options).await;
    let migrated = migrated.map_err(|source| refused(&owner, source))?;
    for name in &migrated.applied {
        terminal::answer(&format!("applied {name}"));
    }
    terminal::answer(&format!(
        "schema {} is in place; `{}` may use it",
        migrated.version,
        application.user()
    ));
    Ok(ExitCode::SUCCESS)
}

async fn check(application: &DatabaseUrl, database: &DatabaseSettings) -> Result<ExitCode, CommandError> {
    let state = schema_state(application, &database.options).await;
    let state = state.map_err(|source| refused(application, source))?;
    if state.pending.is_empty() {
        terminal::answer(&format!("nothing is pending; the database has schema {}", state.found));
        return Ok(ExitCode::SUCCESS);
    }
    terminal::answer(&format!(
        "the database has schema {}, this version knows {}; pending:",
        state.found, state.known
    ));
    for name in &state.pending {
        terminal::answer(&format!("  {name}"));
    }
    Ok(ExitCode::FAILURE)
}

fn refused(url: &DatabaseUrl, source: StorageError) -> DatabaseProblem {
    DatabaseProblem::Refused { url: url.to_string(), source }
}

/// The owner's URL is never part of the configuration: no node needs it.
fn owner(file: Option<&Path>) -> Result<DatabaseUrl, CommandError> {
    let source = match (file, std::env::var(OWNER_VARIABLE)) {
        (Some(path), _) => SecretSource::File(path.to_owned()),
        (None, Ok(text)) => SecretSource::Text(Zeroizing::new(text)),
        (None, Err(_)) => return Err(CommandError::NoOwner),
    };
    Ok(composition::database_url(&source)?)
}

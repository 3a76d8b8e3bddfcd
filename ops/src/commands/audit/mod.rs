//! `plinto audit`: only reads, beside running nodes or without any.

mod database;
mod files;

use std::path::Path;
use std::process::ExitCode;

use plinto_storage::ledger::{Beginning, Verified, VerifyError};

use super::{CommandError, access};
use crate::cli::{AuditCommand, ConfigArg, DataDirArg};
use crate::private_file::FileError;
use crate::settings::{Layers, Settings};
use crate::terminal;

/// What `--tenant` calls the platform's own ledger.
const PLATFORM: &str = "platform";

pub(super) async fn run(command: AuditCommand) -> Result<ExitCode, CommandError> {
    match command {
        AuditCommand::Verify { file: Some(file), .. } => {
            blocking(move || files::verify_one(&file.display().to_string(), &file)).await
        }
        AuditCommand::Verify { data, config, tenant, file: None } => {
            let Settings { data_dir, database, .. } = settings(&data, &config)?;
            match database {
                Some(database) => database::verify(&database, tenant.as_deref()).await,
                None => blocking(move || files::verify(&data_dir, tenant.as_deref())).await,
            }
        }
        AuditCommand::Export { data, config, tenant, output } => {
            let Settings { data_dir, database, .. } = settings(&data, &config)?;
            match database {
                Some(database) => database::export(&database, &tenant, &output).await,
                None => blocking(move || files::export(&data_dir, &tenant, &output)).await,
            }
        }
    }
}

fn settings(data: &DataDirArg, config: &ConfigArg) -> Result<Settings, CommandError> {
    let mut flags = Layers::default();
    data.add_to(&mut flags);
    access::load(config.config.as_deref(), &flags)
}

async fn blocking(
    job: impl FnOnce() -> Result<ExitCode, CommandError> + Send + 'static,
) -> Result<ExitCode, CommandError> {
    tokio::task::spawn_blocking(job).await.map_err(|_| CommandError::Interrupted)?
}

/// Whether a ledger's name, such as `acme (ten_…)`, is the slug or the id that was asked for.
fn is_called(name: &str, asked: &str) -> bool {
    let parts = name.split_once(" (");
    name == asked || parts.is_some_and(|(slug, id)| slug == asked || id.trim_end_matches(')') == asked)
}

/// Says what was found; what cannot be read does not verify either.
fn report(name: &str, verified: Result<Verified, VerifyError>) -> ExitCode {
    match verified {
        Ok(Verified { head, begins: None, .. }) => {
            terminal::answer(&format!("good  {name}: {} entries", head.seq));
            ExitCode::SUCCESS
        }
        Ok(Verified { head, begins: Some(Beginning { summary, verifier }), .. }) => {
            let (left, gone) = (head.seq - summary.head.seq, summary.head.seq);
            terminal::answer(&format!(
                "good  {name}: {left} entries behind {gone} that were pruned, whose checkpoint is signed by {verifier}"
            ));
            ExitCode::SUCCESS
        }
        Err(VerifyError::Bad { bad, .. }) => {
            terminal::answer(&format!("BAD   {name}: {bad}"));
            ExitCode::FAILURE
        }
        Err(VerifyError::Storage(error)) => {
            terminal::answer(&format!("BAD   {name}: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// A new file for an export, which `write` fills; it must not exist.
fn create(output: &Path) -> Result<std::fs::File, FileError> {
    std::fs::File::create_new(output).map_err(|error| FileError::new("write", output, error))
}

fn exported(name: &str, seq: i64, file: &std::fs::File, output: &Path) -> Result<ExitCode, CommandError> {
    file.sync_all().map_err(|error| FileError::new("write", output, error))?;
    terminal::answer(&format!("{name}: {seq} entries written to {}", output.display()));
    Ok(ExitCode::SUCCESS)
}

//! Ledgers in the files of a data directory, and exports.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use plinto_domain::TenantId;
use plinto_storage::engines::sqlite::{RegisteredTenant, export_file, registered_tenants, verify_file};
use plinto_storage::ledger::verify_export;

use super::{PLATFORM, create, exported, is_called, report};
use crate::commands::CommandError;
use crate::private_file::FileError;
use crate::terminal;

const SQLITE: &[u8] = b"SQLite format 3\0";

/// A ledger's file, with a name for people.
struct Ledger {
    name: String,
    path: PathBuf,
}

fn ledgers(data_dir: &Path) -> Result<Vec<Ledger>, CommandError> {
    let path = data_dir.join("platform.db");
    if !path.exists() {
        return Err(CommandError::NoData { path: data_dir.to_owned() });
    }
    let tenants = registered_tenants(data_dir)?;
    let named = |RegisteredTenant { id, slug, path }| {
        let id = TenantId::from_uuid(id);
        Ledger { name: format!("{slug} ({id})"), path }
    };
    let platform = Ledger { name: PLATFORM.to_owned(), path };
    Ok(std::iter::once(platform).chain(tenants.into_iter().map(named)).collect())
}

fn pick(data_dir: &Path, named: &str) -> Result<Ledger, CommandError> {
    let found = ledgers(data_dir)?.into_iter().find(|ledger| is_called(&ledger.name, named));
    found.ok_or_else(|| CommandError::UnknownTenant { named: named.to_owned() })
}

pub(super) fn verify(data_dir: &Path, tenant: Option<&str>) -> Result<ExitCode, CommandError> {
    let ledgers = match tenant {
        Some(named) => vec![pick(data_dir, named)?],
        None => ledgers(data_dir)?,
    };
    let mut outcome = ExitCode::SUCCESS;
    for Ledger { name, path } in &ledgers {
        let one = verify_one(name, path)?;
        if one != ExitCode::SUCCESS {
            outcome = one;
        }
    }
    Ok(outcome)
}

/// Verifies one ledger and says what was found; what cannot be read does not verify either.
pub(super) fn verify_one(name: &str, path: &Path) -> Result<ExitCode, CommandError> {
    let bar = terminal::progress("verifying");
    let verified = if is_database(path)? {
        verify_file(path, &mut |done, total| {
            bar.set_length(total.unsigned_abs());
            bar.set_position(done.unsigned_abs());
        })
    } else {
        let file = File::open(path).map_err(|error| FileError::new("open", path, error))?;
        verify_export(BufReader::new(file))
    };
    bar.finish_and_clear();
    Ok(report(name, verified))
}

fn is_database(path: &Path) -> Result<bool, FileError> {
    let failed = |error| FileError::new("read", path, error);
    if path.extension().is_some_and(|extension| extension == "db") {
        return Ok(true);
    }
    let mut start = Vec::new();
    File::open(path).map_err(failed)?.take(SQLITE.len() as u64).read_to_end(&mut start).map_err(failed)?;
    Ok(start == SQLITE)
}

pub(super) fn export(data_dir: &Path, tenant: &str, output: &Path) -> Result<ExitCode, CommandError> {
    let ledger = pick(data_dir, tenant)?;
    let mut file = create(output)?;
    let head = export_file(&ledger.path, &mut file)?;
    exported(&ledger.name, head.seq, &file, output)
}

//! `plinto import-embedded` and `plinto move`: out of a data directory into PostgreSQL.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use indicatif::ProgressBar;
use plinto_actors::Clock;
use plinto_domain::{ApiKeyId, TenantId};
use plinto_storage::import::{Claimant, ImportError, Moved, Phase, Progress, import_embedded, move_tenant};
use plinto_storage::{Engine, MasterKey, NewEntry, StorageError, Store};

use super::{CommandError, access};
use crate::cli::{ImportArgs, MoveCommand};
use crate::composition::{self, MasterKeyProblem, SystemClock, SystemRandomness};
use crate::private_file::FileError;
use crate::settings::{Layers, Settings};
use crate::terminal;

/// Who the platform's ledger says brought a tenant: an operator with the keys of both installations.
const ACTOR: &str = "operator";

pub(super) async fn import(args: &ImportArgs) -> Result<ExitCode, CommandError> {
    let settings = access::load(args.config.config.as_deref(), &Layers::default())?;
    let (source, target) = open_both(&args.from, &settings).await?;
    let imported = import_between(&args.from, &settings, &*source, &*target).await;
    close_both(&*source, &*target).await;
    let tenants = imported?;
    let (from, here) = (args.from.display(), settings.data_dir.display());
    terminal::answer(&format!(
        "{tenants} tenants and the platform are in the database, every row and chain verified"
    ));
    terminal::remark(&format!(
        "Start nodes with the master key {from} was started with, and the same base_url, so that tokens stay good.\n\
         Its platform key is valid as before: cp {from}/platform.key {here}/\n\
         The directory is unchanged; once nodes serve from the database, do not start plinto on it again."
    ));
    Ok(ExitCode::SUCCESS)
}

async fn import_between(
    from: &Path,
    settings: &Settings,
    source: &dyn Engine,
    target: &dyn Engine,
) -> Result<usize, CommandError> {
    let key = match composition::find_master_key(settings) {
        Err(MasterKeyProblem::Missing) => {
            composition::master_key_in_directory(from)?.ok_or(MasterKeyProblem::Missing)?
        }
        found => found?,
    };
    let bar = terminal::progress("starting");
    let claimant = claimant(from)?;
    let imported =
        import_embedded(source, &key, target, claimant, &mut |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    Ok(imported?.tenants)
}

pub(super) async fn run_move(command: MoveCommand) -> Result<ExitCode, CommandError> {
    let MoveCommand::Tenant { slug, from, from_master_key_file, config } = command;
    let settings = access::load(config.config.as_deref(), &Layers::default())?;
    let key = composition::find_master_key(&settings)?;
    let from_key = match from_master_key_file {
        Some(path) => composition::master_key_in_file(&path)?,
        None => match composition::master_key_in_directory(&from)? {
            Some(key) => key,
            None => composition::find_master_key(&settings)?,
        },
    };
    let (source, target) = open_both(&from, &settings).await?;
    let moved = move_between((&source, from_key), (&target, key), &slug, &from).await;
    close_both(&*source, &*target).await;
    let Moved { tenant, api_keys } = moved?;
    let (id, base, from) = (TenantId::from_uuid(tenant), &settings.base_url, from.display());
    terminal::answer(&format!(
        "{slug} ({id}) is in the database with {} API keys, every row and its chain verified",
        api_keys.len()
    ));
    terminal::remark(&format!(
        "Its tokens name {base}/t/{slug} as issuer from now on. Running nodes are not told: they find\n\
         it and its API keys within a few seconds.\n\
         {from} is unchanged and still serves the tenant when it is started. To delete it there, for good:\n  \
         env -u PLINTO_DATABASE_URL -u PLINTO_DATABASE_URL_FILE -u PLINTO_REDIS_URL -u PLINTO_REDIS_URL_FILE \\\n    plinto tenant delete {slug} --data-dir {from}"
    ));
    Ok(ExitCode::SUCCESS)
}

async fn move_between(
    (source, from_key): (&Arc<dyn Engine>, MasterKey),
    (target, key): (&Arc<dyn Engine>, MasterKey),
    slug: &str,
    from: &Path,
) -> Result<Moved, CommandError> {
    let now = SystemClock.now().as_millis();
    let entropy = Arc::new(SystemRandomness);
    let opened = Store::open(Arc::clone(source), from_key, Arc::clone(&entropy) as _, now).await;
    let source = opened.map_err(|error| match error {
        StorageError::WrongMasterKey => CommandError::SourceKey { path: from.to_owned() },
        error => error.into(),
    })?;
    let target = Store::open(Arc::clone(target), key, entropy, now).await?;
    Ok(move_tenant(&source, &target, claimant(from)?, slug, |moved| entries(moved, now)).await?)
}

/// The directory, as no other: a copy of it is another one, with another place, inode or time.
fn claimant(from: &Path) -> Result<Claimant, CommandError> {
    let unreadable = |source| FileError::new("read", from, source);
    let path = std::fs::canonicalize(from).map_err(unreadable)?;
    let said = std::fs::metadata(&path).map_err(unreadable)?;
    // Not every file system knows when a directory was made.
    let made = said.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let marks =
        [path.as_os_str().as_bytes(), b"\0", &said.ino().to_be_bytes(), &made.as_nanos().to_be_bytes()];
    Ok(Claimant::new(&marks.concat()))
}

/// What the platform's ledger says: running nodes read their API keys anew when one was issued.
fn entries(moved: &Moved, at: i64) -> Vec<NewEntry> {
    let tenant = TenantId::from_uuid(moved.tenant).to_string();
    let entry = |event: &'static str, subject: String| NewEntry {
        at,
        event: event.into(),
        actor: ACTOR.to_owned(),
        subject,
        data: serde_json::json!({ "tenant": tenant, "from": "embedded" }),
    };
    let keys =
        moved.api_keys.iter().map(|key| entry("api_key.issued", ApiKeyId::from_uuid(*key).to_string()));
    std::iter::once(entry("tenant.moved_in", tenant.clone())).chain(keys).collect()
}

/// The stopped source, which nothing else can start while this runs, and the database.
async fn open_both(
    from: &Path,
    settings: &Settings,
) -> Result<(Arc<dyn Engine>, Arc<dyn Engine>), CommandError> {
    let database = settings.database.as_ref().ok_or(CommandError::NoDatabase)?;
    if !composition::holds_files(from) {
        return Err(ImportError::NotData.into());
    }
    let target = composition::open_database(database).await?;
    match composition::open_files(from).await {
        Ok(source) => Ok((source, target)),
        Err(error) => {
            target.close().await;
            Err(error.into())
        }
    }
}

async fn close_both(source: &dyn Engine, target: &dyn Engine) {
    source.close().await;
    target.close().await;
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(match progress.phase {
        Phase::Copying => "copying",
        Phase::Verifying => "verifying",
    });
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}

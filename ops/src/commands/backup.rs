//! `plinto backup` and `plinto restore`

use std::process::ExitCode;

use indicatif::ProgressBar;
use plinto_actors::Clock;
use plinto_storage::backup::{self as storage, BackupError, Manifest, Phase, Progress};

use super::{CommandError, access};
use crate::cli::{BackupArgs, RestoreArgs};
use crate::composition::SystemClock;
use crate::settings::Layers;
use crate::terminal;

pub(super) async fn backup(args: BackupArgs) -> Result<ExitCode, CommandError> {
    let mut flags = Layers::default();
    args.data.add_to(&mut flags);
    let settings = access::load(args.config.config.as_deref(), &flags)?;
    if settings.database.is_some() {
        return Err(CommandError::BackupOfDatabase);
    }
    let (source, target) = (settings.data_dir, args.output.clone());
    let now = SystemClock.now().as_millis();
    let manifest = with_progress(move |progress| storage::backup(&source, &target, now, progress)).await?;
    terminal::answer(&format!("{} in {}, verified", size(&manifest), args.output.display()));
    terminal::remark(
        "The master key is not part of a backup; keep it elsewhere, nothing can be read without it.",
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(args: RestoreArgs) -> Result<ExitCode, CommandError> {
    if access::load(None, &Layers::default())?.database.is_some() {
        return Err(CommandError::RestoreOfDatabase);
    }
    let (source, target) = (args.from.clone(), args.data_dir.clone());
    let manifest = with_progress(move |progress| storage::restore(&source, &target, progress)).await?;
    let target = args.data_dir.display();
    terminal::answer(&format!("{} restored into {target}, verified", size(&manifest)));
    terminal::remark(&format!(
        "Start it with the master key it was written with: copy master.key into {target}, or set PLINTO_MASTER_KEY.\n\
         platform.key was not part of the backup: copy it as well, or make one with `plinto keys platform`."
    ));
    Ok(ExitCode::SUCCESS)
}

/// Runs blocking work on a thread of its own, with a bar per phase.
async fn with_progress<F>(work: F) -> Result<Manifest, CommandError>
where
    F: FnOnce(&mut dyn FnMut(Progress)) -> Result<Manifest, BackupError> + Send + 'static,
{
    let job = move || {
        let bar = terminal::progress("starting");
        let done = work(&mut |progress| show(&bar, progress));
        bar.finish_and_clear();
        done
    };
    Ok(tokio::task::spawn_blocking(job).await.map_err(|_| CommandError::Interrupted)??)
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(match progress.phase {
        Phase::Copying => "copying",
        Phase::Verifying => "verifying",
    });
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}

fn size(manifest: &Manifest) -> String {
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    format!("{} databases ({})", manifest.files.len(), indicatif::HumanBytes(bytes))
}

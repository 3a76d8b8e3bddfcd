//! `plinto user import`: a file in parts. The instance remembers how far it came, and the file is known again by its
//! SHA-256, so the same command goes on with what was interrupted, from whatever machine.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::super::access::with_instance;
use crate::cli::InstanceArgs;
use crate::client::{Client, ClientError, UserImport};
use crate::commands::CommandError;
use crate::private_file::FileError;
use crate::terminal;

/// Lines and bytes of a part.
const LINES: u64 = 2_000;
/// Lines of a dry run are compared with each other within a part only.
const LINES_OF_A_DRY_RUN: u64 = 10_000;
const BYTES: usize = 8 * 1024 * 1024;
/// How often a part is tried that fails for reasons that pass.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// What is asked for.
pub(super) struct Wish<'w> {
    pub(super) tenant: &'w str,
    pub(super) file: &'w Path,
    pub(super) dry_run: bool,
    pub(super) skip_existing: bool,
}

impl Wish<'_> {
    fn on_conflict(&self) -> &'static str {
        if self.skip_existing { "skip" } else { "fail" }
    }

    fn unreadable(&self, source: io::Error) -> FileError {
        FileError::new("read", self.file, source)
    }

    fn open(&self) -> Result<BufReader<File>, FileError> {
        File::open(self.file).map(BufReader::new).map_err(|source| self.unreadable(source))
    }
}

pub(super) async fn run(wish: &Wish<'_>, instance: &InstanceArgs) -> Result<ExitCode, CommandError> {
    let (source, total) = look_through(wish)?;
    let import = with_instance(instance, async |client| {
        let tenant = client.find_tenant(wish.tenant).await?.slug;
        let import = find_or_begin(client, &tenant, wish, &source).await?;
        let bar = terminal::progress(if wish.dry_run { "checking" } else { "importing" });
        bar.set_length(total);
        let sent = send_all(client, &tenant, wish, import, &bar).await;
        bar.finish_and_clear();
        let import = client.complete_import(&tenant, &sent?.id).await?;
        report_errors(client, &tenant, &import).await?;
        Ok(import)
    })
    .await?;
    let UserImport { lines, imported, skipped, failed, .. } = import;
    let done = if wish.dry_run { "can be imported" } else { "imported" };
    terminal::answer(&format!(
        "{lines} lines: {imported} {done}, {skipped} passed over, {failed} with errors"
    ));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// By what the file is known again, and how many lines it has.
fn look_through(wish: &Wish<'_>) -> Result<(String, u64), CommandError> {
    let mut file = wish.open()?;
    let (mut hash, mut lines, mut last) = (Sha256::new(), 0, b'\n');
    let mut piece = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut piece).map_err(|source| wish.unreadable(source))?;
        let Some(end) = piece[..read].last() else { break };
        last = *end;
        hash.update(&piece[..read]);
        lines += piece[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    Ok((format!("sha256:{}", hex::encode(hash.finalize())), lines + u64::from(last != b'\n')))
}

async fn find_or_begin(
    client: &Client,
    tenant: &str,
    wish: &Wish<'_>,
    source: &str,
) -> Result<UserImport, ClientError> {
    let mut found = None;
    let is_it = |import: &UserImport| {
        import.state == "open"
            && import.source.as_deref() == Some(source)
            && (import.dry_run, import.on_conflict.as_str()) == (wish.dry_run, wish.on_conflict())
    };
    client
        .imports(tenant, |import| {
            found = Some(import).filter(is_it);
            found.is_some()
        })
        .await?;
    match found {
        Some(import) => {
            terminal::remark(&format!("going on behind line {}", import.lines));
            Ok(import)
        }
        None => client.begin_import(tenant, source, wish.dry_run, wish.on_conflict()).await,
    }
}

async fn send_all(
    client: &Client,
    tenant: &str,
    wish: &Wish<'_>,
    mut import: UserImport,
    bar: &ProgressBar,
) -> Result<UserImport, CommandError> {
    let most = if wish.dry_run { LINES_OF_A_DRY_RUN } else { LINES };
    let mut file = wish.open()?;
    let mut passed = 0;
    let mut line = Vec::new();
    while passed < import.lines && next_line(&mut file, &mut line, wish)? {
        passed += 1;
    }
    loop {
        bar.set_position(passed);
        let (mut part, mut lines) = (Vec::new(), 0);
        while lines < most && part.len() < BYTES && next_line(&mut file, &mut line, wish)? {
            part.append(&mut line);
            lines += 1;
        }
        if lines == 0 {
            return Ok(import);
        }
        import = send_part(client, tenant, &import, (passed + 1, part)).await?;
        passed += lines;
    }
}

/// The next line with its end.
fn next_line(file: &mut BufReader<File>, line: &mut Vec<u8>, wish: &Wish<'_>) -> Result<bool, CommandError> {
    line.clear();
    Ok(file.read_until(b'\n', line).map_err(|source| wish.unreadable(source))? > 0)
}

/// A part that was stored before its answer was lost is passed over when it comes again.
async fn send_part(
    client: &Client,
    tenant: &str,
    import: &UserImport,
    (first, part): (u64, Vec<u8>),
) -> Result<UserImport, ClientError> {
    let mut tries = 1;
    loop {
        match client.send_lines(tenant, &import.id, first, part.clone()).await {
            Err(error) if tries < TRIES && passes(&error) => {
                tokio::time::sleep(PAUSE * tries).await;
                tries += 1;
            }
            done => return done,
        }
    }
}

/// Whether an error is one that passes.
fn passes(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused { status, code, .. } => {
            matches!(status, 408 | 429 | 503) || code == "import_busy"
        }
        _ => false,
    }
}

async fn report_errors(client: &Client, tenant: &str, import: &UserImport) -> Result<(), ClientError> {
    if import.failed == 0 {
        return Ok(());
    }
    client
        .import_errors(tenant, &import.id, |error| {
            terminal::answer(&format!(
                "line {}: {}: {} ({})",
                error.line, error.field, error.detail, error.code
            ));
        })
        .await
}

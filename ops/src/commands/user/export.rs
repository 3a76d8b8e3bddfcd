//! `plinto user export`

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use reqwest::Response;

use super::super::access::with_instance;
use crate::cli::InstanceArgs;
use crate::client::ClientError;
use crate::commands::CommandError;
use crate::private_file::FileError;
use crate::terminal;

pub(super) async fn run(
    tenant: &str,
    output: Option<&Path>,
    password_hashes: bool,
    instance: &InstanceArgs,
) -> Result<ExitCode, CommandError> {
    // Before anything is asked for: an export is on record.
    let file = output.map(create).transpose()?;
    let users = with_instance(instance, async |client| {
        let tenant = client.find_tenant(tenant).await?.slug;
        let lines = client.export_users(&tenant, password_hashes).await?;
        match (output, file) {
            (Some(path), Some(file)) => {
                let written = copy(lines, &file).await;
                let written = written.and_then(|users| Ok(file.sync_all().map(|()| users)?));
                written.map_err(|error| error.at(path))
            }
            _ => copy(lines, io::stdout().lock()).await.map_err(Broken::at_terminal),
        }
    })
    .await;
    if let (Err(_), Some(path)) = (&users, output) {
        // A part of an export must not pass for the whole.
        std::fs::remove_file(path).map_err(|source| FileError::new("remove", path, source))?;
    }
    terminal::remark(&format!("{} users", users?));
    Ok(ExitCode::SUCCESS)
}

/// A new file that only its owner may read.
fn create(path: &Path) -> Result<File, FileError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|source| FileError::new("create", path, source))
}

/// Why an export was not written to its end.
enum Broken {
    Reading(ClientError),
    Writing(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Writing(error)
    }
}

impl Broken {
    fn at(self, path: &Path) -> CommandError {
        match self {
            Self::Reading(error) => error.into(),
            Self::Writing(source) => FileError::new("write", path, source).into(),
        }
    }

    fn at_terminal(self) -> CommandError {
        match self {
            Self::Reading(error) => error.into(),
            Self::Writing(error) => error.into(),
        }
    }
}

/// Copies the lines as they come; how many there were.
async fn copy(mut lines: Response, mut out: impl Write) -> Result<u64, Broken> {
    let mut users = 0;
    while let Some(piece) =
        lines.chunk().await.map_err(|error| Broken::Reading(ClientError::broken(error)))?
    {
        out.write_all(&piece)?;
        users += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    out.flush()?;
    Ok(users)
}

//! What this machine has: programs, accounts, free ports, entropy.

use crate::ServerError;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An account to run under instead of root.
#[derive(Clone, Copy)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The one postgres runs under; none when this process is not root, and runs it as itself.
    pub(crate) fn for_postgres() -> Result<Option<Self>, ServerError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let id = |flag| {
            let said = Command::new("id").args([flag, "postgres"]).output().ok()?;
            String::from_utf8(said.stdout).ok()?.trim().parse().ok()
        };
        match (id("-u"), id("-g")) {
            (Some(uid), Some(gid)) => Ok(Some(Self { uid, gid })),
            _ => Err(ServerError::NoAccount),
        }
    }
}

/// A command with nothing of our environment but the search path, under the account if there is one.
pub(crate) fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = match account {
        None => Command::new(program),
        Some(Account { uid, gid }) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={uid}"))
                .arg(format!("--regid={gid}"))
                .arg("--clear-groups")
                .arg(program);
            command
        }
    };
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a command to its end and gives what it wrote.
pub(crate) fn run(mut command: Command, program: &str) -> Result<String, ServerError> {
    let failed = |source| ServerError::Run { program: program.to_owned(), source };
    let done = command.stdin(std::process::Stdio::null()).output().map_err(failed)?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(said);
    }
    let said = format!("{said}{}", String::from_utf8_lossy(&done.stderr)).trim().to_owned();
    Err(ServerError::Failed { program: program.to_owned(), said })
}

/// Looks in the search path, then where Debian keeps servers.
pub(crate) fn program(name: &'static str, package: &'static str) -> Result<PathBuf, ServerError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.ok_or(ServerError::Missing { program: name, package })
}

/// The folder with postgres, initdb and psql: the newest Debian has, or the one in the search path.
pub(crate) fn postgres_folder() -> Result<PathBuf, ServerError> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbered =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let installed = numbered.map(|(version, path)| (version, path.join("bin")));
    let newest =
        installed.filter(|(_, bin)| bin.join("postgres").is_file()).max_by_key(|(version, _)| *version);
    match newest {
        Some((version, _)) if version < 15 => Err(ServerError::TooOld { found: version }),
        Some((_, bin)) => Ok(bin),
        None => {
            let file = program("postgres", "postgresql")?;
            // A link in /usr/bin points to where the others are.
            let real = file.canonicalize().map_err(|source| ServerError::File { path: file, source })?;
            Ok(real.parent().expect("a file has a parent").to_owned())
        }
    }
}

/// Random bytes.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], ServerError> {
    let path = PathBuf::from("/dev/urandom");
    let mut bytes = [0; N];
    let read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|source| ServerError::File { path, source })?;
    Ok(bytes)
}

/// Random lowercase hexadecimal text, for names and passwords.
pub(crate) fn random_text() -> Result<String, ServerError> {
    Ok(entropy::<12>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A port that is free now. It lies below what Linux gives to outgoing connections, so that it is likely to be free
/// again when a stopped server comes back to it.
pub(crate) fn free_port() -> Result<u16, ServerError> {
    for _ in 0..200 {
        let port = 10_000 + u16::from_le_bytes(entropy::<2>()?) % 22_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(ServerError::NoPort)
}

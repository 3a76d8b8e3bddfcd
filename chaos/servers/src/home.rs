use crate::ServerError;
use crate::machine::{Account, random_text};
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Waits for the end of its input, which comes when the process that started it ends, however it ends. Then it stops
/// the server named in the file `pid`, by force if need be, and removes the directory. A dead process whose parent does
/// not collect it counts as ended.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
read -r _
alive() { grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status" 2>/dev/null; }
pid=$(cat "$1/pid" 2>/dev/null)
if [ -n "$pid" ] && alive; then
    children=$(cat /proc/"$pid"/task/*/children 2>/dev/null)
    kill -"$2" "$pid"
    kill -CONT "$pid" $children
    left=160
    while alive && [ "$left" -gt 0 ]; do sleep 0.05; left=$((left - 1)); done
    if alive; then kill -9 "$pid" $children; fi
fi
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"#;

/// A temporary directory with its watchdog.
pub(crate) struct Home {
    path: PathBuf,
    account: Option<Account>,
    watchdog: Child,
}

impl Home {
    /// `farewell` is the signal the watchdog stops the server with.
    pub(crate) fn new(server: &str, account: Option<Account>, farewell: &str) -> Result<Self, ServerError> {
        let path = std::env::temp_dir().join(format!("plinto-{server}-{}", random_text()?));
        let failed = |source| ServerError::File { path: path.clone(), source };
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
        if let Some(Account { uid, gid }) = account {
            chown(&path, Some(uid), Some(gid)).map_err(failed)?;
        }
        let mut command = Command::new("sh");
        command.args(["-c", WATCHDOG, "plinto-watchdog"]).arg(&path).arg(farewell);
        // Its own group: an interrupt at the terminal must not take the watchdog before it has done its work.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let failed = |source| ServerError::Run { program: "sh".to_owned(), source };
        let watchdog = command.spawn().map_err(failed)?;
        Ok(Self { path, account, watchdog })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn account(&self) -> Option<Account> {
        self.account
    }

    /// Writes a file only the server may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, ServerError> {
        let path = self.file(name);
        let failed = |source| ServerError::File { path: path.clone(), source };
        let mut options = fs::OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&path).map_err(failed)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
        if let Some(Account { uid, gid }) = self.account {
            chown(&path, Some(uid), Some(gid)).map_err(failed)?;
        }
        Ok(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // It ends by itself; waiting only makes sure that everything is gone when this returns.
        let _ended = self.watchdog.wait();
    }
}

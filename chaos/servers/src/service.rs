use crate::ServerError;
use crate::home::Home;
use crate::machine::command;
use crate::wait::{PATIENCE, until};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Makes itself known to the watchdog before it becomes the server.
const ENTER: &str = r#"echo $$ >"$0/pid" && exec "$@""#;

/// A server in its home, which can be stopped and started again.
pub(crate) struct Service {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<OsString>,
    farewell: Signal,
    // The order of fields matters: the child is ended before the home goes.
    child: Mutex<Option<Child>>,
    home: Home,
}

impl Service {
    /// Nothing runs yet. `farewell` is the signal for an orderly end that keeps the data.
    pub(crate) fn new(
        name: &'static str,
        home: Home,
        program: PathBuf,
        arguments: Vec<OsString>,
        farewell: Signal,
    ) -> Self {
        Self { name, program, arguments, farewell, child: Mutex::new(None), home }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        // A test that panicked while it held the lock left a child that is still ours.
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it and waits until it is ready. Nothing happens when it runs.
    pub(crate) fn start(&self, mut ready: impl FnMut() -> bool) -> Result<(), ServerError> {
        let mut child = self.child();
        if child.is_some() {
            return Ok(());
        }
        let mut running = self.spawn()?;
        let outcome = until(PATIENCE, || match running.try_wait() {
            Ok(None) if ready() => Some(true),
            Ok(None) => None,
            _ => Some(false),
        });
        let what = match outcome {
            Some(true) => {
                *child = Some(running);
                return Ok(());
            }
            Some(false) => "ended at its start",
            None => "does not answer",
        };
        end(&mut running, &[]);
        Err(ServerError::NotReady { server: self.name, what, log: self.log() })
    }

    fn spawn(&self) -> Result<Child, ServerError> {
        let path = self.home.file("log");
        let failed = |source| ServerError::File { path: path.clone(), source };
        let log = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        let inner = command(&self.program, self.home.account());
        let mut outer = command(Path::new("/bin/sh"), None);
        outer.args(["-c", ENTER]).arg(self.home.path()).arg(inner.get_program()).args(inner.get_args());
        outer.args(&self.arguments).current_dir(self.home.path()).process_group(0);
        let spawned = outer.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        spawned.map_err(|source| ServerError::Run { program: self.name.to_owned(), source })
    }

    /// Asks it to end and waits; by force when it does not. Its data stays.
    pub(crate) fn stop(&self) {
        let mut slot = self.child();
        let Some(mut child) = slot.take() else { return };
        let family = family(&child);
        // To the server only: to a child of PostgreSQL the same signal means something else.
        signal(&family[..1], self.farewell);
        signal(&family, Signal::CONT);
        let ended = until(PATIENCE, || child.try_wait().ok().flatten());
        if ended.is_none() {
            end(&mut child, &family);
        }
        self.forget();
    }

    /// Ends it and all its processes at once, as a power cut would.
    pub(crate) fn kill(&self) {
        let mut slot = self.child();
        let Some(mut child) = slot.take() else { return };
        // Stopped first, it cannot have new children while the old ones are counted.
        signal(&family(&child)[..1], Signal::STOP);
        let family = family(&child);
        end(&mut child, &family);
        self.forget();
    }

    /// Freezes it and all its processes: connections stay open and nothing answers.
    pub(crate) fn pause(&self) {
        if let Some(child) = self.child().as_ref() {
            signal(&family(child)[..1], Signal::STOP);
            signal(&family(child), Signal::STOP);
        }
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        if let Some(child) = self.child().as_ref() {
            signal(&family(child), Signal::CONT);
        }
    }

    /// The end of its log.
    pub(crate) fn log(&self) -> String {
        let text = fs::read(self.home.file("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// The number may soon be another process's.
    fn forget(&self) {
        // Missing is what is wanted.
        let _gone = fs::remove_file(self.home.file("pid"));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let mut slot = self.child();
        if let Some(mut child) = slot.take() {
            // PostgreSQL takes this as the order to end at once, and still gives its shared memory back.
            let family = family(&child);
            signal(&family[..1], if self.farewell == Signal::INT { Signal::QUIT } else { Signal::KILL });
            signal(&family, Signal::CONT);
            let ended = until(Duration::from_secs(8), || child.try_wait().ok().flatten());
            if ended.is_none() {
                end(&mut child, &family);
            }
            self.forget();
        }
    }
}

/// The server first, then its children. PostgreSQL gives each child a process group of its own, so groups do not help.
fn family(child: &Child) -> Vec<Pid> {
    let id = child.id();
    let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<i32> = lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect();
    let own = i32::try_from(id).into_iter();
    own.chain(children).filter_map(Pid::from_raw).collect()
}

fn signal(family: &[Pid], signal: Signal) {
    for pid in family {
        // One that ended meanwhile needs no signal.
        let _gone = kill_process(*pid, signal);
    }
}

fn end(child: &mut Child, family: &[Pid]) {
    signal(family, Signal::KILL);
    let _gone = child.kill();
    let _collected = child.wait();
}

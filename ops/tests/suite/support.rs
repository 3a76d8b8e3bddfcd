//! Runs the binary: once to its end, or as a server that is stopped when the test ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

/// A master key for tests.
pub(crate) const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// The last line a server prints when it is ready.
const READY: [&str; 2] = ["Watch the supervision tree", "plinto "];

/// The binary, with nothing of the caller's environment that it would read.
pub(crate) fn plinto() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plinto"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PLINTO_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// What a run to the end said.
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("plinto speaks UTF-8");
        Self { status: output.status, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Its output, if it succeeded.
    pub(crate) fn good(self) -> String {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.out, self.err);
        self.out
    }

    /// What it said, if it failed with this code.
    pub(crate) fn bad(self, code: i32) -> String {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.out, self.err);
        format!("{}{}", self.out, self.err)
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Said {
    Said::of(command.output().expect("the binary runs"))
}

/// Runs a command to its end, with a text on standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Said {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    // A command that refuses before it reads has closed its end.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    Said::of(child.wait_with_output().expect("it ends"))
}

/// A data directory that is removed in the end.
pub(crate) struct Data {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Data {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("data");
        Self { _folder: folder, path }
    }

    /// A path beside the data directory.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    /// `plinto <words> --data-dir <this>`
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = plinto();
        command.args(words).arg("--data-dir").arg(&self.path);
        command
    }

    /// Starts `plinto dev` on free ports.
    pub(crate) fn dev(&self) -> Server {
        Server::start(&mut self.command(&["dev", "--base-port", "0", "--log", "warn"]), &self.path)
    }

    /// `plinto serve` on free ports with the master key for tests.
    pub(crate) fn serve_command(&self) -> Command {
        let mut command = self.command(&["serve", "--log", "warn"]);
        for service in ["core", "auth", "mock", "webhooks"] {
            command.args(["--listen", &format!("{service}=127.0.0.1:0")]);
        }
        command.env("PLINTO_MASTER_KEY", MASTER_KEY);
        command
    }

    /// Starts it.
    pub(crate) fn serve(&self) -> Server {
        Server::start(&mut self.serve_command(), &self.path)
    }

    /// A data directory as `plinto dev` leaves it.
    pub(crate) fn seeded() -> Self {
        let data = Self::new();
        assert!(data.dev().stop().success());
        data
    }

    /// Where the tenant's database is.
    pub(crate) fn tenant_file(&self, slug: &str) -> PathBuf {
        let listed = run(&mut self.command(&["tenant", "list", "--json"])).good();
        let tenants: Value = serde_json::from_str(&listed).expect("JSON");
        let tenants = tenants.as_array().expect("a list");
        let tenant = tenants.iter().find(|tenant| tenant["slug"] == slug).expect("the tenant exists");
        let hex = tenant["id"].as_str().and_then(|id| id.strip_prefix("ten_")).expect("an id");
        let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        self.path.join("tenants").join(format!("{a}-{b}-{c}-{d}-{e}.db"))
    }

    pub(crate) fn platform_key(&self) -> String {
        std::fs::read_to_string(self.path.join("platform.key")).expect("a platform key").trim().to_owned()
    }
}

/// A running server; killed if the test ends without stopping it.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
    /// What it printed until it was ready.
    pub(crate) banner: String,
    info: Value,
}

impl Server {
    /// Starts a server and waits until it says that it is ready.
    pub(crate) fn start(command: &mut Command, data_dir: &Path) -> Self {
        let log = data_dir.with_file_name("server.log");
        let file = File::options().create(true).append(true).open(&log).expect("a log");
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().expect("the binary runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut banner = String::new();
        loop {
            let mut line = String::new();
            let read = stdout.read_line(&mut line).expect("UTF-8");
            assert!(read > 0, "{:?} before it was ready:\n{}", child.wait(), read_log(&log));
            banner.push_str(&line);
            if READY.iter().any(|ready| line.starts_with(ready)) {
                break;
            }
        }
        let info = std::fs::read(data_dir.join("run.json")).expect("run.json while it runs");
        let info = serde_json::from_slice(&info).expect("JSON");
        Self { child, stdout, log, banner, info }
    }

    pub(crate) fn address(&self, service: &str) -> Option<SocketAddr> {
        self.info["listeners"][service].as_str().map(|address| address.parse().expect("an address"))
    }

    pub(crate) fn url(&self, service: &str) -> String {
        format!("http://{}", self.address(service).expect("the service runs"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        read_log(&self.log)
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.pid())]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// Asks it to stop and waits for the end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("UTF-8");
        self.child.wait().expect("it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails when it was stopped in order, which is the good case.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read_log(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a log")
}

/// Posts JSON to a running server: status and answer.
pub(crate) fn post(url: &str, key: &str, body: &Value) -> (u16, Value) {
    call(|client| client.post(url).bearer_auth(key).json(body))
}

/// Posts without a body to a running server: status.
pub(crate) fn post_nothing(url: &str, key: &str) -> u16 {
    call(|client| client.post(url).bearer_auth(key)).0
}

/// Posts a form to a running server: status and answer.
pub(crate) fn post_form(url: &str, key: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    call(|client| client.post(url).bearer_auth(key).form(fields))
}

/// Asks a running server: status and answer.
pub(crate) fn get(url: &str, key: &str) -> (u16, Value) {
    call(|client| client.get(url).bearer_auth(key))
}

fn call(request: impl FnOnce(&Client) -> RequestBuilder) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = Client::builder().no_proxy().build().expect("a client");
        let answer = request(&client).send().await.expect("an answer");
        let status = answer.status().as_u16();
        // Metrics and empty answers are no JSON.
        (status, answer.json().await.unwrap_or(Value::Null))
    })
}

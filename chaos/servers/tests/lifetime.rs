//! Servers end with the process that started them, even if it is killed.

use plinto_servers::{PgBouncer, PostgresConfig, PostgresServer, RedisServer};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

const REPORT: &str = "PLINTO_SERVERS_REPORT";

/// Not a test of its own: [`servers_end_with_a_killed_process`] runs it in a process and kills that.
#[test]
#[ignore = "the other test runs it in a process of its own"]
fn starts_servers_and_waits() {
    let Some(report) = std::env::var_os(REPORT) else { return };
    let temporary = fs::read_dir(std::env::temp_dir()).unwrap().count();
    let postgres = PostgresServer::start(PostgresConfig::default()).unwrap();
    let bouncer = PgBouncer::start(&postgres, &postgres.database()).unwrap();
    let redis = RedisServer::start().unwrap();
    let bouncer = bouncer_port(bouncer.url());
    assert!(fs::read_dir(std::env::temp_dir()).unwrap().count() > temporary);
    let text = format!("{} {bouncer} {}", postgres.port(), redis.port());
    let draft = Path::new(&report).with_extension("draft");
    fs::write(&draft, text).unwrap();
    fs::rename(draft, report).unwrap();
    pause(Duration::from_secs(120));
}

fn bouncer_port(url: &str) -> String {
    let (_, rest) = url.rsplit_once(':').expect("a URL with a port");
    rest.split('/').next().expect("a port").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "nothing here is asynchronous")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_500 {
        if holds() {
            return;
        }
        pause(Duration::from_millis(20));
    }
    panic!("{what}");
}

fn homes_of(child: &Child) -> Vec<String> {
    // The watchdogs are its children, and their last arguments name the directory and the signal.
    let list = fs::read_dir("/proc").expect("a Linux").flatten();
    let parent = format!("PPid:\t{}\n", child.id());
    let ours = list.filter(|entry| {
        fs::read_to_string(entry.path().join("status")).is_ok_and(|status| status.contains(&parent))
    });
    let lines = ours.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines
        .filter_map(|line| line.split('\0').find(|word| Path::new(word).is_dir()).map(ToOwned::to_owned))
        .collect()
}

#[test]
fn servers_end_with_a_killed_process() {
    let report = std::env::temp_dir().join(format!("plinto-lifetime-{}", std::process::id()));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "starts_servers_and_waits", "--ignored"]).env(REPORT, &report);
    let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    eventually("the servers start", || report.exists());
    let ports = fs::read_to_string(&report).unwrap();
    fs::remove_file(&report).unwrap();
    let ports: Vec<u16> = ports.split(' ').map(|port| port.parse().unwrap()).collect();
    let answers = |port: &u16| TcpStream::connect(("127.0.0.1", *port)).is_ok();
    assert!(ports.iter().all(answers), "{ports:?}");
    let homes = homes_of(&child);
    assert!(homes.len() >= 3, "{homes:?}");

    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the servers end", || !ports.iter().any(answers));
    eventually("their directories go", || !homes.iter().any(|home| Path::new(home).exists()));
}

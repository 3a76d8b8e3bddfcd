//! A Redis that is not there, hangs, refuses, loses its data, or is asked for by the wrong name.

mod catching_up;
mod outages;
mod presence;
mod refusals;
mod secrets;

use plinto_cluster::{Cluster, RedisOptions, RedisShared, conformance};
use plinto_servers::RedisServer;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const PREFIX: &str = "test:";

fn options(url: &str) -> RedisOptions {
    let mut options = RedisOptions::new(vec![url.parse().expect("a URL")]);
    options.prefix = PREFIX.to_owned();
    options
}

async fn join(url: &str, number: u128) -> RedisShared {
    RedisShared::connect(options(url), conformance::node(number)).await.expect("options that can be used")
}

async fn until_reachable(node: &dyn Cluster, wanted: bool) {
    let what = if wanted { "redis is found again" } else { "redis is missed" };
    conformance::eventually(what, async || node.is_reachable() == wanted).await;
}

/// Runs commands as one step, and cuts the connections of everybody else in the same step.
fn cut_and(server: &RedisServer, commands: &[&str]) {
    at_once(server, &[&["CLIENT KILL SKIPME yes"], commands].concat());
}

/// Runs commands as one step.
fn at_once(server: &RedisServer, commands: &[&str]) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let text = format!("MULTI\r\n{}\r\nEXEC\r\nQUIT\r\n", commands.join("\r\n"));
    stream.write_all(text.as_bytes()).expect("it reads");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("it answers");
    assert!(!said.contains("-ERR") && said.contains("QUEUED"), "{said}");
}

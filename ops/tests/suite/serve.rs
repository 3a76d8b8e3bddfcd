//! `plinto serve` and `plinto healthcheck`

use std::io::{Read, Write};
use std::net::TcpStream;

use super::support::{Data, MASTER_KEY, Server, get, plinto, run};

#[test]
fn it_serves_stops_in_order_and_serves_again() {
    let data = Data::new();
    for _ in 0..2 {
        let server = data.serve();
        let said = run(&mut data.command(&["healthcheck"])).good();
        for service in ["core", "auth", "mock", "webhooks"] {
            assert!(said.contains(&format!("{service}: ready")), "{said}");
        }
        assert!(server.stop().success());
    }
    let said = run(&mut data.command(&["healthcheck"])).bad(1);
    assert!(said.contains("nothing runs on"), "{said}");
}

#[test]
fn only_the_wanted_services_run() {
    let data = Data::new();
    let mut command = data.serve_command();
    command.args(["--services", "core,auth"]);
    let server = Server::start(&mut command, &data.path);
    assert!(server.address("core").is_some() && server.address("auth").is_some());
    assert!(server.address("mock").is_none() && server.address("webhooks").is_none());
    let url = server.url("core");
    run(plinto().args(["healthcheck", "--url", &url])).good();
    assert!(server.stop().success());
    let said = run(plinto().args(["healthcheck", "--url", &url])).bad(1);
    assert!(said.contains("does not answer"), "{said}");
}

#[test]
fn metrics_need_a_key_and_limits_come_from_the_environment() {
    let data = Data::new();
    let mut command = data.serve_command();
    command.env("PLINTO_LIMITS__TENANT_PER_SECOND", "7").env("PLINTO_LIMITS__TENANT_BURST", "7");
    let server = Server::start(&mut command, &data.path);
    run(&mut data.command(&["tenant", "create", "acme"])).good();
    assert_eq!(get(&format!("{}/metrics", server.url("core")), "").0, 401);
    assert_eq!(get(&format!("{}/t/acme/.well-known/jwks.json", server.url("core")), "").0, 200);
    let tree = run(&mut data.command(&["tree", "--once"])).good();
    assert!(tree.contains("7/7 free"), "{tree}");
}

#[test]
fn a_killed_process_leaves_nothing_that_hinders_the_next() {
    let data = Data::new();
    drop(data.serve());
    assert!(data.path.join("run.json").exists(), "it was killed");
    let mut list = data.command(&["tenant", "list"]);
    run(list.env("PLINTO_MASTER_KEY", MASTER_KEY)).good();
    assert!(data.serve().stop().success());
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let data = Data::new();
    let said = run(data.serve_command().args(["--listen", &format!("auth={address}")])).bad(1);
    assert!(said.contains(&address.to_string()) && said.contains("free the port"), "{said}");
}

/// A request whose body never comes: it is in flight until somebody gives up.
fn hang(server: &Server, data: &Data) -> TcpStream {
    let data_key = data.platform_key();
    let mut stream = TcpStream::connect(server.address("core").expect("core runs")).expect("connected");
    let head =
        "POST /v1/tenants HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n";
    let key = format!("Authorization: Bearer {}\r\nExpect: 100-continue\r\n\r\n", data_key);
    stream.write_all(format!("{head}{key}").as_bytes()).expect("sent");
    let mut go_on = [0; 21];
    stream.read_exact(&mut go_on).expect("the handler waits for the body");
    assert!(go_on.starts_with(b"HTTP/1.1 100"));
    stream
}

#[test]
fn requests_in_flight_are_cut_when_their_time_is_over() {
    let data = Data::new();
    let mut command = data.serve_command();
    command.env("PLINTO_SHUTDOWN__SOFT_SECONDS", "0").env("PLINTO_SHUTDOWN__HARD_SECONDS", "5");
    let mut server = Server::start(&mut command, &data.path);
    let _hanging = hang(&server, &data);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    assert!(server.log().contains("some requests were cut"), "{}", server.log());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let data = Data::new();
    let mut command = data.serve_command();
    command.env("PLINTO_SHUTDOWN__SOFT_SECONDS", "3600").env("PLINTO_SHUTDOWN__HARD_SECONDS", "3600");
    command.env("PLINTO_HTTP__REQUEST_MILLIS", "3600000");
    let mut server = Server::start(&mut command, &data.path);
    let _hanging = hang(&server, &data);
    server.terminate();
    // Signals of a kind that wait to be delivered are one: the second must come after the first was seen.
    while !server.log().contains("finishing what was begun") {
        std::thread::yield_now();
    }
    server.terminate();
    assert_eq!(server.wait().code(), Some(130));
    assert!(server.log().contains("exiting at once"), "{}", server.log());
    assert!(data.serve().stop().success(), "the next start finds everything in order");
}

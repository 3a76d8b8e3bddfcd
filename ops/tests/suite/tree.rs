//! `plinto tree`

use serde_json::{Value, json};

use super::support::{Data, Server, get, post, run, run_with_input};

fn snapshot(data: &Data) -> Value {
    let text = run(&mut data.command(&["tree", "--json"])).good();
    serde_json::from_str(&text).expect("JSON")
}

fn node(snapshot: &Value, ends_with: &str) -> Value {
    let nodes = snapshot["nodes"].as_array().expect("nodes");
    let found = nodes.iter().find(|node| node["path"].as_str().is_some_and(|path| path.ends_with(ends_with)));
    found.unwrap_or_else(|| panic!("no {ends_with} in {snapshot:#}")).clone()
}

/// Signs a user up and in, and asks who that is: a tenant, its ledger and a session are live afterwards.
fn sign_in(server: &Server) {
    let base = format!("{}/t/demo/v1/auth", server.url("core"));
    let body = json!({ "email": "ada@example.com", "password": "glowing-otter-lifts-pianos" });
    assert_eq!(post(&format!("{base}/sign-up"), "", &body).0, 202);
    let (status, tokens) = post(&format!("{base}/sign-in"), "", &body);
    assert_eq!(status, 200, "{tokens}");
    let access = tokens["access_token"].as_str().expect("a token");
    assert_eq!(get(&format!("{}/v1/users/me", server.url("core")), access).0, 200);
}

#[test]
fn root_listeners_tenants_sessions_and_ledger_are_shown() {
    let data = Data::new();
    let server = data.dev();
    sign_in(&server);
    let tree = run(&mut data.command(&["tree", "--once"])).good();
    for word in
        ["(root)", "listeners", "core", "auth", "tenants", "ten_", "sessions", "ses_", "ledger", "PROCESSED"]
    {
        assert!(tree.contains(word), "{word} is missing:\n{tree}");
    }
    let counted = node(&snapshot(&data), "/ledger")["processed"].as_u64().expect("a number");
    assert!(counted > 0, "{tree}");
    let part = run(&mut data.command(&["tree", "--once", "--prefix", "/listeners"])).good();
    assert!(part.contains("webhooks") && !part.contains("ten_"), "{part}");
    assert!(server.stop().success());
    let said = run(&mut data.command(&["tree", "--once"])).bad(1);
    assert!(said.contains("nothing runs on"), "{said}");
}

#[test]
fn a_killed_actor_restarts_and_its_siblings_do_not_notice() {
    let data = Data::new();
    let mut command = data.command(&["dev", "--base-port", "0", "--fault-injection", "--log", "error"]);
    let server = Server::start(&mut command, &data.path);
    run(&mut data.command(&["tenant", "create", "sibling"])).good();
    let user = ["user", "create", "--tenant", "sibling", "--email", "eve@example.com"];
    run_with_input(&mut data.command(&user), "glowing-otter-lifts-pianos\n").good();
    sign_in(&server);

    let before = snapshot(&data);
    let victim = node(&before, "/ledger")["path"].as_str().expect("a path").to_owned();
    let sibling_paths: Vec<String> = before["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| node["path"].as_str())
        .filter(|path| path.starts_with("/tenants/") && *path != victim)
        .map(ToOwned::to_owned)
        .collect();
    assert!(sibling_paths.len() >= 3, "{before:#}");

    let fault = format!("{}/v1/runtime/fault", server.url("auth"));
    assert_eq!(post(&fault, &data.platform_key(), &json!({ "path": victim })).0, 204);
    let after = wait_for_restart(&data, &victim);
    assert!(after["last_failure"].is_string(), "{after:#}");
    let now = snapshot(&data);
    for path in sibling_paths {
        let (then, now) = (node(&before, &path), node(&now, &path));
        for counter in ["processed", "restarts", "state"] {
            assert_eq!(then[counter], now[counter], "{counter} of {path}");
        }
    }
    let shown = run(&mut data.command(&["tree", "--once"])).good();
    assert!(shown.contains("last failure:"), "{shown}");
    assert!(server.log().contains("panicked") && server.log().contains("injected fault"), "{}", server.log());
    let missing = json!({ "path": "/tenants/nobody" });
    assert_eq!(post(&fault, &data.platform_key(), &missing).0, 404);
}

/// Asks until the actor is live again after its failure; each question is a process, so this does not spin.
fn wait_for_restart(data: &Data, path: &str) -> Value {
    for _ in 0..200 {
        let node = node(&snapshot(data), path);
        if node["restarts"].as_u64() >= Some(1) && node["state"] == "live" {
            return node;
        }
    }
    panic!("{path} did not restart: {:#}", snapshot(data));
}

#[test]
fn without_fault_injection_there_is_no_such_route() {
    let data = Data::new();
    let server = data.dev();
    let fault = format!("{}/v1/runtime/fault", server.url("auth"));
    assert_eq!(post(&fault, &data.platform_key(), &json!({ "path": "/x" })).0, 404);
}

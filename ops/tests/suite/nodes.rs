//! Nodes over PostgreSQL and Redis.

use plinto_cluster::{Cluster as _, NodeId, NodeInfo, RedisOptions, RedisShared};
use serde_json::{Value, json};

use super::shared::{Installation, run_info};
use super::support::{Data, MASTER_KEY, Server, get, plinto, post, post_nothing, run, run_with_input};

const PASSWORD: &str = "glowing-otter-lifts-pianos";

/// Makes a tenant with a service key, as an operator does it on the node of a data directory.
fn tenant(installation: &Installation, data: &Data, slug: &str) -> String {
    run(&mut installation.command_on(data, &["tenant", "create", slug])).good();
    let words = ["service-key", "create", "--tenant", slug, "--name", "orders-api"];
    run(&mut installation.command_on(data, &words)).good().trim().to_owned()
}

/// Signs somebody up and in: the tokens.
fn sign_in(server: &Server, slug: &str) -> Value {
    let base = format!("{}/t/{slug}/v1/auth", server.url("core"));
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(post(&format!("{base}/sign-up"), "", &body).0, 202);
    let (status, tokens) = post(&format!("{base}/sign-in"), "", &body);
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn is_active(server: &Server, service_key: &str, token: &str) -> bool {
    let url = format!("{}/v1/introspect", server.url("auth"));
    let (status, answer) = super::support::post_form(&url, service_key, &[("token", token)]);
    assert_eq!(status, 200, "{answer}");
    answer["active"].as_bool().expect("a flag")
}

/// Asks until the answer is the one that is wanted; each question is a request, so this does not spin.
fn becomes(wanted: bool, mut ask: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if ask() == wanted {
            return;
        }
    }
    panic!("it stayed {}", !wanted);
}

#[test]
fn a_session_lives_on_both_nodes_and_ends_on_both() {
    let installation = Installation::with_redis();
    let (one, two) = (Data::new(), Data::new());
    let first = installation.serve(&one, "node-1");
    let key = tenant(&installation, &one, "acme");
    let second = installation.serve(&two, "node-2");
    assert!(one.path.join("platform.key").exists(), "the first node made the platform key");
    assert!(!two.path.join("platform.key").exists(), "the second found one");

    let tokens = sign_in(&first, "acme");
    let access = text(&tokens, "access_token");
    assert!(is_active(&first, &key, access) && is_active(&second, &key, access));
    let refresh = json!({ "refresh_token": text(&tokens, "refresh_token") });
    let url = format!("{}/t/acme/v1/auth/refresh", second.url("core"));
    let (status, fresh) = post(&url, "", &refresh);
    assert_eq!(status, 200, "{fresh}");
    let access = text(&fresh, "access_token");
    assert!(is_active(&first, &key, access));
    let out = format!("{}/t/acme/v1/auth/sign-out", first.url("core"));
    assert_eq!(post_nothing(&out, access), 204);
    assert!(!is_active(&first, &key, access));
    becomes(false, || is_active(&second, &key, access));

    let verified = run(&mut installation.command_on(&two, &["audit", "verify"])).good();
    assert!(verified.contains("good  platform") && verified.contains("good  acme (ten_"), "{verified}");
    let file = two.beside("acme.jsonl");
    let export = ["audit", "export", "--tenant", "acme"];
    run(installation.command_on(&two, &export).arg("--output").arg(&file)).good();
    run(plinto().args(["audit", "verify", "--file"]).arg(&file)).good();
    for server in [first, second] {
        installation.assert_no_password(&server.log());
        assert!(server.stop().success());
    }
}

#[test]
fn nodes_are_listed_and_each_shows_its_tree() {
    let installation = Installation::with_redis();
    let (one, two) = (Data::new(), Data::new());
    let first = installation.serve(&one, "node-1");
    let second = installation.serve(&two, "node-2");
    let listed = run(&mut installation.command_on(&one, &["node", "list", "--json"])).good();
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let names: Vec<_> = listed.as_array().expect("nodes").iter().map(|node| text(node, "name")).collect();
    assert_eq!(names, ["node-1", "node-2"], "{listed}");
    for (node, server) in listed.as_array().expect("nodes").iter().zip([&first, &second]) {
        assert_eq!(text(&node["urls"], "auth"), server.url("auth"));
    }
    let said = run(&mut installation.command_on(&one, &["node", "list"])).good();
    assert_eq!(said.lines().count(), 2, "{said}");

    // The tenant is used on the second node only, which may put it down once more when it hears that it was made.
    tenant(&installation, &one, "acme");
    let tree = |node: &str| run(&mut installation.command_on(&one, &["tree", "--json", "--node", node]));
    becomes(true, || {
        assert_eq!(get(&format!("{}/t/acme/.well-known/jwks.json", second.url("core")), "").0, 200);
        tree("node-2").good().contains("/tenants/ten_")
    });
    let said = tree("node-3").bad(1);
    assert!(said.contains("there is no node `node-3`") && said.contains("plinto node list"), "{said}");
    assert!(first.stop().success() && second.stop().success());
}

#[test]
fn whoever_can_write_to_redis_does_not_pass_for_a_node() {
    let installation = Installation::with_redis();
    let data = Data::new();
    let server = installation.serve(&data, "node-1");
    let redis = installation.redis.as_ref().expect("there is one");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        // It knows where Redis is, and not the key of the installation.
        let this = NodeInfo {
            id: NodeId(uuid::Uuid::from_u128(1)),
            name: "node-2".to_owned(),
            version: "0.1.0".to_owned(),
            started_at: 0,
            urls: [("auth".to_owned(), "http://127.0.0.1:1".to_owned())].into(),
        };
        let options = RedisOptions::new(vec![redis.url().parse().expect("a URL")]);
        let stranger = RedisShared::connect(options, this).await.expect("it can be used");
        let listed = redis.ask(&["ZCARD", "plinto:{nodes}:seen"]).expect("it answers");
        assert_eq!(listed.trim(), "2", "both entries are there");
        let said = run(&mut installation.command_on(&data, &["node", "list"])).good();
        assert!(said.contains("node-1") && !said.contains("node-2"), "{said}");
        let tree = ["tree", "--json", "--node", "node-2"];
        let said = run(&mut installation.command_on(&data, &tree)).bad(1);
        assert!(said.contains("there is no node `node-2`"), "{said}");
        stranger.close().await;
    });
    assert!(server.log().contains("no node of this installation signed"), "{}", server.log());
    assert!(server.stop().success());
}

#[test]
fn commands_work_with_and_without_a_running_node() {
    let installation = Installation::migrated();
    let data = Data::new();
    // The very first command initializes the platform and keeps its key.
    run(&mut installation.command_on(&data, &["tenant", "create", "acme"])).good();
    let user = ["user", "create", "--tenant", "acme", "--email", "ada@example.com"];
    let mut create = installation.command_on(&data, &user);
    assert!(run_with_input(&mut create, &format!("{PASSWORD}\n")).good().starts_with("usr_"));
    let files: Vec<_> =
        std::fs::read_dir(&data.path).expect("a folder").map(|file| file.expect("a file")).collect();
    assert_eq!(files.len(), 1, "only platform.key: {files:?}");
    let server = installation.serve(&data, "node");
    assert!(run(&mut installation.command_on(&data, &["tenant", "list"])).good().contains("acme"));
    assert!(server.log().contains("no Redis"), "{}", server.log());
    // Beside the running node, because nothing is locked.
    run(&mut installation.command_on(&data, &["keys", "platform"])).good();
    assert_eq!(run_info(&data.path)["pid"], server.pid());
    let said = run(&mut installation.serve_command(&data, "other")).bad(1);
    assert!(said.contains("a data directory of its own"), "{said}");
    assert!(server.stop().success());
    run(&mut installation.command_on(&data, &["tenant", "list"])).good();
}

#[test]
fn a_redis_that_is_away_costs_precision_only() {
    let installation = Installation::migrated();
    let data = Data::new();
    let mut command = installation.serve_command(&data, "node");
    command.env("PLINTO_REDIS_URL", "redis://:hush-hush-hush@127.0.0.1:1/");
    let server = Server::start(&mut command, &data.path);
    let key = tenant(&installation, &data, "acme");
    assert!(is_active(&server, &key, text(&sign_in(&server, "acme"), "access_token")));
    let (_, health) = get(&format!("{}/health/ready", server.url("core")), "");
    assert!(health.to_string().contains("degraded"), "{health}");
    assert!(!server.log().contains("hush-hush-hush"), "{}", server.log());
    assert!(server.stop().success());
}

#[test]
fn a_draining_node_serves_and_says_that_it_is_not_ready() {
    let installation = Installation::migrated();
    let data = Data::new();
    let mut command = installation.serve_command(&data, "node");
    let mut server = Server::start(command.env("PLINTO_SHUTDOWN__DRAIN_SECONDS", "2"), &data.path);
    let ready = format!("{}/health/ready", server.url("core"));
    assert_eq!(get(&ready, "").0, 200);
    server.terminate();
    becomes(true, || get(&ready, "").0 == 503);
    assert_eq!(get(&format!("{}/v1/tenants", server.url("core")), &data.platform_key()).0, 200);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn what_does_not_fit_a_database_is_refused() {
    let installation = Installation::migrated();
    let data = Data::new();
    let said = run(&mut installation.command_on(&data, &["dev", "--base-port", "0"])).bad(1);
    assert!(said.contains("plinto dev") && said.contains("plinto serve"), "{said}");
    let backup = data.beside("backup");
    let said = run(installation.command_on(&data, &["backup"]).arg("--output").arg(&backup)).bad(1);
    assert!(said.contains("pg_dump") && said.contains("master key"), "{said}");
    let said = run(installation.command_on(&data, &["restore"]).arg("--from").arg(&backup)).bad(1);
    assert!(said.contains("pg_restore"), "{said}");
    let embedded = Data::seeded();
    let said = run(&mut installation.serve_command(&embedded, "node")).bad(1);
    assert!(said.contains("holds data of its own") && said.contains("plinto import-embedded"), "{said}");
    let mut other = installation.serve_command(&data, "node");
    assert!(installation.serve(&data, "node").stop().success());
    let said = run(other.env("PLINTO_MASTER_KEY", MASTER_KEY.replace('0', "1"))).bad(1);
    assert!(said.contains("the master key does not belong"), "{said}");
    let mut redis = data.command(&["serve", "--check"]);
    let said = run(redis.env("PLINTO_REDIS_URL", "redis://:hush-hush@localhost")).bad(2);
    assert!(
        said.contains("redis_url") && said.contains("PLINTO_DATABASE_URL") && !said.contains("hush"),
        "{said}"
    );
}

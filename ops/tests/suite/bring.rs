//! `plinto import-embedded` and `plinto move tenant`: out of files into PostgreSQL.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::shared::Installation;
use super::support::{Data, MASTER_KEY, Server, get, post, run};

const PASSWORD: &str = "glowing-otter-lifts-pianos";

/// What a client holds before the move.
struct Client {
    slug: &'static str,
    refresh_token: String,
}

/// An embedded installation that served a few tenants, and what their clients hold.
fn embedded() -> (Data, Vec<Client>) {
    let data = Data::new();
    let server = data.serve();
    let mut clients = Vec::new();
    for slug in ["acme", "beta", "gamma"] {
        run(data.command(&["tenant", "create", slug]).env("PLINTO_MASTER_KEY", MASTER_KEY)).good();
        for person in ["ada", "bob"] {
            let refresh_token = sign_in(&server, slug, person);
            clients.push(Client { slug, refresh_token });
        }
    }
    assert!(server.stop().success());
    (data, clients)
}

fn sign_in(server: &Server, slug: &str, person: &str) -> String {
    let base = format!("{}/t/{slug}/v1/auth", server.url("core"));
    let body = json!({ "email": format!("{person}@example.com"), "password": PASSWORD });
    assert_eq!(post(&format!("{base}/sign-up"), "", &body).0, 202);
    let (status, tokens) = post(&format!("{base}/sign-in"), "", &body);
    assert_eq!(status, 200, "{tokens}");
    tokens["refresh_token"].as_str().expect("a token").to_owned()
}

fn refreshes(server: &Server, client: &Client) {
    let url = format!("{}/t/{}/v1/auth/refresh", server.url("core"), client.slug);
    let (status, tokens) = post(&url, "", &json!({ "refresh_token": client.refresh_token }));
    assert_eq!(status, 200, "{}: {tokens}", client.slug);
    let access = tokens["access_token"].as_str().expect("a token");
    let (status, me) = get(&format!("{}/t/{}/v1/users/me", server.url("core"), client.slug), access);
    assert_eq!(status, 200, "{me}");
}

/// Every database of a data directory, byte for byte.
fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries =
        fs::read_dir(path).expect("a folder").chain(fs::read_dir(path.join("tenants")).expect("a folder"));
    let files = entries.map(|entry| entry.expect("an entry").path());
    let databases = files.filter(|path| path.extension().is_some_and(|extension| extension == "db"));
    databases.map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
}

#[test]
fn a_whole_directory_serves_from_postgres_as_if_nothing_had_happened() {
    let (data, clients) = embedded();
    let before = contents(&data.path);
    let installation = Installation::with_redis();
    let import = || {
        let mut command = installation.command(&["import-embedded", "--from"]);
        command.arg(&data.path);
        command
    };
    let wrong = run(import().env("PLINTO_MASTER_KEY", MASTER_KEY.replace('0', "1"))).bad(1);
    assert!(wrong.contains("the master key does not belong"), "{wrong}");
    let said = run(&mut import()).good();
    assert!(said.contains("3 tenants") && said.contains("verified"), "{said}");
    assert!(contents(&data.path) == before, "the source was changed");
    let again = run(&mut import()).bad(1);
    assert!(again.contains("in use already") && again.contains("plinto move tenant"), "{again}");
    installation.assert_no_password(&again);

    let node = Data::new();
    let verified = run(&mut installation.command_on(&node, &["audit", "verify"])).good();
    assert_eq!(verified.lines().filter(|line| line.starts_with("good")).count(), 4, "{verified}");
    let embedded = run(&mut data.command(&["audit", "verify"])).good();
    assert_eq!(verified, embedded, "the same ledgers with as many entries");

    fs::create_dir_all(&node.path).expect("created");
    fs::copy(data.path.join("platform.key"), node.path.join("platform.key")).expect("copied");
    let server = installation.serve(&node, "node");
    for client in &clients {
        refreshes(&server, client);
    }
    let listed = run(&mut installation.command_on(&node, &["tenant", "list"])).good();
    assert_eq!(listed.lines().count(), 3, "the old platform key opens: {listed}");
    let verified = run(&mut installation.command_on(&node, &["audit", "verify"])).good();
    assert!(!verified.contains("BAD"), "{verified}");
    assert!(server.stop().success());
}

#[test]
fn a_tenant_moves_into_a_running_installation_with_another_master_key() {
    let (data, clients) = embedded();
    let before = contents(&data.path);
    let key = data.beside("old-master.key");
    fs::write(&key, MASTER_KEY).expect("written");
    let installation = Installation::with_redis();
    let other = MASTER_KEY.replace('0', "2");
    let node = Data::new();
    let mut serve = installation.serve_command(&node, "node");
    let server = Server::start(serve.env("PLINTO_MASTER_KEY", &other), &node.path);
    let move_tenant = |slug: &str, with_key: bool| {
        let mut command = installation.command(&["move", "tenant", slug, "--from"]);
        command.arg(&data.path).env("PLINTO_MASTER_KEY", &other);
        if with_key {
            command.arg("--from-master-key-file").arg(&key);
        }
        run(&mut command)
    };
    let wrong = move_tenant("acme", false).bad(1);
    assert!(wrong.contains("--from-master-key-file"), "{wrong}");
    let unknown = move_tenant("nobody", true).bad(1);
    assert!(unknown.contains("no tenant `nobody`"), "{unknown}");

    let said = move_tenant("acme", true);
    let remarks = said.err.clone();
    assert!(said.good().contains("verified") && remarks.contains("plinto tenant delete acme"), "{remarks}");
    assert!(contents(&data.path) == before, "the source was changed");
    for client in clients.iter().filter(|client| client.slug == "acme") {
        refreshes(&server, client);
    }
    let again = move_tenant("acme", true).bad(1);
    assert!(again.contains("already"), "{again}");
    let mut create = installation.command_on(&node, &["tenant", "create", "beta"]);
    run(create.env("PLINTO_MASTER_KEY", &other)).good();
    let taken = move_tenant("beta", true).bad(1);
    assert!(taken.contains("another tenant `beta`"), "{taken}");

    let file = node.beside("platform.jsonl");
    let export = ["audit", "export", "--tenant", "platform"];
    run(installation.command_on(&node, &export).arg("--output").arg(&file)).good();
    let ledger = fs::read_to_string(&file).expect("an export");
    let moved = ledger.lines().find(|line| line.contains("tenant.moved_in"));
    let moved: Value = serde_json::from_str(moved.expect("it is audited")).expect("JSON");
    assert_eq!(moved["actor"], "operator");
    let verified = run(&mut installation.command_on(&node, &["audit", "verify"])).good();
    assert!(verified.contains("good  acme") && !verified.contains("BAD"), "{verified}");
    installation.assert_no_password(&server.log());
    assert!(server.stop().success());
}

#[test]
fn a_source_in_use_or_without_data_is_refused() {
    let data = Data::new();
    let installation = Installation::migrated();
    let import = |path: &Path| run(installation.command(&["import-embedded", "--from"]).arg(path));
    let none = import(&data.path).bad(1);
    assert!(none.contains("holds no platform"), "{none}");
    assert!(!data.path.exists());
    let server = data.serve();
    let busy = import(&data.path).bad(1);
    assert!(busy.contains("is in use by process"), "{busy}");
    assert!(server.stop().success());
}

//! Many users at once: imported in parts, exported, imported again.

use crate::app::{Answer, PASSWORD, TestApp, request};
use crate::backend::Place;
use axum::body::{Body, Bytes};
use axum::http::header;
use http_body_util::BodyExt;
use plinto_http::{HttpConfig, ListenerName, routes};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

const NDJSON: &str = "application/x-ndjson";
/// Of the password "U*U", from the suite of crypt_blowfish.
const BCRYPT: &str = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

impl TestApp {
    async fn begin_import(&self, body: Value) -> String {
        let begun = self.manage("POST", "/v1/users/imports", Some(body)).await.expect(201);
        let id = begun.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(begun.headers[header::LOCATION], format!("/v1/users/imports/{id}"));
        id
    }

    async fn send_body(&self, import: &str, first: u64, body: Body) -> Answer {
        let path = format!("/t/demo/v1/users/imports/{import}/lines/{first}");
        let mut sent = request("PUT", &path, Some(&self.platform_key), None);
        sent.headers_mut().insert(header::CONTENT_TYPE, NDJSON.parse().unwrap());
        *sent.body_mut() = body;
        self.send(ListenerName::Core, sent).await
    }

    async fn send_lines(&self, import: &str, first: u64, lines: &[Value]) -> Answer {
        self.send_body(import, first, text(lines).into()).await
    }

    /// An import of these lines, as it is when it has ended.
    pub(crate) async fn import_of(&self, lines: &[Value]) -> Value {
        let import = self.begin_import(json!({})).await;
        self.send_lines(&import, 1, lines).await.expect(200);
        let path = format!("/v1/users/imports/{import}/complete");
        self.manage("POST", &path, None).await.expect(200).json()
    }

    async fn import_errors(&self, import: &str) -> Vec<(u64, String, String)> {
        let (mut errors, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/users/imports/{import}/errors?limit=2{after}");
            let page = self.manage("GET", &path, None).await.expect(200).json();
            errors.extend(page["items"].as_array().unwrap().iter().map(|error| {
                assert!(!error["detail"].as_str().unwrap().is_empty());
                let text = |name: &str| error[name].as_str().unwrap().to_owned();
                (error["line"].as_u64().unwrap(), text("field"), text("code"))
            }));
            let Some(next) = page["next"].as_str() else { return errors };
            after = format!("&after={next}");
        }
    }

    async fn export(&self, path: &str) -> Vec<Value> {
        let answer = self.manage("GET", path, None).await.expect(200);
        assert_eq!(answer.headers[header::CONTENT_TYPE], NDJSON);
        answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn number_of_users(&self) -> usize {
        self.export("/v1/users/export").await.len()
    }
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn users(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers
        .map(|number| json!({ "email": format!("user-{number}@example.com"), "name": "Somebody New" }))
        .collect()
}

fn tally(answer: &Answer) -> [u64; 4] {
    let import = answer.json();
    ["lines", "imported", "skipped", "failed"].map(|name| import[name].as_u64().unwrap())
}

fn error(line: u64, field: &str, code: &str) -> (u64, String, String) {
    (line, field.to_owned(), code.to_owned())
}

#[tokio::test]
async fn users_come_in_parts_and_a_part_that_is_sent_again_imports_nobody_twice() {
    let app = TestApp::new().await;
    let import = app.begin_import(json!({ "source": "sha256:0a" })).await;
    let lines = users(0..250);
    assert_eq!(tally(&app.send_lines(&import, 1, &lines[..120]).await.expect(200)), [120, 120, 0, 0]);
    let again = app.send_lines(&import, 1, &lines[..130]).await.expect(200);
    assert_eq!(tally(&again), [130, 130, 0, 0], "ten of them are new");
    let gap = app.send_lines(&import, 132, &lines[131..]).await.expect(409);
    assert_eq!(gap.code(), "import_lines_missing");
    assert_eq!(tally(&app.send_lines(&import, 101, &lines[100..]).await.expect(200)), [250, 250, 0, 0]);
    let path = format!("/v1/users/imports/{import}");
    let completed = app.manage("POST", &format!("{path}/complete"), None).await.expect(200);
    assert_eq!(
        (completed.json()["state"].clone(), tally(&completed)),
        (json!("completed"), [250, 250, 0, 0])
    );
    assert_eq!(app.manage("GET", &path, None).await.expect(200).json(), completed.json());
    let listed = app.manage("GET", "/v1/users/imports", None).await.expect(200).json();
    assert_eq!(listed["items"], json!([completed.json()]));
    let late = app.send_lines(&import, 251, &lines[..1]).await.expect(409);
    assert_eq!(late.code(), "import_ended");
    assert_eq!(app.number_of_users().await, 250);
    let found = app.manage("GET", "/v1/users?email=user-7@example.com", None).await.expect(200).json();
    let user = found["items"][0]["id"].as_str().unwrap();
    let events = format!("/v1/audit/events?subject={user}");
    let events = app.manage("GET", &events, None).await.expect(200).json();
    assert_eq!(events["items"][0]["type"], "user.created", "each user has an entry");
    let events =
        app.manage("GET", &format!("/v1/audit/events?subject={import}"), None).await.expect(200).json();
    assert_eq!(
        events["items"][0]["data"],
        json!({ "lines": 250, "imported": 250, "skipped": 0, "failed": 0 })
    );
    app.finish().await;
}

#[tokio::test]
async fn lines_that_cannot_be_imported_are_named_and_do_not_stop_the_others() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    let lines = vec![
        json!({ "email": "first@example.com", "username": "first", "phone": "+41791234567", "external_id": "1" }),
        json!({ "email": "ADA@example.com" }),
        json!({ "email": "second@example.com", "username": "First", "phone": "+41 79 123 45 67", "external_id": "1" }),
        json!({ "email": "nobody", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99" }),
        json!({ "email": "costly@example.com", "password_hash": BCRYPT.replace("$05$", "$31$") }),
        json!({ "email": "third@example.com", "emails": 7 }),
        json!({ "email": "last@example.com" }),
    ];
    let body = format!("{}not json, hunter2-hunter2\n[]\n", text(&lines));
    let import = app.begin_import(json!({})).await;
    let sent = app.send_body(&import, 1, body.into()).await.expect(200);
    assert_eq!(tally(&sent), [9, 2, 0, 7]);
    let errors = app.import_errors(&import).await;
    let expected = [
        error(2, "email", "email_taken"),
        error(3, "username", "username_taken"),
        error(3, "external_id", "external_id_taken"),
        error(3, "phone", "phone_taken"),
        error(4, "email", "invalid_email"),
        error(4, "password_hash", "unknown_password_hash"),
        error(5, "password_hash", "costly_password_hash"),
        error(6, "emails", "wrong_type"),
        error(8, "line", "malformed_json"),
        error(9, "line", "malformed_json"),
    ];
    assert_eq!(errors, expected);
    let all = app.manage("GET", &format!("/v1/users/imports/{import}/errors"), None).await.expect(200);
    for secret in ["hunter2", "5f4dcc3b", "costly@", "nobody", "second@"] {
        assert!(!all.text.contains(secret), "{secret}: {}", all.text);
    }
    // Later batches find what earlier ones took, and who passes over is told how often.
    let import = app.begin_import(json!({ "on_conflict": "skip" })).await;
    let sent = app.send_lines(&import, 1, &lines).await.expect(200);
    assert_eq!(tally(&sent), [7, 0, 4, 3]);
    app.finish().await;
}

#[tokio::test]
async fn lines_whose_metadata_does_not_match_the_tenants_schemas_are_named() {
    let app = TestApp::new().await;
    let schema = json!({ "properties": { "plan": { "enum": ["free", "pro"] } }, "required": ["plan"] });
    let settings =
        json!({ "metadata": { "public_schema": schema, "unsafe_schema": { "maxProperties": 1 } } });
    app.manage("PATCH", "/v1/settings", Some(settings)).await.expect(200);
    let lines = [
        json!({ "email": "0@example.com", "public_metadata": { "plan": "pro" } }),
        json!({ "email": "1@example.com", "public_metadata": { "plan": "a secret of Ada" } }),
        json!({ "email": "2@example.com", "public_metadata": { "ada@example.com": 1 }, "unsafe_metadata": { "a": 1, "b": 2 } }),
        json!({ "email": "3@example.com", "private_metadata": { "anything": 1 } }),
        json!({ "email": "0@example.com", "public_metadata": { "plan": "free" } }),
    ];
    let wrong = [
        error(2, "public_metadata", "metadata_mismatch"),
        error(3, "public_metadata", "metadata_mismatch"),
        error(3, "unsafe_metadata", "metadata_mismatch"),
        error(5, "email", "email_taken"),
    ];
    for (dry_run, users) in [(true, 0), (false, 2)] {
        let import = app.begin_import(json!({ "dry_run": dry_run })).await;
        let answer = app.send_lines(&import, 1, &lines).await.expect(200);
        assert_eq!(tally(&answer), [5, 2, 0, 3]);
        assert_eq!(app.import_errors(&import).await, wrong);
        let errors = app.manage("GET", &format!("/v1/users/imports/{import}/errors"), None).await.expect(200);
        assert!(errors.text.contains("`/properties/plan/enum`"), "{}", errors.text);
        assert!(!errors.text.contains("Ada") && !errors.text.contains("ada@"), "{}", errors.text);
        assert_eq!(app.number_of_users().await, users);
    }
    // Others may come with the next part.
    let import = app.begin_import(json!({})).await;
    app.send_lines(&import, 1, &lines[1..2]).await.expect(200);
    app.manage("PATCH", "/v1/settings", Some(json!({ "metadata": null }))).await.expect(200);
    let rest = app.send_lines(&import, 2, &lines[1..2]).await.expect(200);
    assert_eq!(tally(&rest), [2, 1, 0, 1]);
    app.finish().await;
}

#[tokio::test]
async fn a_dry_run_says_what_an_import_would_and_imports_nobody() {
    let app = TestApp::new().await;
    app.user("user-3@example.com").await;
    let mut lines = users(0..150);
    lines.push(lines[1].clone());
    let mut tallies = Vec::new();
    for dry_run in [true, false] {
        let import = app.begin_import(json!({ "dry_run": dry_run })).await;
        let sent = app.send_lines(&import, 1, &lines).await.expect(200);
        let expected = [error(4, "email", "email_taken"), error(151, "email", "email_taken")];
        assert_eq!(app.import_errors(&import).await, expected, "{dry_run}");
        tallies.push(tally(&sent));
        let is_there = app.manage("GET", "/v1/users?email=user-7@example.com", None).await.expect(200).json();
        assert_eq!(is_there["items"].as_array().unwrap().is_empty(), dry_run);
    }
    assert_eq!(tallies, [[151, 149, 0, 2]; 2]);
    app.finish().await;
}

#[tokio::test]
async fn a_hash_made_elsewhere_signs_in_and_is_then_replaced() {
    let app = TestApp::new().await;
    let import = app.begin_import(json!({})).await;
    let firebase = json!({
        "algorithm": "firebase-scrypt",
        "signer_key": "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
        "salt_separator": "Bw==", "rounds": 8, "mem_cost": 14, "salt": "42xEC+ixf3L2lw==",
        "hash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    });
    let lines = [
        json!({ "email": "crypt@example.com", "password_hash": BCRYPT }),
        json!({ "email": "fire@example.com", "username": "fire", "password_hash": firebase }),
        json!({ "email": "blocked@example.com", "state": "blocked", "password_hash": BCRYPT }),
        json!({ "email": "none@example.com" }),
    ];
    assert_eq!(tally(&app.send_lines(&import, 1, &lines).await.expect(200)), [4, 4, 0, 0]);
    let hash_of = async |email: &str| {
        let lines = app.export("/v1/users/export/password-hashes").await;
        let line = lines.into_iter().find(|line| line["emails"][0]["email"] == email).unwrap();
        line["password_hash"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(hash_of("crypt@example.com").await, BCRYPT);
    for (email, password) in [("crypt@example.com", "U*U"), ("fire@example.com", "user1password")] {
        let wrong = app.try_sign_in("demo", email, "something else").await.expect(401);
        let unknown = app.try_sign_in("demo", "unknown@example.com", "something else").await.expect(401);
        assert_eq!(wrong.json()["code"], unknown.json()["code"]);
        app.try_sign_in("demo", email, password).await.expect(200);
        let renewed = hash_of(email).await;
        assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{email} is renewed");
        app.try_sign_in("demo", email, password).await.expect(200);
        assert_eq!(hash_of(email).await, renewed, "once");
    }
    let page = app.manage("GET", "/v1/audit/events?type=user.password_hash.upgraded", None).await.expect(200);
    assert_eq!(page.json()["items"].as_array().unwrap().len(), 2);
    app.try_sign_in("demo", "blocked@example.com", "U*U").await.expect(401);
    app.try_sign_in("demo", "none@example.com", "U*U").await.expect(401);
    app.finish().await;
}

/// Lines without what is made anew.
fn comparable(lines: Vec<Value>) -> Vec<Value> {
    let mut lines: Vec<Value> = lines
        .into_iter()
        .map(|mut line| {
            assert!(line["id"].as_str().is_some_and(|id| id.starts_with("usr_")));
            line["id"].take();
            line
        })
        .collect();
    lines.sort_by_key(|line| line["emails"].to_string());
    lines
}

#[tokio::test]
async fn what_is_exported_can_be_imported_again() {
    let app = TestApp::new().await;
    let import = app.begin_import(json!({})).await;
    let lines = [
        json!({
            "emails": [{ "email": "Ada@Example.com", "verified": true, "primary": true }, { "email": "ada@work.example" }],
            "username": "ada", "phone": "+41791234567", "name": "Ada Lovelace", "external_id": "crm-7",
            "public_metadata": { "plan": "gold" }, "private_metadata": { "note": [1] }, "unsafe_metadata": { "theme": "dark" },
            "created_at": 1_500_000_000_000_i64, "password_hash": BCRYPT,
        }),
        json!({ "email": "bob@example.com", "state": "blocked" }),
        json!({ "email": "eve@example.com", "state": "locked", "locked_until": 1_900_000_000_000_i64 }),
    ];
    app.send_lines(&import, 1, &lines).await.expect(200);
    let many = app.begin_import(json!({})).await;
    app.send_lines(&many, 1, &users(0..250)).await.expect(200);
    let gone = app.user("gone@example.com").await.user;
    app.manage("DELETE", &format!("/v1/users/{gone}"), None).await.expect(200);
    let exported = app.export("/v1/users/export").await;
    assert_eq!(exported.len(), 253, "who is being deleted is left out");
    assert!(exported.iter().all(|line| line.get("password_hash").is_none()));
    let ada = exported.iter().find(|line| line["username"] == "ada").unwrap();
    assert_eq!(
        (&ada["created_at"], &ada["emails"][0]["verified"]),
        (&json!(1_500_000_000_000_i64), &json!(true))
    );
    let older = app.manage("GET", "/v1/users?created_before=1600000000000", None).await.expect(200).json();
    assert_eq!(older["items"][0]["username"], "ada", "lists know when users were created");

    app.another_tenant("other").await;
    let core = async |method: &str, path: &str, body| {
        app.core(method, &format!("/t/other{path}"), Some(&app.platform_key), body).await
    };
    let import = core("POST", "/v1/users/imports", Some(json!({}))).await.expect(201).json();
    let path = format!("/t/other/v1/users/imports/{}/lines/1", import["id"].as_str().unwrap());
    let mut sent = request("PUT", &path, Some(&app.platform_key), None);
    sent.headers_mut().insert(header::CONTENT_TYPE, NDJSON.parse().unwrap());
    *sent.body_mut() = text(&exported).into();
    let sent = app.send(ListenerName::Core, sent).await.expect(200);
    assert_eq!(tally(&sent), [253, 253, 0, 0]);
    let again = core("GET", "/v1/users/export", None).await.expect(200);
    let again = again.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(comparable(again), comparable(exported));
    app.finish().await;
}

#[tokio::test]
async fn hashes_leave_only_with_a_scope_of_their_own_and_every_export_is_on_record() {
    let app = TestApp::new().await;
    app.user("ada@example.com").await;
    let (_, writes) = app.secret_key(&["users:write", "audit:read"]).await;
    let (_, hashes) = app.secret_key(&["password_hashes:read"]).await;
    let path = "/v1/users/export/password-hashes";
    app.core("GET", path, Some(&writes), None).await.expect(403);
    app.core("GET", "/v1/users/export", Some(&hashes), None).await.expect(403);
    let plain = app.core("GET", "/v1/users/export", Some(&writes), None).await.expect(200);
    assert!(!plain.text.contains("argon2"));
    let with = app.core("GET", path, Some(&hashes), None).await.expect(200);
    assert!(with.text.contains("$argon2id$"));
    let events =
        app.core("GET", "/v1/audit/events?type=users.exported", Some(&writes), None).await.expect(200);
    let said: Vec<_> =
        events.json()["items"].as_array().unwrap().iter().map(|event| event["data"].clone()).collect();
    assert_eq!(said, [json!({ "password_hashes": true }), json!({ "password_hashes": false })]);
    app.finish().await;
}

#[tokio::test]
async fn two_who_send_the_same_lines_import_everybody_once() {
    let app = TestApp::new().await;
    let import = app.begin_import(json!({})).await;
    let lines = users(0..300);
    let send = || app.send_lines(&import, 1, &lines);
    let (one, two, three) = tokio::join!(send(), send(), send());
    let answers = [one, two, three];
    assert!(answers.iter().any(|answer| answer.status == 200), "one of them gets through");
    for answer in &answers {
        match answer.status.as_u16() {
            200 => assert_eq!(tally(answer), [300, 300, 0, 0]),
            409 => assert_eq!(answer.code(), "import_busy"),
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert_eq!(app.number_of_users().await, 300);
    assert_eq!(app.import_errors(&import).await, []);
    app.finish().await;
}

#[tokio::test]
async fn one_address_in_two_imports_at_once_is_one_user() {
    let app = TestApp::new().await;
    let (first, second) = (app.begin_import(json!({})).await, app.begin_import(json!({})).await);
    let lines = users(0..300);
    let (one, two) = tokio::join!(app.send_lines(&first, 1, &lines), app.send_lines(&second, 1, &lines));
    let (one, two) = (tally(&one.expect(200)), tally(&two.expect(200)));
    assert_eq!((one[0], two[0]), (300, 300));
    assert_eq!((one[1] + two[1], one[3] + two[3]), (300, 300), "each line is an error of one of them");
    assert_eq!(app.number_of_users().await, 300);
    app.finish().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_what_was_stored_and_the_rest_is_sent_again() {
    let app = TestApp::new().await;
    let import = app.begin_import(json!({})).await;
    let lines = users(0..230);
    let pieces: Vec<Result<Bytes, std::io::Error>> = vec![
        Ok(Bytes::from(text(&lines[..150]))),
        Ok(Bytes::from_static(b"{\"email\":\"half-a-line")),
        Err(std::io::Error::other("the client has gone")),
    ];
    let broken = Body::from_stream(futures::stream::iter(pieces));
    app.send_body(&import, 1, broken).await.expect(400);
    let path = format!("/v1/users/imports/{import}");
    let stored = tally(&app.manage("GET", &path, None).await.expect(200))[0];
    assert_eq!(stored, 100, "one batch");
    let rest = app.send_lines(&import, stored + 1, &lines[stored as usize..]).await.expect(200);
    assert_eq!(tally(&rest), [230, 230, 0, 0]);
    assert_eq!(app.number_of_users().await, 230);
    app.finish().await;
}

#[tokio::test]
async fn an_import_goes_on_after_a_restart() {
    let place = Arc::new(Place::lasting().await);
    let lines = users(0..200);
    let import = {
        let app = TestApp::at(&place).await;
        let import = app.begin_import(json!({})).await;
        app.send_lines(&import, 1, &lines[..120]).await.expect(200);
        app.finish().await;
        import
    };
    let app = TestApp::at(&place).await;
    assert_eq!(tally(&app.send_lines(&import, 1, &lines).await.expect(200)), [200, 200, 0, 0]);
    assert_eq!(app.number_of_users().await, 200);
    app.finish().await;
}

#[tokio::test]
async fn bodies_have_bounds_and_a_form() {
    let mut http = HttpConfig::default();
    http.limits.import_bytes = 4_096;
    let app = TestApp::with(crate::app::roomy(), http).await;
    let import = app.begin_import(json!({})).await;
    let path = format!("/t/demo/v1/users/imports/{import}/lines/1");
    let json = app.core("PUT", &path, Some(&app.platform_key), Some(json!({}))).await.expect(415);
    assert_eq!(json.code(), "unsupported_media_type");
    let large = app.send_lines(&import, 1, &users(0..200)).await.expect(413);
    assert_eq!(large.code(), "body_too_large");
    let piece = |_| Ok::<_, std::io::Error>(Bytes::from(text(&users(0..1))));
    let unannounced = Body::from_stream(futures::stream::iter((0..200).map(piece).collect::<Vec<_>>()));
    assert_eq!(app.send_body(&import, 1, unannounced).await.expect(413).code(), "body_too_large");
    for first in ["0", "-1", "x", "99999999999999999999"] {
        let path = format!("/v1/users/imports/{import}/lines/{first}");
        let answer = app.manage_with("PUT", &path, (header::CONTENT_TYPE, NDJSON), None).await;
        answer.expect(404);
    }
    for body in [json!({ "on_conflict": "update" }), json!({ "source": "a b" }), json!({ "dry_run": 1 })] {
        let answer = app.manage("POST", "/v1/users/imports", Some(body)).await.expect(422);
        assert_eq!(answer.code(), "invalid_fields");
    }
    let bad = app.manage("GET", &format!("/v1/users/imports/{import}/errors?after=7"), None).await;
    assert_eq!(bad.expect(400).code(), "invalid_query");
    let empty = app.send_body(&import, 1, Body::empty()).await.expect(200);
    assert_eq!(tally(&empty), [0, 0, 0, 0]);
    app.finish().await;
}

#[tokio::test]
async fn a_cancelled_import_takes_no_more_and_keeps_what_it_did() {
    let app = TestApp::new().await;
    let import = app.begin_import(json!({})).await;
    app.send_lines(&import, 1, &users(0..10)).await.expect(200);
    let path = format!("/v1/users/imports/{import}");
    let cancelled = app.manage("POST", &format!("{path}/cancel"), None).await.expect(200).json();
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(app.manage("POST", &format!("{path}/cancel"), None).await.expect(200).json(), cancelled);
    for late in [
        app.manage("POST", &format!("{path}/complete"), None).await,
        app.send_lines(&import, 11, &users(10..11)).await,
    ] {
        assert_eq!(late.expect(409).code(), "import_ended");
    }
    assert_eq!(app.number_of_users().await, 10);
    app.advance(std::time::Duration::from_secs(31 * 24 * 3_600));
    app.begin_import(json!({})).await;
    assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_import");
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_has_few_exports_at_once_and_a_reader_that_leaves_frees_its_place() {
    let app = TestApp::new().await;
    let import = app.begin_import(json!({})).await;
    app.send_lines(&import, 1, &users(0..450)).await.expect(200);
    let router = routes::router(ListenerName::Core, &app.state);
    let open =
        || router.clone().oneshot(request("GET", "/t/demo/v1/users/export", Some(&app.platform_key), None));
    let mut exports = Vec::new();
    for _ in 0..plinto_actors::Limits::default().bulk_streams {
        let answer = open().await.unwrap();
        assert_eq!(answer.status(), 200);
        exports.push(answer.into_body());
    }
    let refused = open().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let mut left = exports.pop().unwrap();
    let piece = left.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(piece.iter().filter(|byte| **byte == b'\n').count(), 200, "a page at a time");
    drop(left);
    assert_eq!(open().await.unwrap().status(), 200);
    drop(exports);
    app.try_sign_in("demo", "user-1@example.com", PASSWORD).await.expect(401);
    app.finish().await;
}

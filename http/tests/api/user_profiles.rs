//! What is known of users, and how they are found by it.

use crate::app::{PASSWORD, TestApp};
use axum::http::header;
use serde_json::{Value, json};

const ADA: &str = "ada@example.com";

fn ada() -> Value {
    json!({
        "email": "Ada@Example.com",
        "email_verified": true,
        "password": PASSWORD,
        "name": "Ada Lovelace",
        "username": "ADA.L",
        "external_id": "crm-7",
        "phone": "+41 79 123 45 67",
        "public_metadata": { "plan": "pro" },
        "private_metadata": { "risk": 3 },
        "unsafe_metadata": { "theme": "dark" },
    })
}

impl TestApp {
    /// A user with only an address and what is given.
    pub(crate) async fn create(&self, body: Value) -> Value {
        self.manage("POST", "/v1/users", Some(body)).await.expect(201).json()
    }

    /// Ids of the users a list answers with.
    async fn listed(&self, query: &str) -> Vec<String> {
        let page = self.manage("GET", &format!("/v1/users?{query}"), None).await.expect(200).json();
        let items = page["items"].as_array().unwrap().iter();
        items.map(|user| user["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn id(user: &Value) -> String {
    user["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_is_created_with_everything_and_signs_in_by_either_name() {
    let app = TestApp::new().await;
    let answer = app.manage("POST", "/v1/users", Some(ada())).await.expect(201);
    let user = answer.json();
    assert_eq!(answer.headers[header::LOCATION], format!("/v1/users/{}", id(&user)));
    assert_eq!(answer.headers[header::ETAG], "\"1\"");
    for (member, value) in [
        ("state", json!("active")),
        ("email", json!("Ada@Example.com")),
        ("email_verified", json!(true)),
        ("username", json!("ada.l")),
        ("phone", json!("+41791234567")),
        ("external_id", json!("crm-7")),
        ("private_metadata", json!({ "risk": 3 })),
    ] {
        assert_eq!(user[member], value, "{member}");
    }
    let sign_in = async |body: Value| app.core("POST", "/t/demo/v1/auth/sign-in", None, Some(body)).await;
    sign_in(json!({ "email": ADA, "password": PASSWORD })).await.expect(200);
    let tokens = sign_in(json!({ "username": "Ada.L", "password": PASSWORD })).await.expect(200).json();
    assert_eq!(tokens["user_id"], user["id"]);
    for (wrong, status) in [
        (json!({ "username": "ada.l", "password": "not this one" }), 401),
        (json!({ "username": "nobody", "password": PASSWORD }), 401),
        (json!({ "username": "ada.l", "email": ADA, "password": PASSWORD }), 422),
        (json!({ "password": PASSWORD }), 422),
    ] {
        sign_in(wrong).await.expect(status);
    }
    let me = app.core("GET", "/v1/users/me", tokens["access_token"].as_str(), None).await.expect(200).json();
    assert_eq!(me["public_metadata"], json!({ "plan": "pro" }));
    assert!(me.get("private_metadata").is_none() && me.get("external_id").is_none(), "{me}");
    app.finish().await;
}

#[tokio::test]
async fn an_address_is_enough_and_without_a_password_nobody_signs_in_by_one() {
    let app = TestApp::new().await;
    let user = app.create(json!({ "email": ADA })).await;
    assert_eq!((&user["name"], &user["public_metadata"]), (&Value::Null, &json!({})));
    assert_eq!(app.try_sign_in("demo", ADA, PASSWORD).await.expect(401).code(), "invalid_credentials");
    let weak = app
        .manage("POST", "/v1/users", Some(json!({ "email": "b@example.com", "password": "password" })))
        .await;
    assert_eq!(weak.expect(422).json()["errors"][0]["field"], "password");
    let large = json!({ "email": "b@example.com", "public_metadata": { "x": "x".repeat(9_000) } });
    assert_eq!(
        app.manage("POST", "/v1/users", Some(large)).await.expect(422).json()["errors"][0]["code"],
        "metadata_too_large"
    );
    let wrong = json!({ "email": "x", "username": "a", "phone": "1", "external_id": "" });
    let answer = app.manage("POST", "/v1/users", Some(wrong)).await.expect(422).json();
    assert_eq!(answer["errors"].as_array().unwrap().len(), 4, "{answer}");
    app.finish().await;
}

#[tokio::test]
async fn what_only_one_user_has_goes_to_one_of_two() {
    let app = TestApp::new().await;
    app.create(ada()).await;
    for (member, code) in [
        ("email", "email_taken"),
        ("username", "username_taken"),
        ("external_id", "external_id_taken"),
        ("phone", "phone_taken"),
    ] {
        let mut body = json!({ "email": "other@example.com" });
        body[member] = ada()[member].clone();
        let refused = app.manage("POST", "/v1/users", Some(body)).await.expect(409);
        assert_eq!(refused.code(), code);
    }
    let body = |email: &str| Some(json!({ "email": email, "username": "grace" }));
    let (one, two) = tokio::join!(
        app.manage("POST", "/v1/users", body("one@example.com")),
        app.manage("POST", "/v1/users", body("two@example.com"))
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let loser = if one.status == 409 { one } else { two };
    assert_eq!(loser.code(), "username_taken");
    assert_eq!(app.listed("username=grace").await.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn metadata_is_merged_and_bounded() {
    let app = TestApp::new().await;
    let path = format!("/v1/users/{}", id(&app.create(ada()).await));
    let change = json!({ "public_metadata": { "plan": null, "seats": { "used": 2 } }, "private_metadata": null, "phone": null });
    let changed = app.manage("PATCH", &path, Some(change)).await.expect(200).json();
    assert_eq!(changed["public_metadata"], json!({ "seats": { "used": 2 } }));
    assert_eq!((&changed["private_metadata"], &changed["phone"]), (&json!({}), &Value::Null));
    assert_eq!(changed["unsafe_metadata"], json!({ "theme": "dark" }), "what is left out stays");
    let half = |name: &str| Some(json!({ "public_metadata": { name: "x".repeat(5_000) } }));
    app.manage("PATCH", &path, half("a")).await.expect(200);
    assert_eq!(app.manage("PATCH", &path, half("b")).await.expect(409).code(), "metadata_too_large");
    for bad in [json!([]), json!("x"), json!(3)] {
        app.manage("PATCH", &path, Some(json!({ "public_metadata": bad }))).await.expect(422);
    }
    app.finish().await;
}

#[tokio::test]
async fn users_change_of_themselves_what_is_theirs() {
    let app = TestApp::new().await;
    app.create(json!({ "email": "other@example.com", "username": "grace" })).await;
    let ada = app.user(ADA).await;
    let me = async |body: Value| app.core("PATCH", "/v1/users/me", Some(&ada.access), Some(body)).await;
    let body = json!({ "name": "Ada King", "username": "ada", "unsafe_metadata": { "theme": "dark" } });
    let changed = me(body).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["username"]), (&json!("Ada King"), &json!("ada")));
    assert_eq!(me(json!({ "username": "grace" })).await.expect(409).code(), "username_taken");
    for beyond in ["public_metadata", "private_metadata", "external_id", "phone", "email", "state"] {
        assert_eq!(me(json!({ beyond: null })).await.expect(422).code(), "invalid_fields", "{beyond}");
    }
    app.finish().await;
}

#[tokio::test]
async fn users_are_found_by_what_they_have_and_by_beginnings() {
    let app = TestApp::new().await;
    let ada = id(&app.create(ada()).await);
    app.advance(std::time::Duration::from_secs(1));
    let grace = id(&app.create(json!({ "email": "grace@example.com", "name": "Grace Adams" })).await);
    for (query, found) in [
        ("email=ADA@example.com", vec![&ada]),
        ("phone=%2B41791234567", vec![&ada]),
        ("external_id=crm-7", vec![&ada]),
        ("username=ada.l", vec![&ada]),
        ("username=nobody", vec![]),
        ("name_prefix=ADA", vec![&ada, &grace]),
        ("name_prefix=ada%20love", vec![&ada]),
        ("name_prefix=lovelac", vec![&ada]),
        ("name_prefix=ada%20lovelace", vec![&ada]),
        ("name_prefix=ada%20lovelaxx", vec![]),
        ("name_prefix=grace%20ad&state=blocked", vec![]),
        ("email_prefix=grace@example.c", vec![&grace]),
        ("email_prefix=gra", vec![&grace]),
        ("email_prefix=example", vec![]),
    ] {
        assert_eq!(app.listed(query).await.iter().collect::<Vec<_>>(), found, "{query}");
    }
    app.manage("PATCH", &format!("/v1/users/{ada}"), Some(json!({ "name": "Augusta King" })))
        .await
        .expect(200);
    assert_eq!(app.listed("name_prefix=lovelace").await, Vec::<String>::new());
    assert_eq!(app.listed("name_prefix=augusta").await, std::slice::from_ref(&ada));
    for (bad, status) in [
        ("name_prefix=ad", 422),
        ("email=nobody", 422),
        ("email=a@example.com&phone=%2B41791234567", 400),
        ("state=unknown", 400),
        ("created_after=x", 400),
    ] {
        app.manage("GET", &format!("/v1/users?{bad}"), None).await.expect(status);
    }
    app.finish().await;
}

#[tokio::test]
async fn lists_are_filtered_by_state_and_time_and_beginnings_are_paged() {
    let app = TestApp::new().await;
    let mut users = Vec::new();
    for name in ["a", "b", "c", "d"] {
        users.push(app.create(json!({ "email": format!("{name}@example.com"), "name": "Grace" })).await);
        app.advance(std::time::Duration::from_secs(1));
    }
    let ids: Vec<String> = users.iter().map(id).collect();
    let at = |index: usize| users[index]["created_at"].as_i64().unwrap();
    assert_eq!(app.listed(&format!("created_after={}", at(1))).await, ids[1..]);
    assert_eq!(app.listed(&format!("created_before={}", at(1))).await, ids[..1]);
    assert_eq!(app.listed(&format!("created_after={}&created_before={}", at(1), at(3))).await, ids[1..3]);
    assert_eq!(app.listed("created_after=-5&created_before=9000000000000000").await, ids);
    app.manage("POST", &format!("/v1/users/{}/block", ids[1]), None).await.expect(200);
    app.manage("DELETE", &format!("/v1/users/{}", ids[2]), None).await.expect(200);
    for (state, found) in [
        ("active", vec![&ids[0], &ids[3]]),
        ("blocked", vec![&ids[1]]),
        ("deleted", vec![&ids[2]]),
        ("locked", vec![]),
    ] {
        assert_eq!(app.listed(&format!("state={state}")).await.iter().collect::<Vec<_>>(), found, "{state}");
    }
    let page = app.manage("GET", "/v1/users?name_prefix=grace&limit=3", None).await.expect(200).json();
    let next = page["next"].as_str().unwrap();
    assert_eq!(app.listed(&format!("name_prefix=grace&limit=3&after={next}")).await, ids[3..]);
    app.finish().await;
}

#[tokio::test]
async fn metadata_matches_the_tenants_schemas_when_it_is_written() {
    let app = TestApp::new().await;
    let old = app.create(json!({ "email": ADA, "public_metadata": { "plan": "old" } })).await;
    let schema = json!({
        "properties": { "plan": { "enum": ["free", "pro"] }, "seats": { "type": "integer" } },
        "required": ["plan"]
    });
    let settings =
        json!({ "metadata": { "public_schema": schema, "unsafe_schema": { "maxProperties": 1 } } });
    let kept = app.manage("PATCH", "/v1/settings", Some(settings)).await.expect(200).json();
    assert_eq!(kept["metadata"]["public_schema"], schema);

    let path = format!("/v1/users/{}", id(&old));
    app.manage("PATCH", &path, Some(json!({ "name": "Ada" }))).await.expect(200);
    let secret = "quite secret plan";
    let wrong = json!({ "public_metadata": { "plan": secret, "seats": secret } });
    let refused = app.manage("PATCH", &path, Some(wrong)).await.expect(422);
    let errors = &refused.json()["errors"];
    assert_eq!(
        (&errors[0]["field"], &errors[0]["code"]),
        (&json!("public_metadata"), &json!("metadata_mismatch"))
    );
    for place in ["`/properties/plan/enum`", "`/properties/seats/type`"] {
        assert!(refused.text.contains(place), "{}", refused.text);
    }
    assert!(!refused.text.contains(secret), "{}", refused.text);
    app.manage("PATCH", &path, Some(json!({ "public_metadata": { "plan": "pro" } }))).await.expect(200);

    let new = |plan: &str| Some(json!({ "email": "grace@example.com", "public_metadata": { "plan": plan } }));
    app.manage("POST", "/v1/users", new("gold")).await.expect(422);
    app.manage("POST", "/v1/users", new("free")).await.expect(201);
    app.create(json!({ "email": "bare@example.com" })).await;
    let invite = async |plan: &str| {
        let body = json!({ "email": "linus@example.com", "public_metadata": { "plan": plan } });
        app.manage("POST", "/v1/users/invitations", Some(body)).await
    };
    let refused = invite("gold").await.expect(422);
    assert_eq!(refused.json()["errors"][0]["code"], "metadata_mismatch");
    invite("free").await.expect(201);

    let eve = app.user("eve@example.com").await;
    let mine = async |body: Value| app.core("PATCH", "/v1/users/me", Some(&eve.access), Some(body)).await;
    mine(json!({ "unsafe_metadata": { "theme": "dark" } })).await.expect(200);
    let refused = mine(json!({ "unsafe_metadata": { "more": 1 } })).await.expect(422);
    assert_eq!(refused.json()["errors"][0]["field"], "unsafe_metadata");

    let lifted = json!({ "metadata": null });
    app.manage("PATCH", "/v1/settings", Some(lifted)).await.expect(200);
    app.manage("PATCH", &path, Some(json!({ "public_metadata": { "plan": "gold" } }))).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn schemas_that_cannot_be_used_are_refused_where_they_are_set() {
    let app = TestApp::new().await;
    for schema in [
        json!({ "type": "strin" }),
        json!({ "$ref": "http://127.0.0.1:1/schema" }),
        json!({ "allOf": [{ "$ref": "#/allOf" }] }),
        json!({ "pattern": "(" }),
    ] {
        let body = json!({ "metadata": { "private_schema": schema } });
        let refused = app.manage("PATCH", "/v1/settings", Some(body)).await.expect(422).json();
        let error = &refused["errors"][0];
        assert_eq!(error["field"], "settings.metadata.private_schema", "{refused}");
        assert_eq!(error["code"], "invalid_schema", "{refused}");
    }
    app.finish().await;
}

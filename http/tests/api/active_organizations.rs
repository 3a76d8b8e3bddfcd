//! Sessions that are active in an organization: entered, left, refreshed, and what the organization asks of them.

use crate::app::{Answer, PASSWORD, TestApp, Tokens, tokens};
use crate::mail::token_in;
use crate::passwordless::code_in;
use axum::http::header;
use serde_json::{Value, json};
use std::time::Duration;

const SWITCH: &str = "/v1/users/me/session/organization";

impl TestApp {
    /// Ada, who owns an organization `acme`.
    async fn ada_of_acme(&self) -> (Tokens, String) {
        let ada = self.user("ada@example.com").await;
        let acme = self.organization("acme", &ada.user).await;
        (ada, acme)
    }

    async fn switch(&self, token: &str, to: Value) -> Answer {
        self.core("POST", SWITCH, Some(token), Some(json!({ "organization": to }))).await
    }

    /// Switches with the refresh token, for a new pair.
    async fn switch_for_both(&self, with: &Tokens, to: Value) -> Answer {
        let body = json!({ "organization": to, "refresh_token": with.refresh });
        self.core("POST", SWITCH, Some(&with.access), Some(body)).await
    }

    pub(crate) async fn sign_in_to(&self, email: &str, password: &str, organization: &str) -> Answer {
        let body = json!({ "email": email, "password": password, "organization": organization });
        self.core("POST", "/t/demo/v1/auth/sign-in", None, Some(body)).await
    }

    pub(crate) async fn set_policy(&self, organization: &str, policy: Value) -> Answer {
        self.manage("PATCH", &format!("/v1/organizations/{organization}/policy"), Some(policy)).await
    }

    async fn current_session(&self, token: &str) -> Value {
        let list = self.core("GET", "/v1/users/me/sessions", Some(token), None).await.expect(200).json();
        let items = list["items"].as_array().unwrap();
        items.iter().find(|session| session["current"] == true).unwrap().clone()
    }

    async fn entries(&self, event: &str) -> Vec<Value> {
        let path = format!("/v1/audit/events?type={event}");
        let page = self.manage("GET", &path, None).await.expect(200).json();
        page["items"].as_array().unwrap().clone()
    }
}

fn access(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_enters_leaves_and_keeps_an_organization_across_refreshes() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    assert!(app.introspect(&ada.access).await.get("org_id").is_none());
    let answer = app.switch(&ada.access, json!("acme")).await.expect(200);
    assert_eq!((&answer.json()["organization_id"], answer.json().get("refresh_token")), (&json!(acme), None));
    let inside = access(&answer);
    let about = app.introspect(&inside).await;
    assert_eq!(
        (&about["org_id"], &about["org_slug"], &about["org_role"], &about["sid"]),
        (&json!(acme), &json!("acme"), &json!("owner"), &json!(ada.session))
    );
    assert!(app.is_active(&ada.access).await, "a token that names no organization stays good");
    assert_eq!(app.current_session(&inside).await["organization_id"], json!(acme));

    let refreshed = app.try_refresh(&ada.refresh).await.expect(200);
    assert_eq!(refreshed.json()["organization_id"], json!(acme));
    let refreshed = tokens(&refreshed);
    assert_eq!(app.introspect(&refreshed.access).await["org_id"], json!(acme));
    assert_eq!(app.introspect(&refreshed.refresh).await["org_role"], "owner");
    let renewed = tokens(&app.reauthenticate(&refreshed.access, PASSWORD).await.expect(200));
    assert_eq!(app.introspect(&renewed.access).await["org_id"], json!(acme));

    let left = app.switch(&renewed.access, Value::Null).await.expect(200);
    assert_eq!(left.json()["organization_id"], Value::Null);
    for token in [&inside, &refreshed.access, &renewed.access] {
        assert!(!app.is_active(token).await, "it names an organization the session has left");
    }
    let refused = app.core("GET", "/v1/users/me", Some(&inside), None).await.expect(401);
    assert!(refused.json()["detail"].as_str().unwrap().contains("organization_left"), "{}", refused.text);
    assert!(app.is_active(&access(&left)).await);
    let after = tokens(&app.try_refresh(&renewed.refresh).await.expect(200));
    assert!(app.introspect(&after.access).await.get("org_id").is_none());
    let entries = app.entries("session.organization_changed").await;
    let told: Vec<_> = entries.iter().map(|entry| (&entry["subject"], &entry["data"])).collect();
    let session = json!(ada.session);
    let data = |organization: Value| json!({ "organization": organization, "reason": "switched" });
    assert_eq!(told, [(&session, &data(Value::Null)), (&session, &data(json!(acme)))]);
    app.finish().await;
}

#[tokio::test]
async fn an_organization_is_entered_by_those_who_belong_to_it_and_unknown_to_others() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    let eve = app.user("eve@example.com").await;
    let nowhere = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708";
    let mut texts = Vec::new();
    for name in [acme.as_str(), "acme", nowhere, "nowhere"] {
        let refused = app.switch(&eve.access, json!(name)).await.expect(404);
        assert_eq!(refused.code(), "unknown_organization", "{name}");
        texts.push(refused.text);
        let refused = app.sign_in_to("eve@example.com", PASSWORD, name).await.expect(404);
        assert_eq!(refused.code(), "unknown_organization", "{name}");
        texts.push(refused.text);
        let wrong = app.sign_in_to("eve@example.com", "not the password at all", name).await.expect(401);
        assert_eq!(wrong.code(), "invalid_credentials", "who knows no password hears nothing of {name}");
        let nobody = app.sign_in_to("nobody@example.com", PASSWORD, name).await.expect(401);
        assert_eq!(nobody.code(), "invalid_credentials", "{name}");
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    for wrong in ["", "Acme", "org_1", "a"] {
        let refused = app.switch(&eve.access, json!(wrong)).await.expect(422).json();
        assert_eq!(refused["errors"][0]["field"], "organization", "{wrong}");
        let refused = app.sign_in_to("eve@example.com", PASSWORD, wrong).await.expect(422).json();
        assert_eq!(refused["errors"][0]["code"], "invalid_organization", "{wrong}");
    }
    app.core("POST", SWITCH, Some(&eve.access), Some(json!({}))).await.expect(422);
    assert!(app.current_session(&eve.access).await["organization_id"].is_null());

    for name in [acme.as_str(), "acme"] {
        let signed_in = app.sign_in_to("ada@example.com", PASSWORD, name).await.expect(200);
        assert_eq!(signed_in.json()["organization_id"], json!(acme));
        let signed_in = tokens(&signed_in);
        assert_eq!(app.introspect(&signed_in.access).await["org_id"], json!(acme));
        assert_ne!(signed_in.session, ada.session);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_access_token_alone_gets_nothing_that_lasts_and_a_refresh_token_is_replaced() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    app.advance(Duration::from_secs(590));
    let inside = app.switch(&ada.access, json!("acme")).await.expect(200);
    assert_eq!(inside.json()["expires_in"], 10, "as long as the token that was sent");
    assert_eq!(app.introspect(&access(&inside)).await["exp"], app.introspect(&ada.access).await["exp"]);
    assert!(app.is_active(&ada.refresh).await, "nothing was rotated");

    let both = app.switch_for_both(&ada, Value::Null).await.expect(200);
    let both = tokens(&both);
    assert!(!app.is_active(&ada.refresh).await && app.is_active(&both.refresh).await);
    assert!(app.introspect(&both.access).await.get("org_id").is_none());
    let inside = tokens(&app.switch_for_both(&both, json!(acme)).await.expect(200));
    assert_eq!(app.introspect(&inside.access).await["org_id"], json!(acme));

    // A token that is no refresh token of this session.
    let grace = app.user("grace@example.com").await;
    for refresh in [grace.refresh.as_str(), "plr_nonsense", ""] {
        let stranger = Tokens { refresh: refresh.to_owned(), ..app.sign_in("ada@example.com").await };
        let refused = app.switch_for_both(&stranger, json!(acme)).await.expect(401);
        assert_eq!(refused.code(), "invalid_grant", "{refresh}");
        assert!(app.current_session(&stranger.access).await["organization_id"].is_null());
    }
    // One that was replaced ends the session, as everywhere.
    let stolen = Tokens { refresh: ada.refresh, ..inside };
    assert_eq!(app.switch_for_both(&stolen, Value::Null).await.expect(401).code(), "invalid_grant");
    assert!(!app.is_active(&stolen.access).await);
    app.finish().await;
}

#[tokio::test]
async fn who_is_no_member_any_more_is_active_nowhere_at_once() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    let bob = app.user("bob@example.com").await;
    app.join(&acme, &bob.user, "member").await.expect(201);
    let inside = tokens(&app.switch_for_both(&bob, json!("acme")).await.expect(200));
    let of_ada = access(&app.switch(&ada.access, json!("acme")).await.expect(200));
    assert!(app.is_active(&inside.access).await && app.is_active(&of_ada).await);

    let member = format!("/v1/organizations/{acme}/members/{}", bob.user);
    app.manage("PATCH", &member, Some(json!({ "role": "admin" }))).await.expect(200);
    assert!(!app.is_active(&inside.access).await, "it says `member`, which is not true any more");
    let inside = tokens(&app.try_refresh(&inside.refresh).await.expect(200));
    assert_eq!(app.introspect(&inside.access).await["org_role"], "admin");

    app.manage("DELETE", &member, None).await.expect(204);
    assert!(!app.is_active(&inside.access).await);
    assert!(app.introspect(&inside.refresh).await.get("org_id").is_none());
    let refused = app.core("GET", "/v1/users/me", Some(&inside.access), None).await.expect(401);
    assert_eq!(refused.code(), "invalid_token");
    let outside = app.try_refresh(&inside.refresh).await.expect(200);
    assert_eq!(outside.json()["organization_id"], Value::Null, "the session goes on without");
    let outside = tokens(&outside);
    assert!(app.is_active(&outside.access).await && app.is_active(&of_ada).await);
    assert_eq!(app.switch(&outside.access, json!("acme")).await.expect(404).code(), "unknown_organization");

    // Who comes back enters anew.
    app.join(&acme, &bob.user, "member").await.expect(201);
    assert!(app.current_session(&outside.access).await["organization_id"].is_null());
    let again = access(&app.switch(&outside.access, json!("acme")).await.expect(200));
    assert!(app.is_active(&again).await);
    app.manage("DELETE", &format!("/v1/organizations/{acme}"), None).await.expect(204);
    for gone in [&again, &of_ada] {
        assert!(!app.is_active(gone).await, "gone with the organization");
    }
    let left = app.try_refresh(&ada.refresh).await.expect(200);
    assert_eq!(left.json()["organization_id"], Value::Null);
    app.finish().await;
}

#[tokio::test]
async fn a_membership_that_ends_while_a_session_enters_leaves_no_session_inside() {
    let app = TestApp::new().await;
    let (_, acme) = app.ada_of_acme().await;
    for round in 0..4 {
        let email = format!("bob-{round}@example.com");
        let bob = app.user(&email).await;
        app.join(&acme, &bob.user, "member").await.expect(201);
        let member = format!("/v1/organizations/{acme}/members/{}", bob.user);
        let (entered, begun, removed) = tokio::join!(
            app.switch(&bob.access, json!("acme")),
            app.sign_in_to(&email, PASSWORD, "acme"),
            app.manage("DELETE", &member, None)
        );
        removed.expect(204);
        for answer in [entered, begun] {
            match answer.status.as_u16() {
                200 => assert!(!app.is_active(&access(&answer)).await, "it was removed meanwhile"),
                404 => assert_eq!(answer.code(), "unknown_organization"),
                other => panic!("{other}: {}", answer.text),
            }
        }
        let list = app.manage("GET", &format!("/v1/users/{}/sessions", bob.user), None).await.expect(200);
        let sessions = list.json()["items"].as_array().unwrap().clone();
        assert!(sessions.iter().all(|session| session["organization_id"].is_null()), "{sessions:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn policies_are_read_and_changed_once_per_version_and_within_the_tenants_bounds() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    let path = format!("/v1/organizations/{acme}/policy");
    let first = app.manage("GET", &path, None).await.expect(200);
    assert_eq!(first.headers[header::ETAG], "\"1\"");
    let expected = json!({ "mfa_required": false, "allowed_methods": [], "idle_seconds": null,
        "absolute_seconds": null, "updated_at": null });
    assert_eq!(first.json(), expected);
    let wanted = json!({ "allowed_methods": ["passkey", "password"], "idle_seconds": 3600 });
    let tag = (header::IF_MATCH, "\"1\"");
    let changed = app.manage_with("PATCH", &path, tag.clone(), Some(wanted)).await.expect(200);
    assert_eq!(changed.headers[header::ETAG], "\"2\"");
    assert_eq!(changed.json()["allowed_methods"], json!(["password", "passkey"]));
    let stale = app.manage_with("PATCH", &path, tag, Some(json!({ "mfa_required": true }))).await;
    assert_eq!(stale.expect(412).code(), "version_mismatch");
    let known = (header::IF_NONE_MATCH, "\"2\"");
    app.manage_with("GET", &path, known, None).await.expect(304);
    let same = app.set_policy(&acme, json!({ "idle_seconds": 3600 })).await.expect(200);
    assert_eq!(same.headers[header::ETAG], "\"2\"", "what is already so is not written again");
    let back = app.set_policy(&acme, json!({ "allowed_methods": null, "idle_seconds": null })).await;
    assert_eq!(back.expect(200).json()["allowed_methods"], json!([]));
    let entries = app.entries("organization.policy.changed").await;
    let fields = json!({ "fields": ["policy.allowed_methods", "policy.idle_seconds"] });
    assert_eq!(entries.iter().map(|entry| &entry["data"]).collect::<Vec<_>>(), [&fields, &fields]);

    for (wrong, fields) in [
        (json!({ "idle_seconds": 59 }), vec!["idle_seconds"]),
        (
            json!({ "idle_seconds": 100_000_000, "absolute_seconds": 1 }),
            vec!["idle_seconds", "absolute_seconds"],
        ),
        (json!({ "allowed_methods": ["sms"] }), vec!["allowed_methods"]),
        (json!({ "mfa_required": "yes" }), vec!["mfa_required"]),
        (json!({ "mfa": true }), vec!["body"]),
    ] {
        let refused = app.set_policy(&acme, wrong.clone()).await.expect(422).json();
        let errors = refused["errors"].as_array().unwrap().clone();
        let named: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert!(
            named.len() == fields.len() && named.iter().zip(&fields).all(|(n, f)| n.starts_with(f)),
            "{refused}"
        );
    }
    let nowhere = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708";
    assert_eq!(app.set_policy(nowhere, json!({})).await.expect(404).code(), "unknown_organization");

    // Its members: admins change it, members read it, others do not know of it.
    let (bob, eve) = (app.user("bob@example.com").await, app.user("eve@example.com").await);
    app.join(&acme, &bob.user, "member").await.expect(201);
    let mine = format!("/v1/users/me/organizations/{acme}/policy");
    let strict = || Some(json!({ "absolute_seconds": 900 }));
    app.core("GET", &mine, Some(&bob.access), None).await.expect(200);
    let refused = app.core("PATCH", &mine, Some(&bob.access), strict()).await.expect(403);
    assert_eq!(refused.code(), "organization_permission_needed");
    for method in ["GET", "PATCH"] {
        let body = (method == "PATCH").then(|| strict().unwrap());
        let hidden = app.core(method, &mine, Some(&eve.access), body).await.expect(404);
        assert_eq!(hidden.code(), "unknown_organization");
    }
    let set = app.core("PATCH", &mine, Some(&ada.access), strict()).await.expect(200);
    assert_eq!(set.json()["absolute_seconds"], 900);
    app.finish().await;
}

#[tokio::test]
async fn whose_session_does_not_meet_the_policy_is_told_what_is_missing() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    let inside = tokens(&app.switch_for_both(&ada, json!("acme")).await.expect(200));
    app.set_policy(&acme, json!({ "mfa_required": true })).await.expect(200);
    let challenged = |answer: &Answer| {
        let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
        assert!(challenge.starts_with(r#"Bearer error="insufficient_user_authentication""#), "{challenge}");
        challenge
    };
    for refused in [
        app.switch(&ada.access, json!("acme")).await,
        app.sign_in_to("ada@example.com", PASSWORD, "acme").await,
    ] {
        let refused = refused.expect(401);
        assert_eq!(refused.code(), "second_factor_needed");
        assert!(challenged(&refused).ends_with(r#"multi-factor""#));
    }
    // No session was begun by the refused sign-in.
    let list = app.manage("GET", &format!("/v1/users/{}/sessions", ada.user), None).await.expect(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);

    // Who has no second factor does not do away with it, owner or not.
    let mine = format!("/v1/users/me/organizations/{acme}/policy");
    let undo = || Some(json!({ "mfa_required": false }));
    let refused = app.core("PATCH", &mine, Some(&ada.access), undo()).await.expect(401);
    assert_eq!(refused.code(), "second_factor_needed");

    // The session that was active there is not any more after the next refresh.
    let refreshed = app.try_refresh(&inside.refresh).await.expect(200);
    assert_eq!(refreshed.json()["organization_id"], Value::Null);
    assert!(!app.is_active(&inside.access).await);
    let refreshed = tokens(&refreshed);
    let entry = &app.entries("session.organization_changed").await[0];
    assert_eq!(entry["data"], json!({ "organization": null, "reason": "organization_second_factor" }));

    app.set_policy(&acme, json!({ "mfa_required": null, "allowed_methods": ["passkey"] })).await.expect(200);
    let refused = app.switch(&refreshed.access, json!("acme")).await.expect(401);
    assert_eq!(refused.code(), "sign_in_method_not_allowed");
    challenged(&refused);
    app.set_policy(&acme, json!({ "allowed_methods": ["password"] })).await.expect(200);
    app.switch(&refreshed.access, json!("acme")).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_session_by_mail_begins_in_an_organization_that_allows_it_or_uses_nothing_up() {
    let app = TestApp::new().await;
    let (email, ada) = ("ada@example.com", app.proved("ada@example.com").await);
    let acme = app.organization("acme", &ada.user).await;
    app.set_policy(&acme, json!({ "allowed_methods": ["email_code"] })).await.expect(200);
    let by_password = app.sign_in_to(email, PASSWORD, "acme").await.expect(401);
    assert_eq!(by_password.code(), "sign_in_method_not_allowed");

    let (challenge, mail) = app.asked(email, "code").await;
    let into = |organization: &str| json!({ "challenge": challenge, "code": code_in(&mail), "organization": organization });
    let malformed = app.complete_by_mail(into("Acme")).await.expect(422).json();
    assert_eq!(malformed["errors"][0]["code"], "invalid_organization");
    assert_eq!(app.complete_by_mail(into("nowhere")).await.expect(404).code(), "unknown_organization");
    let inside = app.complete_by_mail(into("acme")).await.expect(200);
    assert_eq!(inside.json()["organization_id"], json!(acme));
    let inside = tokens(&inside);
    let about = app.introspect(&inside.access).await;
    assert_eq!((&about["org_id"], &about["amr"]), (&json!(acme), &json!(["email", "otp"])));
    app.complete_by_mail(into("acme")).await.expect(410);

    let (challenge, mail) = app.asked(email, "link").await;
    let mut body = json!({ "challenge": challenge, "token": token_in(&mail), "organization": acme });
    let refused = app.complete_by_mail(body.clone()).await.expect(401);
    assert_eq!(refused.code(), "sign_in_method_not_allowed");
    body["organization"] = Value::Null;
    let outside = app.complete_by_mail(body).await.expect(200);
    assert_eq!(outside.json()["organization_id"], Value::Null);
    let refused = app.switch(&tokens(&outside).access, json!("acme")).await.expect(401);
    assert_eq!(refused.code(), "sign_in_method_not_allowed");

    // Whoever has a code and does not belong to it hears what everybody hears.
    app.proved("eve@example.com").await;
    let (challenge, mail) = app.asked("eve@example.com", "code").await;
    let body = json!({ "challenge": challenge, "code": code_in(&mail), "organization": "acme" });
    assert_eq!(app.complete_by_mail(body).await.expect(404).code(), "unknown_organization");
    app.finish().await;
}

#[tokio::test]
async fn an_organization_bounds_how_long_ago_its_members_authenticated() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    app.set_policy(&acme, json!({ "absolute_seconds": 900 })).await.expect(200);
    let inside = tokens(&app.switch_for_both(&ada, json!("acme")).await.expect(200));
    app.advance(Duration::from_secs(500));
    let inside = tokens(&app.try_refresh(&inside.refresh).await.expect(200));
    let about = app.introspect(&inside.access).await;
    let (issued, expires) = (about["iat"].as_i64().unwrap(), about["exp"].as_i64().unwrap());
    assert!((395..=400).contains(&(expires - issued)), "no token outlives the bound: {about}");
    app.advance(Duration::from_secs(401));
    assert!(app.introspect(&inside.refresh).await.get("org_id").is_none());
    let outside = app.try_refresh(&inside.refresh).await.expect(200);
    assert_eq!(outside.json()["organization_id"], Value::Null);
    let outside = tokens(&outside);
    let refused = app.switch(&outside.access, json!("acme")).await.expect(401);
    assert_eq!(refused.code(), "insufficient_user_authentication");
    let challenge = refused.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.ends_with(r#"max_age="900""#), "{challenge}");
    let renewed = tokens(&app.reauthenticate(&outside.access, PASSWORD).await.expect(200));
    app.switch(&renewed.access, json!("acme")).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_session_in_an_organization_ends_when_it_is_idle_for_as_long_as_that_allows() {
    let app = TestApp::new().await;
    let (ada, acme) = app.ada_of_acme().await;
    app.set_policy(&acme, json!({ "idle_seconds": 3_600 })).await.expect(200);
    let left = app.sign_in_to("ada@example.com", PASSWORD, "acme").await.expect(200);
    let left = tokens(&left);
    let ends = app.current_session(&left.access).await;
    assert_eq!(ends["expires_at"].as_i64().unwrap() - ends["created_at"].as_i64().unwrap(), 3_600_000);
    let idle = tokens(&app.switch_for_both(&ada, json!("acme")).await.expect(200));
    let left = tokens(&app.switch_for_both(&left, Value::Null).await.expect(200));
    app.advance(Duration::from_secs(3_600));
    assert_eq!(app.try_refresh(&idle.refresh).await.expect(401).code(), "invalid_grant");
    tokens(&app.try_refresh(&left.refresh).await.expect(200));
    app.finish().await;
}

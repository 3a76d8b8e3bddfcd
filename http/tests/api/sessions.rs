//! Sessions, seen and ended by their users and by those who administer them.

use crate::app::{Answer, PASSWORD, TestApp, Tokens, request, tokens};
use axum::http::header;
use plinto_http::ListenerName;
use serde_json::{Value, json};
use std::time::Duration;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

impl TestApp {
    async fn sign_in_with(&self, email: &str, user_agent: &str) -> Tokens {
        let body = json!({ "email": email, "password": PASSWORD });
        let mut request = request("POST", "/t/demo/v1/auth/sign-in", None, Some(body));
        request.headers_mut().insert(header::USER_AGENT, user_agent.parse().unwrap());
        tokens(&self.send(ListenerName::Core, request).await.expect(200))
    }

    async fn my_sessions(&self, token: &str) -> Vec<Value> {
        let list = self.core("GET", "/v1/users/me/sessions", Some(token), None).await.expect(200).json();
        list["items"].as_array().unwrap().clone()
    }

    async fn revoke_others(&self, token: &str) -> Answer {
        self.core("POST", "/v1/users/me/sessions/revoke-others", Some(token), None).await
    }

    pub(crate) async fn reauthenticate(&self, token: &str, password: &str) -> Answer {
        let body = Some(json!({ "password": password }));
        self.core("POST", "/v1/auth/reauthenticate", Some(token), body).await
    }
}

fn ids(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_user_sees_where_they_are_signed_in_and_ends_what_is_not_theirs_any_more() {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await.expect(202);
    let laptop = app.sign_in_with("ada@example.com", FIREFOX).await;
    app.advance(Duration::from_secs(60));
    let phone = app.sign_in("ada@example.com").await;
    let stranger = app.user("grace@example.com").await;

    let sessions = app.my_sessions(&phone.access).await;
    assert_eq!(ids(&sessions), [&phone.session, &laptop.session], "newest first, nobody else's");
    assert_eq!((&sessions[0]["current"], &sessions[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(sessions[0]["device"]["kind"], "unknown");
    let expected = json!({ "kind": "computer", "browser": "Firefox 140.0", "system": "Linux" });
    assert_eq!(sessions[1]["device"], expected);
    assert_eq!(sessions[1]["authentication_methods"], json!(["pwd"]));
    let (created, ends) = (&sessions[1]["created_at"], &sessions[1]["expires_at"]);
    assert_eq!(ends.as_i64().unwrap() - created.as_i64().unwrap(), 14 * 86_400_000);
    assert_eq!((&sessions[1]["last_seen_at"], &sessions[1]["place"]), (created, &Value::Null));

    let path = |session: &str| format!("/v1/users/me/sessions/{session}");
    let end = |session: &str| {
        let path = path(session);
        let (app, token) = (&app, &phone.access);
        async move { app.core("DELETE", &path, Some(token), None).await }
    };
    assert_eq!(end(&stranger.session).await.expect(404).code(), "unknown_session");
    assert_eq!(end("ses_00000000000000000000000000000000").await.expect(404).code(), "unknown_session");
    assert_eq!(end("ses_1").await.expect(404).code(), "not_found");
    assert!(app.is_active(&stranger.access).await && app.is_active(&laptop.access).await);
    end(&laptop.session).await.expect(204);
    end(&laptop.session).await.expect(204);
    assert!(!app.is_active(&laptop.access).await);
    assert_eq!(app.try_refresh(&laptop.refresh).await.expect(401).code(), "invalid_grant");
    assert_eq!(ids(&app.my_sessions(&phone.access).await), [&phone.session]);
    end(&phone.session).await.expect(204);
    assert!(!app.is_active(&phone.access).await, "also one's own");
    app.finish().await;
}

#[tokio::test]
async fn signing_out_everywhere_else_leaves_this_session_and_other_users_alone() {
    let app = TestApp::new().await;
    let here = app.user("ada@example.com").await;
    let there = [app.sign_in("ada@example.com").await, app.sign_in("ada@example.com").await];
    let other = app.user("grace@example.com").await;
    assert!(app.is_active(&there[0].access).await, "resident in memory");
    app.revoke_others(&here.access).await.expect(204);
    for gone in &there {
        assert!(!app.is_active(&gone.access).await);
        assert_eq!(app.try_refresh(&gone.refresh).await.expect(401).code(), "invalid_grant");
    }
    assert!(app.is_active(&here.access).await && app.is_active(&other.access).await);
    tokens(&app.try_refresh(&here.refresh).await.expect(200));
    app.finish().await;
}

#[tokio::test]
async fn lists_of_sessions_have_pages_and_leave_out_what_is_over() {
    let app = TestApp::new().await;
    let first = app.user("ada@example.com").await;
    app.advance(Duration::from_secs(10 * 86_400));
    let mut expected = [app.sign_in("ada@example.com").await, app.sign_in("ada@example.com").await];
    expected.sort_by(|one, other| other.session.cmp(&one.session));
    let newest = &expected[0].access;
    let all = app.my_sessions(newest).await;
    let token = Some(newest.as_str());
    assert_eq!(ids(&all)[2], first.session, "idle for ten days");
    let path = "/v1/users/me/sessions?limit=2";
    let page = app.core("GET", path, token, None).await.expect(200).json();
    assert_eq!(ids(page["items"].as_array().unwrap()), ids(&all)[..2]);
    let next = format!("{path}&after={}", page["next"].as_str().unwrap());
    let rest = app.core("GET", &next, token, None).await.expect(200).json();
    assert_eq!(ids(rest["items"].as_array().unwrap()), [&first.session]);
    for bad in ["limit=0", "after=usr_1", "x=1"] {
        let path = format!("/v1/users/me/sessions?{bad}");
        assert_eq!(app.core("GET", &path, token, None).await.expect(400).code(), "invalid_query", "{bad}");
    }
    app.advance(Duration::from_secs(5 * 86_400));
    let later = app.sign_in("ada@example.com").await;
    let left = app.my_sessions(&later.access).await;
    assert!(left.len() == 3 && !ids(&left).contains(&first.session.as_str()), "idle for too long");
    app.finish().await;
}

#[tokio::test]
async fn services_and_operators_see_and_end_sessions_of_their_tenant_only() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let (second, third) = (app.sign_in("ada@example.com").await, app.sign_in("ada@example.com").await);
    app.another_tenant("other").await;
    let list = format!("/v1/users/{}/sessions", ada.user);
    let items = app.manage("GET", &list, None).await.expect(200).json();
    assert_eq!(items["items"].as_array().unwrap().len(), 3);
    assert!(items["items"].as_array().unwrap().iter().all(|session| session["current"] == false));

    let one = format!("/v1/sessions/{}", second.session);
    for (method, path, code) in [
        ("GET", &list, "unknown_user"),
        ("DELETE", &list, "unknown_user"),
        ("DELETE", &one, "unknown_session"),
    ] {
        let answer = app.core(method, &format!("/t/other{path}"), Some(&app.platform_key), None).await;
        assert_eq!(answer.expect(404).code(), code, "{method} {path}");
    }
    assert!(app.is_active(&second.access).await);
    app.manage("DELETE", &one, None).await.expect(204);
    app.manage("DELETE", &one, None).await.expect(204);
    assert!(!app.is_active(&second.access).await && app.is_active(&third.access).await);
    app.manage("DELETE", &list, None).await.expect(204);
    assert!(!app.is_active(&third.access).await && !app.is_active(&ada.access).await);
    assert_eq!(app.manage("DELETE", "/v1/sessions/ses_1", None).await.expect(404).code(), "not_found");
    let nobody = "/v1/users/usr_00000000000000000000000000000000/sessions";
    assert_eq!(app.manage("GET", nobody, None).await.expect(404).code(), "unknown_user");
    app.finish().await;
}

#[tokio::test]
async fn what_is_sensitive_asks_for_a_recent_sign_in_which_reauthentication_is() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let other = app.sign_in("ada@example.com").await;
    app.advance(Duration::from_secs(901));
    let ada = tokens(&app.try_refresh(&ada.refresh).await.expect(200));

    let end = format!("/v1/users/me/sessions/{}", other.session);
    for answer in
        [app.revoke_others(&ada.access).await, app.core("DELETE", &end, Some(&ada.access), None).await]
    {
        let answer = answer.expect(401);
        assert_eq!(answer.code(), "insufficient_user_authentication");
        let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
        assert!(challenge.ends_with(r#"max_age="900""#), "{challenge}");
    }
    let wrong = app.reauthenticate(&ada.access, "not the password at all").await.expect(401);
    assert_eq!(wrong.code(), "invalid_credentials");
    assert_eq!(app.reauthenticate(&ada.access, "").await.expect(422).code(), "invalid_fields");
    assert!(app.is_active(&ada.refresh).await, "nothing was rotated by a wrong password");

    let before = app.introspect(&ada.access).await;
    let renewed = tokens(&app.reauthenticate(&ada.access, PASSWORD).await.expect(200));
    assert_eq!(renewed.session, ada.session);
    assert_ne!(renewed.refresh, ada.refresh);
    let about = app.introspect(&renewed.access).await;
    assert!(about["auth_time"].as_i64().unwrap() >= before["auth_time"].as_i64().unwrap() + 901);
    assert_eq!(about["amr"], before["amr"]);
    assert!(!app.is_active(&ada.refresh).await, "the refresh token before it is replaced");
    app.revoke_others(&renewed.access).await.expect(204);
    assert!(!app.is_active(&other.refresh).await);

    let next = tokens(&app.try_refresh(&renewed.refresh).await.expect(200));
    assert_eq!(app.introspect(&next.access).await["auth_time"], about["auth_time"], "a refresh keeps it");
    app.core("POST", "/v1/auth/sign-out", Some(&next.access), None).await.expect(204);
    assert_eq!(app.reauthenticate(&next.access, PASSWORD).await.expect(401).code(), "invalid_token");
    app.finish().await;
}

#[tokio::test]
async fn of_two_reauthentications_at_once_each_is_made_or_told_of_the_other() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let again = || app.reauthenticate(&ada.access, PASSWORD);
    let (first, second) = tokio::join!(again(), again());
    let mut good = Vec::new();
    for answer in [first, second] {
        good.push(tokens(&answer.expect(200)).refresh);
    }
    assert_ne!(good[0], good[1]);
    let active = (app.is_active(&good[0]).await, app.is_active(&good[1]).await);
    assert!(active.0 != active.1, "one follows the other: {active:?}");
    app.finish().await;
}

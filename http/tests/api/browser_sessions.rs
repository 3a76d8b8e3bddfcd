//! Sessions of browsers: cookies, and pages elsewhere that abuse them.

use crate::app::{Answer, BASE, PASSWORD, TestApp, request, roomy};
use axum::http::{HeaderMap, header};
use plinto_http::{HttpConfig, ListenerName};
use serde_json::{Value, json};

const ELSEWHERE: &str = "https://evil.example";
const FRIEND: &str = "https://app.example";

/// A browser: it keeps cookies and sends all of them, whoever asks.
#[derive(Clone, Default)]
pub(crate) struct Jar(Vec<(String, String)>);

impl Jar {
    pub(crate) fn keep(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, rest) = line.to_str().unwrap().split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    pub(crate) fn put(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn line(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known.ends_with(name)).map(|(_, value)| value.as_str()).unwrap()
    }
}

async fn app(https: bool) -> TestApp {
    let config = HttpConfig {
        strict_transport: https,
        cors_origins: vec![FRIEND.into()],
        tenant_domain: Some("id.test".into()),
        ..HttpConfig::default()
    };
    let app = TestApp::with(roomy(), config).await;
    app.sign_up("ada@example.com").await.expect(202);
    app
}

/// Sends as a browser does: with all cookies, and with what else the page or the browser says.
pub(crate) async fn send(
    app: &TestApp,
    jar: &Jar,
    method: &str,
    path: &str,
    says: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let mut request = request(method, path, None, body);
    if !jar.0.is_empty() {
        request.headers_mut().insert(header::COOKIE, jar.line().parse().unwrap());
    }
    for (name, value) in says {
        let name: header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    app.send(ListenerName::Core, request).await
}

async fn sign_in(app: &TestApp, origin: &str) -> Answer {
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "mode": "cookie" });
    let path = "/t/demo/v1/auth/sign-in";
    send(app, &Jar::default(), "POST", path, &[("origin", origin)], Some(body)).await
}

async fn signed_in(app: &TestApp) -> Jar {
    let mut jar = Jar::default();
    jar.keep(&sign_in(app, BASE).await.expect(200));
    jar
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
}

/// Each line with its value taken out.
fn attributes(answer: &Answer) -> Vec<String> {
    let without_value = |line: String| {
        let (name, rest) = line.split_once('=').unwrap();
        format!("{name}={}", &rest[rest.find(';').unwrap()..])
    };
    lines(&answer.headers).into_iter().map(without_value).collect()
}

const OTHERS: &str = "/v1/users/me/sessions/revoke-others";

#[tokio::test]
async fn cookies_have_exactly_these_attributes_and_the_answer_has_no_token() {
    let secure = app(true).await;
    let answer = sign_in(&secure, BASE).await.expect(200);
    assert_eq!(
        attributes(&answer),
        [
            "__Host-plinto-access=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600",
            "__Host-plinto-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=1209600",
            "__Host-plinto-csrf=; SameSite=Strict; Secure; Path=/; Max-Age=1209600",
        ]
    );
    let mut jar = Jar::default();
    jar.keep(&answer);
    for token in ["access", "refresh"] {
        assert!(!answer.text.contains(jar.value(token)), "{token} is in the answer");
    }
    assert_eq!(answer.json()["csrf_token"], jar.value("csrf"));
    assert_eq!(answer.json()["expires_in"], 600);
    secure.finish().await;

    let development = app(false).await;
    let answer = sign_in(&development, BASE).await.expect(200);
    assert_eq!(
        attributes(&answer),
        [
            "plinto-access=; HttpOnly; SameSite=Lax; Path=/; Max-Age=600",
            "plinto-refresh=; HttpOnly; SameSite=Strict; Path=/; Max-Age=1209600",
            "plinto-csrf=; SameSite=Strict; Path=/; Max-Age=1209600",
        ]
    );
    development.finish().await;
}

#[tokio::test]
async fn a_page_of_ours_works_by_cookie_and_one_elsewhere_does_not() {
    let app = app(true).await;
    let jar = signed_in(&app).await;
    let me = send(&app, &jar, "GET", "/v1/users/me", &[], None).await.expect(200).json();
    assert_eq!(me["email"], "ada@example.com");

    let token = jar.value("csrf");
    let with_token = |more: &[(&'static str, &'static str)]| {
        let mut says: Vec<(&str, &str)> = vec![("plinto-csrf", token)];
        says.extend(more);
        says
    };
    for says in [
        with_token(&[]),
        with_token(&[("origin", ELSEWHERE)]),
        with_token(&[("origin", "null")]),
        with_token(&[("origin", "http://plinto.test.evil.example")]),
        with_token(&[("origin", ELSEWHERE), ("sec-fetch-site", "same-origin")]),
        with_token(&[("origin", "http://demo.id.test"), ("host", "other.id.test")]),
        with_token(&[("sec-fetch-site", "cross-site")]),
        with_token(&[("sec-fetch-site", "same-site")]),
        with_token(&[("sec-fetch-site", "none")]),
    ] {
        let refused = send(&app, &jar, "POST", OTHERS, &says, None).await.expect(403);
        assert_eq!(refused.code(), "cross_site_request", "{says:?}");
    }
    for wrong in ["", "x", &token[1..], "0000000000000000000000000000000000000000000000000000000000000000"] {
        let says = [("origin", BASE), ("plinto-csrf", wrong)];
        let refused = send(&app, &jar, "POST", OTHERS, &says, None).await.expect(403);
        assert_eq!(refused.code(), "csrf_token_mismatch", "{wrong}");
    }
    let refused = send(&app, &jar, "POST", OTHERS, &[("origin", BASE)], None).await.expect(403);
    assert_eq!(refused.code(), "csrf_token_mismatch");
    for says in [
        with_token(&[("origin", BASE)]),
        with_token(&[("origin", FRIEND)]),
        with_token(&[("sec-fetch-site", "same-origin")]),
        with_token(&[("origin", "http://demo.id.test"), ("host", "demo.id.test")]),
    ] {
        send(&app, &jar, "POST", OTHERS, &says, None).await.expect(204);
    }
    app.finish().await;
}

#[tokio::test]
async fn signing_in_by_cookie_is_for_pages_of_ours() {
    let app = app(true).await;
    let refused = sign_in(&app, ELSEWHERE).await.expect(403);
    assert_eq!(refused.code(), "cross_site_request");
    assert!(lines(&refused.headers).is_empty());
    let friend = sign_in(&app, FRIEND).await.expect(200);
    assert_eq!(friend.headers["access-control-allow-origin"], FRIEND);
    assert_eq!(friend.headers["access-control-allow-credentials"], "true");
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    let bearer = app.try_sign_in("demo", "ada@example.com", PASSWORD).await.expect(200);
    assert!(lines(&bearer.headers).is_empty(), "who does not ask for cookies gets none");
    app.finish().await;
}

#[tokio::test]
async fn tokens_in_headers_need_no_page_and_are_refused_beside_cookies() {
    let app = app(true).await;
    let jar = signed_in(&app).await;
    let tokens = app.sign_in("ada@example.com").await;
    let bearer = format!("Bearer {}", tokens.access);
    let nobody = Jar::default();
    let says = [("authorization", bearer.as_str()), ("origin", ELSEWHERE)];
    send(&app, &nobody, "POST", "/v1/users/me/sessions/revoke-others", &says, None).await.expect(204);

    let jar_again = signed_in(&app).await;
    for method_and_path in [("GET", "/v1/users/me"), ("POST", OTHERS)] {
        let (method, path) = method_and_path;
        let says =
            [("authorization", bearer.as_str()), ("origin", BASE), ("plinto-csrf", jar_again.value("csrf"))];
        let refused = send(&app, &jar_again, method, path, &says, None).await.expect(400);
        assert_eq!(refused.code(), "ambiguous_credentials", "{path}");
    }
    let body = Some(json!({ "refresh_token": tokens.refresh }));
    let refused = send(&app, &jar, "POST", "/v1/auth/refresh", &[("origin", BASE)], body).await.expect(400);
    assert_eq!(refused.code(), "ambiguous_credentials");
    app.finish().await;
}

#[tokio::test]
async fn a_refresh_by_cookie_changes_all_three_cookies_and_signing_out_takes_them_away() {
    let app = app(true).await;
    let first = signed_in(&app).await;
    let refresh = async |jar: &Jar, token: &str| {
        let says = [("origin", BASE), ("plinto-csrf", token)];
        send(&app, jar, "POST", "/v1/auth/refresh", &says, None).await
    };
    assert_eq!(refresh(&first, "").await.expect(403).code(), "csrf_token_mismatch");
    let says = [("origin", ELSEWHERE), ("plinto-csrf", first.value("csrf"))];
    let refused = send(&app, &first, "POST", "/v1/auth/refresh", &says, None).await.expect(403);
    assert_eq!(refused.code(), "cross_site_request");
    assert_eq!(refresh(&Jar::default(), "").await.expect(401).code(), "invalid_grant");

    let mut second = first.clone();
    let answer = refresh(&first, first.value("csrf")).await.expect(200);
    assert!(answer.json().get("access_token").is_none());
    second.keep(&answer);
    for name in ["access", "refresh", "csrf"] {
        assert_ne!(first.value(name), second.value(name), "{name}");
    }
    let csrf = send(&app, &second, "GET", "/v1/auth/csrf", &[], None).await.expect(200);
    assert_eq!(csrf.json()["csrf_token"], second.value("csrf"));
    assert_eq!(send(&app, &Jar::default(), "GET", "/v1/auth/csrf", &[], None).await.status, 401);
    let old = [("origin", BASE), ("plinto-csrf", first.value("csrf"))];
    let refused = send(&app, &second, "POST", OTHERS, &old, None).await.expect(403);
    assert_eq!(refused.code(), "csrf_token_mismatch", "it is of the session's present token");

    let says = [("origin", BASE), ("plinto-csrf", second.value("csrf"))];
    let out = send(&app, &second, "POST", "/v1/auth/sign-out", &says, None).await.expect(204);
    assert_eq!(
        lines(&out.headers),
        [
            "__Host-plinto-access=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
            "__Host-plinto-refresh=; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=0",
            "__Host-plinto-csrf=; SameSite=Strict; Secure; Path=/; Max-Age=0",
        ]
    );
    let gone = send(&app, &second, "GET", "/v1/users/me", &[], None).await.expect(401);
    assert_eq!(gone.code(), "invalid_token");
    app.finish().await;
}

#[tokio::test]
async fn who_authenticates_again_by_cookie_leaves_the_old_tokens_behind() {
    let app = app(true).await;
    let first = signed_in(&app).await;
    let says = [("origin", BASE), ("plinto-csrf", first.value("csrf"))];
    let body = Some(json!({ "password": PASSWORD }));
    let answer = send(&app, &first, "POST", "/v1/auth/reauthenticate", &says, body).await.expect(200);
    let mut second = first.clone();
    second.keep(&answer);
    assert_ne!(first.value("refresh"), second.value("refresh"));
    assert!(!app.is_active(first.value("refresh")).await && app.is_active(second.value("refresh")).await);
    app.finish().await;
}

#[tokio::test]
async fn another_organization_and_another_password_change_all_three_cookies() {
    let app = app(true).await;
    let mut jar = signed_in(&app).await;
    let me = send(&app, &jar, "GET", "/v1/users/me", &[], None).await.expect(200).json();
    let acme = app.organization("acme", me["id"].as_str().unwrap()).await;
    let new = "a much longer zebra lantern";
    for (path, status, body) in [
        ("/v1/users/me/session/organization", 200, json!({ "organization": "acme" })),
        ("/v1/users/me/password", 204, json!({ "current_password": PASSWORD, "new_password": new })),
        ("/v1/users/me/session/organization", 200, json!({ "organization": null })),
    ] {
        let before = jar.clone();
        let csrf = before.value("csrf").to_owned();
        let says = [("origin", ELSEWHERE), ("plinto-csrf", csrf.as_str())];
        let refused = send(&app, &before, "POST", path, &says, Some(body.clone())).await.expect(403);
        assert_eq!(refused.code(), "cross_site_request");
        let says = [("origin", BASE), ("plinto-csrf", csrf.as_str())];
        let answer = send(&app, &before, "POST", path, &says, Some(body.clone())).await.expect(status);
        jar.keep(&answer);
        for name in ["access", "refresh", "csrf"] {
            assert_ne!(before.value(name), jar.value(name), "{path}: {name}");
            assert!(!answer.text.contains(jar.value(name)) || name == "csrf", "{path}: {name} is told");
        }
        assert!(!app.is_active(before.value("refresh")).await && app.is_active(jar.value("refresh")).await);
        if status == 200 {
            let there = if body["organization"].is_null() { Value::Null } else { json!(acme) };
            assert_eq!(answer.json()["organization_id"], there);
            assert_eq!(answer.json()["csrf_token"], jar.value("csrf"));
        }
        let inside = app.introspect(jar.value("access")).await;
        assert_eq!(
            inside.get("org_id").is_some(),
            !body["organization"].is_null() || status == 204,
            "{path}"
        );
    }
    // The refresh token comes in its cookie and nowhere else.
    let csrf = jar.value("csrf").to_owned();
    let says = [("origin", BASE), ("plinto-csrf", csrf.as_str())];
    let body = json!({ "organization": "acme", "refresh_token": jar.value("refresh") });
    let path = "/v1/users/me/session/organization";
    let refused = send(&app, &jar, "POST", path, &says, Some(body)).await.expect(400);
    assert_eq!(refused.code(), "ambiguous_credentials");
    app.finish().await;
}

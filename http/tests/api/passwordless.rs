//! Signing in by a link or a code in a mail.

use crate::app::{Answer, BASE, PASSWORD, TestApp, Tokens, roomy, tokens};
use crate::browser_sessions::{Jar, send};
use crate::mail::token_in;
use axum::body::Body;
use axum::http::{Request, header};
use plinto_actors::{KeptMail, Limits};
use plinto_http::{HttpConfig, ListenerName};
use serde_json::{Value, json};
use std::time::Duration;

const ADA: &str = "ada@example.com";
const START: &str = "/t/demo/v1/auth/passwordless/start";
const COMPLETE: &str = "/t/demo/v1/auth/passwordless/complete";

impl TestApp {
    async fn start_by_mail(&self, email: &str, method: &str) -> Answer {
        self.core("POST", START, None, Some(json!({ "email": email, "method": method }))).await
    }

    pub(crate) async fn complete_by_mail(&self, body: Value) -> Answer {
        self.core("POST", COMPLETE, None, Some(body)).await
    }

    fn mails_to(&self, email: &str, kind: &str) -> Vec<KeptMail> {
        let mails = self.state.platform().mailbox().unwrap().list();
        mails.into_iter().filter(|mail| mail.to == email && mail.kind == kind).collect()
    }

    /// Asks, and waits for the mail that comes of it.
    pub(crate) async fn asked(&self, email: &str, method: &str) -> (String, KeptMail) {
        let kind = format!("sign_in_{method}");
        let before = self.mails_to(email, &kind).len();
        let answer = self.start_by_mail(email, method).await.expect(202).json();
        let challenge = answer["challenge"].as_str().unwrap().to_owned();
        (challenge, self.next_mail(email, &kind, before).await)
    }

    async fn next_mail(&self, email: &str, kind: &str, before: usize) -> KeptMail {
        loop {
            let mail = self.mail(email, kind).await;
            if self.mails_to(email, kind).len() > before {
                return mail;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn by_code(&self, email: &str) -> Tokens {
        let (challenge, mail) = self.asked(email, "code").await;
        let body = json!({ "challenge": challenge, "code": code_in(&mail) });
        tokens(&self.complete_by_mail(body).await.expect(200))
    }

    /// Somebody with a password who has proved the address.
    pub(crate) async fn proved(&self, email: &str) -> Tokens {
        let somebody = self.user(email).await;
        let token = token_in(&self.mail(email, "verify_email").await);
        let body = Some(json!({ "token": token }));
        self.core("POST", "/t/demo/v1/auth/verify-email", None, body).await.expect(204);
        somebody
    }

    async fn recovery_settings(&self, wanted: Value) {
        let body = Some(json!({ "recovery": wanted }));
        self.manage("PATCH", "/v1/settings", body).await.expect(200);
    }
}

pub(crate) fn code_in(mail: &KeptMail) -> String {
    let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    mail.text.lines().map(str::trim).find(is_code).expect("a code of eight digits").to_owned()
}

fn another(code: &str) -> String {
    let first = if code.starts_with('0') { '1' } else { '0' };
    format!("{first}{}", &code[1..])
}

fn link_in(mail: &KeptMail) -> String {
    mail.text.lines().find_map(|line| line.strip_prefix(BASE)).expect("a link").to_owned()
}

/// Presses the button of the link's page.
async fn press(app: &TestApp, jar: &Jar, mail: &KeptMail, says: &[(&str, &str)]) -> Answer {
    let form = format!("token={}", token_in(mail));
    let mut request = Request::post(link_in(mail).split('?').next().unwrap())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, jar.line());
    for (name, value) in says {
        request = request.header(*name, *value);
    }
    app.send(ListenerName::Core, request.body(Body::from(form)).unwrap()).await
}

/// A browser that asked for a link.
async fn browser_that_asked(app: &TestApp, mode: &str) -> (Jar, Value, KeptMail) {
    let before = app.mails_to(ADA, "sign_in_link").len();
    let body = Some(json!({ "email": ADA, "method": "link", "mode": mode }));
    let answer = send(app, &Jar::default(), "POST", START, &[("origin", BASE)], body).await.expect(202);
    let mut jar = Jar::default();
    jar.keep(&answer);
    (jar, answer.json(), app.next_mail(ADA, "sign_in_link", before).await)
}

#[tokio::test]
async fn a_code_signs_in_once_with_the_challenge_and_proves_the_address() {
    let app = TestApp::new().await;
    app.user(ADA).await;
    let (challenge, mail) = app.asked(ADA, "code").await;
    let code = code_in(&mail);
    let body = |code: &str| json!({ "challenge": challenge, "code": code });
    let missing = app.complete_by_mail(json!({ "challenge": challenge })).await.expect(409);
    assert_eq!(missing.code(), "not_confirmed");
    app.complete_by_mail(json!({ "code": code })).await.expect(410);
    app.complete_by_mail(json!({ "challenge": "x".repeat(43), "code": code })).await.expect(410);
    let wrong = app.complete_by_mail(body(&another(&code))).await.expect(410);
    assert_eq!(wrong.code(), "link_or_code_unusable");
    let both = json!({ "challenge": challenge, "code": code, "token": code });
    assert_eq!(
        app.complete_by_mail(both).await.expect(422).json()["errors"][0]["code"],
        "one_secret_allowed"
    );
    let in_groups = format!(" {} {} ", &code[..4], &code[4..]);
    let signed_in = tokens(&app.complete_by_mail(body(&in_groups)).await.expect(200));
    assert_eq!(app.introspect(&signed_in.access).await["amr"], json!(["email", "otp"]));
    let me = app.core("GET", "/v1/users/me", Some(&signed_in.access), None).await.expect(200).json();
    assert_eq!(me["email_verified"], true);
    let again = app.complete_by_mail(body(&code)).await.expect(410);
    assert_eq!(again.text, wrong.text);
    assert!(app.try_refresh(&signed_in.refresh).await.status == 200);
    app.finish().await;
}

#[tokio::test]
async fn an_unknown_address_is_answered_the_same_at_every_step_and_gets_no_mail() {
    let app = TestApp::new().await;
    app.user(ADA).await;
    let mut answers = Vec::new();
    for email in [ADA, "nobody@example.com"] {
        let mut answer = app.start_by_mail(email, "code").await.expect(202).json();
        let challenge = answer["challenge"].take();
        let mut texts = vec![answer.to_string()];
        texts.push(app.complete_by_mail(json!({ "challenge": challenge })).await.expect(409).text);
        // More than there are attempts.
        for _ in 0..7 {
            let body = json!({ "challenge": challenge, "code": "00000000" });
            texts.push(app.complete_by_mail(body).await.expect(410).text);
        }
        texts.push(app.complete_by_mail(json!({ "challenge": challenge })).await.expect(410).text);
        answers.push(texts);
    }
    assert_eq!(answers[0], answers[1]);
    // Whatever was queued before is delivered before this.
    app.asked(ADA, "link").await;
    let mailbox = app.state.platform().mailbox().unwrap().list();
    assert!(mailbox.iter().all(|mail| mail.to == ADA));
    let page = app.manage("GET", "/v1/users?email=nobody@example.com", None).await.expect(200).json();
    assert_eq!(page["items"], json!([]), "no account was made");
    app.finish().await;
}

#[tokio::test]
async fn after_five_wrong_codes_the_right_one_is_refused() {
    let app = TestApp::new().await;
    app.user(ADA).await;
    let (challenge, mail) = app.asked(ADA, "code").await;
    let code = code_in(&mail);
    for attempt in 0..6 {
        let code = if attempt == 5 { code.clone() } else { another(&code) };
        app.complete_by_mail(json!({ "challenge": challenge, "code": code })).await.expect(410);
    }
    let events = app.manage("GET", "/v1/audit/events?type=sign_in.refused", None).await.expect(200).json();
    assert_eq!(events["items"].as_array().unwrap().len(), 5, "{events}");
    app.by_code(ADA).await;
    app.finish().await;
}

#[tokio::test]
async fn a_link_is_good_in_the_browser_that_asked_and_opening_it_changes_nothing() {
    let app = TestApp::new().await;
    app.proved(ADA).await;
    let (mut jar, answer, mail) = browser_that_asked(&app, "cookie").await;
    assert_eq!(answer.get("challenge"), None, "no script reads it");
    assert!(link_in(&mail).starts_with("/t/demo/auth/sign-in-link?token="), "{}", mail.text);
    let elsewhere = Jar::default();
    for _ in 0..3 {
        // A scanner opens it, and once more; so does the browser.
        for method in ["GET", "HEAD"] {
            for jar in [&elsewhere, &jar] {
                send(&app, jar, method, &link_in(&mail), &[], None).await.expect(200);
            }
        }
    }
    let page = send(&app, &elsewhere, "GET", &link_in(&mail), &[], None).await.expect(200);
    assert!(page.text.contains("Asked for somewhere else") && !page.text.contains("<form"), "{}", page.text);
    let page = send(&app, &jar, "GET", &link_in(&mail), &[], None).await.expect(200);
    assert!(page.text.contains("<form method=\"post\">") && !page.text.contains("<script"));
    // Whoever presses the button in another browser lets nobody in, there or here.
    let pressed = press(&app, &elsewhere, &mail, &[]).await.expect(200);
    assert!(pressed.text.contains("Asked for somewhere else"));
    assert!(!pressed.headers.contains_key(header::SET_COOKIE));
    let waiting = send(&app, &jar, "POST", COMPLETE, &[("origin", BASE)], Some(json!({}))).await.expect(409);
    assert_eq!(waiting.code(), "not_confirmed");
    let foreign = press(&app, &jar, &mail, &[("sec-fetch-site", "cross-site")]).await.expect(403);
    assert_eq!(foreign.code(), "cross_site_request");

    let pressed = press(&app, &jar, &mail, &[("sec-fetch-site", "same-origin")]).await.expect(200);
    assert!(pressed.text.contains("You are signed in"), "{}", pressed.text);
    let with_challenge = jar.clone();
    jar.keep(&pressed);
    assert!(!jar.line().contains("plinto-challenge"));
    let me = send(&app, &jar, "GET", "/v1/users/me", &[], None).await.expect(200).json();
    assert_eq!(me["email"], ADA);
    assert_eq!(app.introspect(jar.value("access")).await["amr"], json!(["email"]));
    let again = press(&app, &with_challenge, &mail, &[]).await.expect(200);
    assert!(again.text.contains("Link or code unusable") && !again.headers.contains_key(header::SET_COOKIE));
    app.finish().await;
}

#[tokio::test]
async fn a_link_confirmed_in_its_browser_lets_the_page_that_asked_go_on() {
    let app = TestApp::new().await;
    app.proved(ADA).await;
    let (jar, answer, mail) = browser_that_asked(&app, "bearer").await;
    let challenge = json!({ "challenge": answer["challenge"] });
    assert_eq!(app.complete_by_mail(challenge.clone()).await.expect(409).code(), "not_confirmed");
    let pressed = press(&app, &jar, &mail, &[]).await.expect(200);
    assert!(pressed.text.contains("Confirmed"), "{}", pressed.text);
    assert!(!pressed.headers.contains_key(header::SET_COOKIE), "its page does not sign in");
    let answer = send(&app, &jar, "POST", COMPLETE, &[], Some(challenge.clone())).await.expect(200);
    tokens(&answer);
    let cookies = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookies.starts_with("plinto-challenge=;") && cookies.contains("Max-Age=0"), "{cookies}");
    app.complete_by_mail(challenge).await.expect(410);
    // Who follows the link by itself presents its token.
    let (challenge, mail) = app.asked(ADA, "link").await;
    let wrong = json!({ "challenge": challenge, "token": "x".repeat(43) });
    app.complete_by_mail(wrong).await.expect(410);
    app.complete_by_mail(json!({ "challenge": challenge, "token": token_in(&mail) })).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_code_by_cookie_is_for_pages_of_ours() {
    let config = HttpConfig { strict_transport: true, ..HttpConfig::default() };
    let app = TestApp::with(roomy(), config).await;
    app.proved(ADA).await;
    let ask = async |origin: &str| {
        let body = Some(json!({ "email": ADA, "method": "code", "mode": "cookie" }));
        send(&app, &Jar::default(), "POST", START, &[("origin", origin)], body).await
    };
    assert_eq!(ask("https://evil.example").await.expect(403).code(), "cross_site_request");
    let mut jar = Jar::default();
    let answer = ask(BASE).await.expect(202);
    let line = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(line.starts_with("__Host-plinto-challenge=c."), "{line}");
    assert!(line.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"), "{line}");
    jar.keep(&answer);
    let code = code_in(&app.mail(ADA, "sign_in_code").await);
    let complete = async |origin: &str, body: Value| {
        send(&app, &jar, "POST", COMPLETE, &[("origin", origin)], Some(body)).await
    };
    let refused = complete("https://evil.example", json!({ "code": code })).await.expect(403);
    assert_eq!(refused.code(), "cross_site_request");
    let twice = complete(BASE, json!({ "code": code, "challenge": "x" })).await.expect(400);
    assert_eq!(twice.code(), "ambiguous_credentials");
    let signed_in = complete(BASE, json!({ "code": code })).await.expect(200);
    assert!(signed_in.json().get("access_token").is_none());
    let mut after = jar.clone();
    after.keep(&signed_in);
    assert!(!after.line().contains("challenge"));
    send(&app, &after, "GET", "/v1/users/me", &[], None).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn what_is_mailed_is_good_with_its_own_challenge_in_its_own_tenant_and_time() {
    let app = TestApp::new().await;
    app.proved(ADA).await;
    app.proved("eve@example.com").await;
    app.another_tenant("other").await;
    let (ours, mail) = app.asked(ADA, "code").await;
    let (theirs, _) = app.asked("eve@example.com", "code").await;
    let (later, _) = app.asked(ADA, "code").await;
    let body = |challenge: &str| json!({ "challenge": challenge, "code": code_in(&mail) });
    app.complete_by_mail(body(&theirs)).await.expect(410);
    app.complete_by_mail(body(&later)).await.expect(410);
    let other = "/t/other/v1/auth/passwordless/complete";
    app.core("POST", other, None, Some(body(&ours))).await.expect(410);
    let reset = Some(json!({ "token": ours, "password": PASSWORD }));
    app.core("POST", "/t/demo/v1/auth/password/reset", None, reset).await.expect(410);
    app.complete_by_mail(body(&ours)).await.expect(200);
    let (late, mail) = app.asked(ADA, "code").await;
    app.advance(Duration::from_secs(10 * 60));
    app.complete_by_mail(json!({ "challenge": late, "code": code_in(&mail) })).await.expect(410);
    app.finish().await;
}

#[tokio::test]
async fn of_two_who_use_one_code_exactly_one_is_signed_in() {
    let app = TestApp::new().await;
    app.proved(ADA).await;
    let (challenge, mail) = app.asked(ADA, "code").await;
    let body = json!({ "challenge": challenge, "code": code_in(&mail) });
    let (first, second, third) = tokio::join!(
        app.complete_by_mail(body.clone()),
        app.complete_by_mail(body.clone()),
        app.complete_by_mail(body.clone())
    );
    let mut statuses = [first, second, third].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410]);
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_sign_in_may_not_by_mail_either() {
    let app = TestApp::new().await;
    let ada = app.proved(ADA).await;
    let path = |what: &str| format!("/v1/users/{}/{what}", ada.user);
    let until = json!({ "until": 1_800_000_600_000_i64 });
    for (there, body, back) in [("block", None, "unblock"), ("lock", Some(until), "unlock")] {
        let (challenge, mail) = app.asked(ADA, "code").await;
        app.manage("POST", &path(there), body).await.expect(200);
        let body = json!({ "challenge": challenge, "code": code_in(&mail) });
        let refused = app.complete_by_mail(body.clone()).await.expect(410);
        assert_eq!(refused.code(), "link_or_code_unusable", "{there}");
        app.manage("POST", &path(back), None).await.expect(200);
        app.complete_by_mail(body).await.expect(200);
    }
    let (challenge, mail) = app.asked(ADA, "link").await;
    app.manage("DELETE", &format!("/v1/users/{}", ada.user), None).await.expect(200);
    app.complete_by_mail(json!({ "challenge": challenge, "token": token_in(&mail) })).await.expect(410);
    app.finish().await;
}

#[tokio::test]
async fn sessions_by_mail_count_like_others() {
    let app = TestApp::new().await;
    app.proved(ADA).await;
    let session = json!({ "session": { "max_concurrent": 1 } });
    app.manage("PATCH", "/v1/settings", Some(session)).await.expect(200);
    app.advance(Duration::from_millis(5));
    let first = app.sign_in(ADA).await;
    app.advance(Duration::from_millis(5));
    let second = app.by_code(ADA).await;
    assert!(!app.is_active(&first.access).await && app.is_active(&second.access).await);
    let session = json!({ "session": { "at_limit": "refuse_new" } });
    app.manage("PATCH", "/v1/settings", Some(session)).await.expect(200);
    let (challenge, mail) = app.asked(ADA, "code").await;
    let body = json!({ "challenge": challenge, "code": code_in(&mail) });
    assert_eq!(app.complete_by_mail(body.clone()).await.expect(409).code(), "session_limit_reached");
    app.core("POST", "/v1/auth/sign-out", Some(&second.access), None).await.expect(204);
    app.complete_by_mail(body).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn who_made_an_account_with_an_address_of_somebody_else_is_out_once_its_owner_signs_in() {
    let app = TestApp::new().await;
    let squatter = app.user(ADA).await;
    assert!(app.is_active(&squatter.access).await, "resident in memory");
    let owner = app.by_code(ADA).await;
    assert_eq!(owner.user, squatter.user);
    assert!(!app.is_active(&squatter.access).await && app.is_active(&owner.access).await);
    app.try_refresh(&squatter.refresh).await.expect(401);
    app.try_sign_in("demo", ADA, PASSWORD).await.expect(401);
    app.mail(ADA, "password_removed").await;
    // The owner chooses one, which stays.
    let body = Some(json!({ "email": ADA }));
    app.core("POST", "/t/demo/v1/auth/password/forgot", None, body).await.expect(202);
    let token = token_in(&app.mail(ADA, "reset_password").await);
    let body = Some(json!({ "token": token, "password": PASSWORD }));
    app.core("POST", "/t/demo/v1/auth/password/reset", None, body).await.expect(204);
    let first = app.by_code(ADA).await;
    app.by_code(ADA).await;
    assert!(app.is_active(&first.access).await);
    app.try_sign_in("demo", ADA, PASSWORD).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_switches_ways_off() {
    let app = TestApp::new().await;
    app.proved(ADA).await;
    let (challenge, mail) = app.asked(ADA, "link").await;
    let (jar, _, other) = browser_that_asked(&app, "bearer").await;
    app.recovery_settings(json!({ "sign_in_link": false })).await;
    for email in [ADA, "nobody@example.com"] {
        assert_eq!(app.start_by_mail(email, "link").await.expect(403).code(), "sign_in_method_off");
    }
    let body = json!({ "challenge": challenge, "token": token_in(&mail) });
    assert_eq!(app.complete_by_mail(body.clone()).await.expect(403).code(), "sign_in_method_off");
    assert!(press(&app, &jar, &other, &[]).await.expect(200).text.contains("switched off"));
    app.by_code(ADA).await;
    app.recovery_settings(json!({ "sign_in_link": true, "sign_in_code": false })).await;
    app.complete_by_mail(body).await.expect(200);
    assert_eq!(app.start_by_mail(ADA, "code").await.expect(403).code(), "sign_in_method_off");
    app.finish().await;
}

#[tokio::test]
async fn mails_to_one_address_are_limited_whether_or_not_it_has_an_account() {
    let limits = Limits { account_burst: 3, account_refill_seconds: 3_600, ..roomy() };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    app.sign_up(ADA).await.expect(202);
    for email in [ADA, "nobody@example.com"] {
        for method in ["code", "link", "code"] {
            app.start_by_mail(email, method).await.expect(202);
        }
        let limited = app.start_by_mail(email, "link").await.expect(429);
        assert_eq!(limited.code(), "too_many_attempts");
        assert!(limited.headers.contains_key("retry-after"));
    }
    app.finish().await;
}

#[tokio::test]
async fn an_address_taken_from_the_user_meanwhile_does_not_sign_in() {
    let app = TestApp::new().await;
    let ada = app.proved(ADA).await;
    let emails = format!("/v1/users/{}/emails", ada.user);
    let body = json!({ "email": "ada@work.example", "verified": true });
    let second = app.manage("POST", &emails, Some(body)).await.expect(201).json();
    let (challenge, mail) = app.asked("ada@work.example", "code").await;
    let path = format!("{emails}/{}", second["id"].as_str().unwrap());
    app.manage("DELETE", &path, None).await.expect(204);
    app.complete_by_mail(json!({ "challenge": challenge, "code": code_in(&mail) })).await.expect(410);
    app.finish().await;
}

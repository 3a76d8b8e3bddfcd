//! The pages users see: what they refuse, what they repeat, and whom they let in.

use crate::app::{PASSWORD, TestApp};
use crate::authorization_code::{CALLBACK, claims, code_of, register, sign_in, tokens_of};
use crate::user_agent::UserAgent;
use axum::http::header;
use serde_json::json;
use std::time::Duration;

async fn with_ada() -> TestApp {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await.expect(202);
    app
}

/// Open redirect and redirect URI confusion (RFC 9700 §4.1, §4.11): nobody is sent anywhere that is not certain.
#[tokio::test]
async fn nobody_is_sent_where_it_is_not_certain() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let evil = [
        "https://evil.example/",
        "https://app.example.com/callback/../evil",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callback#x",
        "https://APP.example.com/callback",
        "https://app.example.com/callback%2f..",
        "javascript:alert(1)",
        "//evil.example/callback",
        "",
    ];
    let mut agent = UserAgent::default();
    for uri in evil {
        let place = agent.open(&app, &client.address(&[("redirect_uri", uri)])).await;
        assert_eq!((place.answer.status.as_u16(), place.step()), (400, "/oauth2/authorize"), "{uri}");
        assert!(place.text().contains("This request cannot be answered"), "{uri}");
        assert!(!place.text().contains("evil"), "what was sent is not repeated: {uri}");
    }
    for id in ["", "cli_00000000000000000000000000000001", "nobody"] {
        let place = agent.open(&app, &client.address(&[("client_id", id)])).await;
        assert_eq!((place.answer.status.as_u16(), place.answer.code().as_str()), (400, "page"), "{id}");
    }
    let path = format!("/v1/clients/{}", client.id);
    app.manage("PATCH", &path, Some(json!({ "disabled": true }))).await.expect(200);
    assert_eq!(agent.open(&app, &client.address(&[])).await.answer.status.as_u16(), 400);
    app.finish().await;
}

#[tokio::test]
async fn what_is_wrong_goes_to_the_client_once_it_is_certain_where_that_is() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let cases = [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("scope", "admin"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("prompt", "none"), "login_required"),
        (("prompt", "none login"), "invalid_request"),
        (("request", "x.y.z"), "invalid_request_object"),
        (("request_uri", "https://app.example.com/r"), "request_uri_not_supported"),
        (("id_token_hint", "x.y.z"), "invalid_request"),
        (("resource", "https://other.example/"), "invalid_target"),
    ];
    let mut agent = UserAgent::default();
    for (changed, error) in cases {
        let place = agent.open(&app, &client.address(&[changed])).await;
        let parameters = place.parameters();
        assert_eq!(
            parameters.get("error").map(String::as_str),
            Some(error),
            "{changed:?}: {}",
            place.address
        );
        assert_eq!(
            (parameters["state"].as_str(), parameters["iss"].as_str()),
            ("st-1", "http://plinto.test/t/demo")
        );
        assert!(place.address.starts_with(CALLBACK));
    }
    app.finish().await;
}

/// Cross-site request forgery on sign-in and consent: a page elsewhere has neither cookie nor token.
#[tokio::test]
async fn forms_of_pages_elsewhere_are_refused() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let mut agent = UserAgent::default();
    let page = agent.open(&app, &client.address(&[])).await;
    let (action, hidden) = page.form();
    let hidden: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut good = hidden.clone();
    good.extend([("username", "ada@example.com"), ("password", PASSWORD)]);
    let elsewhere = agent.post(&app, &action, &good, "cross-site").await;
    assert_eq!(elsewhere.answer.status.as_u16(), 403);
    let without: Vec<_> = good.iter().copied().filter(|(name, _)| *name != "form_token").collect();
    assert!(agent.post(&app, &action, &without, "same-origin").await.answer.status.is_client_error());
    let another_browser = UserAgent::default().post(&app, &action, &good, "same-origin").await;
    assert_eq!(another_browser.answer.status.as_u16(), 403, "login CSRF");
    let consent = agent.post(&app, &action, &good, "same-origin").await;
    assert_eq!(consent.step(), "/consent");
    let (action, hidden) = consent.form();
    let mut allow: Vec<_> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    allow.push(("decision", "allow"));
    assert_eq!(agent.post(&app, &action, &allow, "cross-site").await.answer.status.as_u16(), 403);
    // The cookie that says who is signed in does not come along from elsewhere; without it nobody is.
    let mut without_ticket = UserAgent::default();
    let page = without_ticket.open(&app, &client.address(&[])).await;
    let (_, own) = page.form();
    let token = own.iter().find(|(name, _)| name == "form_token").unwrap().1.as_str();
    let replaced: Vec<_> = allow
        .iter()
        .map(|(name, value)| (*name, if *name == "form_token" { token } else { value }))
        .collect();
    let place = without_ticket.post(&app, &action, &replaced, "same-origin").await;
    assert_eq!(place.step(), "/sign-in");
    app.finish().await;
}

#[tokio::test]
async fn pages_protect_themselves() {
    let app = with_ada().await;
    let client = register(&app, json!({ "logo_uri": "https://cdn.example/logo.png" })).await;
    let mut agent = UserAgent::default();
    let page = agent.open(&app, &client.address(&[])).await;
    let policy = page.answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "style-src 'self'",
        "https://cdn.example",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe-inline"));
    assert_eq!(page.answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(page.answer.headers[header::REFERRER_POLICY], "no-referrer");
    assert!(
        !page.text().contains("<style")
            && !page.text().contains(" style=")
            && !page.text().contains("<script>")
    );
    let cookie = page.answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let stylesheet = page.text().split("href=\"").find(|part| part.contains("style.css")).unwrap();
    let path = stylesheet.split('"').next().unwrap();
    let style = agent.open(&app, path).await;
    assert!(style.text().contains("--brand: #2b4a8b; --on-brand: #ffffff"));
    app.finish().await;
}

/// Cross-site scripting in everything that is repeated.
#[tokio::test]
async fn what_is_repeated_is_text() {
    let app = with_ada().await;
    let script = "\"><script>alert(1)</script>";
    let client = register(&app, json!({ "name": "<b>Orders</b>", "redirect_uris": [CALLBACK] })).await;
    let mut agent = UserAgent::default();
    let page = agent.open(&app, &client.address(&[("login_hint", script), ("state", script)])).await;
    let harmless = |text: &str| !text.contains("<script>alert") && !text.contains("<b>Orders");
    assert!(harmless(page.text()) && page.text().contains("&#60;b&#62;Orders"));
    let again = agent.submit(&app, &page, &[("username", script), ("password", "x")]).await;
    assert!(harmless(again.text()));
    let consent = sign_in(&app, &mut agent, &page, "ada@example.com").await;
    assert!(harmless(consent.text()));
    let form = agent.open(&app, &client.address(&[("state", script), ("response_mode", "form_post")])).await;
    let posted = agent.submit(&app, &form, &[("decision", "allow")]).await;
    assert!(harmless(posted.text()) && posted.text().contains("&#60;script&#62;"), "{}", posted.text());
    for address in [
        "/t/demo/sign-in?flow=%22%3E%3Cscript%3Ealert(1)",
        "/t/demo/oauth2/end-session?state=%3Cscript%3Ealert(1)",
    ] {
        assert!(harmless(agent.open(&app, address).await.text()), "{address}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_flow_that_is_old_or_not_ours_is_refused() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let mut agent = UserAgent::default();
    let page = agent.open(&app, &client.address(&[])).await;
    let (_, flow) = page.address.split_once("flow=").unwrap();
    for bad in ["", "?flow=", "?flow=abc", &format!("?flow={}A", &flow[..flow.len() - 1])] {
        for step in ["sign-in", "sign-up", "consent", "select-account", "oauth2/continue", "forgot-password"]
        {
            let place = agent.open(&app, &format!("/t/demo/{step}{bad}")).await;
            assert_eq!(place.answer.status.as_u16(), 400, "{step}{bad}");
            assert!(place.text().contains("This page is too old"));
        }
    }
    app.another_tenant("other").await;
    let foreign = agent.open(&app, &format!("/t/other/sign-in?flow={flow}")).await;
    assert_eq!(foreign.answer.status.as_u16(), 400);
    app.advance(Duration::from_secs(3_600));
    assert_eq!(agent.open(&app, &page.address).await.answer.status.as_u16(), 400);
    app.finish().await;
}

#[tokio::test]
async fn a_new_user_makes_an_account_on_the_way() {
    let app = TestApp::new().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let mut agent = UserAgent::default();
    let page = agent.open(&app, &client.address(&[("prompt", "create")])).await;
    assert_eq!(page.step(), "/sign-up");
    let weak = agent.submit(&app, &page, &[("email", "new@example.com"), ("password", "password")]).await;
    assert_eq!((weak.step(), weak.answer.status.as_u16()), ("/sign-up", 422));
    let filled = [("name", "New"), ("email", "new@example.com"), ("password", PASSWORD)];
    let back = agent.submit(&app, &weak, &filled).await;
    assert!(back.parameters().contains_key("code"), "{} {}", back.address, back.text());
    // Whoever has an account already learns nothing but to look into the mail.
    let mut other = UserAgent::default();
    let page = other.open(&app, &client.address(&[])).await;
    let page = other.open(&app, &page.link("sign-up")).await;
    let taken = [("email", "new@example.com"), ("password", "quite another password")];
    let answered = other.submit(&app, &page, &taken).await;
    assert!(answered.text().contains("Check your e-mail"));
    app.mail("new@example.com", "already_registered").await;
    app.finish().await;
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let mut agent = UserAgent::default();
    let page = agent.open(&app, &client.address(&[])).await;
    let page = agent.open(&app, &page.link("forgot-password")).await;
    for email in ["ada@example.com", "nobody@example.com"] {
        let answered = agent.submit(&app, &page, &[("email", email)]).await;
        assert!(answered.text().contains("Check your e-mail"), "{}", answered.text());
        assert_eq!(agent.open(&app, &answered.link("go-on")).await.step(), "/sign-in");
    }
    app.mail("ada@example.com", "reset_password").await;
    let invalid = agent.submit(&app, &page, &[("email", "nonsense")]).await;
    assert_eq!(invalid.answer.status.as_u16(), 422);
    app.finish().await;
}

#[tokio::test]
async fn several_accounts_are_signed_in_and_one_is_chosen() {
    let app = with_ada().await;
    app.sign_up("bob@example.com").await.expect(202);
    let client = register(&app, json!({ "first_party": true })).await;
    let (ada, mut agent) = tokens_of(&app, &client, "openid").await;
    app.advance(Duration::from_secs(1));
    let select = agent.open(&app, &client.address(&[("prompt", "select_account")])).await;
    assert_eq!(select.step(), "/select-account");
    let page = agent.open(&app, &select.link("other-account")).await;
    let back = sign_in(&app, &mut agent, &page, "bob@example.com").await;
    let bob = client.redeem(&app, &back.parameters()["code"]).await.expect(200).json();
    app.advance(Duration::from_secs(1));
    let select = agent.open(&app, &client.address(&[("prompt", "select_account")])).await;
    assert!(select.text().contains("ada@example.com") && select.text().contains("bob@example.com"));
    let of = |tokens: &serde_json::Value| claims(tokens["id_token"].as_str().unwrap());
    let session = of(&ada)["sid"].as_str().unwrap().to_owned();
    let back = agent.submit(&app, &select, &[("session", &session)]).await;
    let chosen = client.redeem(&app, &back.parameters()["code"]).await.expect(200).json();
    assert_eq!(of(&chosen)["sub"], of(&ada)["sub"]);
    // A hint says who is meant, whoever is the present one.
    let hinted = [("prompt", "none"), ("id_token_hint", bob["id_token"].as_str().unwrap())];
    let refused = agent.open(&app, &client.address(&hinted)).await;
    assert_eq!(refused.parameters()["error"], "login_required");
    let unknown = agent.submit(&app, &select, &[("session", "ses_00000000000000000000000000000001")]).await;
    assert_eq!(unknown.step(), "/select-account");
    app.finish().await;
}

#[tokio::test]
async fn who_must_sign_in_again_does() {
    let app = with_ada().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let (first, mut agent) = tokens_of(&app, &client, "openid").await;
    app.advance(Duration::from_secs(100));
    let code = code_of(&app, &mut agent, &client.address(&[("max_age", "200")])).await;
    let second = client.redeem(&app, &code).await.expect(200).json();
    let auth_time =
        |tokens: &serde_json::Value| claims(tokens["id_token"].as_str().unwrap())["auth_time"].as_i64();
    assert_eq!(auth_time(&second), auth_time(&first), "nobody was asked");
    for again in [("prompt", "login"), ("max_age", "10")] {
        app.advance(Duration::from_secs(100));
        let page = agent.open(&app, &client.address(&[again])).await;
        let back = sign_in(&app, &mut agent, &page, "ada@example.com").await;
        let third = client.redeem(&app, &back.parameters()["code"]).await.expect(200).json();
        assert!(auth_time(&third) > auth_time(&first), "{again:?}");
    }
    app.finish().await;
}

#[tokio::test]
async fn pages_speak_the_language_that_is_liked() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let mut agent = UserAgent { language: Some("es-MX,es;q=0.9"), ..UserAgent::default() };
    let page = agent.open(&app, &client.address(&[])).await;
    assert!(page.text().contains("<html lang=\"es\">") && page.text().contains("Iniciar sesión"));
    let page = agent.open(&app, &client.address(&[("ui_locales", "fr en es")])).await;
    assert!(page.text().contains("<html lang=\"en\">"));
    let mut english = UserAgent::default();
    let page = english.open(&app, &client.address(&[("ui_locales", "es")])).await;
    assert!(page.text().contains("<html lang=\"es\">"));
    app.finish().await;
}

#[tokio::test]
async fn users_are_signed_out_where_an_application_asks_and_may() {
    let app = with_ada().await;
    let after = "https://app.example.com/signed-out";
    let client = register(&app, json!({ "first_party": true, "post_logout_redirect_uris": [after] })).await;
    let (tokens, mut agent) = tokens_of(&app, &client, "openid").await;
    let hint = tokens["id_token"].as_str().unwrap();
    let end = |pairs: &[(&str, &str)]| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/t/demo/oauth2/end-session?{query}")
    };
    let uri = ("post_logout_redirect_uri", after);
    for bad in [
        end(&[("id_token_hint", "x.y.z")]),
        end(&[uri]),
        end(&[("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example/")]),
        end(&[("id_token_hint", hint), ("client_id", "cli_00000000000000000000000000000001"), uri]),
        end(&[("id_token_hint", hint), uri, uri]),
    ] {
        let place = agent.open(&app, &bad).await;
        assert_eq!(place.answer.status.as_u16(), 400, "{bad}");
        assert!(place.text().contains("You are still signed in") && !place.text().contains("evil"));
    }
    let (mut other_browser, mut asked) = (UserAgent::default(), agent.clone());
    let nobody = other_browser.open(&app, &end(&[("id_token_hint", hint), uri, ("state", "s 1")])).await;
    assert_eq!(nobody.address, format!("{after}?state=s+1"), "nobody is signed in there");
    // Without an ID token anybody may have sent the browser here.
    let question = asked.open(&app, &end(&[("client_id", &client.id), uri])).await;
    assert!(question.text().contains("Do you want to sign out"));
    let stays = asked.submit(&app, &question, &[("decision", "stay")]).await;
    assert!(stays.text().contains("You are still signed in"));
    assert!(app.is_active(tokens["access_token"].as_str().unwrap()).await);
    let gone = asked.submit(&app, &question, &[("decision", "sign-out")]).await;
    assert_eq!(gone.address, after);
    assert!(!app.is_active(tokens["access_token"].as_str().unwrap()).await);
    assert_eq!(
        agent.open(&app, &client.address(&[])).await.step(),
        "/sign-in",
        "the ticket is good no longer"
    );
    app.finish().await;
}

/// Session fixation: a ticket is made with the session and of nothing a browser brought along.
#[tokio::test]
async fn a_ticket_of_before_is_not_the_one_of_after() {
    let app = with_ada().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let (_, agent) = tokens_of(&app, &client, "openid").await;
    let ticket = agent.jar.value("plinto-browser-demo").to_owned();
    let mut victim = agent.clone();
    app.advance(Duration::from_secs(1));
    let page = victim.open(&app, &client.address(&[("prompt", "login")])).await;
    sign_in(&app, &mut victim, &page, "ada@example.com").await;
    assert_ne!(victim.jar.value("plinto-browser-demo"), ticket);
    for forged in
        [format!("{ticket}x"), ticket.replace("plbt_", "plor_"), "plbt_".to_owned(), "....".to_owned()]
    {
        let mut forger = UserAgent::default();
        forger.jar.put("plinto-browser-demo", &forged);
        assert_eq!(forger.open(&app, &client.address(&[])).await.step(), "/sign-in", "{forged}");
    }
    app.finish().await;
}

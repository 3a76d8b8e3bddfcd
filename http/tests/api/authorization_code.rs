//! From a client's request to its tokens, with a user in between, and what becomes of them.

use crate::app::{Answer, BASE, PASSWORD, TestApp};
use crate::user_agent::{Place, UserAgent};
use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plinto_http::ListenerName;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

pub(crate) const CALLBACK: &str = "https://app.example.com/callback";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const API: &str = "https://api.example.com/";

/// A client of `demo`, as its developers know it.
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
}

/// A client that asks users, unless `more` says otherwise.
pub(crate) async fn register(app: &TestApp, more: Value) -> App {
    let mut wish = json!({
        "name": "Orders", "redirect_uris": [CALLBACK], "scopes": ["orders:read"], "resources": [API],
        "id_token_signed_response_alg": "EdDSA"
    });
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = app.manage("POST", "/v1/clients", Some(wish)).await.expect(201).json();
    App {
        id: made["client_id"].as_str().unwrap().to_owned(),
        secret: made["client_secret"].as_str().map(str::to_owned),
    }
}

impl App {
    /// The address users are sent to; `changed` replaces parameters, and takes away those that are empty.
    pub(crate) fn address(&self, changed: &[(&str, &str)]) -> String {
        let usual = [
            ("client_id", self.id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid orders:read"),
            ("state", "st-1"),
            ("nonce", "n-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let is_changed = |name: &str| changed.iter().any(|(other, _)| *other == name);
        let kept = usual.into_iter().filter(|(name, _)| !is_changed(name));
        let pairs = kept.chain(changed.iter().copied()).filter(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/t/demo/oauth2/authorize?{query}")
    }

    /// Asks an endpoint of OAuth, proving who it is.
    pub(crate) async fn ask(&self, app: &TestApp, endpoint: &str, form: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("client_id", self.id.as_str())];
        fields.extend(self.secret.as_deref().map(|secret| ("client_secret", secret)));
        fields.extend_from_slice(form);
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(format!("/t/demo/oauth2/{endpoint}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        app.send(ListenerName::Core, request.body(Body::from(form)).unwrap()).await
    }

    pub(crate) async fn redeem(&self, app: &TestApp, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.ask(app, "token", &form).await
    }

    pub(crate) async fn refresh(&self, app: &TestApp, token: &str) -> Answer {
        self.ask(app, "token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }
}

/// Signs in on the page.
pub(crate) async fn sign_in(app: &TestApp, agent: &mut UserAgent, page: &Place, email: &str) -> Place {
    assert_eq!(page.step(), "/sign-in", "{}", page.text());
    agent.submit(app, page, &[("username", email), ("password", PASSWORD)]).await
}

/// Signs in and allows what is asked: the code.
pub(crate) async fn code_of(app: &TestApp, agent: &mut UserAgent, address: &str) -> String {
    let mut place = agent.open(app, address).await;
    if place.step() == "/sign-in" {
        place = sign_in(app, agent, &place, "ada@example.com").await;
    }
    if place.step() == "/consent" {
        place = agent.submit(app, &place, &[("decision", "allow")]).await;
    }
    place.parameters().remove("code").unwrap_or_else(|| panic!("no code: {} {}", place.address, place.text()))
}

/// Tokens of Ada, and the browser she is signed in in.
pub(crate) async fn tokens_of(app: &TestApp, client: &App, scope: &str) -> (Value, UserAgent) {
    let mut agent = UserAgent::default();
    let code = code_of(app, &mut agent, &client.address(&[("scope", scope)])).await;
    (client.redeem(app, &code).await.expect(200).json(), agent)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn user_info(app: &TestApp, token: &str) -> Answer {
    app.core("GET", "/t/demo/oauth2/userinfo", Some(token), None).await
}

async fn with_ada() -> TestApp {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await.expect(202);
    app
}

#[tokio::test]
async fn a_user_signs_in_consents_once_and_the_client_learns_who_it_is() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let mut agent = UserAgent::default();
    let page = agent.open(&app, &client.address(&[])).await;
    let wrong = [("username", "ada@example.com"), ("password", "not the password at all")];
    let refused = agent.submit(&app, &page, &wrong).await;
    assert_eq!((refused.step(), refused.answer.status.as_u16()), ("/sign-in", 422));
    assert!(refused.text().contains("role=\"alert\"") && refused.text().contains("ada@example.com"));
    let consent = sign_in(&app, &mut agent, &refused, "ada@example.com").await;
    assert_eq!(consent.step(), "/consent");
    assert!(consent.text().contains("Orders") && consent.text().contains("orders:read"));
    let back = agent.submit(&app, &consent, &[("decision", "allow")]).await;
    assert!(back.address.starts_with(CALLBACK), "{}", back.address);
    let parameters = back.parameters();
    assert_eq!(
        (parameters["state"].as_str(), parameters["iss"].as_str()),
        ("st-1", "http://plinto.test/t/demo")
    );

    let tokens = client.redeem(&app, &parameters["code"]).await.expect(200).json();
    assert_eq!((text(&tokens, "token_type"), text(&tokens, "scope")), ("Bearer", "openid orders:read"));
    let (id_token, access_token) = (claims(text(&tokens, "id_token")), text(&tokens, "access_token"));
    let user = text(&id_token, "sub").to_owned();
    assert!(user.starts_with("usr_") && text(&id_token, "sid").starts_with("ses_"));
    assert_eq!((text(&id_token, "aud"), text(&id_token, "nonce")), (client.id.as_str(), "n-1"));
    assert_eq!((text(&id_token, "iss"), &id_token["amr"]), ("http://plinto.test/t/demo", &json!(["pwd"])));
    let said = claims(access_token);
    assert_eq!((text(&said, "sub"), text(&said, "client_id")), (user.as_str(), client.id.as_str()));
    assert_eq!(said["aud"], json!(["http://plinto.test/t/demo", API]));
    assert!(said.get("sid").is_none(), "it opens nothing of the session's");
    app.core("GET", "/v1/users/me", Some(access_token), None).await.expect(401);
    assert_eq!(user_info(&app, access_token).await.expect(200).json(), json!({ "sub": user }));
    let introspected = app.introspect(access_token).await;
    assert_eq!((&introspected["active"], text(&introspected, "sub")), (&json!(true), user.as_str()));

    // Nothing is asked the second time, and more is.
    let again = agent.open(&app, &client.address(&[("prompt", "none")])).await;
    assert!(again.parameters().contains_key("code"), "{}", again.address);
    let more = agent.open(&app, &client.address(&[("scope", "openid email")])).await;
    assert_eq!(more.step(), "/consent");
    let denied = agent.submit(&app, &more, &[("decision", "deny")]).await;
    assert_eq!(denied.parameters()["error"], "access_denied");
    assert_eq!(denied.parameters()["state"], "st-1");
    app.finish().await;
}

#[tokio::test]
async fn scopes_and_claims_say_what_is_learned() {
    let app = with_ada().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let (tokens, _) = tokens_of(&app, &client, "openid profile email").await;
    let learned = user_info(&app, text(&tokens, "access_token")).await.expect(200).json();
    assert_eq!((text(&learned, "name"), text(&learned, "email")), ("Ada Lovelace", "ada@example.com"));
    assert_eq!(learned["email_verified"], false);
    assert!(claims(text(&tokens, "id_token")).get("email").is_none(), "by UserInfo only");
    let mut agent = UserAgent::default();
    let asked =
        json!({ "id_token": { "email": null }, "userinfo": { "name": { "essential": true } } }).to_string();
    let address = client.address(&[("scope", "openid"), ("claims", &asked)]);
    let code = code_of(&app, &mut agent, &address).await;
    let tokens = client.redeem(&app, &code).await.expect(200).json();
    assert_eq!(text(&claims(text(&tokens, "id_token")), "email"), "ada@example.com");
    let learned = user_info(&app, text(&tokens, "access_token")).await.expect(200).json();
    assert_eq!(learned.as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "sub"]);
    let (plain, _) = tokens_of(&app, &client, "orders:read").await;
    assert!(plain.get("id_token").is_none());
    let refused = user_info(&app, text(&plain, "access_token")).await.expect(403);
    assert_eq!(refused.code(), "insufficient_scope");
    let ada = app.sign_in("ada@example.com").await;
    for bad in ["x.y.z", ada.access.as_str()] {
        let refused = user_info(&app, bad).await.expect(401);
        assert!(refused.headers[header::WWW_AUTHENTICATE].to_str().unwrap().contains("invalid_token"));
    }
    app.core("GET", "/t/demo/oauth2/userinfo", None, None).await.expect(401);
    app.finish().await;
}

/// Code replay (RFC 9700 §4.5): what came of the code is good no longer.
#[tokio::test]
async fn a_code_that_is_used_twice_ends_what_came_of_it() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let mut agent = UserAgent::default();
    let code = code_of(&app, &mut agent, &client.address(&[])).await;
    let tokens = client.redeem(&app, &code).await.expect(200).json();
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    assert!(app.is_active(access).await);
    assert_eq!(client.redeem(&app, &code).await.expect(400).code(), "invalid_grant");
    assert!(!app.is_active(access).await);
    user_info(&app, access).await.expect(401);
    assert_eq!(client.refresh(&app, refresh).await.expect(400).code(), "invalid_grant");
    app.finish().await;
}

/// Code injection, mix-up and PKCE downgrade (RFC 9700 §4.4, §4.5, §2.1.1).
#[tokio::test]
async fn a_code_is_good_for_nobody_else_and_nothing_else() {
    let app = with_ada().await;
    let (client, other) = (register(&app, json!({})).await, register(&app, json!({})).await);
    let mut agent = UserAgent::default();
    let code = code_of(&app, &mut agent, &client.address(&[])).await;
    let grant = ("grant_type", "authorization_code");
    let good = [grant, ("code", &code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    assert_eq!(other.ask(&app, "token", &good).await.expect(400).code(), "invalid_grant");
    let without_verifier = [grant, ("code", &code), ("redirect_uri", CALLBACK)];
    assert_eq!(client.ask(&app, "token", &without_verifier).await.expect(400).code(), "invalid_grant");
    let elsewhere = [grant, ("code", &code), ("redirect_uri", BASE), ("code_verifier", VERIFIER)];
    assert_eq!(client.ask(&app, "token", &elsewhere).await.expect(400).code(), "invalid_grant");
    let nobody = App { id: client.id.clone(), secret: None };
    assert_eq!(nobody.ask(&app, "token", &good).await.expect(401).code(), "invalid_client");
    for forged in [format!("{code}x"), code.replace("plac_", "plor_"), "plac_".to_owned()] {
        let answer = client.redeem(&app, &forged).await.expect(400);
        assert_eq!(answer.code(), "invalid_grant", "{forged}");
    }
    client.redeem(&app, &code).await.expect(200);
    let late = code_of(&app, &mut agent, &client.address(&[])).await;
    app.advance(Duration::from_secs(60));
    assert_eq!(client.redeem(&app, &late).await.expect(400).code(), "invalid_grant");
    app.finish().await;
}

/// Refresh replay (RFC 9700 §4.14).
#[tokio::test]
async fn refresh_tokens_rotate_and_a_replaced_one_ends_the_family() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let (tokens, _) = tokens_of(&app, &client, "openid orders:read").await;
    let first = text(&tokens, "refresh_token").to_owned();
    let second = client.refresh(&app, &first).await.expect(200).json();
    assert_ne!(text(&second, "refresh_token"), first);
    assert_eq!(text(&claims(text(&second, "id_token")), "nonce"), "n-1");
    let retried = client.refresh(&app, &first).await.expect(200).json();
    assert_eq!(retried["refresh_token"], second["refresh_token"], "an answer was lost");
    let narrow = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&second, "refresh_token")),
        ("scope", "orders:read"),
        ("resource", API),
    ];
    let third = client.ask(&app, "token", &narrow).await.expect(200).json();
    let said = claims(text(&third, "access_token"));
    assert_eq!((text(&said, "scope"), text(&said, "aud")), ("orders:read", API));
    app.advance(Duration::from_secs(11));
    assert_eq!(client.refresh(&app, &first).await.expect(400).code(), "invalid_grant");
    for token in [&second, &third] {
        assert_eq!(
            client.refresh(&app, text(token, "refresh_token")).await.expect(400).code(),
            "invalid_grant"
        );
        assert!(!app.is_active(text(token, "access_token")).await);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_race_of_refreshes_leaves_one_family_with_one_current_token() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let (tokens, _) = tokens_of(&app, &client, "openid").await;
    let token = text(&tokens, "refresh_token");
    let raced = futures::future::join_all((0..4).map(|_| client.refresh(&app, token))).await;
    let next: Vec<_> =
        raced.into_iter().map(|answer| answer.expect(200).json()["refresh_token"].clone()).collect();
    assert!(next.iter().all(|token| *token == next[0]), "honest retries get the current one");
    client.refresh(&app, next[0].as_str().unwrap()).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_grant_ends_with_its_session_unless_it_was_for_longer() {
    let app = with_ada().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let (online, agent) = tokens_of(&app, &client, "openid").await;
    let (offline, _) = tokens_of(&app, &client, "openid offline_access").await;
    let mut agent = agent;
    let hint = text(&online, "id_token");
    let address = format!("/t/demo/oauth2/end-session?id_token_hint={hint}");
    let done = agent.open(&app, &address).await;
    assert!(done.text().contains("You are signed out"), "{}", done.text());
    assert!(!app.is_active(text(&online, "access_token")).await);
    let refused = client.refresh(&app, text(&online, "refresh_token")).await.expect(400);
    assert_eq!(refused.code(), "invalid_grant");
    let ada = app.sign_in("ada@example.com").await;
    let all = json!({ "scope": "all" });
    app.core("POST", "/v1/auth/sign-out", Some(&ada.access), Some(all)).await.expect(204);
    assert!(app.is_active(text(&offline, "access_token")).await);
    let offline = client.refresh(&app, text(&offline, "refresh_token")).await.expect(200).json();
    app.manage("POST", &format!("/v1/users/{}/block", ada.user), None).await.expect(200);
    assert!(!app.is_active(text(&offline, "access_token")).await);
    client.refresh(&app, text(&offline, "refresh_token")).await.expect(400);
    app.finish().await;
}

#[tokio::test]
async fn a_public_client_needs_no_secret_and_has_none() {
    let app = with_ada().await;
    let public =
        json!({ "token_endpoint_auth_method": "none", "redirect_uris": [CALLBACK, "http://127.0.0.1/cb"] });
    let client = register(&app, public).await;
    assert!(client.secret.is_none());
    let (tokens, mut agent) = tokens_of(&app, &client, "openid orders:read").await;
    client.refresh(&app, text(&tokens, "refresh_token")).await.expect(200);
    let with_secret = App { id: client.id.clone(), secret: Some("plcs_anything".to_owned()) };
    assert_eq!(with_secret.redeem(&app, "x").await.expect(401).code(), "invalid_client");
    let path = format!("/v1/clients/{}/rotate-secret", client.id);
    assert_eq!(app.manage("POST", &path, None).await.expect(409).code(), "client_without_secret");
    // A native application listens where it can (RFC 8252 §7.3).
    let native = agent.open(&app, &client.address(&[("redirect_uri", "http://127.0.0.1:51234/cb")])).await;
    assert!(native.address.starts_with("http://127.0.0.1:51234/cb?code="), "{}", native.address);
    app.finish().await;
}

#[tokio::test]
async fn tokens_are_given_back_and_consents_taken_back() {
    let app = with_ada().await;
    let (client, other) = (register(&app, json!({})).await, register(&app, json!({})).await);
    let (first, mut agent) = tokens_of(&app, &client, "openid").await;
    let refresh = text(&first, "refresh_token");
    let foreign = other.ask(&app, "revoke", &[("token", refresh)]).await.expect(400);
    assert_eq!(foreign.code(), "invalid_grant");
    other.ask(&app, "revoke", &[("token", "nonsense")]).await.expect(200);
    assert!(app.is_active(text(&first, "access_token")).await);
    client.ask(&app, "revoke", &[("token", refresh), ("token_type_hint", "refresh_token")]).await.expect(200);
    client.ask(&app, "revoke", &[("token", refresh)]).await.expect(200);
    assert!(!app.is_active(text(&first, "access_token")).await);

    let code = code_of(&app, &mut agent, &client.address(&[])).await;
    let second = client.redeem(&app, &code).await.expect(200).json();
    let ada = app.sign_in("ada@example.com").await;
    let mine = app.core("GET", "/v1/users/me/applications", Some(&ada.access), None).await.expect(200).json();
    assert_eq!((text(&mine["items"][0], "name"), mine["items"].as_array().unwrap().len()), ("Orders", 1));
    assert_eq!(mine["items"][0]["scopes"], json!(["openid", "orders:read"]));
    let known = app.core("GET", "/v1/users/me/data", Some(&ada.access), None).await.expect(200).json();
    assert_eq!(known["applications"][0]["client_id"], client.id);
    let path = format!("/v1/users/me/applications/{}", client.id);
    app.core("DELETE", &path, Some(&ada.access), None).await.expect(204);
    assert_eq!(
        app.core("DELETE", &path, Some(&ada.access), None).await.expect(404).code(),
        "unknown_application"
    );
    assert!(!app.is_active(text(&second, "access_token")).await);
    assert_eq!(agent.open(&app, &client.address(&[])).await.step(), "/consent", "asked anew");
    let by_operator = format!("/v1/users/{}/applications", ada.user);
    let left = app.manage("GET", &by_operator, None).await.expect(200).json();
    assert_eq!(left["items"], json!([]));
    app.finish().await;
}

#[tokio::test]
async fn answers_travel_as_they_are_asked_to() {
    let app = with_ada().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let (_, mut agent) = tokens_of(&app, &client, "openid").await;
    let fragment = agent.open(&app, &client.address(&[("response_mode", "fragment")])).await;
    assert!(fragment.address.starts_with(&format!("{CALLBACK}#code=")), "{}", fragment.address);
    let form = agent.open(&app, &client.address(&[("response_mode", "form_post")])).await;
    let (action, fields) = form.form();
    assert_eq!((action.as_str(), form.answer.status.as_u16()), (CALLBACK, 200));
    assert!(fields.iter().any(|(name, _)| name == "code"));
    let policy = form.answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https: https://app.example.com;"), "{policy}");
    app.finish().await;
}

/// RS256 is what every relying party understands, ES256 and EdDSA what they may ask for.
#[tokio::test]
async fn id_tokens_are_signed_as_the_client_wants() {
    let app = with_ada().await;
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let wish = json!({ "first_party": true, "id_token_signed_response_alg": algorithm });
        let client = register(&app, wish).await;
        let (tokens, _) = tokens_of(&app, &client, "openid").await;
        let id_token = text(&tokens, "id_token");
        let head = URL_SAFE_NO_PAD.decode(id_token.split('.').next().unwrap()).unwrap();
        let head: Value = serde_json::from_slice(&head).unwrap();
        let jwks = app.core("GET", "/t/demo/.well-known/jwks.json", None, None).await.expect(200).json();
        let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == head["kid"]).unwrap();
        assert_eq!((&head["alg"], &key["alg"]), (&json!(algorithm), &json!(algorithm)));
        let access = text(&tokens, "access_token");
        if algorithm != "EdDSA" {
            let half = URL_SAFE_NO_PAD.encode(&Sha256::digest(access.as_bytes())[..16]);
            assert_eq!(text(&claims(id_token), "at_hash"), half);
        }
        let head = URL_SAFE_NO_PAD.decode(access.split('.').next().unwrap()).unwrap();
        let head: Value = serde_json::from_slice(&head).unwrap();
        assert_eq!(head["alg"], "EdDSA", "access tokens stay as they were");
    }
    // Rotation replaces all of them.
    let path = format!("/v1/tenants/{}/keys/rotate", app.tenant);
    app.core("POST", &path, Some(&app.platform_key), Some(json!({ "alg": "ES256" }))).await.expect(204);
    let client =
        register(&app, json!({ "first_party": true, "id_token_signed_response_alg": "RS256" })).await;
    let (tokens, _) = tokens_of(&app, &client, "openid").await;
    let head = URL_SAFE_NO_PAD.decode(text(&tokens, "access_token").split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&head).unwrap()["alg"], "ES256");
    app.finish().await;
}

#[tokio::test]
async fn what_users_granted_and_refused_is_in_the_ledger() {
    let app = with_ada().await;
    let client = register(&app, json!({})).await;
    let (tokens, _) = tokens_of(&app, &client, "openid").await;
    client.refresh(&app, text(&tokens, "refresh_token")).await.expect(200);
    client.ask(&app, "revoke", &[("token", text(&tokens, "access_token"))]).await.expect(200);
    let path = format!("/v1/audit/events?subject={}", client.id);
    let entries = app.manage("GET", &path, None).await.expect(200).json();
    let mut seen: Vec<_> = entries["items"].as_array().unwrap().clone();
    seen.sort_by_key(|entry| entry["seq"].as_i64());
    let events: Vec<_> = seen.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    let expected = [
        "client.created",
        "client.consent_given",
        "client.authorized",
        "client.token_issued",
        "client.token_issued",
        "client.authorization_ended",
    ];
    assert_eq!(events, expected);
    assert!(text(&seen[2], "actor").starts_with("usr_") && text(&seen[3], "actor") == client.id);
    assert_eq!(seen[5]["data"]["why"], "by_client");
    app.finish().await;
}

/// A client others wrote, over our router: discovery, code and PKCE, the ID token verified, UserInfo, refresh.
#[tokio::test]
async fn the_openidconnect_crate_signs_a_user_in() {
    use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
    use openidconnect::{
        AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
        IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
    };
    let app = with_ada().await;
    let made = register(&app, json!({ "id_token_signed_response_alg": "RS256" })).await;
    let ask = async |request: HttpRequest| {
        let (parts, body) = request.into_parts();
        let mut here = Request::from_parts(parts, Body::from(body));
        let address = here.uri().to_string();
        *here.uri_mut() = address.strip_prefix(BASE).unwrap_or(&address).parse().unwrap();
        let answer = app.send(ListenerName::Core, here).await;
        let mut response = HttpResponse::new(answer.text.clone().into_bytes());
        (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers.clone());
        Ok::<_, std::convert::Infallible>(response)
    };
    let issuer = IssuerUrl::new(format!("{BASE}/t/demo")).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &ask).await.unwrap();
    let secret = made.secret.clone().map(ClientSecret::new);
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new(made.id.clone()), secret)
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let mut agent = UserAgent::default();
    let page = agent.open(&app, address.as_str().strip_prefix(BASE).unwrap()).await;
    let consent = sign_in(&app, &mut agent, &page, "ada@example.com").await;
    let back = agent.submit(&app, &consent, &[("decision", "allow")]).await.parameters();
    assert_eq!(&back["state"], state.secret());
    let code = AuthorizationCode::new(back["code"].clone());
    let tokens =
        client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request_async(&ask).await.unwrap();
    let id_token = tokens.id_token().unwrap();
    // The clock of tests is ahead of the crate's.
    let checker = client.id_token_verifier().set_time_fn(|| "2027-01-15T08:00:00Z".parse().unwrap());
    let said = id_token.claims(&checker, &nonce).unwrap();
    let hash = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg().unwrap(),
        id_token.signing_key(&checker).unwrap(),
    );
    assert_eq!(said.access_token_hash(), Some(&hash.unwrap()));
    let learned: CoreUserInfoClaims = client
        .user_info(tokens.access_token().clone(), Some(said.subject().clone()))
        .unwrap()
        .request_async(&ask)
        .await
        .unwrap();
    assert_eq!(learned.email().map(|email| email.as_str()), Some("ada@example.com"));
    let refresh = tokens.refresh_token().unwrap();
    let next = client.exchange_refresh_token(refresh).unwrap().request_async(&ask).await.unwrap();
    assert!(app.is_active(next.access_token().secret()).await);
    app.finish().await;
}

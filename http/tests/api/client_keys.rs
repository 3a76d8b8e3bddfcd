//! What clients prove with keys of their own: who they are, that a request is theirs, that a token is in the right hands.

use crate::app::{Answer, TestApp};
use crate::authorization_code::{App, CALLBACK, VERIFIER, claims, code_of, register, tokens_of};
use crate::user_agent::UserAgent;
use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plinto_http::ListenerName;
use plinto_token::{Algorithm, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

const ISSUER: &str = "http://plinto.test/t/demo";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn jwks(key: &SigningKey) -> Value {
    json!({ "keys": [key.public_jwk()] })
}

async fn with_ada() -> TestApp {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await.expect(202);
    app
}

fn now(app: &TestApp) -> i64 {
    use plinto_actors::Clock;
    app.clock.now().as_seconds()
}

/// A number for each thing that is good once.
fn once() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("once-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn assertion(app: &TestApp, client: &App, key: &SigningKey, change: Value) -> String {
    let mut said = json!({
        "iss": client.id, "sub": client.id, "aud": ISSUER, "exp": now(app) + 60, "jti": once()
    });
    said.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    key.sign("JWT", &said).unwrap()
}

fn proof(app: &TestApp, key: &SigningKey, endpoint: &str, method: &str, token: Option<&str>) -> String {
    let ath = token.map(|token| URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes())));
    let mut said = json!({
        "htm": method, "htu": format!("{ISSUER}/oauth2/{endpoint}"), "iat": now(app), "jti": once()
    });
    if let Some(ath) = ath {
        said["ath"] = json!(ath);
    }
    key.sign_proof("dpop+jwt", &said).unwrap()
}

/// Asks an endpoint with a form and headers, as it stands.
async fn post(app: &TestApp, endpoint: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = Request::post(format!("/t/demo/oauth2/{endpoint}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(ListenerName::Core, request.body(Body::from(form)).unwrap()).await
}

async fn user_info(app: &TestApp, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let mut request =
        Request::get("/t/demo/oauth2/userinfo").header(header::AUTHORIZATION, format!("{scheme} {token}"));
    if let Some(proof) = proof {
        request = request.header("dpop", proof);
    }
    app.send(ListenerName::Core, request.body(Body::empty()).unwrap()).await
}

async fn register_with_key(app: &TestApp, key: &SigningKey, more: Value) -> App {
    let mut wish = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(key) });
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    register(app, wish).await
}

/// Algorithm and key confusion, `none`, assertions of and for others, and replay (RFC 7523 §3, RFC 9700 §2.5).
#[tokio::test]
async fn a_client_proves_who_it_is_with_its_key() {
    let app = with_ada().await;
    let (own, strange) = (key(), key());
    let grants = json!({ "grant_types": ["client_credentials", "authorization_code"] });
    let client = register_with_key(&app, &own, grants.clone()).await;
    assert!(client.secret.is_none());
    let other = register_with_key(&app, &strange, grants).await;
    let ask = async |assertion: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        post(&app, "token", &[], &form).await
    };
    let good = assertion(&app, &client, &own, json!({}));
    ask(&good).await.expect(200);
    assert_eq!(ask(&good).await.expect(401).code(), "invalid_client", "replayed");
    ask(&assertion(&app, &client, &own, json!({ "aud": [format!("{ISSUER}/oauth2/token")] })))
        .await
        .expect(200);
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let said =
        json!({ "iss": client.id, "sub": client.id, "aud": ISSUER, "exp": now(&app) + 60, "jti": "x" });
    let unsigned = format!("{}.{}.", part(json!({ "alg": "none" })), part(said.clone()));
    let by_hmac = format!("{}.{}.AAAA", part(json!({ "alg": "HS256" })), part(said.clone()));
    let brings_key = strange.sign_proof("JWT", &said).unwrap();
    let elsewhere = format!(
        "{}.{}.AAAA",
        part(json!({ "alg": "ES256", "kid": "../../etc/passwd", "jku": "https://evil.example/keys" })),
        part(said)
    );
    for bad in [
        assertion(&app, &client, &strange, json!({})),
        assertion(&app, &client, &own, json!({ "aud": "http://plinto.test/t/other" })),
        assertion(&app, &client, &own, json!({ "exp": now(&app) - 60 })),
        assertion(&app, &client, &own, json!({ "iss": other.id })),
        assertion(&app, &other, &own, json!({})),
        unsigned,
        by_hmac,
        brings_key,
        elsewhere,
        "nonsense".to_owned(),
    ] {
        assert_eq!(ask(&bad).await.expect(401).code(), "invalid_client", "{bad}");
    }
    let named = [
        ("grant_type", "client_credentials"),
        ("client_id", other.id.as_str()),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &assertion(&app, &client, &own, json!({}))),
    ];
    assert_eq!(post(&app, "token", &[], &named).await.expect(401).code(), "invalid_client");
    let fresh = assertion(&app, &client, &own, json!({}));
    let both = [named[0], named[2], ("client_assertion", fresh.as_str()), ("client_secret", "x")];
    assert_eq!(post(&app, "token", &[], &both).await.expect(400).code(), "invalid_request");
    let other_kind = [named[0], ("client_assertion_type", "x"), named[3]];
    assert_eq!(post(&app, "token", &[], &other_kind).await.expect(400).code(), "invalid_request");
    let path = format!("/v1/clients/{}/rotate-secret", client.id);
    assert_eq!(app.manage("POST", &path, None).await.expect(409).code(), "client_without_secret");
    app.finish().await;
}

#[tokio::test]
async fn keys_of_clients_are_keys() {
    let app = TestApp::new().await;
    let private = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" }] });
    for bad in [
        json!({}),
        json!({ "keys": [] }),
        json!({ "keys": [{}] }),
        json!({ "keys": [{ "kty": "oct", "k": "AA" }] }),
        private,
    ] {
        let wish = json!({ "name": "x", "token_endpoint_auth_method": "private_key_jwt", "jwks": bad, "grant_types": [] });
        let refused = app.manage("POST", "/v1/clients", Some(wish)).await.expect(422);
        assert_eq!(refused.json()["errors"][0]["field"], "jwks", "{}", refused.text);
        assert!(!refused.text.contains("nWGxne"));
    }
    let missing = json!({ "name": "x", "token_endpoint_auth_method": "private_key_jwt" });
    app.manage("POST", "/v1/clients", Some(missing)).await.expect(422);
    app.finish().await;
}

/// Pushed requests (RFC 9126): the client is known before the user is, nothing is changed on the way, one answer.
#[tokio::test]
async fn a_request_is_pushed_and_answered_once() {
    let app = with_ada().await;
    let client = register(&app, json!({ "require_pushed_authorization_requests": true })).await;
    let form = |more: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid"),
            ("state", "st-1"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ];
        form.extend_from_slice(more);
        form
    };
    let pushed = client.ask(&app, "par", &form(&[])).await.expect(201).json();
    let uri = pushed["request_uri"].as_str().unwrap().to_owned();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && pushed["expires_in"] == 300);
    let address = |client: &App, uri: &str| {
        let pairs =
            [("client_id", client.id.as_str()), ("request_uri", uri), ("scope", "openid orders:read")];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("/t/demo/oauth2/authorize?{query}")
    };
    let mut agent = UserAgent::default();
    let code = code_of(&app, &mut agent, &address(&client, &uri)).await;
    let tokens = client.redeem(&app, &code).await.expect(200).json();
    assert_eq!(tokens["scope"], "openid", "what was not pushed does not count");
    let again = agent.open(&app, &address(&client, &uri)).await;
    assert_eq!(again.parameters()["error"], "invalid_request", "it was answered");
    let direct = agent.open(&app, &client.address(&[])).await;
    assert_eq!(direct.parameters()["error"], "invalid_request", "it must push");

    let other = register(&app, json!({})).await;
    let another = client.ask(&app, "par", &form(&[])).await.expect(201).json();
    let uri = another["request_uri"].as_str().unwrap().to_owned();
    for bad in [
        address(&other, &uri),
        address(&client, &format!("{uri}x")),
        address(&client, "urn:ietf:params:oauth:request_uri:"),
    ] {
        let refused = agent.open(&app, &bad).await;
        assert_eq!(refused.answer.status.as_u16(), 400, "{bad}");
    }
    // The pages' own sealed requests are no pushed ones, and the other way round.
    let page = UserAgent::default().open(&app, &address(&client, &uri)).await;
    let (_, flow) = page.address.split_once("flow=").unwrap();
    let swapped = address(&client, &format!("urn:ietf:params:oauth:request_uri:{flow}"));
    assert_eq!(agent.open(&app, &swapped).await.answer.status.as_u16(), 400);
    let sealed = uri.rsplit(':').next().unwrap();
    assert_eq!(agent.open(&app, &format!("/t/demo/sign-in?flow={sealed}")).await.answer.status.as_u16(), 400);
    app.advance(Duration::from_secs(300));
    assert_eq!(agent.open(&app, &address(&client, &uri)).await.answer.status.as_u16(), 400, "too old");

    for (more, error) in [
        (&[("request_uri", "https://app.example.com/r")][..], "invalid_request"),
        (&[("prompt", "maybe")], "invalid_request"),
        (&[("redirect_uri", "https://evil.example/")], "invalid_request"),
    ] {
        assert_eq!(client.ask(&app, "par", &form(more)).await.expect(400).code(), error, "{more:?}");
    }
    let nobody = App { id: client.id.clone(), secret: Some("plcs_wrong".to_owned()) };
    assert_eq!(nobody.ask(&app, "par", &form(&[])).await.expect(401).code(), "invalid_client");
    app.finish().await;
}

/// Request object substitution (RFC 9101 §10): only what the client signed counts.
#[tokio::test]
async fn a_request_is_signed_and_nothing_beside_it_counts() {
    let app = with_ada().await;
    let (own, strange) = (key(), key());
    let must_sign = json!({ "require_signed_request_object": true, "jwks": jwks(&own), "first_party": true });
    let client = register(&app, must_sign).await;
    let object = |key: &SigningKey, typ: &str, change: Value| {
        let mut said = json!({
            "iss": client.id, "aud": ISSUER, "exp": now(&app) + 60, "client_id": client.id, "response_type": "code",
            "redirect_uri": CALLBACK, "scope": "openid", "state": "signed", "max_age": 100,
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"
        });
        said.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        key.sign(typ, &said).unwrap()
    };
    let mut agent = UserAgent::default();
    let good = object(&own, "oauth-authz-req+jwt", json!({}));
    let place =
        agent.open(&app, &client.address(&[("request", &good), ("scope", "openid orders:read")])).await;
    let place = crate::authorization_code::sign_in(&app, &mut agent, &place, "ada@example.com").await;
    assert_eq!(place.parameters()["state"], "signed");
    let tokens = client.redeem(&app, &place.parameters()["code"]).await.expect(200).json();
    assert_eq!(tokens["scope"], "openid");
    for (bad, error) in [
        (object(&strange, "oauth-authz-req+jwt", json!({})), "invalid_request_object"),
        (object(&own, "at+jwt", json!({})), "invalid_request_object"),
        (object(&own, "JWT", json!({ "sub": client.id })), "invalid_request_object"),
        (object(&own, "JWT", json!({ "aud": "http://plinto.test/t/other" })), "invalid_request_object"),
        (object(&own, "JWT", json!({ "exp": now(&app) - 60 })), "invalid_request_object"),
        (object(&own, "JWT", json!({ "request": "x.y.z" })), "request_not_supported"),
        ("x.y.z".to_owned(), "invalid_request_object"),
    ] {
        let refused = agent.open(&app, &client.address(&[("request", &bad)])).await;
        assert_eq!(refused.parameters().get("error").map(String::as_str), Some(error), "{}", refused.address);
    }
    let evil = object(&own, "JWT", json!({ "redirect_uri": "https://evil.example/" }));
    assert_eq!(agent.open(&app, &client.address(&[("request", &evil)])).await.answer.status.as_u16(), 400);
    let unsigned = agent.open(&app, &client.address(&[])).await;
    assert_eq!(unsigned.parameters()["error"], "invalid_request");
    app.finish().await;
}

/// DPoP replay and downgrade (RFC 9449 §11): a bound token is of no use without its key, nor a proof a second time.
#[tokio::test]
async fn tokens_are_bound_to_a_key_and_good_for_nobody_else() {
    let app = with_ada().await;
    let (own, strange) = (key(), key());
    let wish = json!({ "token_endpoint_auth_method": "none", "first_party": true, "dpop_bound_access_tokens": true });
    let client = register(&app, wish).await;
    let mut agent = UserAgent::default();
    let code = code_of(&app, &mut agent, &client.address(&[("dpop_jkt", own.kid())])).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client.id.as_str()),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let ask = async |proof: Option<&str>, form: &[(&str, &str)]| {
        let headers: Vec<_> = proof.map(|proof| ("dpop", proof)).into_iter().collect();
        post(&app, "token", &headers, form).await
    };
    assert_eq!(ask(None, &form).await.expect(400).code(), "invalid_dpop_proof");
    let used = proof(&app, &strange, "token", "POST", None);
    for bad in [
        used,
        proof(&app, &own, "par", "POST", None),
        proof(&app, &own, "token", "GET", None),
        own.sign("dpop+jwt", &json!({ "htm": "POST" })).unwrap(),
        own.sign_proof("JWT", &json!({ "htm": "POST" })).unwrap(),
        "x.y.z".to_owned(),
    ] {
        assert_eq!(ask(Some(&bad), &form).await.expect(400).code(), "invalid_dpop_proof", "{bad}");
    }
    let good = proof(&app, &own, "token", "POST", None);
    let tokens = ask(Some(&good), &form).await.expect(200).json();
    assert_eq!(tokens["token_type"], "DPoP");
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    assert_eq!(claims(access)["cnf"]["jkt"], own.kid());
    let introspected = app.introspect(access).await;
    assert_eq!(
        (&introspected["token_type"], &introspected["cnf"]["jkt"]),
        (&json!("DPoP"), &json!(own.kid()))
    );

    assert_eq!(
        user_info(&app, "Bearer", access, None).await.expect(401).code(),
        "invalid_token",
        "downgrade"
    );
    user_info(&app, "DPoP", access, None).await.expect(400);
    let of_another = proof(&app, &strange, "userinfo", "GET", Some(access));
    user_info(&app, "DPoP", access, Some(&of_another)).await.expect(400);
    let without_hash = proof(&app, &own, "userinfo", "GET", None);
    user_info(&app, "DPoP", access, Some(&without_hash)).await.expect(400);
    let good = proof(&app, &own, "userinfo", "GET", Some(access));
    user_info(&app, "DPoP", access, Some(&good)).await.expect(200);
    user_info(&app, "DPoP", access, Some(&good)).await.expect(400);

    let next =
        [("grant_type", "refresh_token"), ("client_id", client.id.as_str()), ("refresh_token", refresh)];
    for bad in [None, Some(proof(&app, &strange, "token", "POST", None))] {
        assert_eq!(ask(bad.as_deref(), &next).await.expect(400).code(), "invalid_dpop_proof");
    }
    let good = proof(&app, &own, "token", "POST", None);
    ask(Some(&good), &next).await.expect(200);
    app.advance(Duration::from_secs(91));
    let old = json!({ "htm": "POST", "htu": format!("{ISSUER}/oauth2/token"), "iat": now(&app) - 91, "jti": once() });
    let old = own.sign_proof("dpop+jwt", &old).unwrap();
    assert_eq!(ask(Some(&old), &next).await.expect(400).code(), "invalid_dpop_proof");
    app.finish().await;
}

#[tokio::test]
async fn an_unbound_token_is_no_bound_one() {
    let app = with_ada().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let (tokens, _) = tokens_of(&app, &client, "openid").await;
    let access = tokens["access_token"].as_str().unwrap();
    let proof = proof(&app, &key(), "userinfo", "GET", Some(access));
    assert_eq!(user_info(&app, "DPoP", access, Some(&proof)).await.expect(401).code(), "invalid_token");
    user_info(&app, "Bearer", access, None).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn clients_ask_about_tokens_that_concern_them() {
    let app = with_ada().await;
    let client = register(&app, json!({ "first_party": true })).await;
    let (tokens, _) = tokens_of(&app, &client, "openid orders:read").await;
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let resource = json!({ "grant_types": ["client_credentials"], "redirect_uris": [] });
    let server = register(&app, resource).await;
    let stranger = register(&app, json!({ "resources": [] })).await;
    let ask = async |who: &App, token: &str| {
        who.ask(&app, "introspect", &[("token", token)]).await.expect(200).json()["active"].clone()
    };
    assert_eq!(ask(&client, access).await, true);
    assert_eq!(ask(&client, refresh).await, true);
    assert_eq!(ask(&server, access).await, true, "it is meant for this resource server");
    assert_eq!(ask(&server, refresh).await, false);
    assert_eq!(ask(&stranger, access).await, false);
    assert_eq!(ask(&client, "nonsense").await, false);
    client.refresh(&app, refresh).await.expect(200);
    assert_eq!(ask(&client, refresh).await, false, "it was replaced");
    let public = register(&app, json!({ "token_endpoint_auth_method": "none" })).await;
    let refused = public.ask(&app, "introspect", &[("token", access)]).await.expect(401);
    assert_eq!(refused.code(), "invalid_client");
    app.finish().await;
}

//! OAuth clients and what they are given, asked for as any client would.

use crate::app::{Answer, TestApp};
use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plinto_http::ListenerName;
use serde_json::{Value, json};

/// A client and its secret.
struct Made {
    id: String,
    secret: String,
    path: String,
    etag: String,
}

impl TestApp {
    async fn client(&self, wish: Value) -> Made {
        let answer = self.manage("POST", "/v1/clients", Some(wish)).await.expect(201);
        let body = answer.json();
        Made {
            id: body["client_id"].as_str().unwrap().to_owned(),
            secret: body["client_secret"].as_str().unwrap().to_owned(),
            path: answer.headers[header::LOCATION].to_str().unwrap().to_owned(),
            etag: answer.headers[header::ETAG].to_str().unwrap().to_owned(),
        }
    }

    async fn ask_for_token(
        &self,
        tenant: &str,
        basic: Option<(&str, &str)>,
        form: &[(&str, &str)],
    ) -> Answer {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::post(format!("/t/{tenant}/oauth2/token"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = basic {
            let encoded = STANDARD.encode(format!("{id}:{secret}"));
            request = request.header(header::AUTHORIZATION, format!("Basic {encoded}"));
        }
        self.send(ListenerName::Core, request.body(Body::from(form)).unwrap()).await
    }

    async fn client_token(&self, made: &Made) -> Answer {
        let grant = [("grant_type", "client_credentials")];
        self.ask_for_token("demo", Some((&made.id, &made.secret)), &grant).await
    }
}

fn billing() -> Value {
    json!({
        "name": "billing",
        "scopes": ["invoices:write", "invoices:read"],
        "resources": ["https://api.example.com/"],
        "access_token_seconds": 600
    })
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn access_token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_gets_a_token_for_itself_until_it_is_disabled_or_deleted() {
    let app = TestApp::new().await;
    let made = app.client(billing()).await;
    assert!(made.secret.starts_with("plcs_") && made.secret.len() == 48);
    let shown = app.manage("GET", &made.path, None).await.expect(200);
    assert!(!shown.text.contains(&made.secret), "it is shown once");
    assert_eq!(shown.json()["scopes"], json!(["invoices:read", "invoices:write"]));

    let answer = app.client_token(&made).await.expect(200);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let body = answer.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["scope"]),
        (&json!("Bearer"), &json!(600), &json!("invoices:read invoices:write"))
    );
    let token = access_token(&answer);
    let said = claims(&token);
    assert_eq!((&said["sub"], &said["client_id"]), (&json!(made.id), &json!(made.id)));
    assert_eq!(said["aud"], "https://api.example.com/");
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 600);
    let introspected = app.introspect(&token).await;
    assert_eq!((&introspected["active"], &introspected["scope"]), (&json!(true), &body["scope"]));
    // It is nobody's session.
    assert_eq!(app.core("GET", "/v1/users/me", Some(&token), None).await.expect(401).code(), "invalid_token");

    let disable = |disabled: bool| json!({ "disabled": disabled });
    let changed =
        app.manage_with("PATCH", &made.path, (header::IF_MATCH, &made.etag), Some(disable(true))).await;
    changed.expect(200);
    let stale =
        app.manage_with("PATCH", &made.path, (header::IF_MATCH, &made.etag), Some(disable(false))).await;
    assert_eq!(stale.expect(412).code(), "version_mismatch");
    assert_eq!(app.client_token(&made).await.expect(401).code(), "invalid_client");
    assert!(!app.is_active(&token).await);
    let rotate = format!("{}/rotate-secret", made.path);
    assert_eq!(app.manage("POST", &rotate, None).await.expect(409).code(), "client_disabled");
    app.manage("PATCH", &made.path, Some(disable(false))).await.expect(200);
    assert!(app.is_active(&token).await);
    app.manage("DELETE", &made.path, None).await.expect(204);
    assert!(!app.is_active(&token).await);
    assert_eq!(app.client_token(&made).await.expect(401).code(), "invalid_client");
    assert_eq!(app.manage("GET", &made.path, None).await.expect(404).code(), "unknown_client");
    app.finish().await;
}

#[tokio::test]
async fn a_secret_is_replaced_with_an_overlap_or_at_once() {
    let app = TestApp::new().await;
    let mut made = app.client(json!({ "name": "orders" })).await;
    let rotate = format!("{}/rotate-secret", made.path);
    let overlap = json!({ "overlap_seconds": 3_600 });
    let second = app.manage("POST", &rotate, Some(overlap)).await.expect(200).json();
    let second = second["client_secret"].as_str().unwrap().to_owned();
    app.client_token(&made).await.expect(200);
    let first = std::mem::replace(&mut made.secret, second);
    app.client_token(&made).await.expect(200);
    let shown = app.manage("GET", &made.path, None).await.expect(200).json();
    let ends: Vec<_> =
        shown["secrets"].as_array().unwrap().iter().map(|s| s["expires_at"].is_i64()).collect();
    assert_eq!(ends, [false, true]);
    let third = app.manage("POST", &rotate, None).await.expect(200).json();
    let second = std::mem::replace(&mut made.secret, third["client_secret"].as_str().unwrap().to_owned());
    app.client_token(&made).await.expect(200);
    for gone in [first, second] {
        made.secret = gone;
        assert_eq!(app.client_token(&made).await.expect(401).code(), "invalid_client");
    }
    let too_long = app.manage("POST", &rotate, Some(json!({ "overlap_seconds": 2_592_001 }))).await;
    assert_eq!(too_long.expect(422).code(), "invalid_fields");
    app.finish().await;
}

/// Id and secret by HTTP Basic, the form, and the status and error of the answer.
type Case<'c> = (Option<(&'c str, &'c str)>, &'c [(&'c str, &'c str)], u16, &'c str);

#[tokio::test]
async fn requests_are_answered_as_the_standard_says() {
    let app = TestApp::new().await;
    let made = app.client(billing()).await;
    let other = app.client(json!({ "name": "other" })).await;
    let (id, secret) = (made.id.as_str(), made.secret.as_str());
    let grant = ("grant_type", "client_credentials");
    let good = Some((id, secret));
    let cases: &[Case<'_>] = &[
        (good, &[grant], 200, ""),
        (None, &[grant, ("client_id", id), ("client_secret", secret)], 200, ""),
        (good, &[grant, ("client_id", id), ("scope", ""), ("unknown", "x")], 200, ""),
        (good, &[grant, ("scope", "invoices:read"), ("resource", "https://api.example.com/")], 200, ""),
        (good, &[], 400, "invalid_request"),
        (good, &[grant, grant], 400, "invalid_request"),
        (good, &[grant, ("scope", "a"), ("scope", "b")], 400, "invalid_request"),
        (good, &[grant, ("client_secret", secret)], 400, "invalid_request"),
        (good, &[grant, ("client_id", &other.id)], 400, "invalid_request"),
        (good, &[("grant_type", "password")], 400, "unsupported_grant_type"),
        (good, &[grant, ("scope", "admin")], 400, "invalid_scope"),
        (good, &[grant, ("scope", "invoices:read  invoices:write")], 400, "invalid_scope"),
        (good, &[grant, ("resource", "https://other.example/")], 400, "invalid_target"),
        (good, &[grant, ("resource", "nonsense")], 400, "invalid_target"),
        (None, &[grant], 401, "invalid_client"),
        (None, &[grant, ("client_id", id)], 401, "invalid_client"),
        (Some((id, "plcs_wrong")), &[grant], 401, "invalid_client"),
        (Some((id, &other.secret)), &[grant], 401, "invalid_client"),
        (Some((id, "")), &[grant], 401, "invalid_client"),
        (Some(("cli_00000000000000000000000000000001", secret)), &[grant], 401, "invalid_client"),
        (Some(("nobody", secret)), &[grant], 401, "invalid_client"),
    ];
    for (basic, form, status, error) in cases {
        let answer = app.ask_for_token("demo", *basic, form).await.expect(*status);
        if *status != 200 {
            assert_eq!(answer.code(), *error, "{form:?}");
        }
        assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), *status == 401, "{form:?}");
    }
    let nowhere = app.ask_for_token("nowhere", good, &[grant]).await.expect(404);
    assert_eq!(nowhere.code(), "unknown_tenant");
    let narrowed = app.ask_for_token("demo", good, &[grant, ("scope", "invoices:read")]).await.expect(200);
    assert_eq!(claims(&access_token(&narrowed))["scope"], "invoices:read");
    let plain = claims(&access_token(&app.client_token(&other).await.expect(200)));
    assert_eq!((&plain["aud"], plain.get("scope")), (&plain["iss"], None), "meant for the issuer");
    app.finish().await;
}

#[tokio::test]
async fn a_client_is_nothing_in_another_tenant() {
    let app = TestApp::new().await;
    let made = app.client(billing()).await;
    let (_, other_key) = app.another_tenant("other").await;
    let grant = [("grant_type", "client_credentials")];
    let foreign = app.ask_for_token("other", Some((&made.id, &made.secret)), &grant).await.expect(401);
    assert_eq!(foreign.code(), "invalid_client");
    let token = access_token(&app.client_token(&made).await.expect(200));
    let asked = app.introspect_as(&other_key, &token).await.expect(200).json();
    assert_eq!(asked["active"], false);
    let forged = format!("{}x", &token[..token.len() - 1]);
    assert!(!app.is_active(&forged).await);
    app.finish().await;
}

#[tokio::test]
async fn what_is_given_and_refused_is_in_the_ledger() {
    let app = TestApp::new().await;
    let made = app.client(billing()).await;
    let token = access_token(&app.client_token(&made).await.expect(200));
    let wrong =
        app.ask_for_token("demo", Some((&made.id, "plcs_wrong")), &[("grant_type", "client_credentials")]);
    wrong.await.expect(401);
    let path = format!("/v1/audit/events?subject={}", made.id);
    let entries = app.manage("GET", &path, None).await.expect(200).json();
    let mut seen: Vec<_> = entries["items"].as_array().unwrap().clone();
    seen.sort_by_key(|entry| entry["seq"].as_i64());
    let events: Vec<_> = seen.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(events, ["client.created", "client.token_issued", "client.token_refused"]);
    assert_eq!(seen[1]["actor"], made.id.as_str());
    assert_eq!(seen[1]["data"]["jti"], claims(&token)["jti"]);
    assert_eq!(seen[2]["data"]["error"], "invalid_client");
    app.finish().await;
}

#[tokio::test]
async fn the_metadata_says_what_works() {
    let app = TestApp::new().await;
    let inserted =
        app.core("GET", "/.well-known/oauth-authorization-server/t/demo", None, None).await.expect(200);
    let appended =
        app.core("GET", "/t/demo/.well-known/oauth-authorization-server", None, None).await.expect(200);
    assert_eq!(inserted.json(), appended.json());
    let known = inserted.headers[header::ETAG].to_str().unwrap();
    for path in ["/t/demo/.well-known/openid-configuration", "/t/demo/.well-known/jwks.json"] {
        let etag = app.core("GET", path, None, None).await.expect(200).headers[header::ETAG].clone();
        assert_eq!(etag == known, path.ends_with("openid-configuration"), "one document under three paths");
        let again = Request::get(path).header(header::IF_NONE_MATCH, etag).body(Body::empty()).unwrap();
        let again = app.send(ListenerName::Core, again).await.expect(304);
        assert!(again.text.is_empty());
        assert!(again.headers[header::CACHE_CONTROL].to_str().unwrap().contains("max-age=300"));
    }
    let metadata = inserted.json();
    let issuer = metadata["issuer"].as_str().unwrap();
    let base = issuer.strip_suffix("/t/demo").unwrap();
    let made = app.client(billing()).await;
    let token_endpoint = metadata["token_endpoint"].as_str().unwrap();
    assert_eq!(token_endpoint.strip_prefix(base), Some("/t/demo/oauth2/token"));
    let token = access_token(&app.client_token(&made).await.expect(200));
    assert_eq!(claims(&token)["iss"], issuer);
    let jwks_path = metadata["jwks_uri"].as_str().unwrap().strip_prefix(base).unwrap();
    let jwks = app.core("GET", jwks_path, None, None).await.expect(200).json();
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header["typ"], "at+jwt");
    assert!(jwks["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header["kid"]));
    let nowhere = app.core("GET", "/t/nowhere/.well-known/oauth-authorization-server", None, None).await;
    assert_eq!(nowhere.expect(404).code(), "unknown_tenant");
    app.finish().await;
}

/// A client others wrote, over our router.
#[tokio::test]
async fn the_oauth2_crate_gets_a_token() {
    use oauth2::basic::BasicClient;
    use oauth2::{AuthType, ClientId, ClientSecret, Scope, TokenResponse, TokenUrl};
    let app = TestApp::new().await;
    let made = app.client(billing()).await;
    let metadata = app.core("GET", "/t/demo/.well-known/oauth-authorization-server", None, None).await.json();
    let ask = async |request: oauth2::HttpRequest| {
        let answer = app.send(ListenerName::Core, request.map(Body::from)).await;
        let mut response = oauth2::HttpResponse::new(answer.text.clone().into_bytes());
        (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers.clone());
        Ok::<_, std::convert::Infallible>(response)
    };
    for (auth_type, secret, is_good) in [
        (AuthType::BasicAuth, made.secret.as_str(), true),
        (AuthType::RequestBody, made.secret.as_str(), true),
        (AuthType::BasicAuth, "wrong : secret%", false),
    ] {
        let client = BasicClient::new(ClientId::new(made.id.clone()))
            .set_client_secret(ClientSecret::new(secret.to_owned()))
            .set_auth_type(auth_type)
            .set_token_uri(TokenUrl::new(metadata["token_endpoint"].as_str().unwrap().to_owned()).unwrap());
        let scope = Scope::new("invoices:read".to_owned());
        let asked = client.exchange_client_credentials().add_scope(scope.clone()).request_async(&ask).await;
        match asked {
            Ok(token) => {
                assert!(is_good);
                assert_eq!(token.scopes(), Some(&vec![scope]));
                assert!(app.is_active(token.access_token().secret()).await);
            }
            Err(oauth2::RequestTokenError::ServerResponse(error)) => {
                assert!(!is_good);
                assert_eq!(*error.error(), oauth2::basic::BasicErrorResponseType::InvalidClient);
            }
            Err(other) => panic!("{other}"),
        }
    }
    app.finish().await;
}

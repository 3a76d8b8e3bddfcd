//! Clients that register themselves.

use crate::app::{Answer, TestApp, request};
use crate::authorization_code::{App, code_of};
use crate::user_agent::UserAgent;
use plinto_http::ListenerName;
use serde_json::{Value, json};

async fn send(app: &TestApp, method: &str, path: &str, bearer: Option<&str>, body: Option<Value>) -> Answer {
    app.send(ListenerName::Core, request(method, path, bearer, body)).await
}

async fn allow(app: &TestApp, settings: Value) {
    app.manage("PATCH", "/v1/settings", Some(json!({ "oauth": settings }))).await.expect(200);
}

const REGISTER: &str = "/t/demo/oauth2/register";

fn agent() -> Value {
    json!({
        "client_name": "Agent", "redirect_uris": ["https://app.example.com/callback"], "scope": "openid tools:call",
        "grant_types": ["authorization_code", "refresh_token"], "id_token_signed_response_alg": "EdDSA",
        "software_id": "passed over"
    })
}

#[tokio::test]
async fn a_client_registers_itself_and_a_user_lets_it_in() {
    let app = TestApp::new().await;
    app.sign_up("ada@example.com").await.expect(202);
    assert_eq!(send(&app, "POST", REGISTER, None, Some(agent())).await.expect(403).code(), "forbidden");
    let metadata = "/t/demo/.well-known/openid-configuration";
    assert!(send(&app, "GET", metadata, None, None).await.json().get("registration_endpoint").is_none());
    let open = json!({ "registration": "open", "registration_scopes": ["tools:call"], "registration_resources": ["https://mcp.example.com/"] });
    allow(&app, open).await;
    let told = send(&app, "GET", metadata, None, None).await.json();
    assert_eq!(told["registration_endpoint"], "http://plinto.test/t/demo/oauth2/register");

    let made = send(&app, "POST", REGISTER, None, Some(agent())).await.expect(201).json();
    assert_eq!((&made["client_secret_expires_at"], &made["response_types"]), (&json!(0), &json!(["code"])));
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let client = App { id: text("client_id"), secret: Some(text("client_secret")) };
    let mut browser = UserAgent::default();
    let asked = client.address(&[("scope", "openid tools:call"), ("resource", "https://mcp.example.com/")]);
    let code = code_of(&app, &mut browser, &asked).await;
    let tokens = client.redeem(&app, &code).await.expect(200).json();
    assert_eq!(tokens["scope"], "openid tools:call");

    let path = text("registration_client_uri").replace("http://plinto.test", "");
    let token = text("registration_access_token");
    let own = send(&app, "GET", &path, Some(&token), None).await.expect(200).json();
    assert!(own["client_name"] == "Agent" && own.get("client_secret").is_none());
    let renamed =
        json!({ "client_name": "Better agent", "redirect_uris": ["https://app.example.com/callback"] });
    let renamed = send(&app, "PUT", &path, Some(&token), Some(renamed)).await.expect(200).json();
    assert_eq!(
        (&renamed["client_name"], &renamed["grant_types"]),
        (&json!("Better agent"), &json!(["authorization_code"]))
    );
    let other = send(&app, "POST", REGISTER, None, Some(agent())).await.expect(201).json();
    let foreign = other["registration_access_token"].as_str().unwrap();
    for (method, body) in [("GET", None), ("PUT", Some(agent())), ("DELETE", None)] {
        for bad in [None, Some(foreign), Some("plrt_x"), Some(app.service_key.as_str())] {
            assert_eq!(
                send(&app, method, &path, bad, body.clone()).await.expect(401).code(),
                "invalid_token"
            );
        }
    }
    send(&app, "DELETE", &path, Some(&token), None).await.expect(204);
    send(&app, "GET", &path, Some(&token), None).await.expect(401);
    assert!(!app.is_active(tokens["access_token"].as_str().unwrap()).await);
    app.finish().await;
}

#[tokio::test]
async fn who_may_register_is_for_the_tenant_to_say() {
    let app = TestApp::new().await;
    allow(&app, json!({ "registration": "service_key" })).await;
    let plain = json!({ "redirect_uris": ["https://app.example.com/callback"] });
    send(&app, "POST", REGISTER, None, Some(plain.clone())).await.expect(401);
    send(&app, "POST", REGISTER, Some(&app.service_key), Some(plain.clone())).await.expect(403);
    let (_, key) = app.secret_key(&["clients:write"]).await;
    let own = json!({ "redirect_uris": [], "grant_types": ["client_credentials"] });
    send(&app, "POST", REGISTER, Some(&key), Some(own.clone())).await.expect(201);
    app.another_tenant("other").await;
    let body = json!({ "oauth": { "registration": "service_key" } });
    let mut elsewhere = request("PATCH", "/t/other/v1/settings", Some(&app.platform_key), Some(body));
    elsewhere.headers_mut().insert("plinto-tenant", "other".parse().unwrap());
    app.send(ListenerName::Core, elsewhere).await.expect(200);
    send(&app, "POST", "/t/other/oauth2/register", Some(&key), Some(plain.clone())).await.expect(401);

    allow(&app, json!({ "registration": "open" })).await;
    for (change, error) in [
        (json!({ "redirect_uris": ["http://app.example.com/callback"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        (json!({ "scope": "tools:call" }), "invalid_client_metadata"),
        (json!({ "logo_uri": "javascript:alert(1)" }), "invalid_client_metadata"),
        (own, "invalid_client_metadata"),
        (json!({ "token_endpoint_auth_method": "private_key_jwt" }), "invalid_client_metadata"),
        (json!({ "jwks": { "keys": [{}] } }), "invalid_client_metadata"),
    ] {
        let mut body = plain.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = send(&app, "POST", REGISTER, None, Some(body)).await.expect(400);
        assert_eq!(refused.code(), error, "{change}");
    }
    app.finish().await;
}

//! Health, metrics, documentation, headers, listeners without a purpose yet.

use crate::app::{TestApp, request};
use axum::body::Body;
use axum::http::Request;
use plinto_http::{HttpConfig, ListenerName};

#[tokio::test]
async fn every_listener_reports_health() {
    let app = TestApp::new().await;
    for listener in ListenerName::ALL {
        let live = app.send(listener, request("GET", "/health", None, None)).await.expect(200);
        assert_eq!(live.json()["status"], "ok");
        let ready = app.send(listener, request("GET", "/health/ready", None, None)).await.expect(200).json();
        assert_eq!(ready["status"], "ready");
        assert_eq!(ready["dependencies"][0]["name"], "storage");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_path_that_is_no_text_names_nothing() {
    let app = TestApp::new().await;
    for path in ["/v1/tenants/%ff", "/t/%ff/v1/auth/sign-in", "/%c3%28"] {
        let answer = app.core("GET", path, Some(&app.platform_key), None).await.expect(404);
        assert_eq!(answer.code(), "not_found", "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_node_about_to_stop_says_so_and_goes_on_serving() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    app.state.begin_draining();
    for listener in ListenerName::ALL {
        let ready = app.send(listener, request("GET", "/health/ready", None, None)).await.expect(503).json();
        assert_eq!(ready["status"], "unavailable");
        let runtime = ready["dependencies"].as_array().unwrap().iter().find(|one| one["name"] == "runtime");
        assert_eq!(runtime.unwrap()["status"], "unavailable");
    }
    let served = app.introspect_as(&app.service_key, &ada.access).await.expect(200);
    assert_eq!(served.headers["connection"], "close", "the next connection is made elsewhere");
    app.finish().await;
}

#[tokio::test]
async fn the_nodes_are_listed_with_the_one_that_answers() {
    let app = TestApp::new().await;
    let path = "/v1/runtime/nodes";
    let answer = app.auth("GET", path, Some(&app.platform_key), None).await.expect(200).json();
    let nodes = answer["nodes"].as_array().unwrap();
    let this = app.state.platform().this_node();
    let own = nodes.iter().find(|node| node["answered"] == true).unwrap();
    assert_eq!(own["id"], this.id.0.to_string());
    assert_eq!(own["name"], this.name.as_str());
    assert_eq!(own["started_at"], this.started_at);
    assert!(own["urls"].is_object() && own["version"].is_string());
    app.finish().await;
}

#[tokio::test]
async fn metrics_have_no_tenant_user_or_token_in_them() {
    let app = TestApp::new().await;
    let ada = app.user("lovelace@example.com").await;
    app.introspect(&ada.access).await;
    for listener in ListenerName::ALL {
        let text = app
            .send(listener, request("GET", "/metrics", Some(&app.platform_key), None))
            .await
            .expect(200)
            .text;
        for wanted in [
            "plinto_http_requests_total",
            "plinto_http_request_seconds",
            "activations",
            "route=\"/v1/introspect\"",
            "plinto_cluster_reachable 1",
            "plinto_nodes_polls_total",
            "plinto_allowance_refusals_total",
        ] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
        for personal in ["demo", "lovelace", &ada.session, &ada.user, &app.tenant.to_string()] {
            assert!(!text.contains(personal), "{personal}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn answers_are_hardened_and_carry_the_trace() {
    let app = TestApp::new().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = Request::get("/nothing/here")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .body(Body::empty())
        .unwrap();
    let answer = app.send(ListenerName::Core, request).await.expect(404);
    assert_eq!(answer.code(), "not_found");
    assert_eq!(answer.headers["x-request-id"], trace);
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(!answer.headers.contains_key("access-control-allow-origin"), "no CORS unless configured");
    let method = app.core("PUT", "/v1/tenants", None, None).await.expect(405);
    assert_eq!(method.code(), "method_not_allowed");
    app.finish().await;
}

#[tokio::test]
async fn cors_answers_configured_origins_only() {
    let config = HttpConfig { cors_origins: vec!["https://app.example".into()], ..HttpConfig::default() };
    let app = TestApp::with(crate::app::roomy(), config).await;
    let preflight = |origin: &str| {
        Request::builder()
            .method("OPTIONS")
            .uri("/v1/auth/sign-in")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(Body::empty())
            .unwrap()
    };
    let good = app.send(ListenerName::Core, preflight("https://app.example")).await;
    assert_eq!(good.headers["access-control-allow-origin"], "https://app.example");
    let bad = app.send(ListenerName::Core, preflight("https://evil.example")).await;
    assert!(!bad.headers.contains_key("access-control-allow-origin"));
    app.finish().await;
}

#[tokio::test]
async fn listeners_without_a_purpose_yet_say_what_they_will_serve() {
    let app = TestApp::new().await;
    for (listener, word) in [(ListenerName::Mock, "Mock API"), (ListenerName::Webhooks, "Webhook service")] {
        let answer = app.send(listener, request("GET", "/v1/anything", None, None)).await.expect(501);
        assert_eq!(answer.code(), "not_yet_served");
        assert!(answer.text.contains(word));
    }
    app.finish().await;
}

#[tokio::test]
async fn the_explorer_needs_no_network() {
    let app = TestApp::new().await;
    let page = app.core("GET", "/docs/", None, None).await.expect(200);
    assert!(page.text.contains("swagger-ui"));
    assert!(!page.text.contains("https://"), "nothing is loaded from elsewhere");
    let script = app.core("GET", "/docs/swagger-initializer.js", None, None).await.expect(200);
    assert!(script.text.contains("/v1/openapi.json"));
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'self'"));
    app.finish().await;
}

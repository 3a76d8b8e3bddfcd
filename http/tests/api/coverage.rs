//! The authorization table is complete: every route asks for what it says, and is documented.

use crate::app::{TestApp, request};
use plinto_domain::api_scope::Resource;
use plinto_http::ListenerName;
use plinto_http::routes::{Access, table};
use serde_json::json;
use std::collections::BTreeSet;

/// A path of the pattern. Access is checked before anything is looked for, so what is named need not exist.
fn concrete(pattern: &str, app: &TestApp) -> String {
    let path = pattern.replace("{tenant}", "demo").replace("{id}", &app.tenant.to_string());
    path.replace('{', "no-such-").replace('}', "")
}

#[tokio::test]
async fn every_route_refuses_callers_without_what_it_asks_for() {
    let app = TestApp::new().await;
    let mut checked = 0;
    for listener in ListenerName::ALL {
        for route in table(listener, &app.state) {
            let path = concrete(route.path, &app);
            let send = |bearer: Option<&str>| {
                app.send(listener, request(route.method.as_str(), &path, bearer, Some(json!({}))))
            };
            let unauthenticated = match route.access {
                Access::Public => continue,
                Access::AccessToken => "invalid_token",
                Access::ApiKey | Access::Manage(_) | Access::PlatformKey | Access::Metrics => {
                    "api_key_needed"
                }
            };
            for bad in [None, Some(""), Some("plk_00000000000000000000000000000000_x"), Some("x.y.z")] {
                let answer = send(bad).await.expect(401);
                assert_eq!(answer.code(), unauthenticated, "{} {path} with {bad:?}", route.method);
                assert!(answer.headers.contains_key("www-authenticate"));
                checked += 1;
            }
            let beyond_the_key = match route.access {
                // The service key may ask about tokens and nothing else.
                Access::Manage(scope) => scope.resource != Resource::Tokens,
                access => matches!(access, Access::PlatformKey | Access::Metrics),
            };
            if beyond_the_key {
                assert_eq!(send(Some(&app.service_key)).await.expect(403).code(), "forbidden", "{path}");
            }
        }
    }
    assert!(checked > 60, "{checked}");
    app.finish().await;
}

#[tokio::test]
async fn the_table_and_the_openapi_document_name_the_same_routes() {
    let app = TestApp::new().await;
    let mut routed = BTreeSet::new();
    for listener in [ListenerName::Core, ListenerName::Auth] {
        for route in table(listener, &app.state) {
            routed.insert((route.method.as_str().to_lowercase(), route.path.to_owned()));
        }
    }
    let document = app.core("GET", "/v1/openapi.json", None, None).await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            documented.insert((method.clone(), path.clone()));
            assert!(operation["responses"].as_object().is_some_and(|r| !r.is_empty()), "{method} {path}");
        }
    }
    assert_eq!(routed, documented);
    app.finish().await;
}

#[tokio::test]
async fn protected_operations_say_so_in_the_document() {
    let app = TestApp::new().await;
    let document = app.core("GET", "/v1/openapi.json", None, None).await.expect(200).json();
    for listener in [ListenerName::Core, ListenerName::Auth] {
        for route in table(listener, &app.state) {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let secured = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
            assert_eq!(secured, route.access != Access::Public, "{} {}", route.method, route.path);
        }
    }
    app.finish().await;
}

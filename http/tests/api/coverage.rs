//! The authorization table is complete: every route asks for what it says, and is documented.

use crate::app::{TestApp, request};
use plinto_domain::api_scope::Resource;
use plinto_domain::denial;
use plinto_http::ListenerName;
use plinto_http::problem::catalogue;
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

#[tokio::test]
async fn every_kind_of_problem_is_documented_with_an_example() {
    let app = TestApp::new().await;
    let document = app.core("GET", "/v1/openapi.json", None, None).await.expect(200).json();
    let components = &document["components"];
    for kind in catalogue::all() {
        let codes = components["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap();
        assert!(codes.contains(&json!(kind.code)), "{}", kind.code);
        let example = &components["examples"][kind.code];
        let value = &example["value"];
        assert_eq!(example["summary"], kind.title, "{}", kind.code);
        assert_eq!(value["code"], kind.code);
        assert_eq!(value["status"], kind.status.as_u16());
        let response = &components["responses"][format!("problem_{}", kind.status.as_str())];
        let listed = &response["content"]["application/problem+json"]["examples"][kind.code]["$ref"];
        assert_eq!(*listed, format!("#/components/examples/{}", kind.code));
    }
    assert!(catalogue::all().count() > denial::all().count());
    app.finish().await;
}

#[tokio::test]
async fn operations_document_the_answers_of_the_guard_and_where_they_are_served() {
    let app = TestApp::new().await;
    let document = app.core("GET", "/v1/openapi.json", None, None).await.expect(200).json();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(
                    response["content"]["application/json"]["schema"]["$ref"]
                        != "#/components/schemas/Problem",
                    "{what}: problems are application/problem+json"
                );
                if let Some(reference) = response["$ref"].as_str() {
                    assert!(
                        document.pointer(&reference[1..]).is_some(),
                        "{what}: no problem has status {status}"
                    );
                }
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let in_path = path.contains(&format!("{{{name}}}"));
                assert_eq!(parameter["in"] == "path", in_path, "{what}: {name} needs parameter_in = Query");
            }
            assert!(operation["responses"]["503"].is_object(), "{what}");
            let tags: Vec<_> = operation["tags"].as_array().unwrap().iter().collect();
            let at_auth = operation["servers"][0]["url"] == "http://localhost:8001";
            assert_eq!(
                at_auth,
                tags.iter().any(|tag| *tag == "introspection" || *tag == "runtime"),
                "{what}"
            );
        }
    }
    app.finish().await;
}

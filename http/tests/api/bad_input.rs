//! Whatever is sent, the answer is a problem with a stable code, and never a 500.

use crate::app::{PASSWORD, TestApp, request};
use crate::makers::{Street, under};
use axum::body::Body;
use axum::http::{Request, header};
use plinto_http::ListenerName;
use serde_json::{Value, json};

fn hostile() -> Vec<Value> {
    vec![
        json!("\0"),
        json!("a\0b@example.com"),
        json!("x".repeat(10_000)),
        json!(""),
        json!("  "),
        json!("\u{202e}moc.elpmaxe@ada"),
        json!("p\u{0430}ypal@example.com"),
        json!("' OR 1=1 --"),
        json!("{{7*7}}"),
        json!("../../etc/passwd"),
        json!(null),
        json!(true),
        json!(1e308),
        json!(-1),
        json!([]),
        json!({}),
        json!(["a"]),
    ]
}

#[tokio::test]
async fn hostile_values_in_every_field_of_every_route_are_answered_with_a_problem() {
    let app = TestApp::new().await;
    let street = Street::of(&app).await;
    let mut answered = 0;
    for (listener, route) in street.routes() {
        let mut sketch = street.sketch(&route).await;
        let Some(good) = sketch.body.clone() else { continue };
        let path = under("demo", &route, &sketch.path);
        let schema =
            &street.document["paths"][route.path][sketch.method.to_lowercase()]["requestBody"]["content"];
        for field in street.members(&schema[&sketch.media]["schema"]).into_keys() {
            for value in hostile() {
                let mut body = good.clone();
                body[&field] = value.clone();
                sketch.body = Some(body);
                let answer = street.send(listener, &sketch, &path, street.credential(&route)).await;
                let status = answer.status.as_u16();
                assert!(
                    status < 500,
                    "{} {path} {field}={value:.60}: {status} {}",
                    route.method,
                    answer.text
                );
                if status >= 400 {
                    answer.code();
                    answered += 1;
                }
            }
        }
    }
    assert!(answered > 150, "{answered}");
    app.finish().await;
}

#[tokio::test]
async fn every_route_with_a_body_refuses_one_of_another_kind_shape_or_size() {
    let app = TestApp::new().await;
    let street = Street::of(&app).await;
    let most = app.state.config().limits.body_bytes;
    let mut checked = 0;
    for (listener, route) in street.routes() {
        let sketch = street.sketch(&route).await;
        let Some(good) = sketch.body.clone() else { continue };
        let path = under("demo", &route, &sketch.path);
        let bearer = street.credential(&route);
        let send = |media: &str, body: String| {
            let mut raw = request(&sketch.method, &path, bearer, None);
            raw.headers_mut().insert(header::CONTENT_TYPE, media.parse().unwrap());
            *raw.body_mut() = Body::from(body);
            app.send(listener, raw)
        };
        let mut extra = good;
        extra["no_such_member"] = json!("admin");
        // AuthZEN ignores members it does not know, and knows one status for whatever is wrong.
        let by_standard = route.path.starts_with("/access/");
        let mut cases = match by_standard {
            true => vec![("text/css", "a{}".to_owned(), 400, "invalid_request")],
            false => vec![("text/css", "a{}".to_owned(), 415, "unsupported_media_type")],
        };
        if sketch.media == "application/json" {
            // Registration passes over what it does not know (RFC 7591 §2).
            if !by_standard && !route.path.contains("/oauth2/register") {
                cases.push(("application/json", extra.to_string(), 422, "invalid_fields"));
            }
            cases.extend([
                ("application/json", "[]".to_owned(), 400, "malformed_json"),
                ("application/json", "{".to_owned(), 400, "malformed_json"),
                ("application/json", format!("{{\"x\":\"{}\"}}", "x".repeat(most)), 413, "body_too_large"),
            ]);
        }
        for (media, body, status, code) in cases {
            let answer = send(media, body.clone()).await;
            let what = format!("{} {} with {body:.40}", route.method, route.path);
            assert_eq!(answer.status, status, "{what}: {}", answer.text);
            assert_eq!(answer.code(), code, "{what}");
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
    app.finish().await;
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be() {
    let app = TestApp::new().await;
    let post = |content_type: Option<&str>, body: String| {
        let mut request = Request::post("/t/demo/v1/auth/sign-in");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        app.send(ListenerName::Core, request.body(Body::from(body)).unwrap())
    };
    let json = Some("application/json");
    let good = json!({ "email": "ada@example.com", "password": PASSWORD }).to_string();
    for (content_type, body, status, code) in [
        (json, "{".to_owned(), 400, "malformed_json"),
        (json, String::new(), 400, "malformed_json"),
        (json, "\u{0}".to_owned(), 400, "malformed_json"),
        (json, format!("{good}{good}"), 400, "malformed_json"),
        (json, "[".repeat(5_000), 400, "malformed_json"),
        (json, "[]".to_owned(), 400, "malformed_json"),
        (json, r#"["ada@example.com","x"]"#.to_owned(), 400, "malformed_json"),
        (json, "\"text\"".to_owned(), 400, "malformed_json"),
        (json, "{}".to_owned(), 422, "invalid_fields"),
        (
            json,
            r#"{"email":"a@b.example","email":"c@d.example","password":"x"}"#.to_owned(),
            422,
            "invalid_fields",
        ),
        (json, "x".repeat(70_000), 413, "body_too_large"),
        (None, good.clone(), 415, "unsupported_media_type"),
        (Some("text/plain"), good.clone(), 415, "unsupported_media_type"),
        (Some("application/x-www-form-urlencoded"), good.clone(), 415, "unsupported_media_type"),
    ] {
        let answer = post(content_type, body.clone()).await.expect(status);
        assert_eq!(answer.code(), code, "{body:.60}");
    }
    post(Some("application/json; charset=utf-8"), good).await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn refused_json_never_repeats_what_was_sent() {
    let app = TestApp::new().await;
    let secret = "hunter2-hunter2-hunter2";
    for body in [
        format!(r#"{{"email":"a@example.com","password":["{secret}"]}}"#),
        format!(r#"{{"email":"a@example.com","password":{{"x":"{secret}"}}}}"#),
        format!(r#"{{"email":"a@example.com","{secret}":1}}"#),
        format!(r#"{{"email":"{secret}","password":"short"}}"#),
        format!(r#"{{"email":"a@example.com","password":"{secret}""#),
    ] {
        let request = Request::post("/t/demo/v1/auth/sign-up")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.clone()))
            .unwrap();
        let answer = app.send(ListenerName::Core, request).await;
        assert!(answer.status.is_client_error());
        assert!(!answer.text.contains(secret), "{body}: {}", answer.text);
    }
    app.finish().await;
}

#[tokio::test]
async fn introspection_forms_follow_the_rfc() {
    let app = TestApp::new().await;
    let form = |body: &str| {
        Request::post("/v1/introspect")
            .header(header::AUTHORIZATION, format!("Bearer {}", app.service_key))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    for body in ["", "tok=1", "token=a&token=b"] {
        let answer = app.send(ListenerName::Auth, form(body)).await.expect(400);
        assert_eq!(answer.code(), "invalid_request", "{body}");
    }
    for body in ["token=", "token=%00", "token=a&token_type_hint=refresh_token", "token=%ff%fe"] {
        let answer = app.send(ListenerName::Auth, form(body)).await.expect(200);
        assert_eq!(answer.json(), json!({ "active": false }), "{body}");
    }
    let json = request("POST", "/v1/introspect", Some(&app.service_key), Some(json!({ "token": "x" })));
    assert_eq!(app.send(ListenerName::Auth, json).await.expect(415).code(), "unsupported_media_type");
    app.finish().await;
}

#[tokio::test]
async fn weak_passwords_are_refused_with_advice() {
    let app = TestApp::new().await;
    for (password, code) in [
        ("short", "password_too_short"),
        ("password1234", "password_common"),
        ("aaaaaaaaaaaaaaa", "password_guessable"),
    ] {
        let body = json!({ "email": "weak@example.com", "password": password });
        let json = app.core("POST", "/t/demo/v1/auth/sign-up", None, Some(body)).await.expect(422).json();
        assert_eq!(json["errors"][0]["code"], code, "{json}");
        assert_eq!(json["errors"][0]["field"], "password");
    }
    app.finish().await;
}

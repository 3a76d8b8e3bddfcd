//! `Idempotency-Key`: a request sent again takes effect once and is answered as the first time.

use crate::app::{Answer, TestApp, request};
use crate::backend::Place;
use plinto_actors::runtime::Deadline;
use plinto_actors::{Platform, Repetition};
use plinto_domain::audit::Actor;
use plinto_domain::idempotency::{KEPT_MILLIS, UNDER_WAY_MILLIS};
use plinto_domain::precondition::Precondition;
use plinto_domain::user::profile::{ProfileInput, UserChange};
use plinto_http::ListenerName;
use plinto_http::problem::Problem;
use plinto_http::routes::{Access, Repeating};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn send(app: &TestApp, bearer: &str, key: &str, body: Value) -> Answer {
    let path = format!("/v1/tenants/{}/service-keys", app.tenant);
    let mut request = request("POST", &path, Some(bearer), Some(body));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    app.send(ListenerName::Core, request).await
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

#[tokio::test]
async fn a_repeated_request_takes_effect_once_and_is_answered_as_the_first_time() {
    let place = Arc::new(Place::lasting().await);
    let app = TestApp::at(&place).await;
    let key = app.platform_key.clone();
    let first = send(&app, &key, "\"a-1\"", named("svc")).await.expect(201);
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let again = send(&app, &key, "a-1", named("svc")).await.expect(201);
    assert_eq!(again.text, first.text);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.headers["content-type"], first.headers["content-type"]);
    let other = send(&app, &key, "a-1", named("another")).await.expect(422);
    assert_eq!(other.code(), "idempotency_key_reused");
    let fresh = send(&app, &key, "a-2", named("svc")).await.expect(201);
    assert_ne!(fresh.text, first.text);

    // The answer holds a secret, and is sealed.
    let secret = first.json()["key"].as_str().unwrap().rsplit_once('_').unwrap().1.to_owned();
    let stored = place.dump().await;
    assert!(!stored.windows(secret.len()).any(|window| window == secret.as_bytes()));

    app.advance(Duration::from_millis(KEPT_MILLIS as u64));
    let next_day = send(&app, &key, "a-1", named("another")).await.expect(201);
    assert_ne!(next_day.text, first.text);
    app.finish().await;
}

#[tokio::test]
async fn of_many_requests_at_once_with_one_key_one_takes_effect() {
    let app = TestApp::new().await;
    let key = app.platform_key.clone();
    let one = || send(&app, &key, "race", named("svc"));
    let (a, b, c) = tokio::join!(one(), one(), one());
    let mut made = Vec::new();
    for answer in [a, b, c] {
        match answer.status.as_u16() {
            201 => made.push(answer.text),
            409 => assert_eq!(answer.code(), "idempotency_in_progress"),
            other => panic!("{other}: {}", answer.text),
        }
    }
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
    app.finish().await;
}

#[tokio::test]
async fn a_refused_request_is_forgotten_and_bad_keys_are_refused() {
    let app = TestApp::new().await;
    let key = app.platform_key.clone();
    send(&app, &key, "k", json!({ "name": "" })).await.expect(422);
    send(&app, &key, "k", named("svc")).await.expect(201);
    for bad in ["\"open", "a b", ""] {
        let answer = send(&app, &key, bad, named("svc")).await.expect(400);
        assert_eq!(answer.code(), "invalid_idempotency_key", "{bad}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant_and_caller() {
    let app = TestApp::new().await;
    let (other, _) = app.another_tenant("other").await;
    let second = app.state.platform().issue_platform_key("second").await.unwrap().text;
    let mine = send(&app, &app.platform_key, "k", named("svc")).await.expect(201);
    let theirs = send(&app, &second, "k", named("svc")).await.expect(201);
    assert_ne!(mine.text, theirs.text);
    let path = format!("/v1/tenants/{other}/service-keys");
    let mut there = request("POST", &path, Some(&app.platform_key), Some(named("svc")));
    there.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    let there = app.send(ListenerName::Core, there).await.expect(201);
    assert!(!there.headers.contains_key("idempotent-replayed"));
    // A revoked or foreign credential learns nothing from a key.
    send(&app, &app.service_key, "k", named("svc")).await.expect(403);
    app.finish().await;
}

#[tokio::test]
async fn an_interrupted_request_is_done_anew_after_a_while_unless_it_took_effect() {
    let place = Arc::new(Place::lasting().await);
    let app = TestApp::at(&place).await;
    let user = app.user("ada@example.com").await.user.parse().unwrap();
    let tenant = app.tenant;
    let deadline = || Deadline::after(Duration::from_secs(10));
    let platform = app.state.platform().clone();
    let reserve = |platform: Platform, key: &'static str| async move {
        platform.reserve_answer(tenant, "caller", key, b"request", deadline()).await
    };
    let Ok(Repetition::First(_nothing_done)) = reserve(platform.clone(), "nothing").await else { panic!() };
    let Ok(Repetition::First(effective)) = reserve(platform.clone(), "effective").await else { panic!() };
    let input = ProfileInput { name: Some(Some("Ada King".to_owned())), ..ProfileInput::default() };
    let rename = UserChange::parse(input).unwrap();
    let changing =
        platform.change_user(tenant, user, &rename, &Precondition::None, Actor::System, deadline());
    effective.carry_out(changing).await.unwrap();
    // Whatever was acknowledged must be there for the next process.
    app.finish().await;

    let app = TestApp::at(&place).await;
    let platform = app.state.platform().clone();
    for key in ["nothing", "effective"] {
        let refused = reserve(platform.clone(), key).await.err().unwrap();
        assert_eq!(Problem::from(refused).code, "idempotency_in_progress");
    }
    app.advance(Duration::from_millis(UNDER_WAY_MILLIS as u64));
    assert!(matches!(reserve(platform.clone(), "nothing").await, Ok(Repetition::First(_))));
    let refused = reserve(platform.clone(), "effective").await.err().unwrap();
    assert_eq!(Problem::from(refused).code, "idempotency_answer_lost");
    drop(platform);
    app.finish().await;
}

/// Routes that make something and take no key, with the reason.
const WITHOUT: &[(&str, &str)] =
    &[("/v1/tenants", "no tenant remembers it yet; the unique slug lets it take effect once")];

#[tokio::test]
async fn every_post_that_creates_takes_a_key() {
    let app = TestApp::new().await;
    let document = app.core("GET", "/v1/openapi.json", None, None).await.expect(200).json();
    let mut taking = 0;
    for listener in [ListenerName::Core, ListenerName::Auth] {
        for route in plinto_http::routes::table(listener, &app.state) {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let creates = route.method == "POST" && operation["responses"]["201"].is_object();
            let takes = route.repeating == Repeating::OnceByKey;
            taking += u32::from(takes);
            let excused =
                route.access == Access::Public || WITHOUT.iter().any(|(path, _)| *path == route.path);
            assert!(
                !creates || takes || excused,
                "POST {}: it answers 201, so its row needs .once_by_key(), or a reason in {}",
                route.path,
                file!()
            );
        }
    }
    assert!(taking >= 2);
    app.finish().await;
}

//! Bounds: attempts, rates, queues.

use crate::app::{Answer, PASSWORD, TestApp, roomy};
use plinto_actors::Limits;
use plinto_http::HttpConfig;

#[tokio::test]
async fn guessing_at_an_account_is_limited_whether_or_not_it_exists() {
    let limits = Limits { account_burst: 3, account_refill_seconds: 3_600, ..roomy() };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    for email in ["ada@example.com", "nobody@example.com"] {
        if email.starts_with("ada") {
            // Signing up does not use up the attempts to sign in.
            app.sign_up(email).await.expect(202);
        }
        for _ in 0..3 {
            app.try_sign_in("demo", email, "wrong wrong wrong").await.expect(401);
        }
        let limited = app.try_sign_in("demo", email, PASSWORD).await.expect(429);
        assert_eq!(limited.code(), "too_many_attempts");
        assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    }
    app.try_sign_in("demo", "grace@example.com", "wrong wrong wrong").await.expect(401);
    app.finish().await;
}

#[tokio::test]
async fn a_tenant_over_its_rate_is_refused_and_its_neighbour_is_not() {
    let limits = Limits { tenant_per_second: 1, tenant_burst: 8, ..roomy() };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    let (_, other) = app.another_tenant("other").await;
    let mut refused = 0;
    for _ in 0..20 {
        let answer = app.introspect_as(&app.service_key, "a.b.c").await;
        match answer.status.as_u16() {
            200 => {}
            429 => {
                assert_eq!(answer.code(), "rate_limited");
                assert!(answer.headers.contains_key("retry-after"));
                refused += 1;
            }
            status => panic!("{status}: {}", answer.text),
        }
    }
    assert!(refused >= 10, "{refused}");
    app.introspect_as(&other, "a.b.c").await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn a_session_over_its_rate_is_refused_never_called_inactive() {
    let limits = Limits { session_per_second: 1, session_burst: 4, ..roomy() };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    let ada = app.user("ada@example.com").await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let answer = app.introspect_as(&app.service_key, &ada.access).await;
        if answer.status == 200 {
            assert_eq!(answer.json()["active"], true);
        }
        statuses.push(answer.status.as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    // Signing out is never delayed by it.
    app.core("POST", "/v1/auth/sign-out", Some(&ada.access), None).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn more_password_work_than_a_tenant_may_queue_is_refused_at_once() {
    let limits = Limits { password_workers: 1, password_queue: 2, ..roomy() };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    let attempts = (0..12).map(|n| {
        let email = format!("user{n}@example.com");
        let app = &app;
        async move { app.try_sign_in("demo", &email, "wrong wrong wrong").await }
    });
    let answers = futures::future::join_all(attempts).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty());
    for answer in refused {
        assert_eq!(answer.code(), "overloaded");
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert!(answers.iter().any(|answer| answer.status == 401), "those that were admitted are answered");
    app.finish().await;
}

#[tokio::test]
async fn work_of_a_caller_that_has_left_makes_room_for_others() {
    let limits = Limits { password_workers: 1, password_queue: 4, ..roomy() };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    for round in 0..5 {
        // Fill the queue, then leave.
        let attempts = (0..4).map(|n| {
            let (app, email) = (&app, format!("gone{round}-{n}@example.com"));
            async move { app.try_sign_in("demo", &email, "wrong wrong wrong").await }
        });
        let gone =
            tokio::time::timeout(std::time::Duration::from_millis(5), futures::future::join_all(attempts))
                .await;
        assert!(gone.is_err(), "hashing four passwords takes longer than this");
        app.try_sign_in("demo", &format!("here{round}@example.com"), "wrong wrong wrong").await.expect(401);
    }
    app.finish().await;
}

/// What an answer says of the caller's rate limit: name and numbers of both headers.
fn told(answer: &Answer) -> Option<(String, String)> {
    let text = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    text("ratelimit-policy").zip(text("ratelimit"))
}

#[tokio::test]
async fn callers_are_told_what_is_left_of_the_limit_that_is_theirs() {
    // So slow that no token comes back while the test runs.
    let limits = Limits { tenant_per_second: 1, tenant_burst: 3_600, session_per_second: 1, ..roomy() };
    let limits = Limits { session_burst: 1_200, ..limits };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    let ada = app.user("ada@example.com").await;
    let mine = || app.core("GET", "/v1/users/me", Some(&ada.access), None);
    let (first, second) = (mine().await.expect(200), mine().await.expect(200));
    let left = |answer: &Answer, name: &str, burst: u32, window: u32| {
        let (policy, left) = told(answer).expect("told");
        assert_eq!(policy, format!("\"{name}\";q={burst};w={window}"));
        let (left, full_in) =
            left.strip_prefix(&format!("\"{name}\";r=")).unwrap().split_once(";t=").unwrap();
        assert_eq!(left.parse::<u32>().unwrap() + full_in.parse::<u32>().unwrap(), burst);
        left.parse::<u32>().unwrap()
    };
    assert!(left(&second, "session", 1_200, 1_200) < left(&first, "session", 1_200, 1_200));
    let listed = app.manage("GET", "/v1/users", None).await.expect(200);
    let again = app.manage("GET", "/v1/users", None).await.expect(200);
    assert!(left(&again, "tenant", 3_600, 3_600) < left(&listed, "tenant", 3_600, 3_600));
    // Strangers learn nothing of how busy a tenant is.
    assert_eq!(told(&app.try_sign_in("demo", "ada@example.com", "wrong wrong").await), None);
    assert_eq!(told(&app.core("GET", "/v1/users/me", None, None).await.expect(401)), None);
    app.finish().await;
}

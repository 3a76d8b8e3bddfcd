//! Another tenant's keys, tokens and ids are answered like those that never existed, on every route there is.

use crate::app::{Answer, TestApp, request};
use crate::makers::{Sketch, Street, under};
use axum::http::header;
use plinto_http::ListenerName;
use plinto_http::routes::{Access, Route, Tenancy};
use std::time::Duration;

/// Routes where the thing may honestly be absent although everything it hangs on exists, with the reason.
const MAY_BE_ABSENT: &[(&str, &str, &str)] = &[
    ("GET", "/v1/users/{user}/legal-hold", "few users are under a hold"),
    ("DELETE", "/v1/users/{user}/legal-hold", "few users are under a hold"),
    ("GET", "/v1/users/{user}/avatar", "a new user has none"),
    ("DELETE", "/v1/users/{user}/avatar", "a new user has none"),
];

/// Where a client that registered itself is known by a token of its own, whatever the path names; `registration.rs` looks at
/// the tokens of others.
const BY_ITS_OWN_TOKEN: &str = "/t/{tenant}/oauth2/register/{client}";

/// Forms of pages that name a thing: whoever has not been shown the page is refused before anything is looked for, and
/// `hosted.rs` looks at the rest.
const FORMS: &[&str] = &["/t/{tenant}/select-account"];

/// How long a route may take before it counts as a stream that was opened.
const STREAM: Duration = Duration::from_secs(20);

/// A refused request, in words.
struct Attempt<'a> {
    route: &'a Route,
    what: &'static str,
}

impl Attempt<'_> {
    /// The answer is a refusal with one of these statuses, and nothing but a problem.
    fn refused(&self, answer: &Answer, allowed: &[u16]) {
        let (method, path, what) = (&self.route.method, self.route.path, self.what);
        let status = answer.status.as_u16();
        let hint = match status {
            400 | 415 | 422 => ": is the body good? See Street::member in makers.rs",
            _ => "",
        };
        assert!(
            allowed.contains(&status),
            "{method} {path}: {what} is answered {status} instead of {allowed:?}{hint}: {}",
            answer.text
        );
        answer.code();
    }
}

/// Keys and tokens of `other` at the door of `demo`.
async fn knock(street: &Street<'_>, listener: ListenerName, route: &Route, sketch: &Sketch) -> u32 {
    let attempt = |what| Attempt { route, what };
    let at_demo = under("demo", route, &sketch.path);
    let send = |bearer: Option<String>| {
        let path = at_demo.clone();
        async move { street.send(listener, sketch, &path, bearer.as_deref()).await }
    };
    let (key, token) = (Some(street.other_key.clone()), Some(street.eve.access.clone()));
    match route.access {
        Access::Public => return 0,
        Access::AccessToken => {
            attempt("a foreign token").refused(&send(token).await, &[401]);
            attempt("a foreign key for a token").refused(&send(key).await, &[401]);
        }
        Access::Manage(_) => {
            attempt("a foreign key").refused(&send(key).await, &[403, 404]);
            attempt("a foreign token for a key").refused(&send(token).await, &[401]);
            let mut by_header = request(&sketch.method, &sketch.path, None, sketch.body.clone());
            let bearer = format!("Bearer {}", street.other_key);
            by_header.headers_mut().insert(header::AUTHORIZATION, bearer.parse().unwrap());
            by_header.headers_mut().insert("plinto-tenant", "demo".parse().unwrap());
            let answer = street.app.send(listener, by_header).await;
            attempt("a foreign key with the tenant in a header").refused(&answer, &[403, 404]);
        }
        Access::PlatformKey | Access::Metrics => {
            attempt("a tenant's key").refused(&send(key).await, &[403]);
            attempt("a token for a key").refused(&send(token).await, &[401]);
        }
        Access::ApiKey => {
            let known = ["/v1/introspect"];
            assert!(
                known.contains(&route.path),
                "{}: say in tenancy.rs what a foreign key is answered, and name the route here",
                route.path
            );
        }
    }
    1
}

/// Ids of `demo` under the roof of `other`, by somebody who may do everything there.
async fn smuggle(street: &Street<'_>, listener: ListenerName, route: &Route, sketch: &Sketch) -> u32 {
    let allowed: &[u16] = if route.path == BY_ITS_OWN_TOKEN {
        &[401]
    } else if sketch.names_a_thing {
        &[404]
    } else if sketch.body_names_a_thing && FORMS.contains(&route.path) {
        &[403]
    } else if sketch.body_names_a_thing {
        &[404, 409, 422]
    } else {
        return 0;
    };
    let path = match route.tenancy {
        Tenancy::Selected => under("other", route, &sketch.path),
        Tenancy::None => sketch.path.replace(&street.app.tenant.to_string(), &street.other_id).replacen(
            "/t/demo/",
            "/t/other/",
            1,
        ),
    };
    let bearer = match route.access {
        Access::AccessToken => Some(street.eve.access.as_str()),
        _ => street.credential(route),
    };
    let answer = street.send(listener, sketch, &path, bearer).await;
    let what = "an id of another tenant";
    Attempt { route, what }.refused(&answer, allowed);
    1
}

/// An organization of `demo`, by a user of `demo` who does not belong to it.
async fn trespass(
    street: &Street<'_>,
    listener: ListenerName,
    route: &Route,
    sketch: &Sketch,
    bearer: &str,
) -> u32 {
    if route.access != Access::AccessToken || !route.path.contains("{organization}") {
        return 0;
    }
    let answer = street.send(listener, sketch, &under("demo", route, &sketch.path), Some(bearer)).await;
    let what = "an organization of others";
    Attempt { route, what }.refused(&answer, &[404]);
    1
}

/// The same request by those whose things they are is not refused for want of them: the attempts above were honest.
async fn control(street: &Street<'_>, listener: ListenerName, route: &Route, sketch: &Sketch) {
    let path = under("demo", route, &sketch.path);
    let sent = street.send(listener, sketch, &path, street.credential(route));
    let Ok(answer) = tokio::time::timeout(STREAM, sent).await else { return };
    let (method, status) = (route.method.as_str(), answer.status.as_u16());
    let may_be_absent = MAY_BE_ABSENT.iter().any(|(m, p, _)| (*m, *p) == (method, route.path));
    let needs_another = route.path == BY_ITS_OWN_TOKEN && status == 401;
    let mistaken = !needs_another && matches!(status, 401 | 403 | 500..) || status == 404 && !may_be_absent;
    assert!(
        !mistaken,
        "{method} {}: its own tenant is answered {status}; does Street::make in makers.rs make the right thing? {}",
        route.path, answer.text
    );
}

#[tokio::test]
async fn nothing_of_a_tenant_is_reached_from_another() {
    let app = TestApp::new().await;
    let mut street = Street::of(&app).await;
    let (mut knocked, mut smuggled, mut trespassed) = (0, 0, 0);
    let stranger = app.user("stranger@example.com").await.access;
    for (listener, route) in street.routes() {
        let sketch = street.sketch(&route).await;
        knocked += knock(&street, listener, &route, &sketch).await;
        smuggled += smuggle(&street, listener, &route, &sketch).await;
        trespassed += trespass(&street, listener, &route, &sketch, &stranger).await;
        // Operators' routes act on whole tenants and nodes.
        if !matches!(route.access, Access::PlatformKey | Access::Metrics) && sketch.names_a_thing {
            control(&street, listener, &route, &sketch).await;
        }
    }
    assert!(knocked > 10 && smuggled >= 2 && trespassed > 5, "{knocked} {smuggled} {trespassed}");
    // All that was refused touched nobody's session.
    street.ada = app.sign_in("ada@example.com").await;
    assert!(app.is_active(&street.ada.access).await);
    app.finish().await;
}

//! Organizations: made, changed, joined and left, by services and by members, and never without an owner.

use crate::app::{Answer, PASSWORD, TestApp, Tokens};
use axum::http::header;
use serde_json::{Value, json};

impl TestApp {
    pub(crate) async fn organization(&self, slug: &str, owner: &str) -> String {
        let body = json!({ "slug": slug, "name": "Acme GmbH", "owner": owner });
        let made = self.manage("POST", "/v1/organizations", Some(body)).await.expect(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn join(&self, organization: &str, user: &str, role: &str) -> Answer {
        let path = format!("/v1/organizations/{organization}/members");
        self.manage("POST", &path, Some(json!({ "user": user, "role": role }))).await
    }

    pub(crate) async fn mine(&self, user: &Tokens, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.core(method, &format!("/v1/users/me/organizations{path}"), Some(&user.access), body).await
    }
}

fn etag(answer: &Answer) -> &str {
    answer.headers[header::ETAG].to_str().unwrap()
}

fn users(page: &Answer) -> Vec<String> {
    let items = page.json()["items"].as_array().unwrap().clone();
    items.iter().map(|item| item["user"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn organizations_are_made_listed_changed_and_deleted() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let body =
        json!({ "slug": "acme", "name": "Acme GmbH", "owner": ada.user, "metadata": { "plan": "gold" } });
    let made = app.manage("POST", "/v1/organizations", Some(body.clone())).await.expect(201);
    let path = made.headers[header::LOCATION].to_str().unwrap().to_owned();
    let read = app.manage("GET", &path, None).await.expect(200);
    assert_eq!((read.json(), etag(&read)), (made.json(), "\"1\""));
    assert_eq!((&read.json()["owners"], &read.json()["metadata"]), (&json!(1), &json!({ "plan": "gold" })));
    let taken = app.manage("POST", "/v1/organizations", Some(body)).await.expect(409);
    assert_eq!(taken.code(), "organization_slug_taken");
    let globex = app.organization("globex", &ada.user).await;

    let first = app.manage("GET", "/v1/organizations?limit=1", None).await.expect(200).json();
    let rest = format!("/v1/organizations?after={}", first["next"].as_str().unwrap());
    let rest = app.manage("GET", &rest, None).await.expect(200).json();
    assert_eq!((rest["items"].as_array().unwrap().len(), rest.get("next")), (1, None));

    let change = json!({ "name": "Acme AG", "metadata": { "plan": null, "size": 7 } });
    let tag = (header::IF_MATCH, "\"1\"");
    let changed = app.manage_with("PATCH", &path, tag.clone(), Some(change)).await.expect(200);
    assert_eq!((etag(&changed), &changed.json()["metadata"]), ("\"2\"", &json!({ "size": 7 })));
    let stale = app.manage_with("PATCH", &path, tag.clone(), Some(json!({ "name": "X" }))).await.expect(412);
    assert_eq!(stale.code(), "version_mismatch");
    let taken = app.manage("PATCH", &path, Some(json!({ "slug": "globex" }))).await.expect(409);
    assert_eq!(taken.code(), "organization_slug_taken");
    app.manage_with("DELETE", &path, tag, None).await.expect(412);
    app.manage("DELETE", &path, None).await.expect(204);
    assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_organization");
    app.manage("DELETE", &path, None).await.expect(404);

    let of_ada = format!("/v1/users/{}/organizations", ada.user);
    let of_ada = app.manage("GET", &of_ada, None).await.expect(200).json();
    assert_eq!(of_ada["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&of_ada["items"][0]["organization"]["id"], &of_ada["items"][0]["role"]),
        (&json!(globex), &json!("owner"))
    );
    app.finish().await;
}

#[tokio::test]
async fn bad_organizations_and_members_are_refused() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let nobody = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708";
    let all_wrong = json!({ "slug": "A", "name": "", "owner": "ada" });
    let refused = app.manage("POST", "/v1/organizations", Some(all_wrong)).await.expect(422).json();
    let fields: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|one| one["field"].clone()).collect();
    assert_eq!(fields, ["slug", "name", "owner"]);
    let unowned = json!({ "slug": "acme", "name": "Acme", "owner": nobody });
    assert_eq!(
        app.manage("POST", "/v1/organizations", Some(unowned)).await.expect(404).code(),
        "unknown_user"
    );
    let acme = app.organization("acme", &ada.user).await;
    assert_eq!(app.join(&acme, nobody, "member").await.expect(404).code(), "unknown_user");
    assert_eq!(app.join(&acme, &ada.user, "member").await.expect(409).code(), "already_member");
    assert_eq!(app.join(&acme, &ada.user, "The Boss").await.expect(422).code(), "invalid_fields");
    let nowhere = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708";
    assert_eq!(app.join(nowhere, &ada.user, "member").await.expect(404).code(), "unknown_organization");
    let path = format!("/v1/organizations/{acme}/members/{nobody}");
    assert_eq!(app.manage("GET", &path, None).await.expect(404).code(), "unknown_member");
    assert_eq!(app.manage("DELETE", &path, None).await.expect(404).code(), "unknown_member");
    let large = json!({ "metadata": { "text": "x".repeat(9_000) } });
    let large = app.manage("PATCH", &format!("/v1/organizations/{acme}"), Some(large)).await;
    large.expect(422);
    app.finish().await;
}

#[tokio::test]
async fn an_organization_never_loses_its_last_owner() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada@example.com").await, app.user("bob@example.com").await);
    let acme = app.organization("acme", &ada.user).await;
    let at = |user: &Tokens| format!("/v1/organizations/{acme}/members/{}", user.user);
    assert_eq!(app.manage("DELETE", &at(&ada), None).await.expect(409).code(), "last_owner");
    let demote = || Some(json!({ "role": "member" }));
    assert_eq!(app.manage("PATCH", &at(&ada), demote()).await.expect(409).code(), "last_owner");
    for gone in ["DELETE /v1/users/{}", "POST /v1/users/{}/erase"] {
        let (method, path) = gone.split_once(' ').unwrap();
        let refused = app.manage(method, &path.replace("{}", &ada.user), None).await.expect(409);
        assert_eq!(refused.code(), "last_owner", "{gone}");
    }
    app.join(&acme, &bob.user, "owner").await.expect(201);
    // Both go at once, by leaving and by a change of role: one stays.
    let (of_ada, of_bob) = (at(&ada), at(&bob));
    let (first, second) =
        tokio::join!(app.manage("DELETE", &of_ada, None), app.manage("PATCH", &of_bob, demote()));
    let refused: Vec<&Answer> = [&first, &second].into_iter().filter(|answer| answer.status == 409).collect();
    assert_eq!(refused.len(), 1, "{} {}", first.text, second.text);
    assert_eq!(refused[0].code(), "last_owner");
    let left = app.manage("GET", &format!("/v1/organizations/{acme}"), None).await.expect(200).json();
    assert_eq!(left["owners"], 1);
    app.finish().await;
}

#[tokio::test]
async fn of_two_owners_who_are_removed_at_once_one_stays() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada@example.com").await, app.user("bob@example.com").await);
    for slug in ["acme", "beta", "gamma"] {
        let organization = app.organization(slug, &ada.user).await;
        app.join(&organization, &bob.user, "owner").await.expect(201);
        let at = |user: &Tokens| format!("/{organization}/members/{}", user.user);
        let (of_ada, of_bob) = (at(&ada), at(&bob));
        // Each removes the other, or both leave.
        let (first, second) = match slug {
            "acme" => {
                tokio::join!(app.mine(&ada, "DELETE", &of_bob, None), app.mine(&bob, "DELETE", &of_ada, None))
            }
            _ => {
                tokio::join!(app.mine(&ada, "DELETE", &of_ada, None), app.mine(&bob, "DELETE", &of_bob, None))
            }
        };
        let done = [&first, &second].iter().filter(|answer| answer.status == 204).count();
        assert_eq!(done, 1, "{} {}", first.text, second.text);
        let refused = if first.status == 204 { second } else { first };
        assert!(
            ["last_owner", "unknown_organization"].contains(&refused.code().as_str()),
            "{}",
            refused.text
        );
        let path = format!("/v1/organizations/{organization}");
        assert_eq!(app.manage("GET", &path, None).await.expect(200).json()["owners"], 1);
        assert_eq!(users(&app.manage("GET", &format!("{path}/members"), None).await.expect(200)).len(), 1);
    }
    app.finish().await;
}

#[tokio::test]
async fn users_are_listed_by_organization() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada@example.com").await, app.user("bob@example.com").await);
    app.user("eve@example.com").await;
    let acme = app.organization("acme", &ada.user).await;
    app.join(&acme, &bob.user, "member").await.expect(201);
    let list = async |query: &str| app.manage("GET", &format!("/v1/users?{query}"), None).await;
    let ids = |page: &Answer| {
        let items = page.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let both = list(&format!("organization={acme}")).await.expect(200);
    let mut expected = [ada.user.clone(), bob.user.clone()];
    expected.sort();
    assert_eq!(ids(&both), expected);
    assert_eq!(both.json().get("next"), None);
    let first = list(&format!("organization={acme}&limit=1")).await.expect(200);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let rest = list(&format!("organization={acme}&limit=1&after={next}")).await.expect(200);
    assert_eq!([ids(&first), ids(&rest)].concat(), expected);
    app.manage("POST", &format!("/v1/users/{}/block", bob.user), None).await.expect(200);
    let blocked = list(&format!("organization={acme}&state=blocked")).await.expect(200);
    assert_eq!(ids(&blocked), std::slice::from_ref(&bob.user));
    let nowhere = list("organization=org_0193a6f2c5d87e1bb1f3a2c4d5e6f708").await.expect(404);
    assert_eq!(nowhere.code(), "unknown_organization");
    assert_eq!(list("organization=acme").await.expect(422).code(), "invalid_fields");
    let two = list(&format!("organization={acme}&email=ada@example.com")).await.expect(400);
    assert_eq!(two.code(), "invalid_query");
    app.finish().await;
}

#[tokio::test]
async fn an_ownership_is_handed_on() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada@example.com").await, app.user("bob@example.com").await);
    let acme = app.organization("acme", &ada.user).await;
    let hand_on = |from: &str, to: &str| Some(json!({ "from": from, "to": to }));
    let transfer = format!("/{acme}/transfer-ownership");
    let to_nobody = app.mine(&ada, "POST", &transfer, hand_on(&ada.user, &bob.user)).await.expect(404);
    assert_eq!(to_nobody.code(), "unknown_member");
    app.join(&acme, &bob.user, "admin").await.expect(201);
    let not_mine = app.mine(&bob, "POST", &transfer, hand_on(&ada.user, &bob.user)).await.expect(403);
    assert_eq!(not_mine.code(), "organization_permission_needed");
    let once = || app.mine(&ada, "POST", &transfer, hand_on(&ada.user, &bob.user));
    let (first, second) = tokio::join!(once(), once());
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{} {}", first.text, second.text);
    assert!([403, 409].contains(&statuses[1]), "{statuses:?}");
    let role = async |user: &Tokens| {
        let path = format!("/v1/organizations/{acme}/members/{}", user.user);
        app.manage("GET", &path, None).await.expect(200).json()["role"].as_str().unwrap().to_owned()
    };
    assert_eq!((role(&ada).await, role(&bob).await), ("admin".into(), "owner".into()));
    app.finish().await;
}

#[tokio::test]
async fn members_do_what_their_role_permits_and_strangers_see_nothing() {
    let app = TestApp::new().await;
    let (ada, bob, eve) = (
        app.user("ada@example.com").await,
        app.user("bob@example.com").await,
        app.user("eve@example.com").await,
    );
    let acme = app.organization("acme", &ada.user).await;
    let (one, members) = (format!("/{acme}"), format!("/{acme}/members"));
    let new = |user: &Tokens, role: &str| Some(json!({ "user": user.user, "role": role }));
    app.mine(&ada, "POST", &members, new(&bob, "member")).await.expect(201);
    let listed = app.mine(&bob, "GET", "", None).await.expect(200).json();
    assert_eq!(listed["items"][0]["organization"]["slug"], "acme");
    assert_eq!(app.mine(&eve, "GET", "", None).await.expect(200).json()["items"], json!([]));
    let mut everybody = users(&app.mine(&bob, "GET", &members, None).await.expect(200));
    everybody.sort();
    let mut expected = [ada.user.clone(), bob.user.clone()];
    expected.sort();
    assert_eq!(everybody, expected);

    let rename = || Some(json!({ "name": "Acme AG" }));
    for refused in [
        app.mine(&bob, "PATCH", &one, rename()).await,
        app.mine(&bob, "DELETE", &one, None).await,
        app.mine(&bob, "POST", &members, new(&eve, "member")).await,
    ] {
        assert_eq!(refused.expect(403).code(), "organization_permission_needed");
    }
    for hidden in [
        app.mine(&eve, "GET", &one, None).await,
        app.mine(&eve, "PATCH", &one, rename()).await,
        app.mine(&eve, "GET", &members, None).await,
        app.mine(&eve, "POST", &members, new(&eve, "owner")).await,
        app.mine(&eve, "DELETE", &format!("{members}/{}", bob.user), None).await,
    ] {
        assert_eq!(hidden.expect(404).code(), "unknown_organization");
    }
    let of_bob = format!("{members}/{}", bob.user);
    app.mine(&ada, "PATCH", &of_bob, Some(json!({ "role": "admin" }))).await.expect(200);
    app.mine(&bob, "PATCH", &one, rename()).await.expect(200);
    let too_much = app.mine(&bob, "POST", &members, new(&eve, "owner")).await.expect(403);
    assert_eq!(too_much.code(), "organization_permission_needed", "nobody gives what they do not have");
    let of_ada = format!("{members}/{}", ada.user);
    app.mine(&bob, "DELETE", &of_ada, None).await.expect(403);
    app.mine(&bob, "DELETE", &of_bob, None).await.expect(204);
    app.mine(&bob, "GET", &one, None).await.expect(404);
    app.finish().await;
}

#[tokio::test]
async fn a_membership_gives_the_permissions_of_its_role_until_it_ends() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada@example.com").await, app.user("bob@example.com").await);
    let role =
        json!({ "key": "member", "name": "Member", "level": "organization", "permissions": ["doc:read"] });
    app.manage("POST", "/v1/roles", Some(role)).await.expect(201);
    let role = json!({ "key": "editor", "name": "Editor", "level": "organization", "permissions": ["doc:write"],
        "inherits": ["member"] });
    app.manage("POST", "/v1/roles", Some(role)).await.expect(201);
    let acme = app.organization("acme", &ada.user).await;
    let may = async |action: &str| {
        let question = json!({ "subject": { "type": "user", "id": bob.user }, "action": { "name": action },
            "resource": { "type": "doc", "id": "1", "properties": { "organization": acme } } });
        let answer = app.manage("POST", "/access/v1/evaluation", Some(question)).await.expect(200);
        answer.json()["decision"].as_bool().unwrap()
    };
    assert!(!may("read").await);
    app.join(&acme, &bob.user, "member").await.expect(201);
    assert!(may("read").await && !may("write").await);
    let of_bob = format!("/v1/organizations/{acme}/members/{}", bob.user);
    app.manage("PATCH", &of_bob, Some(json!({ "role": "editor" }))).await.expect(200);
    assert!(may("read").await && may("write").await);
    let search = json!({ "subject": { "type": "user" }, "action": { "name": "write" },
        "resource": { "type": "doc", "id": "1", "properties": { "organization": acme } } });
    let found = app.manage("POST", "/access/v1/search/subject", Some(search)).await.expect(200).json();
    assert_eq!(found["results"], json!([{ "type": "user", "id": bob.user }]));
    app.manage("DELETE", &of_bob, None).await.expect(204);
    assert!(!may("read").await);
    app.join(&acme, &bob.user, "editor").await.expect(201);
    app.manage("DELETE", &format!("/v1/organizations/{acme}"), None).await.expect(204);
    assert!(!may("read").await, "gone with the organization");
    app.finish().await;
}

#[tokio::test]
async fn memberships_go_with_the_user() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.user("ada@example.com").await, app.user("bob@example.com").await);
    let acme = app.organization("acme", &ada.user).await;
    app.join(&acme, &bob.user, "owner").await.expect(201);
    app.manage("DELETE", &format!("/v1/users/{}", bob.user), None).await.expect(200);
    let members = format!("/v1/organizations/{acme}/members");
    assert_eq!(users(&app.manage("GET", &members, None).await.expect(200)), std::slice::from_ref(&ada.user));
    assert_eq!(app.join(&acme, &bob.user, "member").await.expect(404).code(), "unknown_user");
    let body = json!({ "email": "carol@example.com", "password": PASSWORD });
    let carol = app.manage("POST", "/v1/users", Some(body)).await.expect(201).json();
    let carol = carol["id"].as_str().unwrap();
    app.join(&acme, carol, "owner").await.expect(201);
    app.manage("POST", &format!("/v1/users/{carol}/erase"), None).await.expect(204);
    assert_eq!(users(&app.manage("GET", &members, None).await.expect(200)), std::slice::from_ref(&ada.user));
    let left = app.manage("GET", &format!("/v1/organizations/{acme}"), None).await.expect(200).json();
    assert_eq!(left["owners"], 1);
    app.finish().await;
}

//! Invitations to organizations: sent by mail, accepted or declined once, by whom they are for.

use crate::app::{Answer, PASSWORD, TestApp, Tokens, request};
use crate::mail::token_in;
use plinto_http::ListenerName;
use serde_json::{Value, json};
use std::time::Duration;

const WEEK: Duration = Duration::from_secs(7 * 86_400);

impl TestApp {
    pub(crate) async fn invite(&self, organization: &str, email: &str, role: &str) -> Answer {
        let path = format!("/v1/organizations/{organization}/invitations");
        self.manage("POST", &path, Some(json!({ "email": email, "role": role }))).await
    }

    /// The id of a new invitation, and the token in its mail.
    pub(crate) async fn invited(&self, organization: &str, email: &str, role: &str) -> (String, String) {
        let before = self.invitations_sent(email);
        let made = self.invite(organization, email, role).await.expect(201).json();
        (made["id"].as_str().unwrap().to_owned(), self.next_invitation(email, before).await)
    }

    fn invitations_sent(&self, email: &str) -> usize {
        let mails = self.state.platform().mailbox().unwrap().list();
        mails.iter().filter(|mail| mail.to == email && mail.kind == "organization_invitation").count()
    }

    /// The token of the newest mail that invites, once there are more than `before`.
    async fn next_invitation(&self, email: &str, before: usize) -> String {
        loop {
            let mail = self.mail(email, "organization_invitation").await;
            if self.invitations_sent(email) > before {
                return token_in(&mail);
            }
            tokio::task::yield_now().await;
        }
    }

    async fn offer(&self, what: &str, body: Value) -> Answer {
        let path = format!("/t/demo/v1/auth/organization-invitations/{what}");
        self.core("POST", &path, None, Some(body)).await
    }

    /// Proves a user's address by the link in the mail.
    pub(crate) async fn prove(&self, email: &str) {
        let token = token_in(&self.mail(email, "verify_email").await);
        let body = Some(json!({ "token": token }));
        self.core("POST", "/t/demo/v1/auth/verify-email", None, body).await.expect(204);
    }

    async fn received(&self, user: &Tokens, method: &str, path: &str) -> Answer {
        self.core(method, &format!("/v1/users/me/invitations{path}"), Some(&user.access), None).await
    }

    pub(crate) async fn role_in(&self, organization: &str, user: &str) -> Option<String> {
        let path = format!("/v1/organizations/{organization}/members/{user}");
        let answer = self.manage("GET", &path, None).await;
        (answer.status == 200).then(|| answer.json()["role"].as_str().unwrap().to_owned())
    }

    async fn invitation_now(&self, organization: &str, id: &str) -> Value {
        let path = format!("/v1/organizations/{organization}/invitations/{id}");
        self.manage("GET", &path, None).await.expect(200).json()
    }
}

/// An organization of somebody.
async fn acme(app: &TestApp) -> (Tokens, String) {
    let owner = app.user("owner@example.com").await;
    let organization = app.organization("acme", &owner.user).await;
    (owner, organization)
}

#[tokio::test]
async fn whoever_has_no_account_gets_one_with_the_address_proved() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let made = app.invite(&acme, "Carol@Example.com", "admin").await.expect(201);
    let at = made.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(app.manage("GET", &at, None).await.expect(200).json(), made.json());
    assert_eq!((&made.json()["state"], &made.json()["user"]), (&json!("pending"), &json!(null)));
    let mail = app.mail("Carol@example.com", "organization_invitation").await;
    assert!(
        mail.text.contains("http://plinto.test/t/demo/auth/organization-invitation?token="),
        "{}",
        mail.text
    );
    assert!(mail.text.contains("Acme GmbH") && mail.text.contains("7 days"), "{}", mail.text);
    let token = token_in(&mail);
    let look = app.offer("look", json!({ "token": token })).await.expect(200).json();
    assert_eq!((&look["account"], &look["organization"]["slug"]), (&json!("none"), &json!("acme")));
    for (password, code) in [(json!(null), "password_needed"), (json!("password"), "password_common")] {
        let body = json!({ "token": token, "password": password });
        let refused = app.offer("accept", body).await.expect(422).json();
        assert_eq!(
            (&refused["errors"][0]["field"], &refused["errors"][0]["code"]),
            (&json!("password"), &json!(code))
        );
    }
    let body = json!({ "token": token, "password": PASSWORD, "name": "Carol" });
    let accepted = app.offer("accept", body.clone()).await.expect(200).json();
    assert_eq!((&accepted["account_created"], &accepted["role"]), (&json!(true), &json!("admin")));
    let again = app.offer("accept", body).await.expect(410);
    let wrong = app.offer("accept", json!({ "token": "x".repeat(43) })).await.expect(410);
    assert_eq!(again.text, wrong.text);
    let carol = app.sign_in("carol@example.com").await;
    let me = app.core("GET", "/v1/users/me", Some(&carol.access), None).await.expect(200).json();
    assert_eq!((&me["email_verified"], &me["name"]), (&json!(true), &json!("Carol")));
    assert_eq!(app.role_in(&acme, &carol.user).await.as_deref(), Some("admin"));
    let ended = app.manage("GET", &at, None).await.expect(200).json();
    assert_eq!((&ended["state"], &ended["user"]), (&json!("accepted"), &json!(carol.user)));
    app.finish().await;
}

#[tokio::test]
async fn an_account_joins_by_the_link_only_if_it_proved_the_address() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    // Somebody took the address before its owner came: the link must not let them in.
    let squatter = app.user("carol@example.com").await;
    let (id, token) = app.invited(&acme, "carol@example.com", "member").await;
    assert_eq!(app.offer("look", json!({ "token": token })).await.expect(200).json()["account"], "unproved");
    let body = json!({ "token": token, "password": PASSWORD });
    assert_eq!(app.offer("accept", body).await.expect(409).code(), "invited_address_not_proved");
    assert_eq!(app.received(&squatter, "GET", "").await.expect(200).json()["items"], json!([]));
    let accept = format!("/{id}/accept");
    assert_eq!(app.received(&squatter, "POST", &accept).await.expect(404).code(), "unknown_invitation");
    assert_eq!(app.role_in(&acme, &squatter.user).await, None);

    app.prove("carol@example.com").await;
    let listed = app.received(&squatter, "GET", "").await.expect(200).json();
    assert_eq!(
        (&listed["items"][0]["id"], &listed["items"][0]["organization"]["slug"]),
        (&json!(id), &json!("acme"))
    );
    let accepted = app.received(&squatter, "POST", &accept).await.expect(200).json();
    assert_eq!((&accepted["user"], &accepted["account_created"]), (&json!(squatter.user), &json!(false)));
    assert_eq!(app.received(&squatter, "POST", &accept).await.expect(409).code(), "invitation_ended");
    assert_eq!(app.received(&squatter, "GET", "").await.expect(200).json()["items"], json!([]));

    let dave = app.user("dave@example.com").await;
    app.prove("dave@example.com").await;
    let (_, token) = app.invited(&acme, "dave@example.com", "member").await;
    let accepted = app.offer("accept", json!({ "token": token })).await.expect(200).json();
    assert_eq!((&accepted["user"], &accepted["account_created"]), (&json!(dave.user), &json!(false)));
    let erin = app.user("erin@example.com").await;
    app.prove("erin@example.com").await;
    let (_, token) = app.invited(&acme, "erin@example.com", "member").await;
    app.manage("POST", &format!("/v1/users/{}/block", erin.user), None).await.expect(200);
    let blocked = app.offer("accept", json!({ "token": token })).await.expect(409);
    assert_eq!(blocked.code(), "invited_account_unavailable");
    app.finish().await;
}

#[tokio::test]
async fn whoever_invites_does_not_find_out_who_has_an_account() {
    let app = TestApp::new().await;
    let (owner, acme) = acme(&app).await;
    app.user("known@example.com").await;
    let (known, unknown) = (
        app.invite(&acme, "known@example.com", "member").await.expect(201).json(),
        app.invite(&acme, "other@example.com", "member").await.expect(201).json(),
    );
    let shape = |answer: &Value| {
        let mut answer = answer.clone();
        answer["id"] = json!(null);
        answer["email"] = json!(null);
        answer
    };
    assert_eq!(shape(&known), shape(&unknown));
    // What is told is told of the organization alone: its members, and what it sent.
    assert_eq!(app.invite(&acme, "owner@example.com", "member").await.expect(409).code(), "already_member");
    assert_eq!(
        app.invite(&acme, "KNOWN@example.com", "admin").await.expect(409).code(),
        "invitation_pending"
    );
    let beta = app.organization("beta", &owner.user).await;
    app.invite(&beta, "known@example.com", "member").await.expect(201);
    for (email, role) in [("nobody", "member"), ("a@example.com", "The Boss"), ("", "member")] {
        assert_eq!(app.invite(&acme, email, role).await.expect(422).code(), "invalid_fields");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_new_link_takes_the_place_of_the_old_one_and_a_revoked_one_is_good_for_nothing() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    app.another_tenant("other").await;
    let (id, first) = app.invited(&acme, "carol@example.com", "member").await;
    let change = async |what: &str| {
        app.manage("POST", &format!("/v1/organizations/{acme}/invitations/{id}/{what}"), None).await
    };
    app.advance(Duration::from_secs(60));
    let resent = change("resend").await.expect(200).json();
    let second = app.next_invitation("carol@example.com", 1).await;
    assert_eq!(resent["sent_at"].as_i64().unwrap() - resent["created_at"].as_i64().unwrap(), 60_000);
    let accept = |token: &str| json!({ "token": token, "password": PASSWORD });
    assert_eq!(app.offer("accept", accept(&first)).await.expect(410).code(), "link_or_code_unusable");
    let elsewhere = "/t/other/v1/auth/organization-invitations/accept";
    app.core("POST", elsewhere, None, Some(accept(&second))).await.expect(410);
    assert_eq!(change("revoke").await.expect(200).json()["state"], "revoked");
    assert_eq!(app.offer("accept", accept(&second)).await.expect(410).code(), "link_or_code_unusable");
    for what in ["revoke", "resend"] {
        assert_eq!(change(what).await.expect(409).code(), "invitation_ended", "{what}");
    }
    let (_, third) = app.invited(&acme, "carol@example.com", "member").await;
    app.offer("accept", accept(&third)).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn an_invitation_expires_and_says_so_to_those_who_may_know() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let settings = json!({ "organizations": { "invitation_days": 0 } });
    app.manage("PATCH", "/v1/settings", Some(settings)).await.expect(422);
    let (id, token) = app.invited(&acme, "carol@example.com", "member").await;
    app.advance(WEEK);
    let accept = || json!({ "token": token, "password": PASSWORD });
    for what in ["accept", "look", "decline"] {
        let body = if what == "accept" { accept() } else { json!({ "token": token }) };
        assert_eq!(app.offer(what, body).await.expect(410).code(), "invitation_expired", "{what}");
    }
    assert_eq!(app.invitation_now(&acme, &id).await["state"], "expired");
    let count = async |state: &str| {
        let path = format!("/v1/organizations/{acme}/invitations?state={state}");
        app.manage("GET", &path, None).await.expect(200).json()["items"].as_array().unwrap().len()
    };
    assert_eq!((count("expired").await, count("pending").await), (1, 0));
    // Sent once more it lives again; invited anew, another one takes its place.
    app.manage("POST", &format!("/v1/organizations/{acme}/invitations/{id}/resend"), None).await.expect(200);
    app.next_invitation("carol@example.com", 1).await;
    assert_eq!((count("expired").await, count("pending").await), (0, 1));
    app.advance(WEEK);
    let (_, token) = app.invited(&acme, "carol@example.com", "member").await;
    assert_eq!((count("expired").await, count("pending").await), (1, 1));
    assert_eq!(app.invitation_now(&acme, &id).await["state"], "expired");
    app.offer("accept", json!({ "token": token, "password": PASSWORD })).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn members_invite_as_their_role_permits() {
    let app = TestApp::new().await;
    let (owner, acme) = acme(&app).await;
    let (admin, member, eve) = (
        app.user("admin@example.com").await,
        app.user("member@example.com").await,
        app.user("eve@example.com").await,
    );
    app.join(&acme, &admin.user, "admin").await.expect(201);
    app.join(&acme, &member.user, "member").await.expect(201);
    let all = format!("/{acme}/invitations");
    let new = |email: &str, role: &str| Some(json!({ "email": email, "role": role }));
    let made = app.mine(&admin, "POST", &all, new("a@example.com", "admin")).await.expect(201);
    assert_eq!(made.json()["invited_by"], json!(admin.user));
    let at = made.headers["location"].to_str().unwrap();
    app.core("GET", at, Some(&admin.access), None).await.expect(200);
    let of_owner = app.mine(&owner, "POST", &all, new("b@example.com", "owner")).await.expect(201).json();
    let of_owner = format!("{all}/{}", of_owner["id"].as_str().unwrap());
    let one = format!("{all}/{}", made.json()["id"].as_str().unwrap());
    for refused in [
        app.mine(&admin, "POST", &all, new("c@example.com", "owner")).await,
        app.mine(&admin, "POST", &format!("{of_owner}/revoke"), None).await,
        app.mine(&admin, "POST", &format!("{of_owner}/resend"), None).await,
        app.mine(&member, "POST", &all, new("c@example.com", "member")).await,
        app.mine(&member, "GET", &all, None).await,
        app.mine(&member, "GET", &one, None).await,
    ] {
        assert_eq!(refused.expect(403).code(), "organization_permission_needed");
    }
    for (method, path) in [("GET", all.clone()), ("POST", format!("{one}/revoke")), ("GET", one.clone())] {
        assert_eq!(app.mine(&eve, method, &path, None).await.expect(404).code(), "unknown_organization");
    }
    assert_eq!(
        app.mine(&admin, "GET", &all, None).await.expect(200).json()["items"].as_array().unwrap().len(),
        2
    );
    app.mine(&admin, "POST", &format!("{one}/revoke"), None).await.expect(200);
    app.finish().await;
}

#[tokio::test]
async fn many_are_invited_at_once_each_or_not_as_if_alone() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let path = format!("/v1/organizations/{acme}/invitations/bulk");
    let one = |email: &str, role: &str| json!({ "email": email, "role": role });
    let body = json!({ "invitations": [
        one("a@example.com", "member"), one("nobody", "The Boss"), one("owner@example.com", "member"),
        one("b@example.com", "admin"), one("A@example.com", "member"),
    ] });
    let key = (axum::http::HeaderName::from_static("idempotency-key"), "once");
    let first = app.manage_with("POST", &path, key.clone(), Some(body.clone())).await.expect(200);
    let items = first.json()["items"].as_array().unwrap().clone();
    let outcome = |item: &Value| match item.get("invitation") {
        Some(invitation) => invitation["state"].as_str().unwrap().to_owned(),
        None => item["problem"]["code"].as_str().unwrap().to_owned(),
    };
    let outcomes: Vec<_> = items.iter().map(outcome).collect();
    assert_eq!(outcomes, ["pending", "invalid_fields", "already_member", "pending", "invitation_pending"]);
    assert_eq!(items[1]["problem"]["errors"].as_array().unwrap().len(), 2);
    let again = app.manage_with("POST", &path, key, Some(body)).await.expect(200);
    assert_eq!(again.text, first.text, "once by its key");
    app.mail("b@example.com", "organization_invitation").await;
    app.mail("a@example.com", "organization_invitation").await;
    assert_eq!(app.invitations_sent("a@example.com") + app.invitations_sent("A@example.com"), 1);
    let many = |count: usize| {
        let all: Vec<_> = (0..count).map(|n| one(&format!("m{n}@example.com"), "member")).collect();
        json!({ "invitations": all })
    };
    for wrong in [many(0), many(101), json!({ "invitations": [["a@example.com", "member"]] })] {
        assert_eq!(app.manage("POST", &path, Some(wrong)).await.expect(422).code(), "invalid_fields");
    }
    let full = app.manage("POST", &path, Some(many(100))).await.expect(200).json();
    assert!(full["items"].as_array().unwrap().iter().all(|item| outcome(item) == "pending"));
    let nowhere = "/v1/organizations/org_0193a6f2c5d87e1bb1f3a2c4d5e6f708/invitations/bulk";
    app.manage("POST", nowhere, Some(many(1))).await.expect(404);

    let list = async |query: &str| {
        let path = format!("/v1/organizations/{acme}/invitations?state=pending&limit=60{query}");
        app.manage("GET", &path, None).await.expect(200).json()
    };
    let page = list("").await;
    let rest = list(&format!("&after={}", page["next"].as_str().unwrap())).await;
    let sizes = [&page, &rest].map(|page| page["items"].as_array().unwrap().len());
    assert_eq!((sizes, rest.get("next")), ([60, 42], None));
    app.finish().await;
}

#[tokio::test]
async fn whoever_does_not_want_to_declines_once() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let (id, token) = app.invited(&acme, "carol@example.com", "member").await;
    app.offer("decline", json!({ "token": token })).await.expect(204);
    let accept = json!({ "token": token, "password": PASSWORD });
    assert_eq!(app.offer("accept", accept).await.expect(410).code(), "link_or_code_unusable");
    app.offer("decline", json!({ "token": token })).await.expect(410);
    assert_eq!(app.invitation_now(&acme, &id).await["state"], "declined");
    let dave = app.user("dave@example.com").await;
    app.prove("dave@example.com").await;
    let (id, _) = app.invited(&acme, "dave@example.com", "member").await;
    app.received(&dave, "POST", &format!("/{id}/decline")).await.expect(204);
    for what in ["accept", "decline"] {
        let late = app.received(&dave, "POST", &format!("/{id}/{what}")).await.expect(409);
        assert_eq!(late.code(), "invitation_ended");
    }
    assert_eq!(app.role_in(&acme, &dave.user).await, None);
    app.finish().await;
}

#[tokio::test]
async fn of_several_answers_at_once_exactly_one_counts() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let members = async || {
        let path = format!("/v1/organizations/{acme}/members");
        app.manage("GET", &path, None).await.expect(200).json()["items"].as_array().unwrap().len()
    };
    // Without an account: two links pressed at once make one account.
    let (_, token) = app.invited(&acme, "carol@example.com", "member").await;
    let accept = || app.offer("accept", json!({ "token": token, "password": PASSWORD }));
    let answers: [Answer; 3] = tokio::join!(accept(), accept(), accept()).into();
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| [409, 410].contains(&answer.status.as_u16())).count();
    assert_eq!((served, refused), (1, 2), "{}", answers.map(|answer| answer.text).join("\n"));
    assert_eq!(members().await, 2);
    let found = app.manage("GET", "/v1/users?email=carol@example.com", None).await.expect(200).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);

    // With one: by the link and signed in, and one who would rather not.
    let dave = app.user("dave@example.com").await;
    app.prove("dave@example.com").await;
    let (id, token) = app.invited(&acme, "dave@example.com", "member").await;
    let (accept, decline) = (format!("/{id}/accept"), format!("/{id}/decline"));
    let (first, second, third) = tokio::join!(
        app.received(&dave, "POST", &accept),
        app.offer("accept", json!({ "token": token })),
        app.received(&dave, "POST", &decline),
    );
    let answers = [&first, &second, &third];
    assert_eq!(
        answers.iter().filter(|answer| answer.status.is_success()).count(),
        1,
        "{} {} {}",
        first.text,
        second.text,
        third.text
    );
    let joined = app.role_in(&acme, &dave.user).await.is_some();
    assert_eq!(joined, !third.status.is_success());

    // And one address is invited once.
    let invite = || app.invite(&acme, "erin@example.com", "member");
    let (first, second) = tokio::join!(invite(), invite());
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", first.text, second.text);
    app.finish().await;
}

#[tokio::test]
async fn the_page_of_a_link_changes_nothing_until_a_button_is_pressed() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let (id, token) = app.invited(&acme, "carol@example.com", "member").await;
    let page = "/t/demo/auth/organization-invitation";
    for _ in 0..3 {
        let shown = app.core("GET", &format!("{page}?token={token}"), None, None).await.expect(200);
        assert!(shown.text.contains("Join Acme GmbH") && shown.text.contains("type=\"password\""));
        assert!(!shown.text.contains("<script"));
        assert!(shown.headers["content-security-policy"].to_str().unwrap().contains("form-action 'self'"));
    }
    assert_eq!(app.invitation_now(&acme, &id).await["state"], "pending");
    let press = async |answer: &str, password: &str| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", &token).append_pair("answer", answer).append_pair("password", password);
        let mut pressed = request("POST", page, None, None);
        *pressed.body_mut() = form.finish().into();
        let media = "application/x-www-form-urlencoded".parse().unwrap();
        pressed.headers_mut().insert("content-type", media);
        app.send(ListenerName::Core, pressed).await.expect(200).text
    };
    assert!(press("accept", "password").await.contains("<form"), "a weak one may be corrected");
    assert!(press("accept", PASSWORD).await.contains("You are a member now"));
    assert!(press("accept", PASSWORD).await.contains("Link or code unusable"));
    app.sign_in("carol@example.com").await;
    let (id, token) = app.invited(&acme, "dave@example.com", "member").await;
    let body = format!("token={token}&answer=decline");
    let mut pressed = request("POST", page, None, None);
    *pressed.body_mut() = body.into();
    pressed.headers_mut().insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    assert!(app.send(ListenerName::Core, pressed).await.expect(200).text.contains("You declined"));
    assert_eq!(app.invitation_now(&acme, &id).await["state"], "declined");
    let hostile = format!("{page}?token=%22%3E%3Cscript%3E");
    assert!(!app.core("GET", &hostile, None, None).await.expect(200).text.contains("<script"));
    app.finish().await;
}

#[tokio::test]
async fn invitations_go_with_the_organization_and_with_the_address() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let carol = app.user("carol@example.com").await;
    app.prove("carol@example.com").await;
    let (id, token) = app.invited(&acme, "carol@example.com", "member").await;
    let data = format!("/v1/users/{}/data", carol.user);
    let data = app.manage("GET", &data, None).await.expect(200).json();
    assert_eq!((&data["invitations"][0]["id"], &data["organizations"]), (&json!(id), &json!([])));
    app.manage("POST", &format!("/v1/users/{}/erase", carol.user), None).await.expect(204);
    let gone =
        app.manage("GET", &format!("/v1/organizations/{acme}/invitations/{id}"), None).await.expect(404);
    assert_eq!(gone.code(), "unknown_invitation");
    app.offer("look", json!({ "token": token })).await.expect(410);

    let dave = app.user("dave@example.com").await;
    app.prove("dave@example.com").await;
    let (_, token) = app.invited(&acme, "dave@example.com", "member").await;
    app.manage("DELETE", &format!("/v1/organizations/{acme}"), None).await.expect(204);
    app.offer("accept", json!({ "token": token })).await.expect(410);
    assert_eq!(app.received(&dave, "GET", "").await.expect(200).json()["items"], json!([]));
    app.finish().await;
}

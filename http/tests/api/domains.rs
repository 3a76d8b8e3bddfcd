//! Domains of organizations: claimed, proved by the DNS, and who becomes a member by them.

use crate::app::{Answer, PASSWORD, TestApp, Tokens, roomy};
use crate::mail::token_in;
use axum::http::header;
use plinto_actors::{DnsFailure, Limits};
use plinto_http::HttpConfig;
use serde_json::{Value, json};

impl TestApp {
    async fn claim(&self, organization: &str, domain: &str, mode: &str) -> Answer {
        let path = format!("/v1/organizations/{organization}/domains");
        self.manage("POST", &path, Some(json!({ "domain": domain, "mode": mode, "role": "member" }))).await
    }

    async fn verify(&self, domain: &Value) -> Answer {
        let path = format!("{}/verify", path_of(domain));
        self.manage("POST", &path, None).await
    }

    /// A domain that is claimed and proved.
    async fn proved_domain(&self, organization: &str, domain: &str, mode: &str) -> Value {
        let claimed = self.claim(organization, domain, mode).await.expect(201).json();
        self.publish(&claimed);
        self.verify(&claimed).await.expect(200).json()
    }

    fn publish(&self, domain: &Value) {
        let text = |member: &str| domain["record"][member].as_str().unwrap().to_owned();
        self.zone.set(&text("name"), Ok(vec!["v=spf1 -all".to_owned(), text("value")]));
    }

    async fn suggestions(&self, user: &Tokens) -> Vec<Value> {
        let path = "/v1/users/me/organization-suggestions";
        let found = self.core("GET", path, Some(&user.access), None).await.expect(200).json();
        found["items"].as_array().unwrap().iter().map(|item| item["slug"].clone()).collect()
    }
}

fn path_of(domain: &Value) -> String {
    let text = |member: &str| domain[member].as_str().unwrap();
    format!("/v1/organizations/{}/domains/{}", text("organization"), text("id"))
}

async fn acme(app: &TestApp) -> (Tokens, String) {
    let owner = app.user("owner@example.com").await;
    let organization = app.organization("acme", &owner.user).await;
    (owner, organization)
}

#[tokio::test]
async fn a_domain_is_proved_by_the_record_the_answer_names() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let made = app.claim(&acme, "Acme.Example", "automatic").await.expect(201);
    let at = made.headers[header::LOCATION].to_str().unwrap().to_owned();
    let claimed = made.json();
    assert_eq!(app.manage("GET", &at, None).await.expect(200).json(), claimed);
    assert_eq!((&claimed["domain"], &claimed["verified_at"]), (&json!("acme.example"), &json!(null)));
    assert_eq!(claimed["record"]["name"], "_plinto-challenge.acme.example");
    assert_eq!(app.verify(&claimed).await.expect(409).code(), "domain_not_proved");
    let name = claimed["record"]["name"].as_str().unwrap();
    app.zone.set(name, Ok(vec!["plinto-domain-verification=0123".to_owned()]));
    assert_eq!(app.verify(&claimed).await.expect(409).code(), "domain_not_proved");
    app.zone.set(name, Err(DnsFailure));
    assert_eq!(app.verify(&claimed).await.expect(409).code(), "dns_unavailable");
    app.publish(&claimed);
    let proved = app.verify(&claimed).await.expect(200);
    assert_eq!(
        (proved.headers[header::ETAG].to_str().unwrap(), proved.json()["verified_at"].is_i64()),
        ("\"2\"", true)
    );
    app.zone.set(name, Ok(vec![]));
    app.verify(&claimed).await.expect(200);

    let stale = (header::IF_MATCH, "\"1\"");
    let change = || Some(json!({ "mode": "suggested", "role": "admin" }));
    app.manage_with("PATCH", &at, stale.clone(), change()).await.expect(412);
    let changed = app.manage("PATCH", &at, change()).await.expect(200).json();
    assert_eq!((&changed["mode"], &changed["role"]), (&json!("suggested"), &json!("admin")));
    app.manage_with("DELETE", &at, stale, None).await.expect(412);
    app.manage("DELETE", &at, None).await.expect(204);
    assert_eq!(app.manage("GET", &at, None).await.expect(404).code(), "unknown_domain");
    app.finish().await;
}

#[tokio::test]
async fn a_domain_is_of_one_organization_and_not_everybodys() {
    let app = TestApp::new().await;
    let (owner, acme) = acme(&app).await;
    let beta = app.organization("beta", &owner.user).await;
    for (body, code) in [
        (json!({ "domain": "gmail.com" }), "public_mail_provider"),
        (json!({ "domain": "localhost" }), "invalid_domain"),
        (json!({ "domain": "acme.example", "role": "owner" }), "owner_by_domain"),
        (json!({ "domain": "acme.example", "mode": "always" }), "invalid_mode"),
    ] {
        let path = format!("/v1/organizations/{acme}/domains");
        let refused = app.manage("POST", &path, Some(body)).await.expect(422).json();
        assert_eq!(refused["errors"][0]["code"], code);
    }
    let ours = app.claim(&acme, "acme.example", "automatic").await.expect(201).json();
    assert_eq!(app.claim(&acme, "ACME.example", "suggested").await.expect(409).code(), "domain_claimed");
    let theirs = app.claim(&beta, "acme.example", "automatic").await.expect(201).json();
    app.publish(&theirs);
    assert_eq!(app.verify(&ours).await.expect(409).code(), "domain_not_proved", "the record is the other's");
    app.verify(&theirs).await.expect(200);
    app.publish(&ours);
    assert_eq!(app.verify(&ours).await.expect(409).code(), "domain_taken");
    app.manage("DELETE", &path_of(&theirs), None).await.expect(204);
    app.verify(&ours).await.expect(200);
    let page = app.manage("GET", &format!("/v1/organizations/{acme}/domains"), None).await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    app.manage("DELETE", &format!("/v1/organizations/{acme}"), None).await.expect(204);
    app.finish().await;
}

#[tokio::test]
async fn whoever_proves_an_address_in_a_domain_becomes_a_member() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let early = app.user("early@acme.example").await;
    app.prove("early@acme.example").await;
    app.proved_domain(&acme, "acme.example", "automatic").await;
    assert_eq!(app.role_in(&acme, &early.user).await, None);
    app.sign_in("early@acme.example").await;
    assert_eq!(app.role_in(&acme, &early.user).await.as_deref(), Some("member"), "at the next sign-in");

    let late = app.user("late@acme.example").await;
    assert_eq!(app.role_in(&acme, &late.user).await, None, "the address is not proved");
    app.prove("late@acme.example").await;
    assert_eq!(app.role_in(&acme, &late.user).await.as_deref(), Some("member"), "with the proof");
    let below = app.user("eve@mail.acme.example").await;
    app.prove("eve@mail.acme.example").await;
    assert_eq!(app.role_in(&acme, &below.user).await, None, "another domain");

    let beta = app.organization("beta", &late.user).await;
    let (_, token) = app.invited(&beta, "carol@acme.example", "member").await;
    let body = json!({ "token": token, "password": PASSWORD });
    let path = "/t/demo/v1/auth/organization-invitations/accept";
    let carol = app.core("POST", path, None, Some(body)).await.expect(200).json();
    let carol = carol["user"].as_str().unwrap();
    assert_eq!(app.role_in(&acme, carol).await.as_deref(), Some("member"), "an invitation proves, too");
    app.finish().await;
}

#[tokio::test]
async fn whoever_signs_in_by_mail_or_accepts_an_invitation_to_be_a_user_is_a_member_with_it() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    app.proved_domain(&acme, "acme.example", "automatic").await;
    let bob = app.user("bob@acme.example").await;
    assert_eq!(app.role_in(&acme, &bob.user).await, None, "the address is not proved");
    app.by_code("bob@acme.example").await;
    assert_eq!(app.role_in(&acme, &bob.user).await.as_deref(), Some("member"), "the code proves it");

    app.invite_user("dora@acme.example").await.expect(201);
    let token = token_in(&app.mail("dora@acme.example", "user_invitation").await);
    app.accept_user_invitation(&token, PASSWORD).await.expect(204);
    let page = app.manage("GET", "/v1/users?email=dora@acme.example", None).await.expect(200).json();
    let dora = page["items"][0]["id"].as_str().unwrap();
    assert_eq!(app.role_in(&acme, dora).await.as_deref(), Some("member"), "and so does the link");
    app.finish().await;
}

#[tokio::test]
async fn whoever_signs_in_to_an_organization_whose_domain_admits_is_in_it_at_once() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    app.user("bob@acme.example").await;
    app.prove("bob@acme.example").await;
    app.user("eve@acme.example").await;
    app.proved_domain(&acme, "acme.example", "automatic").await;
    let wrong = app.sign_in_to("bob@acme.example", "not the password at all", "acme").await.expect(401);
    assert_eq!(wrong.code(), "invalid_credentials");
    let bob = app.sign_in_to("bob@acme.example", PASSWORD, "acme").await.expect(200).json();
    assert_eq!(bob["organization_id"], json!(acme));
    let eve = app.sign_in_to("eve@acme.example", PASSWORD, "acme").await.expect(404);
    assert_eq!(eve.code(), "unknown_organization", "the address is not proved");
    app.finish().await;
}

#[tokio::test]
async fn nobody_is_brought_back_and_what_is_removed_admits_nobody() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let domain = app.proved_domain(&acme, "acme.example", "automatic").await;
    let bob = app.user("bob@acme.example").await;
    app.prove("bob@acme.example").await;
    assert!(app.role_in(&acme, &bob.user).await.is_some());
    let of_bob = format!("/v1/organizations/{acme}/members/{}", bob.user);
    app.manage("DELETE", &of_bob, None).await.expect(204);
    app.sign_in("bob@acme.example").await;
    assert_eq!(app.role_in(&acme, &bob.user).await, None, "was removed");
    app.join(&acme, &bob.user, "admin").await.expect(201);
    assert_eq!(app.role_in(&acme, &bob.user).await.as_deref(), Some("admin"), "may be added again");

    let change = Some(json!({ "mode": "suggested" }));
    app.manage("PATCH", &path_of(&domain), change).await.expect(200);
    let carol = app.user("carol@acme.example").await;
    assert!(app.suggestions(&carol).await.is_empty(), "the address is not proved");
    app.prove("carol@acme.example").await;
    assert_eq!(app.role_in(&acme, &carol.user).await, None, "is only told of it");
    assert_eq!(app.suggestions(&carol).await, ["acme"]);
    assert!(app.suggestions(&bob).await.is_empty(), "is a member");
    app.manage("DELETE", &path_of(&domain), None).await.expect(204);
    assert!(app.suggestions(&carol).await.is_empty());
    let dave = app.user("dave@acme.example").await;
    app.prove("dave@acme.example").await;
    app.sign_in("dave@acme.example").await;
    assert_eq!(app.role_in(&acme, &dave.user).await, None);
    app.finish().await;
}

#[tokio::test]
async fn several_sign_ins_at_once_make_one_membership() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let bob = app.user("bob@acme.example").await;
    app.prove("bob@acme.example").await;
    app.proved_domain(&acme, "acme.example", "automatic").await;
    tokio::join!(app.sign_in("bob@acme.example"), app.sign_in("bob@acme.example"));
    assert_eq!(app.role_in(&acme, &bob.user).await.as_deref(), Some("member"));
    let added = "/v1/audit/events?type=organization.domain.admitted";
    let events = app.manage("GET", added, None).await.expect(200).json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn members_manage_domains_as_their_role_permits() {
    let app = TestApp::new().await;
    let (_, acme) = acme(&app).await;
    let (admin, member) = (app.user("admin@example.com").await, app.user("member@example.com").await);
    app.join(&acme, &admin.user, "admin").await.expect(201);
    app.join(&acme, &member.user, "member").await.expect(201);
    let all = format!("/{acme}/domains");
    let body = || Some(json!({ "domain": "acme.example" }));
    let made = app.mine(&admin, "POST", &all, body()).await.expect(201);
    app.core("GET", made.headers[header::LOCATION].to_str().unwrap(), Some(&admin.access), None)
        .await
        .expect(200);
    for refused in [app.mine(&member, "POST", &all, body()).await, app.mine(&member, "GET", &all, None).await]
    {
        assert_eq!(refused.expect(403).code(), "organization_permission_needed");
    }
    app.finish().await;
}

#[tokio::test]
async fn the_dns_is_not_asked_without_end() {
    let limits = Limits { account_burst: 5, account_refill_seconds: 3_600, ..roomy() };
    let app = TestApp::with(limits, HttpConfig::default()).await;
    let (_, acme) = acme(&app).await;
    let claimed = app.claim(&acme, "acme.example", "automatic").await.expect(201).json();
    for _ in 0..5 {
        app.verify(&claimed).await.expect(409);
    }
    let refused = app.verify(&claimed).await.expect(429);
    assert_eq!(refused.code(), "too_many_attempts");
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    app.finish().await;
}

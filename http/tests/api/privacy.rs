//! A dump of a tenant's database tells nothing.

use crate::app::{PASSWORD, TestApp};
use crate::backend::Place;
use crate::mail::token_in;
use crate::passwordless::code_in;
use serde_json::json;
use std::sync::Arc;

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

impl TestApp {
    /// One of each that lets somebody in or proves something.
    async fn mailed_secrets(&self, email: &str) -> Vec<String> {
        let mut secrets = Vec::new();
        let ask = async |path: &str, body| self.core("POST", path, None, Some(body)).await.expect(202).json();
        ask("/t/demo/v1/auth/password/forgot", json!({ "email": email })).await;
        for (method, kind) in [("code", "sign_in_code"), ("link", "sign_in_link")] {
            let body = json!({ "email": email, "method": method });
            let asked = ask("/t/demo/v1/auth/passwordless/start", body).await;
            secrets.push(asked["challenge"].as_str().unwrap().to_owned());
            let mail = self.mail(email, kind).await;
            secrets.push(if method == "code" { code_in(&mail) } else { token_in(&mail) });
        }
        let body = Some(json!({ "email": "grace.lovelace@example.com", "name": "Grace Lovelace" }));
        self.manage("POST", "/v1/users/invitations", body).await.expect(201);
        for (to, kind) in [
            (email, "verify_email"),
            (email, "reset_password"),
            ("grace.lovelace@example.com", "user_invitation"),
        ] {
            secrets.push(token_in(&self.mail(to, kind).await));
        }
        secrets
    }
}

#[tokio::test]
async fn the_database_holds_no_personal_data_and_no_secret_in_clear() {
    let place = Arc::new(Place::lasting().await);
    let app = TestApp::at(&place).await;
    let ada = app.user("ada.lovelace@example.com").await;
    let next = crate::app::tokens(&app.try_refresh(&ada.refresh).await.expect(200));
    let mailed = app.mailed_secrets("ada.lovelace@example.com").await;
    // Before and after the write-ahead log is folded into the files.
    let running = place.dump().await;
    let secret_half = app.service_key.rsplit_once('_').unwrap().1.to_owned();
    app.finish().await;
    for bytes in [running, place.dump().await] {
        assert!(
            holds(&bytes, ada.session.trim_start_matches("ses_").as_bytes()) || bytes.len() > 10_000,
            "files were read"
        );
        for secret in [
            "ada.lovelace",
            "example.com",
            "Ada Lovelace",
            "Lovelace",
            PASSWORD,
            "$argon2",
            "argon2id",
            &ada.access,
            &ada.refresh,
            &next.access,
            &next.refresh,
            &secret_half,
            "PRIVATE KEY",
        ] {
            assert!(!holds(&bytes, secret.as_bytes()), "{secret:.24} is in clear");
        }
        for secret in &mailed {
            assert!(!holds(&bytes, secret.as_bytes()), "what was mailed is in clear");
        }
        let refresh = plinto_domain::refresh_token::RefreshToken::parse(&next.refresh).unwrap();
        assert!(!holds(&bytes, &refresh.1), "the refresh token's MAC is in clear");
    }
}

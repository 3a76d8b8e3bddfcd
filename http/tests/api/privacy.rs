//! A dump of a tenant's database tells nothing.

use crate::app::{PASSWORD, TestApp};
use crate::backend::Place;
use std::sync::Arc;

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[tokio::test]
async fn the_database_holds_no_personal_data_and_no_secret_in_clear() {
    let place = Arc::new(Place::lasting().await);
    let app = TestApp::at(&place).await;
    let ada = app.user("ada.lovelace@example.com").await;
    let next = crate::app::tokens(&app.try_refresh(&ada.refresh).await.expect(200));
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
        let refresh = plinto_domain::refresh_token::RefreshToken::parse(&next.refresh).unwrap();
        assert!(!holds(&bytes, &refresh.1), "the refresh token's MAC is in clear");
    }
}

//! Pictures of users: whatever is sent, what is shown was made here.

use crate::app::{Answer, TestApp, Tokens, request};
use axum::body::Body;
use axum::http::header;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use plinto_domain::user::avatar::LARGEST_FILE;
use plinto_http::ListenerName;
use std::io::Cursor;

const MINE: &str = "/v1/users/me/avatar";

fn picture(colour: [u8; 3], format: ImageFormat) -> Vec<u8> {
    let image: DynamicImage = RgbImage::from_pixel(300, 200, Rgb(colour)).into();
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

impl TestApp {
    async fn put(&self, path: &str, bearer: &str, media: &str, file: Vec<u8>) -> Answer {
        let mut sent = request("PUT", path, Some(bearer), None);
        sent.headers_mut().insert(header::CONTENT_TYPE, media.parse().unwrap());
        *sent.body_mut() = Body::from(file);
        self.send(ListenerName::Core, sent).await
    }

    async fn see(&self, path: &str, bearer: &str, known: Option<&str>) -> Answer {
        let mut asked = request("GET", path, Some(bearer), None);
        if let Some(known) = known {
            asked.headers_mut().insert(header::IF_NONE_MATCH, known.parse().unwrap());
        }
        self.send(ListenerName::Core, asked).await
    }
}

fn of(user: &Tokens) -> String {
    format!("/t/demo/v1/users/{}/avatar", user.user)
}

fn etag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_sets_shows_and_removes_an_avatar() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    assert_eq!(app.see(MINE, &ada.access, None).await.expect(404).code(), "no_avatar");
    let mut tags = Vec::new();
    for (media, format) in [
        ("image/png", ImageFormat::Png),
        ("image/jpeg", ImageFormat::Jpeg),
        ("image/webp", ImageFormat::WebP),
    ] {
        let set = app.put(MINE, &ada.access, media, picture([200, 10, 10], format)).await.expect(204);
        let seen = app.see(MINE, &ada.access, None).await.expect(200);
        assert_eq!(seen.headers[header::CONTENT_TYPE], "image/jpeg");
        assert_eq!(seen.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(seen.headers[header::CONTENT_SECURITY_POLICY], "default-src 'none'; sandbox");
        assert_eq!(seen.headers[header::CACHE_CONTROL], "private, no-cache");
        assert!(seen.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
        let shown = image::load_from_memory(&seen.bytes).unwrap();
        assert_eq!((shown.width(), shown.height()), (256, 256), "{media}");
        assert_eq!(etag(&set), etag(&seen));
        let again = app.see(MINE, &ada.access, Some(&etag(&seen))).await.expect(304);
        assert!(again.bytes.is_empty());
        tags.push(etag(&seen));
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each picture has its own");
    let managed = app.see(&of(&ada), &app.platform_key, Some(&tags[0])).await.expect(200);
    assert_eq!(etag(&managed), tags[2]);
    app.core("DELETE", MINE, Some(&ada.access), None).await.expect(204);
    assert_eq!(app.core("DELETE", MINE, Some(&ada.access), None).await.expect(404).code(), "no_avatar");
    assert_eq!(app.see(&of(&ada), &app.platform_key, None).await.expect(404).code(), "no_avatar");
    app.finish().await;
}

#[tokio::test]
async fn services_set_avatars_and_every_change_is_on_record_without_the_picture() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let file = picture([10, 10, 200], ImageFormat::Png);
    app.put(&of(&ada), &app.platform_key, "image/png", file.clone()).await.expect(204);
    app.core("DELETE", &of(&ada), Some(&app.platform_key), None).await.expect(204);
    let events = app.manage("GET", "/v1/audit/events?type=user.*&limit=2", None).await.expect(200).json();
    let types: Vec<_> = events["items"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!(types, ["user.avatar_removed", "user.avatar_set"]);
    assert_eq!(events["items"][0]["data"], serde_json::json!({}));
    let nobody = "/t/demo/v1/users/usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708/avatar";
    let answer = app.put(nobody, &app.platform_key, "image/png", file.clone()).await.expect(404);
    assert_eq!(answer.code(), "unknown_user");
    let (_, reads) = app.secret_key(&["users:read"]).await;
    let path = format!("/v1/users/{}/avatar", ada.user);
    assert_eq!(app.put(&path, &reads, "image/png", file.clone()).await.expect(403).code(), "forbidden");
    app.manage("DELETE", &format!("/v1/users/{}", ada.user), None).await.expect(200);
    let answer = app.put(&of(&ada), &app.platform_key, "image/png", file).await.expect(409);
    assert_eq!(answer.code(), "user_deleted");
    app.finish().await;
}

#[tokio::test]
async fn what_is_no_picture_or_too_large_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let good = picture([1, 2, 3], ImageFormat::Png);
    app.put(MINE, &ada.access, "image/png", good.clone()).await.expect(204);
    let before = etag(&app.see(MINE, &ada.access, None).await.expect(200));
    let bomb = {
        // Five thousand by five thousand pixels, said in its header.
        let mut bomb = good.clone();
        bomb[16..24].copy_from_slice(&[0, 0, 0x13, 0x88, 0, 0, 0x13, 0x88]);
        bomb
    };
    for (media, file, status, code) in [
        ("image/png", Vec::new(), 422, "invalid_fields"),
        ("image/png", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), 422, "invalid_fields"),
        ("image/png", b"<svg onload='alert(1)'/>".to_vec(), 422, "invalid_fields"),
        ("image/png", good[..good.len() / 2].to_vec(), 422, "invalid_fields"),
        ("image/png", bomb, 422, "invalid_fields"),
        ("image/gif", good.clone(), 415, "unsupported_media_type"),
        ("image/svg+xml", good.clone(), 415, "unsupported_media_type"),
        ("application/json", good.clone(), 415, "unsupported_media_type"),
        ("image/png", vec![0; LARGEST_FILE + 1], 413, "body_too_large"),
    ] {
        let answer = app.put(MINE, &ada.access, media, file).await.expect(status);
        assert_eq!(answer.code(), code);
        if code == "invalid_fields" {
            assert_eq!(answer.json()["errors"][0]["field"], "body");
        }
    }
    assert_eq!(etag(&app.see(MINE, &ada.access, None).await.expect(200)), before);
    // A file larger than other bodies may be; what follows the picture is not kept.
    let large = [good, b"<script>alert(1)</script>".repeat(10_000)].concat();
    assert!(large.len() > app.state.config().limits.body_bytes);
    app.put(MINE, &ada.access, "image/png", large).await.expect(204);
    let seen = app.see(MINE, &ada.access, None).await.expect(200);
    assert!(!seen.bytes.windows(8).any(|window| window == b"<script>"));
    app.finish().await;
}

#[tokio::test]
async fn an_avatar_is_given_out_with_all_that_is_stored_and_goes_with_the_user() {
    use base64::Engine;
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let path = format!("/v1/users/{}/data", ada.user);
    assert!(app.manage("GET", &path, None).await.expect(200).json()["avatar"].is_null());
    app.put(MINE, &ada.access, "image/webp", picture([9, 200, 9], ImageFormat::WebP)).await.expect(204);
    let shown = app.see(MINE, &ada.access, None).await.expect(200).bytes;
    let data = app.manage("GET", &path, None).await.expect(200).json();
    assert_eq!(data["avatar"]["media_type"], "image/jpeg");
    let given = base64::engine::general_purpose::STANDARD.decode(data["avatar"]["data"].as_str().unwrap());
    assert_eq!(given.unwrap(), shown);
    app.manage("POST", &format!("/v1/users/{}/erase", ada.user), None).await.expect(204);
    assert_eq!(app.see(&of(&ada), &app.platform_key, None).await.expect(404).code(), "unknown_user");
    app.finish().await;
}

#[tokio::test]
async fn of_two_avatars_set_at_once_the_last_one_stays() {
    let app = TestApp::new().await;
    let ada = app.user("ada@example.com").await;
    let (red, blue) = (picture([200, 0, 0], ImageFormat::Png), picture([0, 0, 200], ImageFormat::Png));
    let (one, two) = tokio::join!(
        app.put(MINE, &ada.access, "image/png", red),
        app.put(MINE, &ada.access, "image/png", blue)
    );
    let statuses = [one.status.as_u16(), two.status.as_u16()];
    assert!(
        statuses.contains(&204) && statuses.iter().all(|status| matches!(status, 204 | 409)),
        "{statuses:?}"
    );
    let seen = app.see(MINE, &ada.access, None).await.expect(200);
    let kept = [one, two].into_iter().filter(|answer| answer.status == 204).map(|answer| etag(&answer)).max();
    assert_eq!(Some(etag(&seen)), kept);
    app.finish().await;
}

//! A refresh token sent twice over real connections, where clients have an address.

use crate::app::{TestApp, roomy};
use plinto_http::{HttpConfig, ListenerName, Listeners};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn listening() -> (TestApp, Listeners, SocketAddr) {
    let core = (ListenerName::Core, SocketAddr::from(([127, 0, 0, 1], 0)));
    let app = TestApp::with(roomy(), HttpConfig { listeners: vec![core], ..HttpConfig::default() }).await;
    let listeners = Listeners::open(&app.state).await.expect("listening");
    let address = listeners.address(ListenerName::Core).expect("core");
    (app, listeners, address)
}

/// Refreshes over a connection of its own; answers with status and body.
async fn refresh(address: SocketAddr, token: &str, user_agent: &str) -> (u16, Value) {
    let body = json!({ "refresh_token": token }).to_string();
    let request = format!(
        "POST /v1/auth/refresh HTTP/1.1\r\nhost: plinto.test\r\nconnection: close\r\nuser-agent: {user_agent}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_retry_by_the_same_client_gets_the_same_token_and_by_another_ends_the_session() {
    let (app, listeners, address) = listening().await;
    let first = app.user("ada@example.com").await;
    let (status, second) = refresh(address, &first.refresh, "phone/1").await;
    assert_eq!(status, 200, "{second}");
    app.advance(Duration::from_secs(9));
    let (status, again) = refresh(address, &first.refresh, "phone/1").await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    assert_ne!(again["access_token"], second["access_token"]);
    assert!(app.is_active(again["access_token"].as_str().unwrap()).await);

    let (status, problem) = refresh(address, &first.refresh, "thief/1").await;
    assert_eq!((status, &problem["code"]), (401, &json!("invalid_grant")));
    assert!(!app.is_active(again["access_token"].as_str().unwrap()).await);
    let current = second["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(address, current, "phone/1").await.0, 401, "the family is revoked");
    assert!(listeners.close(Duration::from_secs(5)).await);
    app.finish().await;
}

#[tokio::test]
async fn after_the_grace_a_retry_is_reuse() {
    let (app, listeners, address) = listening().await;
    let first = app.user("ada@example.com").await;
    let (_, second) = refresh(address, &first.refresh, "phone/1").await;
    app.advance(Duration::from_secs(10));
    let (status, problem) = refresh(address, &first.refresh, "phone/1").await;
    assert_eq!((status, &problem["code"]), (401, &json!("invalid_grant")));
    assert!(!app.is_active(second["access_token"].as_str().unwrap()).await);
    assert!(listeners.close(Duration::from_secs(5)).await);
    app.finish().await;
}

//! HTTP requests as bytes, made once and sent many times.

use std::fmt::Write;

/// One request.
pub(crate) type Request = Box<[u8]>;

fn post(path: &str, headers: &str, body: &str) -> Request {
    with_body("POST", path, headers, body)
}

fn with_body(method: &str, path: &str, headers: &str, body: &str) -> Request {
    let mut text = String::new();
    let length = body.len();
    write!(
        text,
        "{method} {path} HTTP/1.1\r\nhost: bench\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .expect("writing to a string does not fail");
    text.into_bytes().into_boxed_slice()
}

/// `GET path`.
pub(crate) fn get(path: &str) -> Request {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes().into_boxed_slice()
}

/// `GET path` by the bearer of a key or token.
pub(crate) fn get_as(bearer: &str, path: &str) -> Request {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {bearer}\r\n\r\n")
        .into_bytes()
        .into_boxed_slice()
}

/// A sign-up.
pub(crate) fn sign_up(tenant: &str, email: &str, password: &str) -> Request {
    let body = serde_json::json!({ "email": email, "password": password }).to_string();
    post(&format!("/t/{tenant}/v1/auth/sign-up"), "content-type: application/json\r\n", &body)
}

/// A client asks for a token for itself.
pub(crate) fn client_credentials(tenant: &str, id: &str, secret: &str) -> Request {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let media = "content-type: application/x-www-form-urlencoded\r\n";
    post(&format!("/t/{tenant}/oauth2/token"), media, &body)
}

/// The beginning of an import of users.
pub(crate) fn begin_import(key: &str) -> Request {
    let headers = format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n");
    post("/v1/users/imports", &headers, "{}")
}

/// Lines of an import, from the line `first` on.
pub(crate) fn import_lines(key: &str, import: &str, first: u64, lines: &str) -> Request {
    let headers = format!("authorization: Bearer {key}\r\ncontent-type: application/x-ndjson\r\n");
    with_body("PUT", &format!("/v1/users/imports/{import}/lines/{first}"), &headers, lines)
}

/// An introspection of a token with a service key.
pub(crate) fn introspect(service_key: &str, token: &str) -> Request {
    let headers =
        format!("authorization: Bearer {service_key}\r\ncontent-type: application/x-www-form-urlencoded\r\n");
    post("/v1/introspect", &headers, &format!("token={token}"))
}

/// A sign-in; `from` is the address it claims to come from.
pub(crate) fn sign_in(tenant: &str, email: &str, password: &str, from: Option<&str>) -> Request {
    let mut headers = String::from("content-type: application/json\r\n");
    if let Some(from) = from {
        write!(headers, "x-forwarded-for: {from}\r\n").expect("writing to a string does not fail");
    }
    let body = serde_json::json!({ "email": email, "password": password }).to_string();
    post(&format!("/t/{tenant}/v1/auth/sign-in"), &headers, &body)
}

/// An exchange of a refresh token.
pub(crate) fn refresh(token: &str) -> Request {
    let body = serde_json::json!({ "refresh_token": token }).to_string();
    post("/v1/auth/refresh", "content-type: application/json\r\n", &body)
}

/// A sign-out of the session an access token belongs to.
pub(crate) fn sign_out(tenant: &str, token: &str) -> Request {
    let headers = format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
    post(&format!("/t/{tenant}/v1/auth/sign-out"), &headers, "{}")
}

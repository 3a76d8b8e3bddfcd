//! How a client says who it is: in the header or in the body, never in both (RFC 6749 §2.3).

use super::failure::Failure;
use crate::extract::FormBody;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plinto_actors::{ClientAuthentication, ClientContext};
use plinto_domain::oauth::{OAuthCode, OAuthError};
use std::borrow::Cow;
use zeroize::Zeroizing;

const MISSING: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "send client_id and, unless the client is public, client_secret, by HTTP Basic or in the body (RFC 6749 section 2.3.1)",
);
const MALFORMED: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "the Authorization header is not HTTP Basic with a form-encoded id and secret (RFC 6749 section 2.3.1)",
);

/// What a client presented. No `Debug`.
pub(super) struct Credentials {
    pub(super) client_id: String,
    /// A public client has none.
    pub(super) secret: Option<Zeroizing<String>>,
}

impl Credentials {
    pub(super) fn of<'c>(&'c self, context: &'c ClientContext) -> ClientAuthentication<'c> {
        let secret = self.secret.as_ref().map(|secret| secret.as_str());
        ClientAuthentication { client_id: &self.client_id, secret, context }
    }
}

/// The value of a parameter that is given once and not empty (RFC 6749 §3.2: empty ones count as left out).
pub(super) fn parameter<'f>(form: &'f FormBody, name: &'static str) -> Result<Option<Cow<'f, str>>, Failure> {
    let repeated = "a parameter is given more than once";
    let value = form.optional(name).map_err(|_| Failure::invalid_request(repeated))?;
    Ok(value.filter(|value| !value.is_empty()))
}

pub(super) fn read(headers: &HeaderMap, form: &FormBody) -> Result<Credentials, Failure> {
    let in_body = (parameter(form, "client_id")?, parameter(form, "client_secret")?);
    let Some(header) = headers.get(header::AUTHORIZATION) else {
        let (Some(client_id), secret) = in_body else { return Err(MISSING.into()) };
        return Ok(Credentials {
            client_id: client_id.into_owned(),
            secret: secret.map(|secret| Zeroizing::new(secret.into_owned())),
        });
    };
    let by_header = header.to_str().ok().and_then(basic).ok_or(MALFORMED)?;
    match in_body {
        (_, Some(_)) => Err(Failure::invalid_request("a client authenticates in one way only")),
        (Some(client_id), None) if client_id != by_header.client_id => {
            Err(Failure::invalid_request("client_id is another one than in the Authorization header"))
        }
        _ => Ok(by_header),
    }
}

/// Id and secret of an `Authorization: Basic` header; both are form-encoded before they are joined.
fn basic(header: &str) -> Option<Credentials> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (client_id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(Credentials {
        client_id: decoded_form(client_id)?,
        secret: Some(Zeroizing::new(decoded_form(secret)?)),
    })
}

fn decoded_form(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_basic(text: &str) -> Option<(String, String)> {
        let header = format!("Basic {}", STANDARD.encode(text));
        basic(&header).map(|read| (read.client_id, read.secret.expect("Basic has one").to_string()))
    }

    #[test]
    fn id_and_secret_are_form_encoded() {
        let some = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(
            read_basic("s6BhdRkqt3:7Fjfp0ZBr1KtDRbnfVdmIw"),
            some("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw")
        );
        assert_eq!(read_basic("a%3Ab:c%25+d:e"), some("a:b", "c% d:e"));
        assert_eq!(read_basic(":"), some("", ""));
    }

    #[test]
    fn what_is_no_basic_header_is_refused() {
        assert_eq!(read_basic("without colon"), None);
        assert_eq!(read_basic("%ff:x"), None);
        for header in ["Basic", "Basic !", "Bearer abc", "", "Basic /w=="] {
            assert!(basic(header).is_none(), "{header}");
        }
        assert!(basic(&format!("bAsIc {}", STANDARD.encode("a:b"))).is_some());
    }
}

//! How a client says who it is: in the header or in the body, never in both (RFC 6749 §2.3).

use super::failure::Failure;
use crate::extract::FormBody;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plinto_actors::{ClientAuthentication, ClientContext, ClientProof, Possession};
use plinto_domain::oauth::{ASSERTION_TYPE, OAuthCode, OAuthError, PROOF_MALFORMED};
use std::borrow::Cow;
use zeroize::Zeroizing;

const MISSING: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "send client_id and, unless the client is public, what proves it: client_secret by HTTP Basic or in the body, or client_assertion",
);
const MALFORMED: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "the Authorization header is not HTTP Basic with a form-encoded id and secret (RFC 6749 section 2.3.1)",
);

/// What a client presented. No `Debug`.
pub(super) struct Credentials {
    client_id: Option<String>,
    proof: Presented,
    /// A proof of possession (RFC 9449), and the URL it must be for.
    possession: Option<(String, String)>,
}

/// What proves who it is.
enum Presented {
    Nothing,
    Secret(Zeroizing<String>),
    Assertion(String),
}

impl Credentials {
    pub(super) fn of<'c>(&'c self, context: &'c ClientContext) -> ClientAuthentication<'c> {
        let proof = match &self.proof {
            Presented::Nothing => ClientProof::None,
            Presented::Secret(secret) => ClientProof::Secret(secret),
            Presented::Assertion(assertion) => ClientProof::Assertion(assertion),
        };
        let possession = self.possession.as_ref();
        let possession = possession.map(|(proof, url)| Possession { proof, method: "POST", url });
        ClientAuthentication { client_id: self.client_id.as_deref(), proof, possession, context }
    }
}

/// The value of a parameter that is given once and not empty (RFC 6749 §3.2: empty ones count as left out).
pub(super) fn parameter<'f>(form: &'f FormBody, name: &'static str) -> Result<Option<Cow<'f, str>>, Failure> {
    let repeated = "a parameter is given more than once";
    let value = form.optional(name).map_err(|_| Failure::invalid_request(repeated))?;
    Ok(value.filter(|value| !value.is_empty()))
}

/// Reads what a client presents to the endpoint of this URL.
pub(super) fn read(headers: &HeaderMap, form: &FormBody, url: String) -> Result<Credentials, Failure> {
    let possession = possession(headers)?.map(|proof| (proof, url));
    let client_id = parameter(form, "client_id")?.map(Cow::into_owned);
    let secret = parameter(form, "client_secret")?.map(|secret| Zeroizing::new(secret.into_owned()));
    let assertion = assertion(form)?;
    let by_header = headers
        .get(header::AUTHORIZATION)
        .map(|header| header.to_str().ok().and_then(basic).ok_or(MALFORMED));
    let (client_id, proof) = match (by_header.transpose()?, secret, assertion) {
        (Some((named, secret)), None, None) => match client_id {
            Some(other) if other != named => {
                let description = "client_id is another one than in the Authorization header";
                return Err(Failure::invalid_request(description));
            }
            _ => (Some(named), Presented::Secret(secret)),
        },
        (None, Some(secret), None) => (client_id, Presented::Secret(secret)),
        (None, None, Some(assertion)) => {
            return Ok(Credentials { client_id, proof: Presented::Assertion(assertion), possession });
        }
        (None, None, None) => (client_id, Presented::Nothing),
        _ => return Err(Failure::invalid_request("a client authenticates in one way only")),
    };
    match client_id {
        Some(client_id) => Ok(Credentials { client_id: Some(client_id), proof, possession }),
        None => Err(MISSING.into()),
    }
}

/// A JWT by which a client says who it is (RFC 7521 §4.2).
fn assertion(form: &FormBody) -> Result<Option<String>, Failure> {
    let kind = parameter(form, "client_assertion_type")?;
    match (kind.as_deref(), parameter(form, "client_assertion")?) {
        (None, None) => Ok(None),
        (Some(ASSERTION_TYPE), Some(assertion)) => Ok(Some(assertion.into_owned())),
        _ => Err(Failure::invalid_request(
            "client_assertion comes with client_assertion_type urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )),
    }
}

/// The one proof of possession of a request, if it has any (RFC 9449 §4.3).
pub(super) fn possession(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut proofs = headers.get_all("dpop").iter();
    let proof = proofs.next().map(|proof| proof.to_str().map(str::to_owned)).transpose();
    match (proof, proofs.next()) {
        (Ok(proof), None) => Ok(proof),
        _ => Err(PROOF_MALFORMED.into()),
    }
}

/// Id and secret of an `Authorization: Basic` header; both are form-encoded before they are joined.
fn basic(header: &str) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (client_id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((decoded_form(client_id)?, Zeroizing::new(decoded_form(secret)?)))
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
        basic(&header).map(|(id, secret)| (id, secret.to_string()))
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

use super::*;
use crate::oauth::ClientChange;
use proptest::prelude::*;
use uuid::Uuid;

const CALLBACK: &str = "https://app.example.com/callback";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client(change: impl FnOnce(&mut ClientChange)) -> Client {
    let mut wanted = ClientChange {
        name: Some("app".to_owned()),
        scopes: Some(vec!["orders:read".to_owned()]),
        resources: Some(vec!["https://api.example.com/".to_owned()]),
        redirect_uris: Some(vec![CALLBACK.to_owned()]),
        ..ClientChange::default()
    };
    change(&mut wanted);
    let definition = ClientDefinition::of(wanted).expect("valid");
    Client { id: ClientId::from_uuid(Uuid::from_u128(7)), definition, secrets: Vec::new(), version: 1 }
}

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Parameters::of(pairs).expect("few")
}

/// A good request, with other parameters in place of some, and without those that are empty.
fn read_of(client: &Client, changed: &[(&str, &str)]) -> Result<AuthorizationRequest, OAuthError> {
    let usual = [
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid orders:read"),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let is_changed = |name: &str| changed.iter().any(|(other, _)| *other == name);
    let kept = usual.into_iter().filter(|(name, _)| !is_changed(name));
    let pairs: Vec<_> = kept.chain(changed.iter().copied()).collect();
    let parameters = parameters(&pairs);
    let destination = Destination::of(client, &parameters)?;
    AuthorizationRequest::read(client, destination, &parameters)
}

fn read(changed: &[(&str, &str)]) -> Result<AuthorizationRequest, OAuthCode> {
    read_of(&client(|_| ()), changed).map_err(|error| error.code)
}

fn code(changed: &[(&str, &str)]) -> Option<OAuthCode> {
    read(changed).err()
}

#[test]
fn a_whole_request_is_read() {
    let request = read(&[
        ("scope", "openid email offline_access orders:read admin"),
        ("response_mode", "form_post"),
        ("prompt", "login consent"),
        ("max_age", "0"),
        ("nonce", "n-0S6"),
        ("login_hint", "ada@example.com"),
        ("ui_locales", "es-MX en <script> es"),
        ("resource", "https://api.example.com/"),
        ("claims", r#"{"id_token":{"email":null}}"#),
        ("display", "page"),
    ]);
    let request = request.expect("good");
    assert_eq!(
        request.scope.to_string(),
        "email offline_access openid orders:read",
        "what is unknown is ignored"
    );
    assert_eq!(request.destination.response_mode, ResponseMode::FormPost);
    assert!(
        request.prompts(Prompt::Login) && request.prompts(Prompt::Consent) && !request.prompts(Prompt::None)
    );
    assert_eq!((request.max_age, request.nonce.as_deref()), (Some(0), Some("n-0S6")));
    assert_eq!(request.ui_locales, ["es-MX", "en", "es"]);
    assert_eq!(request.resources, ["https://api.example.com/"]);
    assert!(request.is_of_openid() && request.claims.id_token.contains("email"));
    assert_eq!(request.destination.state.as_deref(), Some("xyz"));
}

#[test]
fn what_is_wrong_has_the_code_of_the_standard() {
    use OAuthCode::{
        InvalidRequest, InvalidScope, InvalidTarget, RequestNotSupported, RequestUriNotSupported,
    };
    use OAuthCode::{RegistrationNotSupported, UnsupportedResponseType};
    let long = "x".repeat(1_025);
    let cases: &[(&[(&str, &str)], OAuthCode)] = &[
        (&[("response_type", "")], InvalidRequest),
        (&[("response_type", "token")], UnsupportedResponseType),
        (&[("response_type", "code id_token")], UnsupportedResponseType),
        (&[("response_mode", "query.jwt")], InvalidRequest),
        (&[("scope", "admin")], InvalidScope),
        (&[("scope", "openid  email")], InvalidScope),
        (&[("resource", "https://other.example/")], InvalidTarget),
        (&[("resource", "relative")], InvalidTarget),
        (&[("prompt", "none login")], InvalidRequest),
        (&[("prompt", "maybe")], InvalidRequest),
        (&[("max_age", "-1")], InvalidRequest),
        (&[("max_age", "soon")], InvalidRequest),
        (&[("nonce", &long)], InvalidRequest),
        (&[("state", &long)], InvalidRequest),
        (&[("login_hint", &long)], InvalidRequest),
        (&[("claims", "[]")], InvalidRequest),
        (&[("request", "a.b.c")], RequestNotSupported),
        (&[("request_uri", "https://app.example.com/request")], RequestUriNotSupported),
        (&[("registration", "{}")], RegistrationNotSupported),
        (&[("scope", "openid"), ("scope", "openid")], InvalidRequest),
        (&[("anything", "1"), ("anything", "2")], InvalidRequest),
    ];
    for (changed, expected) in cases {
        assert_eq!(code(changed), Some(*expected), "{changed:?}");
    }
}

/// PKCE downgrade (RFC 9700 §2.1.1): nothing but S256, and nothing is needed only where the client was registered so.
#[test]
fn pkce_is_needed_and_with_sha_256() {
    for bad in [
        &[("code_challenge", ""), ("code_challenge_method", "")][..],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "plain")],
        &[("code_challenge", "short")],
    ] {
        assert_eq!(code(bad), Some(OAuthCode::InvalidRequest), "{bad:?}");
    }
    let without = client(|wanted| wanted.require_pkce = Some(false));
    assert!(read_of(&without, &[("code_challenge", ""), ("code_challenge_method", "")]).is_ok());
    assert!(read_of(&without, &[("code_challenge_method", "plain")]).is_err());
    assert!(read_of(&without, &[("code_challenge", "")]).is_err(), "a method alone");
}

#[test]
fn where_the_answer_goes_must_be_certain() {
    let destination = |pairs: &[(&str, &str)]| Destination::of(&client(|_| ()), &parameters(pairs)).ok();
    assert!(destination(&[("redirect_uri", CALLBACK)]).is_some());
    assert!(destination(&[]).is_none());
    assert!(destination(&[("redirect_uri", "https://evil.example/")]).is_none());
    assert!(destination(&[("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)]).is_none());
    let strange =
        destination(&[("redirect_uri", CALLBACK), ("response_mode", "x"), ("state", "1"), ("state", "2")]);
    let strange = strange.expect("certain");
    assert!(strange.response_mode == ResponseMode::Query && strange.state.is_none());
}

#[test]
fn a_client_without_the_grant_is_refused() {
    let mut other = client(|_| ());
    other.definition.grant_types.clear();
    assert_eq!(read_of(&other, &[]).err().map(|error| error.code), Some(OAuthCode::UnauthorizedClient));
    let mut without_refresh = client(|_| ());
    without_refresh.definition.grant_types.remove(&GrantType::RefreshToken);
    let request = read_of(&without_refresh, &[("scope", "openid offline_access")]).expect("good");
    assert_eq!(request.scope.to_string(), "openid");
}

proptest! {
    #[test]
    fn never_panics(name in "[a-z_]{1,20}", value in "\\PC{0,60}") {
        let known = ["response_type", "redirect_uri", "scope", "state", "prompt", "max_age", "claims", "resource"];
        for known in known.into_iter().chain([name.as_str()]) {
            let _ = code(&[(known, &value)]);
        }
    }
}

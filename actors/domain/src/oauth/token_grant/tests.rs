use super::*;
use crate::id::{ClientId, SessionId, UserId};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::{AuthMethod, ClientChange, ClientDefinition, Terms};
use crate::randomness::testing::Counting;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ISSUER: &str = "https://id.example.com/t/acme";
const CALLBACK: &str = "https://app.example.com/callback";
const API: &str = "https://api.example.com/";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const GRACE: Duration = Duration::from_secs(10);

fn client(number: u128) -> Client {
    let wanted = ClientChange {
        name: Some("app".to_owned()),
        scopes: Some(vec!["orders:read".to_owned()]),
        resources: Some(vec![API.to_owned(), "urn:example:ledger".to_owned()]),
        redirect_uris: Some(vec![CALLBACK.to_owned()]),
        ..ClientChange::default()
    };
    let definition = ClientDefinition::of(wanted).expect("valid");
    Client { id: ClientId::from_uuid(Uuid::from_u128(number)), definition, secrets: Vec::new(), version: 1 }
}

fn authorization() -> Authorization {
    Authorization {
        id: AuthorizationId::from_uuid(Uuid::from_u128(1)),
        client: client(7).id,
        user: UserId::from_uuid(Uuid::from_u128(2)),
        session: SessionId::from_uuid(Uuid::from_u128(3)),
        terms: Terms {
            redirect_uri: CALLBACK.to_owned(),
            scope: ScopeSet::of_parameter("openid orders:read").expect("valid"),
            resources: Vec::new(),
            code_challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            nonce: None,
            claims: Default::default(),
            authenticated_at: NOW,
            amr: vec!["pwd".to_owned()],
            dpop_jkt: None,
        },
        code_expires_at: NOW.plus(Duration::from_secs(60)),
        redeemed_at: None,
        generation: 0,
        rotated_at: None,
        refresh_expires_at: NOW,
        proof_key: None,
        revoked: false,
        version: 1,
    }
}

/// As it is once its code was used and its refresh token replaced `generation - 1` times, the last time just now.
fn redeemed(generation: u32) -> Authorization {
    Authorization {
        redeemed_at: Some(NOW),
        generation,
        rotated_at: (generation > 1).then_some(NOW),
        refresh_expires_at: NOW.plus(Duration::from_secs(2_592_000)),
        ..authorization()
    }
}

fn presented() -> CodePresented<'static> {
    CodePresented { redirect_uri: Some(CALLBACK), code_verifier: Some(VERIFIER) }
}

fn redeem_with(
    authorization: &Authorization,
    presented: CodePresented<'_>,
    wish: TokenWish<'_>,
) -> Decision<Outcome> {
    redeem(authorization, &client(7), presented, wish, ISSUER, NOW, &Counting::default())
}

fn refresh_at(authorization: &Authorization, generation: u32, now: Timestamp) -> Decision<Outcome> {
    let wish = TokenWish::default();
    refresh(authorization, &client(7), generation, wish, GRACE, ISSUER, now, &Counting::default())
}

fn granted(decision: Decision<Outcome>) -> GrantedTokens {
    match decision.reply {
        Outcome::Granted(granted) => *granted,
        Outcome::Refused(error) => panic!("{error}"),
    }
}

fn refused(decision: &Decision<Outcome>) -> OAuthCode {
    match &decision.reply {
        Outcome::Refused(error) => error.code,
        Outcome::Granted(_) => panic!("granted"),
    }
}

/// Whether a decision ends all that came of the grant.
fn ends_all(decision: &Decision<Outcome>) -> bool {
    matches!(decision.writes[..], [Write::Authorized(AuthorizedWrite::Revoke { .. })])
}

#[test]
fn a_code_gets_tokens() {
    let decision = redeem_with(&authorization(), presented(), TokenWish::default());
    assert!(matches!(
        decision.writes[..],
        [Write::Authorized(AuthorizedWrite::Advance {
            generation: 1,
            redeemed_at: NOW,
            expected_version: 1,
            ..
        })]
    ));
    let tokens = granted(decision);
    assert_eq!((tokens.refresh_generation, tokens.id_token, tokens.expires_in), (Some(1), true, 3_600));
    let everybody = TokenAudience::Several(vec![API.into(), ISSUER.into(), "urn:example:ledger".into()]);
    assert_eq!((tokens.access.aud, tokens.access.scope.as_str()), (everybody, "openid orders:read"));
    let narrow = TokenWish { scope: Some("orders:read"), resources: &[API], key: None };
    let tokens = granted(redeem_with(&authorization(), presented(), narrow));
    assert_eq!(
        (tokens.access.aud, tokens.access.scope.as_str()),
        (TokenAudience::One(API.into()), "orders:read")
    );
}

/// Code injection and replay, PKCE downgrade, mix-up of redirect URIs (RFC 9700 §4.5, §2.1.1).
#[test]
fn a_code_is_good_once_for_who_asked_for_it_as_it_was_asked_for() {
    let code = authorization();
    let wish = TokenWish::default();
    for wrong in [
        CodePresented { code_verifier: None, ..presented() },
        CodePresented { code_verifier: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), ..presented() },
        CodePresented { redirect_uri: Some("https://app.example.com/other"), ..presented() },
    ] {
        let decision = redeem_with(&code, wrong, wish);
        assert!(refused(&decision) == OAuthCode::InvalidGrant && decision.writes.is_empty());
    }
    granted(redeem_with(&code, CodePresented { redirect_uri: None, ..presented() }, wish));
    let other = redeem(&code, &client(8), presented(), wish, ISSUER, NOW, &Counting::default());
    assert!(refused(&other) == OAuthCode::InvalidGrant && other.writes.is_empty(), "another client's");
    let late =
        redeem(&code, &client(7), presented(), wish, ISSUER, code.code_expires_at, &Counting::default());
    assert_eq!(refused(&late), OAuthCode::InvalidGrant);
    let revoked = Authorization { revoked: true, ..authorization() };
    assert_eq!(refused(&redeem_with(&revoked, presented(), wish)), OAuthCode::InvalidGrant);
    let again = redeem_with(&redeemed(1), presented(), wish);
    assert!(refused(&again) == OAuthCode::InvalidGrant && ends_all(&again));
}

#[test]
fn without_a_challenge_a_verifier_is_refused_and_the_uri_needed() {
    let mut code = authorization();
    code.terms.code_challenge = None;
    let mut legacy = client(7);
    legacy.definition.require_pkce = false;
    let with = |client: &Client, presented| {
        redeem(&code, client, presented, TokenWish::default(), ISSUER, NOW, &Counting::default())
    };
    let without = CodePresented { code_verifier: None, ..presented() };
    granted(with(&legacy, without));
    assert_eq!(refused(&with(&legacy, presented())), OAuthCode::InvalidGrant);
    assert_eq!(refused(&with(&legacy, CodePresented::default())), OAuthCode::InvalidGrant);
    assert_eq!(refused(&with(&client(7), without)), OAuthCode::InvalidGrant, "it needs PKCE by now");
}

#[test]
fn a_refresh_token_is_replaced_and_an_old_one_ends_the_family() {
    let decision = refresh_at(&redeemed(1), 1, NOW);
    assert!(matches!(
        decision.writes[..],
        [Write::Authorized(AuthorizedWrite::Advance { generation: 2, rotated_at: Some(NOW), .. })]
    ));
    assert_eq!(granted(decision).refresh_generation, Some(2));

    let retry = refresh_at(&redeemed(2), 1, NOW.plus(GRACE - Duration::from_millis(1)));
    assert!(retry.writes.is_empty(), "nothing rotates");
    assert_eq!(granted(retry).refresh_generation, Some(2), "the current one once more");
    let too_late = refresh_at(&redeemed(2), 1, NOW.plus(GRACE));
    assert!(refused(&too_late) == OAuthCode::InvalidGrant && ends_all(&too_late));
    let older = refresh_at(&redeemed(3), 1, NOW);
    assert!(refused(&older) == OAuthCode::InvalidGrant && ends_all(&older));
}

#[test]
fn a_refresh_token_is_of_its_client_and_ends() {
    let family = redeemed(1);
    let by = |client: &Client, generation, now| {
        refresh(&family, client, generation, TokenWish::default(), GRACE, ISSUER, now, &Counting::default())
    };
    for (number, generation, now) in [(8, 1, NOW), (7, 2, NOW), (7, 1, family.refresh_expires_at)] {
        let decision = by(&client(number), generation, now);
        assert!(refused(&decision) == OAuthCode::InvalidGrant && decision.writes.is_empty());
    }
    let mut without = client(7);
    without.definition.grant_types.remove(&GrantType::RefreshToken);
    assert_eq!(refused(&by(&without, 1, NOW)), OAuthCode::InvalidGrant);
    let revoked = Authorization { revoked: true, ..redeemed(1) };
    assert_eq!(refused(&refresh_at(&revoked, 1, NOW)), OAuthCode::InvalidGrant);
    assert_eq!(refused(&refresh_at(&authorization(), 0, NOW)), OAuthCode::InvalidGrant, "no code was used");
}

#[test]
fn no_more_than_was_granted() {
    let asking = |scope: Option<&str>, resources: &[&str]| {
        let wish = TokenWish { scope, resources, key: None };
        let decision = refresh(&redeemed(1), &client(7), 1, wish, GRACE, ISSUER, NOW, &Counting::default());
        (refused(&decision), decision.writes.is_empty())
    };
    assert_eq!(asking(Some("openid email"), &[]), (OAuthCode::InvalidScope, true));
    assert_eq!(asking(None, &["https://other.example/"]), (OAuthCode::InvalidTarget, true));
    assert_eq!(asking(None, &[ISSUER]), (OAuthCode::InvalidTarget, true));
}

/// Sender constraint (RFC 9449): what was bound to a key is of no use without it.
#[test]
fn tokens_are_bound_to_the_key_that_is_proved() {
    let with = |key| TokenWish { key, ..TokenWish::default() };
    let tokens = granted(redeem_with(&authorization(), presented(), with(Some("k1"))));
    assert_eq!(tokens.access.cnf, Some(Confirmation { jkt: "k1".to_owned() }));
    assert_eq!(granted(redeem_with(&authorization(), presented(), with(None))).access.cnf, None);
    let mut bound = authorization();
    bound.terms.dpop_jkt = Some("k1".to_owned());
    for other in [None, Some("k2")] {
        let decision = redeem_with(&bound, presented(), with(other));
        assert!(refused(&decision) == OAuthCode::InvalidDpopProof && decision.writes.is_empty());
    }
    let mut must = client(7);
    must.definition.dpop_bound_access_tokens = true;
    let decision =
        redeem(&authorization(), &must, presented(), with(None), ISSUER, NOW, &Counting::default());
    assert_eq!(refused(&decision), OAuthCode::InvalidDpopProof);

    let mut public = client(7);
    public.definition.token_endpoint_auth_method = AuthMethod::None;
    let of_public = |authorization: &Authorization, key| {
        refresh(authorization, &public, 1, with(key), GRACE, ISSUER, NOW, &Counting::default())
    };
    let decision =
        redeem(&authorization(), &public, presented(), with(Some("k1")), ISSUER, NOW, &Counting::default());
    let [Write::Authorized(AuthorizedWrite::Advance { proof_key: Some(key), .. })] = &decision.writes[..]
    else {
        panic!("bound")
    };
    assert_eq!(key, "k1");
    let family = Authorization { proof_key: Some("k1".to_owned()), ..redeemed(1) };
    for other in [None, Some("k2")] {
        assert_eq!(refused(&of_public(&family, other)), OAuthCode::InvalidDpopProof);
    }
    granted(of_public(&family, Some("k1")));
}

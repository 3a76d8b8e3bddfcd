use super::*;
use crate::id::{ClientId, SessionId};
use crate::oauth::{ClientChange, ClientDefinition, Destination, ResponseMode, ScopeSet};
use uuid::Uuid;

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ADA: UserId = UserId::from_uuid(Uuid::from_u128(1));
const EVE: UserId = UserId::from_uuid(Uuid::from_u128(2));

fn client(first_party: bool) -> Client {
    let wanted = ClientChange {
        name: Some("app".to_owned()),
        redirect_uris: Some(vec!["https://app.example.com/cb".to_owned()]),
        first_party: Some(first_party),
        ..ClientChange::default()
    };
    let definition = ClientDefinition::of(wanted).expect("valid");
    Client { id: ClientId::from_uuid(Uuid::from_u128(7)), definition, secrets: Vec::new(), version: 1 }
}

fn scope(text: &str) -> ScopeSet {
    ScopeSet::of_parameter(text).expect("valid")
}

fn interaction(prompt: &[Prompt], max_age: Option<u32>) -> Interaction {
    let destination = Destination {
        redirect_uri: "https://app.example.com/cb".to_owned(),
        response_mode: ResponseMode::Query,
        state: None,
    };
    let request = AuthorizationRequest {
        client: client(false).id,
        destination,
        scope: scope("openid email"),
        resources: Vec::new(),
        code_challenge: None,
        nonce: None,
        prompt: prompt.iter().copied().collect(),
        max_age,
        login_hint: None,
        id_token_hint: None,
        ui_locales: Vec::new(),
        claims: Default::default(),
        dpop_jkt: None,
    };
    Interaction::new(request, START)
}

/// Somebody who authenticated so many seconds before the request began.
fn ada(seconds_before: i64) -> SignedInUser {
    SignedInUser {
        user: ADA,
        session: SessionId::from_uuid(Uuid::from_u128(3)),
        authenticated_at: Timestamp::from_millis(START.as_millis() - seconds_before * 1_000),
        amr: vec!["pwd".to_owned()],
    }
}

fn consent(text: &str, seconds_before: i64) -> ClientConsent {
    let given_at = Timestamp::from_millis(START.as_millis() - seconds_before * 1_000);
    ClientConsent { user: ADA, client: client(false).id, scope: scope(text), given_at }
}

fn step(interaction: &Interaction, user: Option<&SignedInUser>, consent: Option<&ClientConsent>) -> Step {
    next_step(interaction, &client(false), Known { user, hinted: None, consent }, START)
}

fn refused(step: Step) -> OAuthCode {
    match step {
        Step::Refuse(error) => error.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_user_signs_in_and_is_asked_once() {
    let plain = interaction(&[], None);
    assert_eq!(step(&plain, None, None), Step::SignIn);
    assert_eq!(step(&plain, Some(&ada(60)), None), Step::Consent);
    assert_eq!(step(&plain, Some(&ada(60)), Some(&consent("openid", 60))), Step::Consent, "more than before");
    assert_eq!(step(&plain, Some(&ada(60)), Some(&consent("openid email profile", 60))), Step::Authorize);
    let known = Known { user: Some(&ada(60)), hinted: None, consent: None };
    assert_eq!(next_step(&plain, &client(true), known, START), Step::Authorize, "the tenant's own");
}

#[test]
fn prompt_none_asks_nothing() {
    let quiet = interaction(&[Prompt::None], None);
    let all = consent("openid email", 60);
    assert_eq!(refused(step(&quiet, None, None)), OAuthCode::LoginRequired);
    assert_eq!(refused(step(&quiet, Some(&ada(60)), None)), OAuthCode::ConsentRequired);
    assert_eq!(step(&quiet, Some(&ada(60)), Some(&all)), Step::Authorize);
    let young = interaction(&[Prompt::None], Some(30));
    assert_eq!(refused(step(&young, Some(&ada(60)), Some(&all))), OAuthCode::LoginRequired);
}

#[test]
fn what_must_be_done_again_is_done_once() {
    let all = consent("openid email", 60);
    let login = interaction(&[Prompt::Login], None);
    assert_eq!(step(&login, Some(&ada(60)), Some(&all)), Step::SignIn);
    assert_eq!(step(&login, Some(&ada(0)), Some(&all)), Step::Authorize);
    for (max_age, before, expected) in
        [(30, 60, Step::SignIn), (60, 60, Step::Authorize), (0, 1, Step::SignIn), (0, 0, Step::Authorize)]
    {
        let bounded = interaction(&[], Some(max_age));
        assert_eq!(step(&bounded, Some(&ada(before)), Some(&all)), expected, "{max_age} {before}");
    }
    let asked = interaction(&[Prompt::Consent], None);
    assert_eq!(step(&asked, Some(&ada(60)), Some(&all)), Step::Consent);
    assert_eq!(step(&asked, Some(&ada(60)), Some(&consent("openid email", 0))), Step::Authorize);
    let known = Known { user: Some(&ada(60)), hinted: None, consent: None };
    assert_eq!(next_step(&asked, &client(true), known, START), Step::Consent, "also the tenant's own");
    let create = interaction(&[Prompt::Create], None);
    assert_eq!(step(&create, Some(&ada(60)), Some(&all)), Step::SignUp);
    assert_eq!(step(&create, Some(&ada(0)), Some(&all)), Step::Authorize);
}

#[test]
fn an_account_is_chosen_where_that_is_asked() {
    let all = consent("openid email", 60);
    let mut choose = interaction(&[Prompt::SelectAccount], None);
    assert_eq!(step(&choose, None, None), Step::SignIn);
    assert_eq!(step(&choose, Some(&ada(60)), Some(&all)), Step::SelectAccount);
    assert_eq!(step(&choose, Some(&ada(0)), Some(&all)), Step::Authorize, "signing in is choosing");
    choose.account_chosen = true;
    assert_eq!(step(&choose, Some(&ada(60)), Some(&all)), Step::Authorize);
    let mut both = interaction(&[Prompt::SelectAccount, Prompt::Login], None);
    assert_eq!(step(&both, Some(&ada(60)), Some(&all)), Step::SelectAccount);
    both.account_chosen = true;
    assert_eq!(step(&both, Some(&ada(60)), Some(&all)), Step::SignIn);
}

#[test]
fn another_user_than_the_one_who_is_meant_signs_in() {
    let (user, all) = (ada(60), consent("openid email", 60));
    let known = |hinted| Known { user: Some(&user), hinted: Some(hinted), consent: Some(&all) };
    let of = |prompt: &[Prompt], hinted| {
        next_step(&interaction(prompt, None), &client(false), known(hinted), START)
    };
    assert_eq!(of(&[], ADA), Step::Authorize);
    assert_eq!(of(&[], EVE), Step::SignIn);
    assert_eq!(refused(of(&[Prompt::None], EVE)), OAuthCode::LoginRequired);
}

#[test]
fn it_does_not_take_for_ever() {
    let plain = interaction(&[], None);
    assert!(!plain.is_over(START.plus(INTERACTION_LIFETIME - Duration::from_millis(1))));
    assert!(plain.is_over(START.plus(INTERACTION_LIFETIME)));
}

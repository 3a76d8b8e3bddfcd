use super::*;
use crate::authorization::RoleKey;
use crate::id::{OrganizationId, SessionId};
use crate::one_time::{NOT_CONFIRMED, UNUSABLE};
use crate::organization::{Candidate, OrganizationPolicy, OrganizationSlug, SignInMethod};
use crate::randomness::testing::Counting;
use crate::session::{AtLimit, ClientDescription, NotAdmitted, SessionWrite, Unmet};
use proptest::prelude::*;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_000);
const ACTIVE: MailAccount = MailAccount {
    state: AccountState::Active,
    has_address: true,
    address_proved: true,
    any_proved: true,
    has_password: true,
};

fn user() -> UserId {
    UserId::from_uuid(Uuid::from_u128(7))
}

fn address() -> EmailAddress {
    EmailAddress::parse("email", "ada@example.com").expect("valid")
}

fn stored(purpose: Purpose, user: Option<UserId>, sent: Option<u8>) -> StoredSecret {
    StoredSecret {
        id: [1; 32],
        purpose,
        user,
        email: address(),
        sent: sent.map(|byte| [byte; 32]),
        attempts: 0,
        expires_at: Timestamp::from_millis(2_000),
        used: false,
        version: 4,
    }
}

fn asked(known: bool, method: MailMethod) -> Decision<()> {
    let recipient = known.then(|| Recipient { user: user(), email: address() });
    let sent = Fresh { text: "12345678".into(), hash: [9; 32] };
    let ask = Ask { email: address(), recipient, method, challenge: [1; 32], sent };
    start(ask, (&RecoverySettings::default(), Language::En), NOW, &Counting::default())
}

#[test]
fn for_an_unknown_address_the_same_is_stored_and_nothing_is_mailed() {
    for method in [MailMethod::Link, MailMethod::Code] {
        let (known, unknown) = (asked(true, method), asked(false, method));
        assert!(matches!(unknown.writes[..], [Write::OneTime(OneTimeWrite::Issue(_))]));
        let [Write::OneTime(OneTimeWrite::Issue(secret)), Write::Mail(mail)] = &known.writes[..] else {
            panic!("{:?}", known.writes)
        };
        assert_eq!((secret.id, secret.sent, secret.purpose), ([1; 32], Some([9; 32]), method.purpose()));
        assert_eq!(mail.useful_until, secret.expires_at);
        assert_eq!(known.events[0].name(), unknown.events[0].name());
        assert_eq!(known.events[0].data(), serde_json::json!({ "method": method.as_str() }));
    }
}

#[test]
fn a_wrong_code_is_counted_and_recorded_whether_or_not_there_is_an_account() {
    for user in [Some(user()), None] {
        let secret = stored(Purpose::SignInCode, user, Some(9));
        let wrong = check(Some(&secret), Some(&[8; 32]), NOW).expect_err("wrong");
        assert_eq!((wrong.reply, wrong.writes.len(), wrong.events.len()), (UNUSABLE, 1, 1));
    }
    let secret = stored(Purpose::SignInCode, Some(user()), Some(9));
    assert!(check(Some(&secret), Some(&[9; 32]), NOW).is_ok());
    let waiting = check(Some(&secret), None, NOW).expect_err("nothing was presented");
    assert_eq!((waiting.reply, waiting.writes.len(), waiting.events.len()), (NOT_CONFIRMED, 0, 0));
    let nobody = stored(Purpose::SignInCode, None, Some(9));
    assert_eq!(check(Some(&nobody), Some(&[9; 32]), NOW).expect_err("nobody").reply, UNUSABLE);
    let other = stored(Purpose::ResetPassword, Some(user()), None);
    assert_eq!(check(Some(&other), None, NOW).expect_err("of another purpose").reply, UNUSABLE);
}

#[test]
fn a_confirmed_challenge_is_enough() {
    let link = stored(Purpose::SignInLink, Some(user()), Some(9));
    let decision = confirm(&link, user());
    assert!(matches!(
        decision.writes[..],
        [Write::OneTime(OneTimeWrite::Confirm { expected_version: 4, .. })]
    ));
    assert!(check(Some(&stored(Purpose::SignInLink, Some(user()), None)), None, NOW).is_ok());
}

fn run(
    account: Option<MailAccount>,
    purpose: Purpose,
    live: &[SessionId],
    policy: &SessionPolicy,
) -> Decision<SignInOutcome> {
    run_into(account, purpose, Sought::Nothing, (live, policy))
}

fn run_into(
    account: Option<MailAccount>,
    purpose: Purpose,
    sought: Sought<'_>,
    (live, policy): (&[SessionId], &SessionPolicy),
) -> Decision<SignInOutcome> {
    let secret = stored(purpose, Some(user()), Some(9));
    let seed = SessionSeed {
        session: SessionId::from_uuid(Uuid::from_u128(99)),
        refresh_hash: [0; 32],
        key_version: 1,
        client: ClientDescription::default(),
    };
    let by_mail = SignInByMail { secret: &secret, user: user(), account, language: Language::En };
    by_mail.decide(seed, sought, live, policy, NOW, &Counting::default())
}

fn kinds(decision: &Decision<SignInOutcome>) -> Vec<&'static str> {
    let kind = |write: &Write| match write {
        Write::OneTime(OneTimeWrite::Use { .. }) => "use",
        Write::Recovery(RecoveryWrite::EmailVerified { .. }) => "prove",
        Write::RevokeUserSessions { .. } => "revoke all",
        Write::RevokeSession { .. } => "revoke",
        Write::Recovery(RecoveryWrite::RemovePassword { .. }) => "forget",
        Write::Mail(_) => "mail",
        Write::InsertSession(_) => "begin",
        Write::Session(SessionWrite::WithinLimit { .. }) => "limit",
        _ => "something else",
    };
    decision.writes.iter().map(kind).collect()
}

#[test]
fn a_session_begins_together_with_the_use_of_what_was_sent() {
    for (purpose, amr) in [(Purpose::SignInLink, vec!["email"]), (Purpose::SignInCode, vec!["email", "otp"])]
    {
        let decision = run(Some(ACTIVE), purpose, &[], &SessionPolicy::default());
        assert_eq!(kinds(&decision), ["use", "prove", "begin"]);
        let SignInOutcome::SignedIn(Begun { amr: given, .. }) = decision.reply else { panic!("signed in") };
        assert_eq!(given, amr);
    }
}

#[test]
fn who_first_proves_an_address_is_rid_of_whoever_made_the_account() {
    let live = [SessionId::from_uuid(Uuid::from_u128(1))];
    let unproved = MailAccount { address_proved: false, any_proved: false, ..ACTIVE };
    let full = SessionPolicy { max_concurrent: 1, at_limit: AtLimit::RefuseNew, ..SessionPolicy::default() };
    let decision = run(Some(unproved), Purpose::SignInCode, &live, &full);
    assert_eq!(kinds(&decision), ["use", "prove", "revoke all", "forget", "mail", "begin", "limit"]);
    let SignInOutcome::SignedIn(Begun { ended, .. }) = &decision.reply else { panic!("signed in") };
    assert_eq!(ended[..], live);
    let proved = MailAccount { address_proved: false, ..ACTIVE };
    let decision = run(Some(proved), Purpose::SignInCode, &live, &SessionPolicy::default());
    assert_eq!(
        kinds(&decision),
        ["use", "prove", "begin"],
        "the account is somebody's who proved another one"
    );
    assert_eq!(decision.events[0].name(), "user.email_proved");
    let without = MailAccount { has_password: false, ..unproved };
    let decision = run(Some(without), Purpose::SignInLink, &[], &SessionPolicy::default());
    assert_eq!(kinds(&decision), ["use", "prove", "revoke all", "begin"]);
}

#[test]
fn an_account_that_may_not_be_used_or_lost_the_address_is_refused_and_nothing_is_used_up() {
    let with = |state| Some(MailAccount { state, ..ACTIVE });
    let policy = SessionPolicy::default();
    for (account, reason) in [
        (None, "unknown_address"),
        (Some(MailAccount { has_address: false, ..ACTIVE }), "unknown_address"),
        (with(AccountState::Blocked), "blocked"),
        (with(AccountState::Locked), "locked"),
        (with(AccountState::Deleted), "deleted"),
    ] {
        let decision = run(account, Purpose::SignInLink, &[], &policy);
        assert_eq!((decision.reply, decision.writes.len()), (SignInOutcome::Refused, 0));
        assert_eq!(decision.events[0].data(), serde_json::json!({ "reason": reason }));
    }
    let full = SessionPolicy { max_concurrent: 1, at_limit: AtLimit::RefuseNew, ..policy };
    let live = [SessionId::from_uuid(Uuid::from_u128(1))];
    let decision = run(Some(ACTIVE), Purpose::SignInLink, &live, &full);
    assert_eq!((decision.reply, decision.writes.len()), (SignInOutcome::TooManySessions, 0));
}

#[test]
fn a_session_by_mail_begins_in_an_organization_that_allows_the_way_or_uses_nothing_up() {
    let policy = OrganizationPolicy {
        allowed_methods: vec![SignInMethod::EmailCode],
        idle_seconds: Some(900),
        ..OrganizationPolicy::default()
    };
    let acme = Candidate {
        id: OrganizationId::from_uuid(Uuid::from_u128(5)),
        slug: OrganizationSlug::parse("slug", "acme").expect("valid"),
        role: RoleKey::member(),
        policy,
        policy_version: 1,
    };
    let of_tenant = SessionPolicy::default();
    let into = |account, purpose, sought| run_into(Some(account), purpose, sought, (&[], &of_tenant));
    let decision = into(ACTIVE, Purpose::SignInCode, Sought::Found(&acme));
    let [.., Write::InsertSession(new)] = &decision.writes[..] else { panic!("{:?}", decision.writes) };
    assert_eq!(new.seat.as_ref().map(|seat| seat.organization().id), Some(acme.id));
    assert_eq!(new.idle_expires_at, Timestamp::from_millis(901_000));
    for (purpose, sought, why) in [
        (Purpose::SignInLink, Sought::Found(&acme), NotAdmitted::Unmet(Unmet::Method)),
        (Purpose::SignInCode, Sought::Unknown, NotAdmitted::Unknown),
    ] {
        let decision = into(ACTIVE, purpose, sought);
        assert_eq!((decision.reply, decision.writes.len()), (SignInOutcome::NotAdmitted(why), 0));
        let blocked = MailAccount { state: AccountState::Blocked, ..ACTIVE };
        assert_eq!(into(blocked, purpose, sought).reply, SignInOutcome::Refused);
    }
}

#[test]
fn a_tenant_switches_each_way_off_by_itself() {
    let settings = RecoverySettings { sign_in_link: false, ..RecoverySettings::default() };
    assert_eq!(MailMethod::Link.check(&settings), Err(METHOD_OFF));
    assert_eq!(MailMethod::Code.check(&settings), Ok(()));
}

proptest! {
    #[test]
    fn codes_are_eight_digits(skip in 0_usize..64) {
        let randomness = Counting::default();
        (0..skip).for_each(|_| randomness.fill(&mut [0; 3]));
        let code = code(&randomness);
        prop_assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    }
}

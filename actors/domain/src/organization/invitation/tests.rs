use super::super::{ALREADY_MEMBER, NOT_PERMITTED, OrganizationWrite, Standing, UNKNOWN_ORGANIZATION};
use super::*;
use crate::audit::Actor;
use crate::decision::Write;
use crate::mail::Language;
use crate::organization::Membership;
use crate::randomness::testing::Counting;
use crate::recovery::Fresh;
use proptest::prelude::*;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_000);
const LATER: Timestamp = Timestamp::from_millis(2_000);

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(1))
}

fn user() -> UserId {
    UserId::from_uuid(Uuid::from_u128(7))
}

fn invitation(role: RoleKey, stored: InvitationState) -> Invitation {
    Invitation {
        id: InvitationId::from_uuid(Uuid::from_u128(3)),
        organization: organization(),
        email: EmailAddress::parse("email", "ada@example.com").expect("valid"),
        role,
        stored,
        expires_at: LATER,
        version: 4,
    }
}

fn letter(randomness: &Counting) -> Letter<'_> {
    const SETTINGS: &OrganizationSettings = &OrganizationSettings { invitation_days: 7 };
    Letter {
        fresh: Fresh { text: "secret".into(), hash: [5; 32] },
        organization_name: "Acme",
        language: Language::En,
        settings: SETTINGS,
        randomness,
    }
}

fn run(
    standing: &Standing,
    role: RoleKey,
    known: &Addressed,
    now: Timestamp,
) -> Result<Vec<&'static str>, Denial> {
    let email = EmailAddress::parse("email", "ada@example.com").expect("valid");
    let new = NewInvitation { email, role };
    let randomness = Counting::default();
    let decision = invite(standing, organization(), new, known, Actor::System, letter(&randomness), now)?;
    assert_eq!(decision.events.len(), 1);
    Ok(decision.writes.iter().map(kind).collect())
}

fn kind(write: &Write) -> &'static str {
    match write {
        Write::Organization(OrganizationWrite::Invitation(write)) => match write {
            InvitationWrite::Insert { .. } => "insert",
            InvitationWrite::Renew { .. } => "renew",
            InvitationWrite::End { .. } => "end",
        },
        Write::Organization(OrganizationWrite::InsertMember { .. }) => "member",
        Write::Mail(_) => "mail",
        _ => "other",
    }
}

#[test]
fn an_invitation_is_stored_and_sent_in_one_and_ends_what_had_expired() {
    let free = Addressed::default();
    assert_eq!(run(&Standing::Tenant, RoleKey::owner(), &free, NOW), Ok(vec!["insert", "mail"]));
    let pending = Some(invitation(RoleKey::member(), InvitationState::Pending));
    let known = Addressed { pending, is_member: false };
    assert_eq!(run(&Standing::Tenant, RoleKey::member(), &known, NOW), Err(INVITATION_PENDING));
    assert_eq!(run(&Standing::Tenant, RoleKey::member(), &known, LATER), Ok(vec!["end", "insert", "mail"]));
    let member = Addressed { is_member: true, ..known };
    assert_eq!(run(&Standing::Tenant, RoleKey::member(), &member, NOW), Err(ALREADY_MEMBER));
}

#[test]
fn the_mail_has_the_token_whose_hash_is_stored_and_says_how_long_it_is_good() {
    let randomness = Counting::default();
    let old = invitation(RoleKey::member(), InvitationState::Pending);
    let decision = resend(&Standing::Tenant, &old, letter(&randomness), LATER).expect("it may have expired");
    let [Write::Organization(OrganizationWrite::Invitation(renew)), Write::Mail(mail)] = &decision.writes[..]
    else {
        panic!("{:?}", decision.writes)
    };
    let end = LATER.plus(std::time::Duration::from_secs(7 * 86_400));
    let InvitationWrite::Renew { token, expires_at, expected_version, .. } = renew else {
        panic!("{renew:?}")
    };
    assert_eq!((*token, *expires_at, *expected_version), ([5; 32], end, 4));
    let message = serde_json::to_value(&mail.message).expect("serializes");
    assert_eq!((&message["token"], &message["minutes"]), (&"secret".into(), &10_080.into()));
}

#[test]
fn only_who_manages_members_invites_resends_and_revokes_and_nobody_above_their_own_role() {
    let free = Addressed::default();
    let member = Standing::Member(RoleKey::member());
    assert_eq!(run(&member, RoleKey::member(), &free, NOW), Err(NOT_PERMITTED));
    assert_eq!(run(&Standing::Stranger, RoleKey::member(), &free, NOW), Err(UNKNOWN_ORGANIZATION));
    let admin = Standing::Member(RoleKey::admin());
    assert_eq!(run(&admin, RoleKey::owner(), &free, NOW), Err(NOT_PERMITTED));
    assert!(run(&admin, RoleKey::admin(), &free, NOW).is_ok());
    let of_owner = invitation(RoleKey::owner(), InvitationState::Pending);
    let randomness = Counting::default();
    assert_eq!(revoke(&admin, &of_owner, NOW).expect_err("refused"), NOT_PERMITTED);
    let refused = resend(&admin, &of_owner, letter(&randomness), NOW).expect_err("refused");
    assert_eq!(refused, NOT_PERMITTED);
}

#[test]
fn what_has_ended_stays_so() {
    for stored in [
        InvitationState::Accepted,
        InvitationState::Declined,
        InvitationState::Revoked,
        InvitationState::Expired,
    ] {
        let ended = invitation(RoleKey::member(), stored);
        let randomness = Counting::default();
        let why = if stored == InvitationState::Expired { INVITATION_EXPIRED } else { INVITATION_ENDED };
        assert_eq!(accept(&ended, user(), None, NOW).expect_err("ended"), why);
        assert_eq!(decline(&ended, NOW).expect_err("ended"), why);
        assert_eq!(revoke(&Standing::Tenant, &ended, NOW).expect_err("ended"), INVITATION_ENDED);
        let resent = resend(&Standing::Tenant, &ended, letter(&randomness), NOW);
        assert_eq!(resent.expect_err("ended"), INVITATION_ENDED);
    }
}

#[test]
fn whoever_is_a_member_already_stays_what_they_are() {
    let open = invitation(RoleKey::admin(), InvitationState::Pending);
    let present =
        Membership { organization: organization(), user: user(), role: RoleKey::member(), version: 1 };
    let kinds = |decision: &crate::Decision<()>| decision.writes.iter().map(kind).collect::<Vec<_>>();
    assert_eq!(kinds(&accept(&open, user(), None, NOW).expect("open")), ["end", "member"]);
    assert_eq!(kinds(&accept(&open, user(), Some(&present), NOW).expect("open")), ["end"]);
}

#[test]
fn lives_are_bounded() {
    assert_eq!(OrganizationSettings::default().check(), Ok(()));
    for invitation_days in [0, 31] {
        assert!(OrganizationSettings { invitation_days }.check().is_err());
    }
}

proptest! {
    /// Whatever an invitation is and whenever it is answered: an answer is heard only in its life, and once.
    #[test]
    fn an_answer_is_heard_only_in_its_life(stored in 0..5_usize, at in 0_i64..4_000) {
        let all = [InvitationState::Pending, InvitationState::Accepted, InvitationState::Declined,
            InvitationState::Revoked, InvitationState::Expired];
        let (known, now) = (invitation(RoleKey::member(), all[stored]), Timestamp::from_millis(at));
        let open = stored == 0 && now < LATER;
        prop_assert_eq!(accept(&known, user(), None, now).is_ok(), open);
        prop_assert_eq!(decline(&known, now).is_ok(), open);
        prop_assert_eq!(known.state(now) == InvitationState::Pending, open);
    }
}

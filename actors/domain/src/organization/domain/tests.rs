use super::*;
use crate::decision::{Decision, Write};
use crate::id::UserId;
use crate::organization::{NOT_PERMITTED, OrganizationWrite, Standing, UNKNOWN_ORGANIZATION};
use crate::precondition::Precondition;
use crate::randomness::testing::Counting;
use proptest::prelude::*;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(9);

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(1))
}

fn domain(mode: DomainMode, role: RoleKey, verified: bool) -> ClaimedDomain {
    ClaimedDomain {
        id: DomainId::from_uuid(Uuid::from_u128(2)),
        organization: organization(),
        name: DomainName::parse("domain", "acme.example").expect("valid"),
        challenge: "abc".to_owned(),
        mode,
        role,
        verified,
        version: 3,
    }
}

fn kinds<R>(decision: &Decision<R>) -> Vec<&'static str> {
    let kind = |write: &Write| match write {
        Write::Organization(OrganizationWrite::Domain(write)) => match write {
            DomainWrite::Insert { .. } => "insert",
            DomainWrite::Update { .. } => "update",
            DomainWrite::Verify { .. } => "verify",
            DomainWrite::Stand { .. } => "stand",
            DomainWrite::Remove { .. } => "remove",
        },
        Write::Organization(OrganizationWrite::InsertMember { .. }) => "member",
        _ => "other",
    };
    decision.writes.iter().map(kind).collect()
}

#[test]
fn a_domain_is_proved_by_its_own_record_and_no_other() {
    let claimed = || domain(DomainMode::Automatic, RoleKey::member(), false);
    assert_eq!(claimed().record_name(), "_plinto-challenge.acme.example");
    let run = |found: &[&str]| {
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        verify(&Standing::Tenant, claimed(), &found, NOW).map(|decision| kinds(&decision))
    };
    assert_eq!(run(&["v=spf1 -all", "plinto-domain-verification=abc "]), Ok(vec!["verify"]));
    for wrong in [&[][..], &["abc"], &["plinto-domain-verification=abcd"], &["plinto-domain-verification="]] {
        assert_eq!(run(wrong), Err(DOMAIN_NOT_PROVED));
    }
    let proved = domain(DomainMode::Automatic, RoleKey::member(), true);
    assert!(verify(&Standing::Tenant, proved, &[], NOW).expect("stays so").writes.is_empty());
}

#[test]
fn only_who_manages_members_says_what_a_domain_does_and_not_above_their_own_role() {
    let new = |role: &str| NewDomain::parse("acme.example", "automatic", role).expect("valid");
    let run = |standing: &Standing, there| {
        let challenge = "abc".to_owned();
        claim(standing, organization(), new("admin"), there, challenge, NOW, &Counting::default())
            .map(|decision| kinds(&decision))
    };
    assert_eq!(run(&Standing::Tenant, 0), Ok(vec!["insert"]));
    assert_eq!(run(&Standing::Member(RoleKey::admin()), MOST_DOMAINS - 1), Ok(vec!["insert"]));
    assert_eq!(run(&Standing::Tenant, MOST_DOMAINS), Err(TOO_MANY_DOMAINS));
    assert_eq!(run(&Standing::Member(RoleKey::member()), 0), Err(NOT_PERMITTED));
    assert_eq!(run(&Standing::Stranger, 0), Err(UNKNOWN_ORGANIZATION));
    let owner = NewDomain::parse("gmail.com", "always", "owner").expect_err("all wrong");
    let codes: Vec<_> = owner.iter().map(|wrong| wrong.code).collect();
    assert_eq!(codes, ["public_mail_provider", "invalid_mode", "owner_by_domain"]);
    let released = release(
        &Standing::Member(RoleKey::member()),
        domain(DomainMode::Automatic, RoleKey::member(), true),
        &Precondition::None,
    );
    assert_eq!(released.expect_err("refused"), NOT_PERMITTED);
}

#[test]
fn a_change_says_which_fields_it_is_about() {
    let run = |mode: Option<&str>, role: Option<&str>| {
        let wanted = DomainChange::parse(mode, role).expect("valid");
        let known = domain(DomainMode::Automatic, RoleKey::member(), true);
        change(&Standing::Tenant, known, wanted, &Precondition::OneOf(vec![3]), NOW).expect("allowed")
    };
    assert!(run(Some("automatic"), Some("member")).writes.is_empty());
    let both = run(Some("suggested"), Some("admin"));
    assert_eq!(kinds(&both), ["update"]);
    assert_eq!(both.events[0].data()["fields"], serde_json::json!(["mode", "role"]));
}

proptest! {
    /// Whoever joins by a domain joins one that was proved and is to do that, as anything but an owner.
    #[test]
    fn nobody_joins_by_a_domain_that_does_not_admit(automatic: bool, verified: bool, owner: bool) {
        let mode = if automatic { DomainMode::Automatic } else { DomainMode::Suggested };
        let role = if owner { RoleKey::owner() } else { RoleKey::member() };
        let user = UserId::from_uuid(Uuid::from_u128(7));
        let decision = join(user, domain(mode, role, verified), NOW);
        let admits = automatic && verified && !owner;
        let expected: &[&str] = if admits { &["stand", "member"] } else { &[] };
        prop_assert_eq!(kinds(&decision), expected);
        prop_assert_eq!(decision.events.len(), expected.len());
    }
}

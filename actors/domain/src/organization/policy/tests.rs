use super::super::{NOT_PERMITTED, UNKNOWN_ORGANIZATION};
use super::*;
use serde_json::json;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(9);

fn stored(policy: OrganizationPolicy) -> StoredPolicy {
    StoredPolicy { organization: OrganizationId::from_uuid(Uuid::from_u128(1)), policy, version: 3 }
}

fn by(standing: &Standing, change: PolicyChange) -> Result<Decision<()>, PolicyRefused> {
    let present = stored(OrganizationPolicy { mfa_required: true, ..OrganizationPolicy::default() });
    let tenant = SessionPolicy::default();
    change_policy((standing, Ok(())), &present, change, &tenant, &Precondition::OneOf(vec![3]), NOW)
}

fn without_mfa() -> PolicyChange {
    PolicyChange { mfa_required: Some(None), ..PolicyChange::default() }
}

#[test]
fn methods_are_told_by_what_sessions_say_of_themselves() {
    let used = |amr: &[&str]| {
        let amr: Vec<String> = amr.iter().map(|&method| method.to_owned()).collect();
        let all =
            [SignInMethod::Password, SignInMethod::MagicLink, SignInMethod::EmailCode, SignInMethod::Passkey];
        all.into_iter().filter(|method| method.is_among(&amr)).collect::<Vec<_>>()
    };
    assert_eq!(used(&["pwd"]), [SignInMethod::Password]);
    assert_eq!(used(&["pwd", "otp", "mfa"]), [SignInMethod::Password], "a second factor is no code by mail");
    assert_eq!(used(&["email"]), [SignInMethod::MagicLink]);
    assert_eq!(used(&["email", "otp"]), [SignInMethod::EmailCode]);
    assert_eq!(used(&["email", "otp", "mfa"]), [SignInMethod::MagicLink, SignInMethod::EmailCode]);
    assert_eq!(used(&["hwk"]), [SignInMethod::Passkey]);
    assert_eq!(used(&["mfa"]), []);
}

#[test]
fn who_may_change_a_policy() {
    let refused = |standing| by(&standing, without_mfa()).map(|_| ());
    let denied = |denial| Err(PolicyRefused::Denied(denial));
    assert_eq!(refused(Standing::Member(RoleKey::member())), denied(NOT_PERMITTED));
    assert_eq!(refused(Standing::Stranger), denied(UNKNOWN_ORGANIZATION));
    for standing in [Standing::Tenant, Standing::Member(RoleKey::owner()), Standing::Member(RoleKey::admin())]
    {
        assert_eq!(refused(standing), Ok(()));
    }
}

#[test]
fn who_does_not_meet_a_policy_does_not_change_it() {
    let owner = Standing::Member(RoleKey::owner());
    let present = stored(OrganizationPolicy { mfa_required: true, ..OrganizationPolicy::default() });
    let refused = change_policy(
        (&owner, Err(Unmet::SecondFactor)),
        &present,
        without_mfa(),
        &SessionPolicy::default(),
        &Precondition::None,
        NOW,
    );
    assert_eq!(refused.expect_err("refused"), PolicyRefused::Unmet(Unmet::SecondFactor));
}

#[test]
fn what_is_left_out_stays_and_null_goes_back() {
    let wanted = PolicyChange {
        allowed_methods: Some(Some(vec![
            SignInMethod::Passkey,
            SignInMethod::Password,
            SignInMethod::Passkey,
        ])),
        idle_seconds: Some(Some(3_600)),
        ..PolicyChange::default()
    };
    let decision = by(&Standing::Tenant, wanted).expect("allowed");
    assert_eq!(
        decision.events[0].data(),
        json!({ "fields": ["policy.allowed_methods", "policy.idle_seconds"] })
    );
    let [Write::Organization(OrganizationWrite::SetPolicy { policy, expected_version: 3, .. })] =
        &decision.writes[..]
    else {
        panic!("{:?}", decision.writes);
    };
    assert!(policy.mfa_required, "left out");
    assert_eq!(policy.allowed_methods, [SignInMethod::Password, SignInMethod::Passkey]);
    let same = by(&Standing::Tenant, PolicyChange::default()).expect("allowed");
    assert!(same.writes.is_empty() && same.events.is_empty());
    let back = by(&Standing::Tenant, without_mfa()).expect("allowed");
    assert_eq!(back.events[0].data(), json!({ "fields": ["policy.mfa_required"] }));
}

#[test]
fn lifetimes_are_at_most_the_tenants() {
    let wrong = |idle: Option<u32>, absolute: Option<u32>| {
        let change = PolicyChange {
            idle_seconds: Some(idle),
            absolute_seconds: Some(absolute),
            ..PolicyChange::default()
        };
        match by(&Standing::Tenant, change) {
            Ok(_) => vec![],
            Err(PolicyRefused::Invalid(wrong)) => wrong.iter().map(|wrong| wrong.field).collect(),
            Err(other) => panic!("{other:?}"),
        }
    };
    let tenant = SessionPolicy::default();
    assert_eq!(wrong(None, None), Vec::<&str>::new());
    assert_eq!(wrong(Some(tenant.idle_seconds), Some(tenant.absolute_seconds)), Vec::<&str>::new());
    assert_eq!(wrong(Some(tenant.idle_seconds + 1), Some(60)), ["idle_seconds"]);
    assert_eq!(wrong(Some(599), Some(59)), ["idle_seconds", "absolute_seconds"]);
    assert_eq!(wrong(None, Some(tenant.absolute_seconds + 1)), ["absolute_seconds"]);
}

#[test]
fn a_stored_policy_is_read_as_it_was_written() {
    let policy = OrganizationPolicy {
        mfa_required: true,
        allowed_methods: vec![SignInMethod::MagicLink],
        idle_seconds: Some(900),
        absolute_seconds: None,
    };
    let text = serde_json::to_string(&policy).expect("serializes");
    assert_eq!(serde_json::from_str::<OrganizationPolicy>(&text).expect("reads"), policy);
    assert_eq!(
        serde_json::from_str::<OrganizationPolicy>("{}").expect("reads"),
        OrganizationPolicy::default()
    );
}

use super::super::tests::{CLIENT, CURRENT, NOW, by_client, seconds, session};
use super::super::{
    PresentedRefresh, RefreshOutcome, Session, SessionEnded, SwitchProof, reauthenticate, refresh, switch,
};
use super::*;
use crate::decision::{Decision, Write};
use crate::organization::{OrganizationPolicy, OrganizationSlug, SignInMethod};
use proptest::prelude::*;
use uuid::Uuid;

fn organization(number: u128) -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(number))
}

fn candidate(number: u128, policy: OrganizationPolicy) -> Candidate {
    Candidate {
        id: organization(number),
        slug: OrganizationSlug::parse("slug", &format!("org-{number}")).expect("valid"),
        role: RoleKey::member(),
        policy,
        policy_version: 1,
    }
}

fn with_mfa() -> OrganizationPolicy {
    OrganizationPolicy { mfa_required: true, ..OrganizationPolicy::default() }
}

fn of(methods: &[&str]) -> Session {
    Session { amr: methods.iter().map(|&method| method.to_owned()).collect(), ..session(3) }
}

fn into(session: &Session, candidate: &Candidate, now: Timestamp) -> Result<Session, NotAdmitted> {
    let (proof, sought) = (SwitchProof::AccessToken, Sought::Found(candidate));
    let decision = switch(session, proof, sought, [8; 32], &SessionPolicy::default(), now)?;
    Ok(session.after(&decision.writes))
}

#[test]
fn a_second_factor_is_asked_for_where_the_policy_says_so() {
    let acme = candidate(1, with_mfa());
    let refused = into(&of(&["pwd"]), &acme, NOW).expect_err("refused");
    assert_eq!(refused, NotAdmitted::Unmet(Unmet::SecondFactor));
    let active = into(&of(&["pwd", "otp", "mfa"]), &acme, NOW).expect("admitted").organization;
    assert_eq!(active.map(|active| active.id), Some(acme.id));
}

#[test]
fn one_of_the_allowed_methods_must_have_been_used() {
    let policy = OrganizationPolicy {
        allowed_methods: vec![SignInMethod::EmailCode, SignInMethod::Passkey],
        ..OrganizationPolicy::default()
    };
    let acme = candidate(1, policy);
    let refused = into(&of(&["pwd", "mfa"]), &acme, NOW).expect_err("refused");
    assert_eq!(refused, NotAdmitted::Unmet(Unmet::Method));
    assert!(into(&of(&["pwd", "hwk"]), &acme, NOW).is_ok());
}

#[test]
fn a_session_stays_active_as_long_as_the_sign_in_is_recent_enough() {
    let policy = OrganizationPolicy { absolute_seconds: Some(100), ..OrganizationPolicy::default() };
    let acme = candidate(1, policy);
    let active = into(&session(3), &acme, seconds(99)).expect("admitted");
    assert_eq!(active.organization.as_ref().expect("active").until, Some(seconds(100)));
    assert!(active.active_at(seconds(99)).is_some() && active.active_at(seconds(100)).is_none());
    let refused = into(&session(3), &acme, seconds(100)).expect_err("refused");
    assert_eq!(refused, NotAdmitted::Unmet(Unmet::Recent { max_age: 100 }));
    let tenant = SessionPolicy::default();
    let renewed = reauthenticate(&active, [8; 32], None, Some(&acme), &tenant, seconds(50));
    let renewed = active.after(&renewed.writes).organization.expect("stays");
    assert_eq!(renewed.until, Some(seconds(150)));
}

#[test]
fn a_session_in_an_organization_is_idle_as_soon_as_that_says_and_not_later_than_the_tenant_does() {
    let policy = OrganizationPolicy { idle_seconds: Some(900), ..OrganizationPolicy::default() };
    let active = into(&session(3), &candidate(1, policy), NOW).expect("admitted");
    assert_eq!(active.idle_expires_at, seconds(900));
    // The tenant allows less by now.
    let tenant = SessionPolicy { idle_seconds: 600, ..SessionPolicy::default() };
    let policy = OrganizationPolicy { idle_seconds: Some(900), ..OrganizationPolicy::default() };
    let acme = candidate(1, policy);
    let decision = refresh(&active, by_client(3), [8; 32], Some(&acme), &tenant, seconds(5));
    assert_eq!(active.after(&decision.writes).idle_expires_at, seconds(605));
}

#[test]
fn an_access_token_alone_prolongs_nothing_and_gets_no_refresh_token() {
    let late = Session { idle_expires_at: seconds(10), ..session(3) };
    let there = into(&late, &candidate(1, OrganizationPolicy::default()), NOW).expect("admitted");
    assert_eq!((there.generation, there.refresh_hash, there.idle_expires_at), (3, CURRENT, seconds(10)));
    assert_eq!((there.rotated_at, there.refresh_client, there.version), (Some(NOW), Some(CLIENT), 5));
    let tenant = SessionPolicy::default();
    let out = switch(&there, SwitchProof::AccessToken, Sought::Nothing, [8; 32], &tenant, NOW);
    let back = there.after(&out.expect("always").writes);
    assert_eq!((back.organization, back.idle_expires_at), (None, seconds(10)));
}

#[test]
fn what_is_so_already_is_not_written_again() {
    let acme = candidate(1, OrganizationPolicy::default());
    let there = into(&session(3), &acme, NOW).expect("admitted");
    let tenant = SessionPolicy::default();
    let again = |proof| switch(&there, proof, Sought::Found(&acme), [8; 32], &tenant, seconds(1));
    let Decision { writes, events, reply } = again(SwitchProof::AccessToken).expect("admitted");
    assert!(writes.is_empty() && events.is_empty() && reply == RefreshOutcome::Repeated);
    let Decision { writes, reply, .. } = again(SwitchProof::Refresh(by_client(2))).expect("admitted");
    assert!(writes.is_empty() && reply == RefreshOutcome::Repeated, "an honest retry");
    let Decision { writes, events, .. } = again(SwitchProof::Refresh(by_client(3))).expect("admitted");
    assert_eq!((writes.len(), events[0].name()), (1, "session.refreshed"));
}

#[test]
fn a_replaced_refresh_token_ends_the_session_whatever_organization_it_asks_for() {
    let acme = candidate(1, with_mfa());
    let stolen = SwitchProof::Refresh(PresentedRefresh { client: None, ..by_client(2) });
    let decision = switch(&session(3), stolen, Sought::Found(&acme), [8; 32], &SessionPolicy::default(), NOW)
        .expect("decided");
    assert_eq!(decision.reply, RefreshOutcome::ReuseDetected);
    assert!(session(3).after(&decision.writes).revoked);
}

#[test]
fn a_token_is_good_in_the_organization_and_role_it_names_only() {
    let there = into(&session(3), &candidate(1, OrganizationPolicy::default()), NOW).expect("admitted");
    let named = |number, role| NamedOrganization { id: organization(number), role, issued_at: 1_000 };
    let check =
        |session: &Session, named: Option<NamedOrganization>| session.check_token(named.as_ref(), NOW);
    assert_eq!(check(&there, Some(named(1, RoleKey::member()))), Ok(()));
    assert_eq!(check(&there, None), Ok(()), "it gives no right in any");
    let left = Err(SessionEnded::OrganizationLeft);
    assert_eq!(check(&there, Some(named(2, RoleKey::member()))), left);
    assert_eq!(check(&there, Some(named(1, RoleKey::owner()))), left, "no longer an owner");
    assert_eq!(check(&session(3), Some(named(1, RoleKey::member()))), left);
}

/// Whether a session meets a policy, written out once more.
fn meets(session: &Session, policy: &OrganizationPolicy, now: Timestamp) -> bool {
    let amr: Vec<&str> = session.amr.iter().map(String::as_str).collect();
    let has = |method: &str| amr.contains(&method);
    let allowed = policy.allowed_methods.iter().any(|method| match method {
        SignInMethod::Password => has("pwd"),
        SignInMethod::MagicLink => has("email") && (has("mfa") || !has("otp")),
        SignInMethod::EmailCode => has("email") && has("otp"),
        SignInMethod::Passkey => has("hwk"),
    });
    let age = now.as_millis() - session.authenticated_at.as_millis();
    (policy.allowed_methods.is_empty() || allowed)
        && (!policy.mfa_required || amr.contains(&"mfa"))
        && policy.absolute_seconds.is_none_or(|most| age < i64::from(most) * 1_000)
}

fn any_policy() -> impl Strategy<Value = OrganizationPolicy> {
    let methods =
        [SignInMethod::Password, SignInMethod::MagicLink, SignInMethod::EmailCode, SignInMethod::Passkey];
    let methods = prop_oneof![2 => Just(vec![]), 1 => prop::sample::subsequence(methods.to_vec(), 0..4)];
    let seconds = |most| prop::option::of(600_u32..most);
    (prop::bool::weighted(0.3), methods, seconds(4_000), seconds(9_000)).prop_map(
        |(mfa_required, allowed_methods, idle_seconds, absolute_seconds)| OrganizationPolicy {
            mfa_required,
            allowed_methods,
            idle_seconds,
            absolute_seconds,
        },
    )
}

/// What may happen to a session.
#[derive(Clone, Debug)]
enum Step {
    Refresh,
    Reauthenticate,
    Switch {
        to: Option<usize>,
        with_refresh: bool,
    },
    /// Another policy, or another role, or no membership any more, of one of the organizations.
    Policy(usize, OrganizationPolicy),
    Role(usize, bool),
    Membership(usize, bool),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Refresh),
        1 => Just(Step::Reauthenticate),
        4 => (prop::option::of(0_usize..2), any::<bool>())
            .prop_map(|(to, with_refresh)| Step::Switch { to, with_refresh }),
        1 => (0_usize..2, any_policy()).prop_map(|(of, policy)| Step::Policy(of, policy)),
        1 => (0_usize..2, any::<bool>()).prop_map(|(of, owner)| Step::Role(of, owner)),
        1 => (0_usize..2, any::<bool>()).prop_map(|(of, member)| Step::Membership(of, member)),
    ]
}

struct World {
    session: Session,
    organizations: [(Candidate, bool); 2],
}

impl World {
    fn member_of(&self, id: OrganizationId) -> Option<&Candidate> {
        self.organizations.iter().find(|(one, member)| one.id == id && *member).map(|(one, _)| one)
    }

    fn active(&self) -> Option<&Candidate> {
        self.session.organization.as_ref().and_then(|active| self.member_of(active.id))
    }

    /// What a session does; none if it changes something about organizations instead.
    fn decide(&self, step: &Step, now: Timestamp) -> Option<Vec<Write>> {
        let (session, tenant) = (&self.session, SessionPolicy::default());
        let presented = by_client(session.generation);
        let presented = PresentedRefresh { hash: session.refresh_hash, ..presented };
        let next = [7; 32];
        Some(match step {
            Step::Refresh => refresh(session, presented, next, self.active(), &tenant, now).writes,
            Step::Reauthenticate => reauthenticate(session, next, None, self.active(), &tenant, now).writes,
            Step::Switch { to, with_refresh } => {
                let sought = match to {
                    None => Sought::Nothing,
                    Some(to) => {
                        let id = self.organizations[*to].0.id;
                        self.member_of(id).map_or(Sought::Unknown, Sought::Found)
                    }
                };
                let proof = match with_refresh {
                    true => SwitchProof::Refresh(presented),
                    false => SwitchProof::AccessToken,
                };
                let decided = switch(session, proof, sought, next, &tenant, now);
                decided.map(|decision| decision.writes).unwrap_or_default()
            }
            Step::Policy(..) | Step::Role(..) | Step::Membership(..) => return None,
        })
    }

    fn change(&mut self, step: Step) {
        match step {
            Step::Policy(of, policy) => self.organizations[of].0.policy = policy,
            Step::Role(of, owner) => {
                self.organizations[of].0.role = if owner { RoleKey::owner() } else { RoleKey::member() };
            }
            Step::Membership(of, member) => self.organizations[of].1 = member,
            Step::Refresh | Step::Reauthenticate | Step::Switch { .. } => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever happens in whatever order: what a session is given names an organization only if its user belongs to
    /// it in that role, and if the session meets its policy then.
    #[test]
    fn no_path_yields_an_active_organization_whose_policy_is_not_met(
        amr in prop::sample::subsequence(vec!["pwd", "email", "otp", "hwk", "mfa"], 1..5),
        policies in (any_policy(), any_policy()),
        steps in prop::collection::vec((any_step(), 0_u64..3_000), 1..24),
    ) {
        let organizations =
            [(candidate(1, policies.0), true), (candidate(2, policies.1), true)];
        let mut world = World { session: of(&amr), organizations };
        let mut now = NOW;
        for (step, later) in steps {
            now = now.plus(Duration::from_secs(later));
            let Some(writes) = world.decide(&step, now) else {
                world.change(step);
                continue;
            };
            let next = world.session.after(&writes);
            if !writes.is_empty() && let Some(active) = &next.organization {
                let member = world.member_of(active.id);
                prop_assert!(member.is_some_and(|of| of.role == active.role), "{:?}", step);
                let policy = &member.expect("is one").policy;
                prop_assert!(meets(&next, policy, now), "{:?} into {:?}", step, policy);
                let idle = policy.idle_seconds.map(|idle| now.plus(Duration::from_secs(idle.into())));
                prop_assert!(idle.is_none_or(|idle| next.idle_expires_at <= idle));
                let age = policy.absolute_seconds.map(|age| Duration::from_secs(age.into()));
                prop_assert_eq!(active.until, age.map(|age| next.authenticated_at.plus(age)));
            }
            world.session = next;
            // What a token would name now, also without a write, such as after an honest retry.
            let tenant = SessionPolicy::default();
            if let Some(named) = world.session.named(world.active(), &tenant, now) {
                prop_assert!(meets(&world.session, &named.policy, now));
            }
        }
    }

    /// A session without a second factor is never admitted where one is asked for, whatever else the policy says.
    #[test]
    fn nobody_is_admitted_who_does_not_meet_the_policy(
        amr in prop::sample::subsequence(vec!["pwd", "email", "otp", "hwk", "mfa"], 0..5),
        policy in any_policy(),
        age in 0_u64..10_000,
    ) {
        let (session, now) = (of(&amr), seconds(age));
        let admitted = admit(&candidate(1, policy.clone()), session.proved(), &SessionPolicy::default(), now);
        prop_assert_eq!(admitted.is_ok(), meets(&session, &policy, now));
    }
}

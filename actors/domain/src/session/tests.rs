use super::*;
use proptest::prelude::*;
use uuid::Uuid;

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_000_000);
pub(super) const CURRENT: [u8; 32] = [7; 32];
pub(super) const CLIENT: [u8; 32] = [1; 32];

/// A session whose current token was made now, for [`CLIENT`].
pub(super) fn session(generation: u32) -> Session {
    Session {
        id: SessionId::from_uuid(Uuid::from_u128(1)),
        user: UserId::from_uuid(Uuid::from_u128(2)),
        authenticated_at: NOW,
        expires_at: SessionPolicy::default().expires_at(NOW),
        idle_expires_at: SessionPolicy::default().idle_expires_at(NOW),
        amr: vec!["pwd".into()],
        generation,
        refresh_hash: CURRENT,
        rotated_at: Some(NOW),
        refresh_client: Some(CLIENT),
        last_seen_at: NOW,
        revoked: false,
        organization: None,
        version: 4,
    }
}

fn decide(session: &Session, presented: PresentedRefresh, now: Timestamp) -> Decision<RefreshOutcome> {
    refresh(session, presented, [8; 32], None, &SessionPolicy::default(), now)
}

pub(super) fn by_client(generation: u32) -> PresentedRefresh {
    PresentedRefresh { generation, hash: CURRENT, client: Some(CLIENT) }
}

pub(super) fn seconds(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

#[test]
fn the_current_token_rotates_fenced_by_the_version() {
    let decision = decide(&session(3), by_client(3), NOW);
    assert_eq!(decision.reply, RefreshOutcome::Rotated);
    assert!(matches!(
        decision.writes[..],
        [Write::RotateRefresh {
            generation: 4,
            expected_version: 4,
            token_hash: [8, ..],
            at: NOW,
            client: Some(CLIENT),
            ..
        }]
    ));
}

#[test]
fn a_wrong_hash_of_the_current_generation_is_invalid_and_harmless() {
    let decision = decide(&session(3), PresentedRefresh { hash: [9; 32], ..by_client(3) }, NOW);
    assert_eq!(decision.reply, RefreshOutcome::Invalid);
    assert!(decision.writes.is_empty() && decision.events.is_empty());
}

#[test]
fn an_ended_session_neither_rotates_nor_repeats_nor_reports_reuse() {
    let mut ended = session(3);
    ended.revoked = true;
    for generation in [1, 2, 3] {
        let decision = decide(&ended, by_client(generation), NOW);
        assert_eq!(decision.reply, RefreshOutcome::Ended(SessionEnded::Revoked));
        assert!(decision.writes.is_empty() && decision.events.is_empty());
    }
    let later = session(3).idle_expires_at;
    let expired = decide(&session(3), by_client(3), later);
    assert_eq!(expired.reply, RefreshOutcome::Ended(SessionEnded::Expired));
    assert!(revoke(&ended, RevocationReason::SignOut, NOW).writes.is_empty());
}

#[test]
fn an_honest_retry_is_repeated_audited_and_changes_nothing() {
    for now in [NOW, seconds(9)] {
        let decision = decide(&session(3), by_client(2), now);
        assert_eq!(decision.reply, RefreshOutcome::Repeated);
        assert!(decision.writes.is_empty());
        assert!(matches!(decision.events[..], [Event::SessionRefreshRepeated { generation: 3, .. }]));
    }
}

#[test]
fn another_node_with_a_slower_clock_sees_the_same_retry() {
    let mut ahead = session(3);
    ahead.rotated_at = Some(seconds(2));
    assert_eq!(decide(&ahead, by_client(2), NOW).reply, RefreshOutcome::Repeated);
    ahead.rotated_at = Some(seconds(10));
    assert_eq!(decide(&ahead, by_client(2), NOW).reply, RefreshOutcome::ReuseDetected);
}

#[test]
fn a_retry_that_is_late_from_elsewhere_or_from_nobody_is_reuse() {
    let reuse = |session: &Session, presented, now| {
        let decision = decide(session, presented, now);
        assert_eq!(decision.reply, RefreshOutcome::ReuseDetected);
        let [Write::RevokeSession { reason: RevocationReason::RefreshReuse, .. }] = decision.writes[..]
        else {
            panic!("the family is not revoked: {:?}", decision.writes);
        };
    };
    reuse(&session(3), by_client(2), seconds(10));
    reuse(&session(3), by_client(1), NOW);
    reuse(&session(3), PresentedRefresh { client: Some([2; 32]), ..by_client(2) }, NOW);
    reuse(&session(3), PresentedRefresh { client: None, ..by_client(2) }, NOW);
    let unknown = Session { refresh_client: None, ..session(3) };
    reuse(&unknown, by_client(2), NOW);
    reuse(&unknown, PresentedRefresh { client: None, ..by_client(2) }, NOW);
    reuse(&Session { rotated_at: None, ..session(3) }, by_client(2), NOW);
}

fn client() -> impl Strategy<Value = Option<[u8; 32]>> {
    prop_oneof![Just(None), Just(Some(CLIENT)), Just(Some([2; 32]))]
}

prop_compose! {
    fn any_session()(
        generation in 1_u32..6,
        rotated_at in prop_oneof![Just(None), (-70_000_i64..70_000).prop_map(Some)],
        refresh_client in client(),
        revoked in prop::bool::weighted(0.1),
        idle_left in prop_oneof![9 => Just(3_600_000_i64), 1 => -5_i64..5],
        left in prop_oneof![9 => Just(7_200_000_i64), 1 => -5_i64..5],
    ) -> Session {
        let at = |millis: i64| Timestamp::from_millis(NOW.as_millis() + millis);
        Session {
            rotated_at: rotated_at.map(at),
            refresh_client,
            revoked,
            idle_expires_at: at(idle_left),
            expires_at: at(left),
            ..session(generation)
        }
    }
}

/// The decision table, written out once more.
fn model(session: &Session, presented: &PresentedRefresh, grace_millis: u64) -> RefreshOutcome {
    if session.revoked {
        return RefreshOutcome::Ended(SessionEnded::Revoked);
    }
    if session.expires_at <= NOW || session.idle_expires_at <= NOW {
        return RefreshOutcome::Ended(SessionEnded::Expired);
    }
    let predecessor = presented.generation + 1 == session.generation;
    let soon = session.rotated_at.is_some_and(|at| at.as_millis().abs_diff(NOW.as_millis()) < grace_millis);
    let known = session.refresh_client.is_some() && presented.client.is_some();
    let same = session.refresh_client == presented.client;
    match presented.generation.cmp(&session.generation) {
        std::cmp::Ordering::Greater => RefreshOutcome::Invalid,
        std::cmp::Ordering::Equal if presented.hash == session.refresh_hash => RefreshOutcome::Rotated,
        std::cmp::Ordering::Equal => RefreshOutcome::Invalid,
        std::cmp::Ordering::Less if predecessor && soon && known && same => RefreshOutcome::Repeated,
        std::cmp::Ordering::Less => RefreshOutcome::ReuseDetected,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_decision_is_the_table(
        session in any_session(),
        generation in 0_u32..7,
        right_hash: bool,
        client in client(),
        grace in prop_oneof![Just(0_u32), Just(10), Just(60)],
    ) {
        let hash = if right_hash { CURRENT } else { [9; 32] };
        let presented = PresentedRefresh { generation, hash, client };
        let policy = SessionPolicy { refresh_grace_seconds: grace, ..SessionPolicy::default() };
        let decision = refresh(&session, presented, [8; 32], None, &policy, NOW);
        prop_assert_eq!(decision.reply, model(&session, &presented, u64::from(grace) * 1_000));
        let (writes, events) = match decision.reply {
            RefreshOutcome::Rotated => (1, 1),
            RefreshOutcome::Repeated => (0, 1),
            RefreshOutcome::ReuseDetected => (1, 2),
            RefreshOutcome::Ended(_) | RefreshOutcome::Invalid => (0, 0),
        };
        prop_assert_eq!((decision.writes.len(), decision.events.len()), (writes, events));
    }

    #[test]
    fn a_generation_before_the_predecessor_always_revokes_the_family(
        presented in 1_u32..1000,
        since in 2_u32..1000,
    ) {
        let decision = decide(&session(presented + since), by_client(presented), NOW);
        prop_assert_eq!(decision.reply, RefreshOutcome::ReuseDetected);
    }
}

#[test]
fn a_sighting_is_written_down_once_in_a_while() {
    let mut session = session(1);
    assert!(!session.is_sighting_due(seconds(899)));
    assert!(session.is_sighting_due(seconds(900)));
    session.last_seen_at = seconds(900);
    assert!(!session.is_sighting_due(seconds(900)) && !session.is_sighting_due(NOW));
}

#[test]
fn who_authenticates_again_gets_the_next_token_of_the_same_session() {
    let decision = reauthenticate(&session(3), [8; 32], None, None, &SessionPolicy::default(), seconds(5));
    let Decision { writes, events, reply } = decision;
    assert_eq!(reply, RefreshOutcome::Rotated);
    assert!(matches!(
        writes[..],
        [Write::Session(SessionWrite::Reauthenticate {
            generation: 4,
            expected_version: 4,
            token_hash: [8, ..],
            ..
        })]
    ));
    assert_eq!(events[0].name(), "session.reauthenticated");
    let ended = Session { revoked: true, ..session(3) };
    let refused = reauthenticate(&ended, [8; 32], None, None, &SessionPolicy::default(), NOW);
    assert_eq!(refused.reply, RefreshOutcome::Ended(SessionEnded::Revoked));
    assert!(refused.writes.is_empty() && refused.events.is_empty());
}

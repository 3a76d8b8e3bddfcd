use crate::rig::*;
use plinto_runtime::{ActivationError, Deadline, NodeState, Refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[tokio::test(start_paused = true)]
async fn state_survives_passivation_and_is_resident_only_while_needed() {
    let rig = Rig::new().await;
    assert_eq!(rig.add(1, 0).await, Ok(1));
    assert_eq!(rig.add(1, 1).await, Ok(2));
    assert_eq!((rig.counters.live(), rig.counters.resident()), (1, 1));
    assert!(rig.counters.passivate(&1).await);
    assert_eq!((rig.counters.live(), rig.counters.resident()), (0, 0));
    assert!(rig.system.tree().nodes.is_empty(), "nothing is kept of a dormant key");
    assert_eq!(rig.world.stored(1), [(0, 0), (0, 1)]);
    assert_eq!(rig.add(1, 2).await, Ok(3));
    assert_eq!(rig.world.activations_of(1), 2);
    assert!(!rig.counters.passivate(&2).await, "there is none to leave");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn concurrent_activations_coalesce() {
    let rig = Rig::new().await;
    *rig.world.activation_time.lock() = SECOND;
    let calls = (0..50).map(|n| rig.add(7, n));
    let shared = rig.counters.shared(&7, soon());
    let (answers, shared) = futures::join!(futures::future::join_all(calls), shared);
    let expected: Vec<_> = (1..=50).map(Ok).collect();
    assert_eq!(answers, expected, "in the order they were sent");
    assert_eq!(shared.expect("it is live").load(Ordering::SeqCst), 50);
    assert_eq!(rig.world.activations_of(7), 1);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_activation_is_told_to_every_waiter() {
    let rig = Rig::new().await;
    *rig.world.activation_time.lock() = SECOND;
    rig.world.failing.lock().insert(1, ActivationError::Failed("row is damaged".into()));
    let refused = Arc::new(AtomicU64::new(0));
    let calls = futures::future::join_all((0..5).map(|n| rig.add(1, n)));
    let enter = rig.counters.enter(&1, soon());
    let note = async { rig.note(1, 9, &refused) };
    let (answers, enter, note) = futures::join!(calls, enter, note);
    assert_eq!(note, Ok(()));
    assert_eq!(refused.load(Ordering::SeqCst), 1, "the cast was told as well");
    for outcome in answers.into_iter().map(|a| a.map(drop)).chain([enter.map(drop)]) {
        let Err(Refusal::Unavailable { reason, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(&*reason, "row is damaged");
    }
    assert_eq!(rig.world.activations_of(1), 1);
    let node = &rig.system.tree().nodes[0];
    assert_eq!((node.state, node.in_flight), (NodeState::Failed, 0));
    assert_eq!(node.last_failure.as_deref(), Some("row is damaged"));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_no_failure() {
    let rig = Rig::new().await;
    rig.world.failing.lock().insert(1, ActivationError::NotFound);
    for n in 0..10 {
        assert_eq!(rig.add(1, n).await, Err(Refusal::NotFound));
    }
    assert!(rig.system.tree().nodes.is_empty());
    rig.world.failing.lock().clear();
    assert_eq!(rig.add(1, 0).await, Ok(1));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_dependency_quarantines_nobody() {
    let rig = Rig::new().await;
    rig.world.failing.lock().insert(1, ActivationError::Dependency("database is down".into()));
    for n in 0..10 {
        let outcome = rig.add(1, n).await;
        assert!(matches!(outcome, Err(Refusal::Unavailable { .. })), "{outcome:?}");
    }
    rig.world.failing.lock().clear();
    assert_eq!(rig.add(1, 0).await, Ok(1), "back at once");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_activation_that_hangs_or_panics_is_a_failure() {
    let rig = Rig::new().await;
    *rig.world.activation_time.lock() = 3600 * SECOND;
    let Err(Refusal::Unavailable { reason, .. }) = rig.add(1, 0).await else { panic!("it hangs") };
    assert_eq!(&*reason, "activation timed out");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_arrives_while_an_actor_leaves_is_replayed_in_order() {
    let rig = Rig::new().await;
    let refused = Arc::new(AtomicU64::new(0));
    assert_eq!(rig.add(1, 0).await, Ok(1));
    *rig.world.passivation_time.lock() = SECOND;
    let leaving = rig.counters.passivate(&1);
    let arriving = async {
        settle().await;
        assert_eq!(rig.system.tree().nodes[0].state, NodeState::Passivating);
        for n in 1..5 {
            assert_eq!(rig.note(1, n, &refused), Ok(()));
        }
        rig.read(1).await
    };
    let (left, seen) = futures::join!(leaving, arriving);
    assert!(left);
    assert_eq!(seen, (0..5).map(|n| (0, n)).collect::<Vec<_>>());
    assert_eq!((rig.world.activations_of(1), refused.load(Ordering::SeqCst)), (2, 0));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_draining_actor_waits_for_its_tasks_and_handles_their_output() {
    let rig = Rig::new().await;
    let later = rig.counters.call(&1, soon(), |reply| Ask::Later(5 * SECOND, (0, 0), reply));
    let leaving = async {
        settle().await;
        rig.counters.passivate(&1).await
    };
    let (later, left) = futures::join!(later, leaving);
    assert_eq!((later, left), (Ok(1), true));
    assert_eq!(rig.world.stored(1), [(0, 0)]);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_to_oneself_is_handled_before_leaving() {
    let rig = Rig::new().await;
    let refused = Arc::new(AtomicU64::new(0));
    let notes = Arc::clone(&refused);
    let sent = rig.counters.call(&1, soon(), |reply| Ask::ViaSelf((0, 3), notes, reply));
    let (sent, left) = futures::join!(sent, async {
        settle().await;
        rig.counters.passivate(&1).await
    });
    assert_eq!((sent, left), (Ok(()), true));
    assert_eq!((rig.world.stored(1), refused.load(Ordering::SeqCst)), (vec![(0, 3)], 0));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_actor_may_retire_itself() {
    let rig = Rig::new().await;
    assert_eq!(rig.counters.call(&1, soon(), Ask::Retire).await, Ok(()));
    settle().await;
    assert_eq!(rig.counters.resident(), 0);
    assert_eq!(rig.world.passivations.load(Ordering::SeqCst), 1);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn draining_by_predicate_leaves_the_others_alone() {
    let rig = Rig::new().await;
    for key in 0..10 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    assert_eq!(rig.counters.drain_where(|key| key % 2 == 0).await, 5);
    assert_eq!(rig.counters.live(), 5);
    assert!(rig.world.stored.lock().keys().all(|key| key % 2 == 0));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_deadline_travels_with_the_message() {
    let rig = Rig::new().await;
    let deadline = Deadline::after(17 * SECOND);
    let seen = rig.counters.call(&1, deadline, Ask::Deadline).await;
    assert_eq!(seen, Ok(deadline));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn casting_to_what_is_not_live_wakes_nobody() {
    let rig = Rig::new().await;
    let refused = Arc::new(AtomicU64::new(0));
    assert!(!rig.counters.cast_if_live(&1, Ask::Note((0, 0), Arc::clone(&refused))));
    assert_eq!(rig.counters.resident(), 0);
    assert_eq!(rig.add(1, 1).await, Ok(1));
    assert!(rig.counters.cast_if_live(&1, Ask::Note((0, 2), Arc::clone(&refused))));
    assert_eq!(rig.read(1).await, [(0, 1), (0, 2)]);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn casting_to_all_that_are_live_and_meant_wakes_nobody() {
    let rig = Rig::new().await;
    let refused = Arc::new(AtomicU64::new(0));
    for key in 1..=3 {
        assert_eq!(rig.add(key, 1).await, Ok(1));
    }
    let note = || Ask::Note((0, 2), Arc::clone(&refused));
    assert_eq!(rig.counters.cast_where_live(|key| *key != 2, note).await, 2);
    assert_eq!(rig.read(1).await, [(0, 1), (0, 2)]);
    assert_eq!(rig.read(2).await, [(0, 1)]);
    assert_eq!(rig.counters.cast_where_live(|key| *key > 3, note).await, 0);
    assert_eq!(rig.counters.resident(), 3);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_an_actor_shares_answers_only_while_nobody_else_has_business_with_it() {
    let rig = Rig::new().await;
    let seen = |shared: &AtomicU64| Some(vec![(9, shared.load(Ordering::SeqCst) as u32)]);
    let look = || rig.counters.look_or_call(&1, soon(), seen, Ask::Read);
    assert_eq!(look().await, Ok(vec![]), "it was not live yet");
    assert_eq!(rig.add(1, 1).await, Ok(1));
    assert_eq!(look().await, Ok(vec![(9, 1)]));
    let nothing = rig.counters.look_or_call(&1, soon(), |_| None, Ask::Read);
    assert_eq!(nothing.await, Ok(vec![(0, 1)]), "what is not found is asked for");
    // What was sent, and not handled yet, comes first, whoever waits for it.
    let refused = Arc::new(AtomicU64::new(0));
    assert!(rig.counters.cast_if_live(&1, Ask::Note((0, 2), Arc::clone(&refused))));
    assert_eq!(look().await, Ok(vec![(0, 1), (0, 2)]));
    let slow = rig.counters.call(&1, soon(), |reply| Ask::Slow(SECOND, (0, 3), reply));
    let (added, read) = tokio::join!(slow, look());
    assert_eq!((added, read), (Ok(3), Ok(vec![(0, 1), (0, 2), (0, 3)])));
    assert_eq!(look().await, Ok(vec![(9, 1)]));
    rig.counters.passivate(&1).await;
    assert_eq!(look().await, Ok(vec![(0, 1), (0, 2), (0, 3)]), "there was nobody to share anything");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn two_systems_do_not_know_of_each_other() {
    let (one, two) = (Rig::new().await, Rig::new().await);
    assert_eq!(one.add(1, 0).await, Ok(1));
    assert_eq!(two.add(1, 0).await, Ok(1));
    one.finish().await;
    assert_eq!(two.add(1, 1).await, Ok(2));
    two.finish().await;
}

use crate::rig::*;
use plinto_runtime::{Admission, Deadline, Rate, Refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

fn limited(rig: &Rig, in_flight: u32, rate: Option<Rate>) {
    *rig.world.admission.lock() = Some(Admission { in_flight, rate });
}

#[tokio::test(start_paused = true)]
async fn more_than_the_permits_is_refused_at_once_and_neighbours_do_not_notice() {
    let rig = Rig::new().await;
    limited(&rig, 2, None);
    let slow = |n| rig.counters.call(&1, soon(), move |reply| Ask::Slow(SECOND, (0, n), reply));
    let third = async {
        settle().await;
        let refused = rig.add(1, 9).await;
        (refused, rig.add(2, 0).await)
    };
    let (a, b, (refused, neighbour)) = futures::join!(slow(0), slow(1), third);
    assert_eq!((a, b, neighbour), (Ok(1), Ok(2), Ok(1)));
    assert_eq!(refused, Err(Refusal::Overloaded { retry_after: ms(250) }));
    assert_eq!(rig.add(1, 2).await, Ok(3), "permits come back with the replies");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_back_before_the_answer_is_read() {
    let rig = Rig::new().await;
    limited(&rig, 1, None);
    for n in 0..100 {
        assert_eq!(rig.add(1, n).await.map(drop), Ok(()));
    }
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_casts_permit_is_held_until_it_is_handled() {
    let rig = Rig::new().await;
    limited(&rig, 2, None);
    let refused = Arc::new(AtomicU64::new(0));
    let outcomes: Vec<_> = (0..3).map(|n| rig.note(1, n, &refused)).collect();
    assert_eq!(outcomes[..2], [Ok(()), Ok(())]);
    assert!(matches!(outcomes[2], Err(Refusal::Overloaded { .. })));
    assert_eq!(refused.load(Ordering::SeqCst), 1);
    settle().await;
    assert_eq!(rig.read(1).await, [(0, 0), (0, 1)]);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_revocation_reaches_an_overloaded_actor() {
    let rig = Rig::new().await;
    limited(&rig, 1, None);
    let refused = Arc::new(AtomicU64::new(0));
    let slow = rig.counters.call(&1, soon(), |reply| Ask::Slow(SECOND, (0, 0), reply));
    let (slow, sent) = futures::join!(slow, async {
        settle().await;
        rig.counters.cast_if_live(&1, Ask::Note((0, 1), Arc::clone(&refused)))
    });
    assert_eq!((slow, sent), (Ok(1), true));
    settle().await;
    assert_eq!(rig.read(1).await, [(0, 0), (0, 1)]);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_is_per_key_and_spares_internal_calls() {
    let rig = Rig::new().await;
    limited(&rig, 10, Some(Rate::new(1, 2)));
    assert_eq!(rig.add(1, 0).await, Ok(1));
    assert_eq!(rig.add(1, 1).await, Ok(2));
    assert_eq!(rig.add(1, 2).await, Err(Refusal::RateLimited { retry_after: SECOND }));
    assert!(matches!(rig.counters.enter(&1, soon()).await, Err(Refusal::RateLimited { .. })));
    assert_eq!(rig.add(2, 0).await, Ok(1), "another key");
    assert_eq!(rig.read(1).await.len(), 2, "an internal call");
    tokio::time::advance(SECOND).await;
    assert_eq!(rig.add(1, 3).await, Ok(3));
    let node = rig.system.tree().nodes[0].clone();
    let limiter = node.limiter.expect("the key has a limiter");
    assert_eq!((limiter.available, limiter.burst, limiter.refused), (0, 2, 2));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn passivation_hands_out_no_fresh_burst() {
    let rig = Rig::new().await;
    limited(&rig, 10, Some(Rate::new(1, 1)));
    assert_eq!(rig.add(1, 0).await, Ok(1));
    assert!(rig.counters.passivate(&1).await);
    assert!(matches!(rig.add(1, 1).await, Err(Refusal::RateLimited { .. })));
    assert_eq!(rig.counters.resident(), 0, "only the limiter is remembered");
    assert_eq!(rig.system.tree().nodes.len(), 1);
    tokio::time::sleep(3 * SECOND).await;
    assert!(rig.system.tree().nodes.is_empty(), "forgotten once it is full again");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn expired_work_is_dropped_before_it_runs() {
    let rig = Rig::new().await;
    let slow = rig.counters.call(&1, soon(), |reply| Ask::Slow(10 * SECOND, (0, 0), reply));
    let late = async {
        settle().await;
        let deadline = Deadline::after(SECOND);
        rig.counters.call(&1, deadline, |reply| Ask::Add((0, 1), reply)).await
    };
    let (slow, late) = futures::join!(slow, late);
    assert_eq!((slow, late), (Ok(1), Err(Refusal::DeadlineExceeded)));
    assert_eq!(rig.read(1).await, [(0, 0)]);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_already_wakes_nobody() {
    let rig = Rig::new().await;
    let late = Deadline::after(ms(0));
    assert_eq!(rig.counters.call(&1, late, Ask::Read).await, Err(Refusal::DeadlineExceeded));
    settle().await;
    assert_eq!(rig.world.activations_of(1), 0);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn abandoned_work_is_dropped_before_it_runs() {
    let rig = Rig::new().await;
    let slow = rig.counters.call(&1, soon(), |reply| Ask::Slow(10 * SECOND, (0, 0), reply));
    let abandoned = async {
        settle().await;
        let call = rig.counters.call(&1, soon(), |reply| Ask::Add((0, 1), reply));
        assert!(tokio::time::timeout(SECOND, call).await.is_err(), "the caller goes");
    };
    let (slow, ()) = futures::join!(slow, abandoned);
    assert_eq!(slow, Ok(1));
    assert_eq!(rig.read(1).await, [(0, 0)]);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn entering_counts_as_in_flight_and_reads_what_is_shared() {
    let rig = Rig::new().await;
    limited(&rig, 1, None);
    let entered = rig.counters.enter(&1, soon()).await.expect("it activates");
    assert!(matches!(rig.add(1, 0).await, Err(Refusal::Overloaded { .. })));
    assert_eq!(entered.shared.load(Ordering::SeqCst), 0);
    drop(entered.permit);
    assert_eq!(rig.add(1, 0).await, Ok(1));
    assert_eq!(entered.shared.load(Ordering::SeqCst), 1);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn room_is_strictly_bounded_under_an_activation_storm() {
    let rig = Rig::with(plinto_runtime::DirectoryConfig { max_live: 10, ..config() }).await;
    *rig.world.activation_time.lock() = ms(1);
    for wave in 0..20 {
        let calls = (0..10).map(|n| rig.add(wave * 10 + n, 0));
        let outcomes = futures::future::join_all(calls).await;
        assert!(outcomes.iter().all(Result::is_ok), "idle ones make room: {outcomes:?}");
        assert!(rig.counters.resident() <= 10);
    }
    assert_eq!(rig.world.passivations.load(Ordering::SeqCst), 190);
    let gate = Arc::new(Semaphore::new(0));
    let busy = (0..10).map(|n| {
        let gate = Arc::clone(&gate);
        let counters = rig.counters.clone();
        async move { counters.call(&n, soon(), |reply| Ask::Block(gate, reply)).await }
    });
    let newcomer = async {
        tokio::time::sleep(ms(10)).await;
        let refused = rig.add(1_000, 0).await;
        gate.add_permits(10);
        refused
    };
    let (busy, refused) = futures::join!(futures::future::join_all(busy), newcomer);
    assert!(busy.iter().all(Result::is_ok));
    assert!(matches!(refused, Err(Refusal::Overloaded { .. })), "{refused:?}");
    rig.finish().await;
}

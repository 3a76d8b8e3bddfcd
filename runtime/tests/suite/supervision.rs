use crate::rig::*;
use plinto_runtime::{NodeState, Refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn node(rig: &Rig, key: u32) -> plinto_runtime::TreeNode {
    let path = format!("/counters/{key}");
    rig.system.tree().nodes.into_iter().find(|node| node.path == path).expect("the key is known")
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_one_leaves_its_siblings_untouched() {
    let rig = Rig::new().await;
    for key in 0..20 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    let before = rig.system.tree().nodes;
    let outcome = rig.counters.call(&7, soon(), Ask::Panic).await;
    assert_eq!(outcome, Err(Refusal::Crashed));
    settle().await;
    let after = rig.system.tree().nodes;
    for (before, after) in before.iter().zip(&after).filter(|(node, _)| node.path != "/counters/7") {
        assert_eq!(before, after);
    }
    let fallen = node(&rig, 7);
    assert_eq!(fallen.state, NodeState::Restarting);
    assert_eq!(fallen.last_failure.as_deref(), Some("panicked: told to"));
    tokio::time::sleep(SECOND).await;
    let risen = node(&rig, 7);
    assert_eq!((risen.state, risen.restarts), (NodeState::Live, 1));
    assert_eq!(rig.world.activations_of(7), 2, "restarted without being asked");
    for key in (0..20).filter(|&key| key != 7) {
        assert_eq!((rig.add(key, 1).await, rig.world.activations_of(key)), (Ok(2), 1));
    }
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_fault_and_a_tasks_panic_kill_the_actor_too() {
    let rig = Rig::new().await;
    assert_eq!(rig.counters.call(&1, soon(), Ask::Fault).await, Err(Refusal::Crashed));
    settle().await;
    assert_eq!(node(&rig, 1).last_failure.as_deref(), Some("told to fail"));
    assert_eq!(rig.counters.call(&2, soon(), Ask::TaskPanic).await, Err(Refusal::Crashed));
    settle().await;
    assert_eq!(node(&rig, 2).last_failure.as_deref(), Some("panicked: told to in a task"));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn queued_work_of_a_crashed_incarnation_is_refused_and_later_work_waits_for_the_restart() {
    let rig = Rig::new().await;
    let refused = Arc::new(AtomicU64::new(0));
    assert_eq!(rig.add(1, 0).await, Ok(1));
    let crash = rig.counters.call(&1, soon(), Ask::Panic);
    let queued = async {
        let note = rig.note(1, 1, &refused);
        (note, rig.add(1, 2).await)
    };
    let (crash, (note, queued)) = futures::join!(crash, queued);
    assert_eq!((crash, note), (Err(Refusal::Crashed), Ok(())));
    assert_eq!(queued, Err(Refusal::Crashed));
    assert_eq!(refused.load(Ordering::SeqCst), 1, "the cast was told");
    settle().await;
    assert_eq!(node(&rig, 1).state, NodeState::Restarting);
    assert_eq!(rig.add(1, 3).await, Ok(1), "kept until the restart");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn tasks_die_with_their_actor() {
    let rig = Rig::new().await;
    let later = rig.counters.call(&1, soon(), |reply| Ask::Later(5 * SECOND, (0, 0), reply));
    let crash = async {
        settle().await;
        rig.counters.call(&1, soon(), Ask::Panic).await
    };
    let (later, crash) = futures::join!(later, crash);
    assert_eq!((later, crash), (Err(Refusal::Crashed), Err(Refusal::Crashed)));
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(rig.read(1).await, []);
    rig.finish().await;
}

async fn crash_until_quarantined(rig: &Rig) {
    for _ in 0..3 {
        assert_eq!(rig.counters.call(&1, soon(), Ask::Panic).await, Err(Refusal::Crashed));
        settle().await;
    }
    assert_eq!(node(rig, 1).state, NodeState::Quarantined);
}

#[tokio::test(start_paused = true)]
async fn too_many_crashes_quarantine_until_the_cool_down_passes() {
    let rig = Rig::new().await;
    crash_until_quarantined(&rig).await;
    assert_eq!(rig.counters.resident(), 0);
    let Err(Refusal::Unavailable { reason, retry_after }) = rig.add(1, 0).await else {
        panic!("it is quarantined")
    };
    assert_eq!(&*reason, "panicked: told to");
    assert!(retry_after <= 30 * SECOND && retry_after > 29 * SECOND);
    assert_eq!(rig.add(2, 0).await, Ok(1), "another key");
    tokio::time::sleep(31 * SECOND).await;
    assert_eq!(rig.add(1, 0).await, Ok(1));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_lifts_a_quarantine() {
    let rig = Rig::new().await;
    crash_until_quarantined(&rig).await;
    assert!(rig.system.reset("/counters/1"));
    assert_eq!(rig.add(1, 0).await, Ok(1));
    assert!(!rig.system.reset("/counters/1"), "there is nothing to clear any more");
    assert!(!rig.counters.reset(&2));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_a_backoff() {
    let rig = Rig::new().await;
    assert_eq!(rig.counters.call(&1, soon(), Ask::Panic).await, Err(Refusal::Crashed));
    settle().await;
    assert_eq!(node(&rig, 1).state, NodeState::Restarting);
    assert!(rig.counters.reset(&1));
    settle().await;
    assert_eq!(node(&rig, 1).state, NodeState::Live, "at once");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_activation_backs_off_then_quarantines() {
    let rig = Rig::new().await;
    let damaged = plinto_runtime::ActivationError::Failed("damaged".into());
    rig.world.failing.lock().insert(1, damaged);
    assert!(rig.add(1, 0).await.is_err());
    assert!(rig.add(1, 0).await.is_err());
    assert_eq!(rig.world.activations_of(1), 1, "not tried again within the backoff");
    tokio::time::sleep(SECOND).await;
    assert!(rig.add(1, 0).await.is_err());
    tokio::time::sleep(SECOND).await;
    assert!(rig.add(1, 0).await.is_err());
    assert_eq!((rig.world.activations_of(1), node(&rig, 1).state), (3, NodeState::Quarantined));
    rig.world.failing.lock().clear();
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(rig.add(1, 0).await, Ok(1));
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_injected_panic_takes_the_way_of_a_real_one() {
    let rig = Rig::new().await;
    assert!(!rig.counters.inject_panic(&1), "it is not live");
    assert_eq!(rig.add(1, 0).await, Ok(1));
    assert!(rig.system.inject_panic("/counters/1"));
    settle().await;
    assert_eq!(node(&rig, 1).last_failure.as_deref(), Some("panicked: injected fault"));
    assert_eq!(rig.add(1, 0).await, Ok(1), "restarted");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn failures_are_forgotten_with_the_window() {
    let rig = Rig::new().await;
    assert_eq!(rig.counters.call(&1, soon(), Ask::Panic).await, Err(Refusal::Crashed));
    tokio::time::sleep(30 * SECOND).await;
    assert_eq!(rig.counters.resident(), 0, "passivated as idle");
    assert_eq!(node(&rig, 1).state, NodeState::Dormant);
    assert!(node(&rig, 1).last_failure.is_some(), "still remembered");
    tokio::time::sleep(40 * SECOND).await;
    assert!(rig.system.tree().nodes.is_empty());
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_path_that_panics_takes_neither_its_actor_nor_the_shard_along() {
    let rig = Rig::with(plinto_runtime::DirectoryConfig { shards: 1, ..config() }).await;
    assert_eq!(rig.add(2, 0).await, Ok(1));
    rig.world.path_panics.store(true, Ordering::SeqCst);
    assert_eq!(rig.counters.call(&1, soon(), Ask::Panic).await, Err(Refusal::Crashed));
    assert_eq!(rig.add(1, 0).await, Ok(1), "restarted all the same");
    assert_eq!((rig.add(2, 1).await, rig.world.activations_of(2)), (Ok(2), 1));
    rig.world.path_panics.store(false, Ordering::SeqCst);
    rig.finish().await;
}

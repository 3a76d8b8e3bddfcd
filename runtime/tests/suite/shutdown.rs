use crate::rig::*;
use plinto_runtime::{DirectoryConfig, Refusal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

#[tokio::test(start_paused = true)]
async fn everything_queued_is_handled_and_stored() {
    let rig = Rig::new().await;
    let refused = Arc::new(AtomicU64::new(0));
    for key in 0..10 {
        for n in 0..10 {
            assert_eq!(rig.note(key, n, &refused), Ok(()));
        }
    }
    let report = rig.system.shutdown(10 * SECOND, 20 * SECOND).await;
    assert!(report.was_graceful());
    assert_eq!((report.drained, refused.load(Ordering::SeqCst)), (10, 0));
    for key in 0..10 {
        assert_eq!(rig.world.stored(key), (0..10).map(|n| (0, n)).collect::<Vec<_>>());
    }
    assert_eq!(rig.add(1, 0).await, Err(Refusal::Stopped));
    assert_eq!(rig.note(1, 0, &refused), Err(Refusal::Stopped));
    assert!(matches!(rig.counters.shared(&1, soon()).await, Err(Refusal::Stopped)));
    assert_eq!(rig.system.leaks(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn callers_drain_before_callees() {
    let rig = Rig::new().await;
    let world = Arc::new(World::default());
    *world.passivation_time.lock() = SECOND;
    let callers = rig.system.directory(Counter(Arc::clone(&world)), config()).await;
    let first = Arc::new(World::default());
    *first.passivation_time.lock() = SECOND;
    let ranked = DirectoryConfig { drain_rank: -1, ..config() };
    let ranked = rig.system.directory(Counter(Arc::clone(&first)), ranked).await;
    for directory in [&rig.counters, &callers, &ranked] {
        assert_eq!(directory.call(&1, soon(), |reply| Ask::Add((0, 0), reply)).await, Ok(1));
    }
    let shutdown = rig.system.shutdown(10 * SECOND, 20 * SECOND);
    let watch = async {
        tokio::time::sleep(ms(500)).await;
        let ranked_open = ranked.call(&1, soon(), Ask::Read).await.is_ok();
        let callers_open = callers.call(&1, soon(), Ask::Read).await.is_ok();
        tokio::time::sleep(SECOND).await;
        let callers_later = callers.call(&1, soon(), Ask::Read).await.is_ok();
        let callees_open = rig.add(1, 1).await.is_ok();
        (ranked_open, callers_open, callers_later, callees_open)
    };
    let (report, open) = futures::join!(shutdown, watch);
    assert_eq!(open, (false, true, false, true));
    assert_eq!((report.drained, report.was_graceful()), (3, true));
    assert_eq!(rig.world.stored(1), [(0, 0), (0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn after_the_soft_deadline_queued_work_is_refused_but_actors_store_themselves() {
    let rig = Rig::new().await;
    let slow = rig.counters.call(&1, soon(), |reply| Ask::Slow(15 * SECOND, (0, 0), reply));
    let queued = async {
        settle().await;
        rig.add(1, 1).await
    };
    let shutdown = async {
        tokio::time::sleep(ms(1)).await;
        rig.system.shutdown(10 * SECOND, 20 * SECOND).await
    };
    let (slow, queued, report) = futures::join!(slow, queued, shutdown);
    assert_eq!((slow, queued), (Ok(1), Err(Refusal::Stopped)));
    assert!(report.was_graceful() && report.took_ms >= 14_000, "{report:?}");
    assert_eq!(rig.world.stored(1), [(0, 0)]);
    assert_eq!(rig.system.leaks(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_hard_deadline_cuts_and_reports_what_it_cut() {
    let rig = Rig::new().await;
    let never = Arc::new(Semaphore::new(0));
    assert_eq!(rig.add(2, 0).await, Ok(1));
    let block = Arc::clone(&never);
    let stuck = rig.counters.call(&1, soon(), |reply| Ask::Block(block, reply));
    let queued = async {
        settle().await;
        rig.add(1, 1).await
    };
    let shutdown = async {
        tokio::time::sleep(ms(1)).await;
        rig.system.shutdown(SECOND, 3 * SECOND).await
    };
    let (stuck, queued, report) = futures::join!(stuck, queued, shutdown);
    assert_eq!((stuck, queued), (Err(Refusal::Stopped), Err(Refusal::Stopped)));
    assert_eq!((report.drained, report.cut.len()), (1, 1));
    assert_eq!((report.cut[0].kind.as_str(), report.cut[0].actors), ("counter", 1));
    assert_eq!(report.cut[0].paths, ["/counters/1"]);
    assert!(report.took_ms <= 3_200, "{report:?}");
    assert_eq!(rig.system.leaks(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_stuck_directory_does_not_keep_the_next_from_storing_itself() {
    let rig = Rig::new().await;
    let world = Arc::new(World::default());
    *world.passivation_time.lock() = 3600 * SECOND;
    let stuck = rig.system.directory(Counter(Arc::clone(&world)), config()).await;
    assert_eq!(stuck.call(&1, soon(), |reply| Ask::Add((0, 0), reply)).await, Ok(1));
    assert_eq!(rig.add(1, 0).await, Ok(1));
    *rig.world.passivation_time.lock() = SECOND;
    let report = rig.system.shutdown(SECOND, 5 * SECOND).await;
    assert_eq!((report.drained, report.cut.len()), (1, 1));
    assert_eq!(rig.world.stored(1), [(0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn an_activation_and_a_restart_under_way_do_not_outlive_a_shutdown() {
    let rig = Rig::new().await;
    assert_eq!(rig.counters.call(&1, soon(), Ask::Panic).await, Err(Refusal::Crashed));
    settle().await;
    *rig.world.activation_time.lock() = 3 * SECOND;
    let waiting = rig.add(2, 0);
    let shutdown = async {
        settle().await;
        rig.system.shutdown(10 * SECOND, 20 * SECOND).await
    };
    let (waiting, report) = futures::join!(waiting, shutdown);
    assert_eq!(waiting, Ok(1), "what was accepted is done");
    assert!(report.was_graceful(), "{report:?}");
    assert_eq!(rig.world.stored(2), [(0, 0)]);
    assert_eq!(rig.system.leaks(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_shutdown_shows_as_a_leak() {
    let rig = Rig::new().await;
    assert_eq!(rig.add(1, 0).await, Ok(1));
    let leaks = rig.system.leaks();
    assert!(leaks[0].contains("1 actors") && leaks[0].contains("/counters/1"), "{leaks:?}");
    rig.finish().await;
}

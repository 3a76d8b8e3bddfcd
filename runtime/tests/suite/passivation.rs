use crate::rig::*;
use plinto_runtime::DirectoryConfig;
use std::sync::atomic::Ordering;

#[tokio::test(start_paused = true)]
async fn idle_actors_leave_and_used_ones_stay() {
    let rig = Rig::new().await;
    for key in 0..100 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    for _ in 0..5 {
        tokio::time::sleep(5 * SECOND).await;
        assert!(rig.add(3, 0).await.is_ok());
    }
    assert_eq!(rig.counters.live(), 1);
    assert_eq!(rig.world.passivations.load(Ordering::SeqCst), 99);
    assert_eq!(rig.world.activations_of(3), 1);
    tokio::time::sleep(15 * SECOND).await;
    assert_eq!(rig.counters.live(), 0);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_or_pinned_actor_is_not_idle() {
    let rig = Rig::new().await;
    let entered = rig.counters.enter(&1, soon()).await.expect("it activates");
    assert_eq!(rig.add(2, 0).await, Ok(1));
    let pin = rig.counters.pin(&2).expect("it is live");
    assert!(rig.counters.pin(&3).is_none(), "it is not live");
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(rig.counters.live(), 2);
    drop((entered, pin));
    tokio::time::sleep(15 * SECOND).await;
    assert_eq!(rig.counters.live(), 0);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn over_the_cap_the_least_recently_used_leaves() {
    let rig = Rig::with(DirectoryConfig { max_live: 3, idle_after: 3600 * SECOND, ..config() }).await;
    for key in 0..3 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
        tokio::time::sleep(5 * SECOND).await;
    }
    assert_eq!(rig.add(0, 1).await, Ok(2), "used again");
    assert_eq!(rig.add(3, 0).await, Ok(1));
    assert_eq!((rig.counters.live(), rig.counters.resident()), (3, 3));
    assert_eq!(rig.world.stored.lock().keys().copied().collect::<Vec<_>>(), [1]);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn actors_that_were_drained_do_not_hide_the_idle_ones() {
    let rig = Rig::with(DirectoryConfig { max_live: 300, idle_after: 3600 * SECOND, ..config() }).await;
    // Far more drained ones stand before the idle ones than an eviction looks at.
    for key in 0..300 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    assert_eq!(rig.counters.drain_where(|_| true).await, 300);
    for key in 1_000..1_300 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    for key in 2_000..2_050 {
        assert_eq!(rig.add(key, 0).await, Ok(1), "an idle one makes room");
    }
    assert_eq!(rig.counters.live(), 300);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_cap_by_bytes_holds() {
    let each = 100_000 + DirectoryConfig::ACTOR_BYTES;
    let rig = Rig::with(DirectoryConfig { max_bytes: 5 * each, idle_after: 3600 * SECOND, ..config() }).await;
    *rig.world.weight.lock() = 100_000;
    for key in 0..20 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
        settle().await;
        assert!(rig.counters.live() <= 6);
    }
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(rig.counters.live(), 5);
    assert_eq!(rig.system.tree().kinds[0].bytes, 5 * each as u64);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn states_that_grow_are_weighed_again() {
    let rig = Rig::with(DirectoryConfig { max_bytes: 1_000_000, ..config() }).await;
    for key in 0..10 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    *rig.world.weight.lock() = 500_000;
    for key in 0..10 {
        assert_eq!(rig.add(key, 1).await, Ok(2));
    }
    tokio::time::sleep(2 * SECOND).await;
    assert!(rig.system.tree().kinds[0].bytes <= 1_000_000);
    assert!(rig.counters.live() < 10);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_waiter_for_room_is_served_although_the_leaving_actor_is_called_back() {
    let rig = Rig::with(DirectoryConfig { max_live: 2, ..config() }).await;
    for key in [1, 2] {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    *rig.world.passivation_time.lock() = ms(100);
    let started = tokio::time::Instant::now();
    let leaving = rig.counters.passivate(&1);
    let called_back = async {
        settle().await;
        rig.add(1, 1).await
    };
    let newcomer = async {
        settle().await;
        rig.add(3, 0).await
    };
    let (left, called_back, newcomer) = futures::join!(leaving, called_back, newcomer);
    assert_eq!((left, called_back, newcomer), (true, Ok(2), Ok(1)));
    assert!(started.elapsed() < SECOND, "{:?}", started.elapsed());
    assert_eq!(rig.world.stored(2), [(0, 0)], "the idle one made room");
    rig.finish().await;
}

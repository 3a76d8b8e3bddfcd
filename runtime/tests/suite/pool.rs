use crate::rig::*;
use futures::FutureExt;
use parking_lot::Mutex;
use plinto_runtime::{
    ActorSystem, Deadline, FairPool, FairSlots, GivingWay, PoolConfig, Refusal, SystemConfig,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn one_worker() -> PoolConfig {
    PoolConfig { name: "test", workers: 1, depth_per_key: 50, ..PoolConfig::default() }
}

/// Occupies the pool's one worker until the answer is dropped.
fn occupy(pool: &FairPool<u8, u32>) -> std::sync::mpsc::Sender<()> {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let pool = pool.clone();
    tokio::spawn(async move { pool.run(&99, 1, soon(), move |_| released.recv().is_err()).await });
    release
}

#[tokio::test]
async fn a_flooded_pool_serves_the_neighbour_next() {
    let pool = FairPool::start(one_worker(), || 0u32);
    let release = occupy(&pool);
    settle().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let job = |key: u8| {
        let order = Arc::clone(&order);
        let pool = pool.clone();
        async move { pool.run(&key, 1, soon(), move |_| order.lock().push(key)).await }
    };
    let flood: Vec<_> = (0..40).map(|_| tokio::spawn(job(0))).collect();
    settle().await;
    let neighbour = tokio::spawn(job(1));
    settle().await;
    drop(release);
    assert_eq!(neighbour.await.expect("it ends"), Ok(()));
    for job in flood {
        assert_eq!(job.await.expect("it ends"), Ok(()));
    }
    let place = order.lock().iter().position(|&key| key == 1).expect("it ran");
    assert!(place <= 1, "it waited for {place} jobs of the flood");
}

#[tokio::test]
async fn depth_is_bounded_per_key_and_the_gone_do_not_count() {
    let pool = FairPool::start(PoolConfig { depth_per_key: 2, ..one_worker() }, || 0u32);
    let release = occupy(&pool);
    settle().await;
    let mut first = Box::pin(pool.run(&0, 1, soon(), |_| 1));
    let mut second = Box::pin(pool.run(&0, 1, soon(), |_| 2));
    assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    let third = pool.run(&0, 1, soon(), |_| 3).await;
    assert!(matches!(third, Err(Refusal::Overloaded { .. })));
    drop(first);
    let mut fourth = Box::pin(pool.run(&0, 1, soon(), |_| 4));
    assert!(fourth.as_mut().now_or_never().is_none(), "the first one's place is free");
    drop(release);
    assert_eq!((second.await, fourth.await), (Ok(2), Ok(4)));
}

#[tokio::test]
async fn a_job_whose_caller_is_gone_or_late_does_not_run() {
    let pool = FairPool::start(one_worker(), || 0u32);
    let ran = Arc::new(AtomicU32::new(0));
    let job = || {
        let ran = Arc::clone(&ran);
        move |_: &mut u32| ran.fetch_add(1, Ordering::SeqCst)
    };
    let release = occupy(&pool);
    settle().await;
    assert!(pool.run(&0, 1, soon(), job()).now_or_never().is_none(), "queued, then its caller goes");
    let late = pool.run(&0, 1, Deadline::after(ms(5)), job()).await;
    assert_eq!(late.map(drop), Err(Refusal::DeadlineExceeded));
    drop(release);
    assert_eq!(pool.run(&1, 1, soon(), |_| ()).await, Ok(()));
    assert_eq!(pool.run(&0, 1, soon(), |_| ()).await, Ok(()));
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panicking_job_answers_crashed_and_the_worker_lives_on_with_a_new_local() {
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    let pool = FairPool::start(one_worker(), move || count.fetch_add(1, Ordering::SeqCst));
    for _ in 0..5 {
        assert_eq!(pool.run(&0, 1, soon(), |local| *local).await, Ok(0), "the local is kept");
    }
    let crashed = pool.run(&0, 1, soon(), |_| panic!("told to")).await;
    assert_eq!(crashed, Err::<(), _>(Refusal::Crashed));
    assert_eq!(pool.run(&0, 1, soon(), |local| *local).await, Ok(1));
    assert_eq!(made.load(Ordering::SeqCst), 2);
}

/// A pool of one thread of its own, and how many locals it has made.
fn giving_way(patience: Duration) -> (FairPool<u8, u32>, Arc<AtomicU32>) {
    let made = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&made);
    let giving_way = GivingWay { prepare: || (), patience };
    (FairPool::giving_way(one_worker(), giving_way, move || count.fetch_add(1, Ordering::SeqCst)), made)
}

fn on_own_thread(_: &mut u32) -> bool {
    std::thread::current().name() == Some("test")
}

#[tokio::test]
async fn what_gets_no_core_is_done_elsewhere_until_there_is_one_again() {
    let (pool, made) = giving_way(ms(1));
    assert_eq!(pool.run(&0, 1, soon(), on_own_thread).await, Ok(true));
    // The first run waits until it is let go, as on a machine without a core to spare.
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let (gate, runs) = (Mutex::new(gate), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&runs);
    let starved = move |local: &mut u32| {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        if run == 0 {
            gate.lock().recv().expect("let go");
        }
        (run, *local)
    };
    assert_eq!(pool.run_repeatable(&0, 1, soon(), starved).await, Ok((1, 1)), "the second run was faster");
    for _ in 0..3 {
        assert_eq!(pool.run(&0, 1, soon(), on_own_thread).await, Ok(false), "nobody waits for the first");
    }
    go.send(()).expect("it waits");
    while !pool.run(&0, 1, soon(), on_own_thread).await.expect("it runs") {}
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(made.load(Ordering::SeqCst), 2, "one for each of the two threads, kept");
}

#[tokio::test]
async fn what_can_be_done_once_only_is_waited_for() {
    let (pool, _) = giving_way(ms(1));
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let slow = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(&0, 1, soon(), move |_| gate.recv().is_ok()).await }
    });
    settle().await;
    let next = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run_repeatable(&0, 1, soon(), on_own_thread).await }
    });
    // Many times the patience.
    tokio::time::sleep(ms(50)).await;
    assert!(!next.is_finished());
    go.send(()).expect("it waits");
    assert_eq!((slow.await.expect("it ends"), next.await.expect("it ends")), (Ok(true), Ok(true)));
}

#[tokio::test]
async fn a_panic_on_a_thread_of_the_pools_own_is_the_callers() {
    let (pool, made) = giving_way(SECOND);
    let crashed = pool.run_repeatable(&0, 1, soon(), |_| panic!("told to")).await;
    assert_eq!(crashed, Err::<(), _>(Refusal::Crashed));
    assert_eq!(pool.run_repeatable(&0, 1, soon(), |local| *local).await, Ok(1), "and not the next one's");
    assert_eq!(made.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn paused_time_stands_still_while_a_job_runs() {
    let pool = FairPool::start(one_worker(), || ());
    let busy = |(): &mut ()| (0..2_000_000u64).fold(0u64, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
    let outcome = pool.run(&0u8, 1, Deadline::after(ms(1)), busy).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    let giving_way = GivingWay { prepare: || (), patience: SECOND };
    let pool = FairPool::giving_way(one_worker(), giving_way, || ());
    let outcome = pool.run(&0u8, 1, Deadline::after(ms(1)), busy).await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn slots_are_bounded_fair_and_given_back() {
    let slots = FairSlots::new(PoolConfig { depth_per_key: 10, ..one_worker() });
    let held = slots.acquire(&0u8, 1, soon()).await.expect("it is free");
    let order = Arc::new(Mutex::new(Vec::new()));
    let take = |key: u8| {
        let (slots, order) = (slots.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            let guard = slots.acquire(&key, 1, soon()).await?;
            order.lock().push(key);
            tokio::time::sleep(ms(1)).await;
            drop(guard);
            Ok::<(), Refusal>(())
        })
    };
    let mut tasks: Vec<_> = (0..10).map(|_| take(0)).collect();
    settle().await;
    let refused = slots.acquire(&0, 1, soon()).await;
    assert!(matches!(refused, Err(Refusal::Overloaded { .. })));
    let late = slots.acquire(&5, 1, Deadline::after(ms(10))).await;
    assert!(matches!(late, Err(Refusal::DeadlineExceeded)), "{late:?}");
    tasks.push(take(1));
    settle().await;
    drop(held);
    for task in tasks {
        assert_eq!(task.await.expect("it ends"), Ok(()));
    }
    let place = order.lock().iter().position(|&key| key == 1).expect("it had its turn");
    assert!(place <= 1, "it waited for {place} of the flood");
    assert!(slots.acquire(&9, 1, Deadline::after(ms(1))).await.is_ok(), "all given back");
}

#[tokio::test(start_paused = true)]
async fn pools_show_in_the_metrics() {
    let system = ActorSystem::start(SystemConfig::default());
    let pool = FairPool::start(one_worker(), || ()).observed_by(&system);
    assert_eq!(pool.run(&0u8, 1, soon(), |()| ()).await, Ok(()));
    let mut registry = prometheus_client::registry::Registry::default();
    system.metrics(&mut registry);
    tokio::time::sleep(ms(1)).await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("it encodes");
    assert!(text.contains(r#"runtime_pool_jobs_total{pool="test",outcome="done"} 1"#), "{text}");
    system.shutdown(SECOND, SECOND).await;
}

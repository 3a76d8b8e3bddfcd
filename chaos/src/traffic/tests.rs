use std::time::Duration;

use tokio::time::{Instant, advance};

use super::{Calls, Spread, Windows};
use crate::api::Answer;

const SECOND: Duration = Duration::from_secs(1);

fn refused() -> Answer<()> {
    Answer::Refused { status: 429, code: "rate_limited".to_owned(), retry_after: true }
}

#[tokio::test(start_paused = true)]
async fn failing_is_excused_while_something_is_broken_and_never_else() {
    let (calls, windows, since) = (Calls::default(), Windows::default(), Instant::now());
    calls.note("refresh", since, &refused());
    advance(SECOND).await;
    // Begun before the fault, answered while it lasts.
    let begun = Instant::now();
    advance(SECOND).await;
    windows.open("nothing worked", SECOND * 60);
    calls.note("refresh", begun, &Answer::<()>::Lost);
    advance(SECOND).await;
    windows.close(SECOND);
    let begun = Instant::now();
    calls.note("sign-in", begun, &refused());
    advance(SECOND * 2).await;
    calls.note("sign-in", begun, &Answer::Done(()));
    calls.note("sign-out", Instant::now(), &refused());

    let verdict = calls.judge(&windows.all(), since);
    assert_eq!(verdict.excused.get("nothing worked"), Some(&2));
    assert_eq!(verdict.done["sign-in"].count, 1);
    assert_eq!(verdict.unexcused.len(), 2, "{:?}", verdict.unexcused);
    assert!(verdict.unexcused[0].starts_with("refresh at 0.00 s"), "{:?}", verdict.unexcused);
    assert!(verdict.unexcused[1].starts_with("sign-out at 5.00 s"), "{:?}", verdict.unexcused);
}

#[test]
fn a_spread_orders_what_it_is_given() {
    let times: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
    let spread = Spread::of(&times);
    assert_eq!((spread.count, spread.max), (100, Duration::from_millis(100)));
    assert_eq!((spread.p50, spread.p99), (Duration::from_millis(50), Duration::from_millis(99)));
    assert_eq!(Spread::of(&[]).count, 0);
}

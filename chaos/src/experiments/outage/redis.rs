//! Redis frozen: connections stay open and nothing answers, which is worse than a Redis that is gone.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::every_node_says;
use crate::HarnessError;
use crate::experiments::Progress;
use crate::experiments::shared::Site;
use crate::invariants::{Findings, Invariant};
use crate::traffic::{Calls, Spread, Stop};

const TIME: Duration = Duration::from_secs(8);
const WORKERS: u64 = 6;
const PAUSE: Duration = Duration::from_millis(20);

/// Every request goes on; sign-outs reach the other nodes within their bound; readiness is 200 and says degraded.
pub(super) async fn frozen(
    site: &Site,
    findings: &mut Findings,
    say: Progress<'_>,
) -> Result<(), HarnessError> {
    let (calls, stop, refusals) = (Calls::default(), Stop::default(), Mutex::default());
    let traffic = site.traffic(&calls, &refusals, WORKERS, PAUSE);
    let begun = Instant::now();
    let course = async {
        sleep(TIME / 8).await;
        site.nodes.with_redis(|redis| redis.pause()).await;
        let frozen = Instant::now();
        every_node_says(site, 200, "degraded", "with Redis frozen", findings).await;
        sleep(TIME).await;
        site.nodes.with_redis(|redis| redis.resume()).await;
        let until = Instant::now();
        every_node_says(site, 200, "ready", "after Redis went on", findings).await;
        stop.stop();
        (frozen, until)
    };
    let ((), (frozen, until)) = futures::join!(traffic.until(&stop), course);
    for failure in calls.judge(&[], begun).unexcused {
        findings.hold(Invariant::OutageIsSurvived, false, || format!("with Redis frozen: {failure}"));
    }
    let refusals = refusals.into_inner();
    let meanwhile = refusals.iter().filter(|refused| (frozen..until).contains(&refused.acknowledged));
    let spread = Spread::of(&meanwhile.map(|refused| refused.after).collect::<Vec<_>>());
    findings.hold(Invariant::RevocationIsBounded, spread.count > 0, || {
        "nobody signed out while Redis was frozen, so nothing was shown".to_owned()
    });
    say(format!("Redis frozen: refused by every node after a sign-out: {spread}"));
    Ok(())
}

//! How soon every node knows that a session ended.

use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use crate::api::{Answer, Api};
use crate::invariants::{Invariant, Violation};
use crate::journal::Journal;
use crate::nodes::Places;

/// A token of an ended session is refused everywhere after so long, with Redis or without.
pub const BOUND: Duration = Duration::from_secs(2);
/// How long a node is asked at all; one that does not answer is not waited for any longer.
const LONGEST: Duration = Duration::from_secs(4);
/// Between two questions while the answer is expected any moment, and how long that is.
const OFTEN: Duration = Duration::from_millis(4);
const SOON: Duration = Duration::from_millis(150);
/// Between two questions after that, so that the questions are not the load.
const SELDOM: Duration = Duration::from_millis(50);

/// From the acknowledgement of a sign-out to a node's first refusal.
#[derive(Clone, Copy, Debug)]
pub struct Refused {
    /// When the sign-out was acknowledged.
    pub acknowledged: Instant,
    /// How long the node took, and so at most how long the token was good after its end.
    pub after: Duration,
}

/// Asks nodes directly, not through the proxy.
pub struct Watch<'a> {
    /// Where the nodes are.
    pub places: &'a Places,
    /// The operator's key.
    pub platform_key: &'a str,
    /// What was measured.
    pub refusals: &'a Mutex<Vec<Refused>>,
    /// Where broken promises go.
    pub journal: &'a Journal,
}

impl Watch<'_> {
    /// Makes every node hold the session, so that each has something to forget. Nodes that are away hold nothing.
    pub async fn hold(&self, access: &str) {
        let questions = self.places.all();
        join_all(questions.iter().map(|(_, api)| api.is_active(self.platform_key, access))).await;
    }

    /// Asks every node until it refuses a token whose session's end was acknowledged at `acknowledged`.
    pub async fn until_refused(&self, session: &str, access: &str, acknowledged: Instant) {
        let nodes = self.places.all();
        join_all(nodes.iter().map(|(node, api)| self.one(*node, api, session, access, acknowledged))).await;
    }

    async fn one(&self, node: usize, api: &Api, session: &str, access: &str, acknowledged: Instant) {
        loop {
            let asked = Instant::now();
            let answer = api.is_active(self.platform_key, access).await;
            let after = acknowledged.elapsed();
            match answer {
                Answer::Done(false) => return self.refusals.lock().push(Refused { acknowledged, after }),
                Answer::Done(true) if asked - acknowledged >= BOUND => {
                    let late = (asked - acknowledged).as_millis();
                    let found = format!("node {node} called {session} active {late} ms after its end");
                    self.journal.violated([Violation { invariant: Invariant::RevocationIsBounded, found }]);
                    return;
                }
                _ if after > LONGEST => return,
                _ => sleep(if after < SOON { OFTEN } else { SELDOM }).await,
            }
        }
    }
}

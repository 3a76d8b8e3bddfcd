//! Tokens are checked without a word to the session's actor where that is certain, and never where it is not.

use super::rig::{Nodes, deadline};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who asks at once, over and over, while a session ends.
const ASKING: usize = 4;

/// How a session ends.
#[derive(Clone, Copy)]
enum End {
    /// Through its actor.
    Alone,
    /// Through its tenant, which tells the actor.
    WithAllOthers,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_asks_after_a_sign_out_was_acknowledged_is_told_so() {
    let nodes = Arc::new(Nodes::start().await);
    let mut seen = 0;
    for end in [End::Alone, End::WithAllOthers].into_iter().cycle().take(40) {
        let access = nodes.sign_in().await.access.token;
        let ended = Arc::new(AtomicBool::new(false));
        let asking: Vec<_> = (0..ASKING)
            .map(|_| {
                let (nodes, access, ended) = (Arc::clone(&nodes), access.clone(), Arc::clone(&ended));
                tokio::spawn(async move {
                    let mut active = 0_u32;
                    loop {
                        let was_ended = ended.load(Ordering::SeqCst);
                        match nodes.introspect(&nodes.first, &access).await.expect("introspected") {
                            true if was_ended => panic!("active after the end was acknowledged"),
                            true => active += 1,
                            false if was_ended => return active,
                            // Committed, and not acknowledged yet.
                            false => {}
                        }
                        // An answer at a glance lets nobody else run by itself.
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let done = match end {
            End::Alone => nodes.first.sign_out(nodes.tenant, &access, deadline()).await.map(drop),
            End::WithAllOthers => {
                nodes.first.sign_out_everywhere(nodes.tenant, &access, deadline()).await.map(drop)
            }
        };
        done.expect("signed out");
        ended.store(true, Ordering::SeqCst);
        for one in asking {
            seen += one.await.expect("asked");
        }
    }
    assert!(seen > 0);
    let Ok(nodes) = Arc::try_unwrap(nodes) else { panic!("nobody asks any more") };
    nodes.finish().await;
}

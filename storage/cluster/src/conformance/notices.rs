use super::{Installation, next, node, wake};
use crate::{Cluster, Heard, NodeId, Notice};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

fn from(number: u128, notice: Notice) -> Heard {
    Heard::Notice { from: NodeId(Uuid::from_u128(number)), notice }
}

/// Reads until a notice of that number is heard; gives everything before it.
async fn until(reader: &mut mpsc::Receiver<Heard>, number: u128) -> Vec<Heard> {
    let mut before = Vec::new();
    loop {
        match next(reader).await {
            Heard::Notice { notice, .. } if notice == wake(number) => return before,
            other => before.push(other),
        }
    }
}

pub async fn others_hear_in_order_and_the_announcer_does_not(installation: &impl Installation) {
    let (first, second) = (installation.join(node(1)).await, installation.join(node(2)).await);
    let (mut own, mut other) = (first.subscribe(), second.subscribe());
    for number in 0..300 {
        first.announce(wake(number));
    }
    for number in 0..300 {
        assert_eq!(next(&mut other).await, from(1, wake(number)));
    }
    second.announce(wake(1_000));
    assert_eq!(
        next(&mut own).await,
        from(2, wake(1_000)),
        "the first thing the announcer hears is another's"
    );
}

pub async fn every_reader_of_a_node_hears(installation: &impl Installation) {
    let (first, second) = (installation.join(node(1)).await, installation.join(node(2)).await);
    let mut readers = [second.subscribe(), second.subscribe()];
    drop(second.subscribe());
    first.announce(wake(1));
    for reader in &mut readers {
        assert_eq!(next(reader).await, from(1, wake(1)));
    }
}

pub async fn a_slow_reader_hears_a_gap_and_then_what_is_new(installation: &impl Installation) {
    const MANY: u128 = 3_000;
    let (first, second) = (installation.join(node(1)).await, installation.join(node(2)).await);
    let (mut slow, mut quick) = (second.subscribe(), second.subscribe());
    announce_and_read(&first, &mut quick, MANY).await;
    let mut heard = Vec::new();
    while let Ok(one) = slow.try_recv() {
        heard.push(one);
    }
    assert_eq!(heard.iter().filter(|one| **one == Heard::Gap).count(), 1);
    assert_eq!(heard.last(), Some(&Heard::Gap), "what came before it is told in full");
    assert!(heard.len() < 2_000, "unread notices are bounded: {}", heard.len());
    for (number, one) in (0_u128..).zip(&heard[..heard.len() - 1]) {
        assert_eq!(*one, from(1, wake(number)));
    }
    first.announce(wake(MANY + 1));
    assert_eq!(next(&mut slow).await, from(1, wake(MANY + 1)));
}

/// In portions a reader that reads can keep up with.
async fn announce_and_read(node: &Arc<dyn Cluster>, reader: &mut mpsc::Receiver<Heard>, many: u128) {
    for start in (0..many).step_by(500) {
        for number in start..start + 500 {
            node.announce(wake(number));
        }
        assert_eq!(until(reader, start + 499).await.len(), 499);
    }
}

pub async fn every_kind_arrives_as_it_was(installation: &impl Installation) {
    let (first, second) = (installation.join(node(1)).await, installation.join(node(2)).await);
    let mut reader = second.subscribe();
    let changed = |scope, event: &str| {
        let (event, subject) = (event.to_owned(), "ses_\u{1f511} \"quoted\"\r\n".to_owned());
        Notice::Changed { scope, event, subject }
    };
    let all =
        [changed(Uuid::nil(), "tenant.created"), changed(Uuid::from_u128(7), "session.revoked"), wake(9)];
    for notice in &all {
        first.announce(notice.clone());
    }
    for notice in all {
        assert_eq!(next(&mut reader).await, from(1, notice));
    }
}

pub async fn what_was_announced_before_is_not_heard(installation: &impl Installation) {
    let (first, second) = (installation.join(node(1)).await, installation.join(node(2)).await);
    let mut early = second.subscribe();
    first.announce(wake(1));
    assert_eq!(next(&mut early).await, from(1, wake(1)));
    let mut late = second.subscribe();
    let third = installation.join(node(3)).await;
    let mut latest = third.subscribe();
    first.announce(wake(2));
    assert_eq!(next(&mut late).await, from(1, wake(2)));
    assert_eq!(next(&mut latest).await, from(1, wake(2)));
}

pub async fn announcing_never_waits(installation: &impl Installation) {
    let (first, second) = (installation.join(node(1)).await, installation.join(node(2)).await);
    let unread = second.subscribe();
    let start = Instant::now();
    for number in 0..20_000 {
        first.announce(wake(number));
    }
    assert!(start.elapsed().as_millis() < 2_000, "{:?}", start.elapsed());
    drop(unread);
}

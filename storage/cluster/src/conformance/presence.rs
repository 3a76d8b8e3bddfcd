use super::{Installation, eventually, node};

pub async fn nodes_are_listed_by_name(installation: &impl Installation) {
    let second = installation.join(node(2)).await;
    let first = installation.join(node(1)).await;
    let third = installation.join(node(3)).await;
    for one in [&first, &second, &third] {
        let listed = one.nodes().await.expect("the store is there");
        assert_eq!(listed, [node(1), node(2), node(3)]);
        eventually("the node counts the others", async || one.node_count() == 3).await;
    }
    assert_eq!(*second.this(), node(2));
}

pub async fn a_closed_node_is_forgotten(installation: &impl Installation) {
    let (first, second) = (installation.join(node(1)).await, installation.join(node(2)).await);
    assert_eq!(first.nodes().await.expect("the store is there").len(), 2);
    second.close().await;
    assert_eq!(first.nodes().await.expect("the store is there"), [node(1)]);
    eventually("the other is not counted", async || first.node_count() == 1).await;
    second.close().await;
    assert_eq!(first.nodes().await.expect("the store is there"), [node(1)]);
}

pub async fn closing_ends_the_readers(installation: &impl Installation) {
    let node = installation.join(node(1)).await;
    let mut reader = node.subscribe();
    node.close().await;
    assert_eq!(reader.recv().await, None);
}

pub async fn a_living_one_is_healthy(installation: &impl Installation) {
    let node = installation.join(node(1)).await;
    assert!(node.is_reachable());
    let health = node.health().await;
    assert!(health.reachable && health.reason.is_none() && health.round_trip.is_some(), "{health:?}");
    assert_eq!(health.notices_lost, 0);
}

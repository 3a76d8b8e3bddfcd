//! Two nodes change one session at once.

use super::rig::Nodes;
use crate::ServiceError;

#[tokio::test]
async fn two_nodes_refreshing_at_once_rotate_once_and_both_callers_go_on() {
    let nodes = Nodes::start().await;
    for round in 1..=6 {
        let signed_in = nodes.sign_in().await;
        let token = signed_in.refresh.expose();
        // Both nodes have the first generation in memory.
        assert!(nodes.is_active(&nodes.first, token).await);
        assert!(nodes.is_active(&nodes.second, token).await);
        let (one, other) =
            tokio::join!(nodes.refresh(&nodes.first, token), nodes.refresh(&nodes.second, token));
        let (one, other) = (one.expect("first node"), other.expect("second node"));
        assert_eq!(one.refresh, other.refresh, "the winner's token, twice");
        assert_eq!(nodes.count("session.refreshed").await, round * 2 - 1, "exactly one rotation");
        assert_eq!(nodes.count("session.refresh_repeated").await, round);
        assert!(nodes.is_active(&nodes.first, &other.access.token).await);
        assert!(nodes.is_active(&nodes.second, &one.access.token).await);
        nodes.refresh(&nodes.second, one.refresh.expose()).await.expect("the next generation");
    }
    assert_eq!(nodes.count("session.refresh_reuse_detected").await, 0);
    nodes.finish().await;
}

#[tokio::test]
async fn many_refreshes_at_once_through_two_nodes_rotate_once() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    let token = signed_in.refresh.expose();
    assert!(nodes.is_active(&nodes.second, token).await);
    let attempts: Vec<_> = (0..16)
        .map(|n| {
            let node = if n % 2 == 0 { nodes.first.clone() } else { nodes.second.clone() };
            let token = token.to_owned();
            tokio::spawn(async move {
                node.refresh(None, &token, super::rig::client(), super::rig::deadline()).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for attempt in attempts {
        answers.push(attempt.await.expect("ran").expect("answered with tokens"));
    }
    assert!(answers.windows(2).all(|pair| pair[0].refresh == pair[1].refresh));
    assert_eq!(nodes.count("session.refreshed").await, 1);
    assert_eq!(nodes.count("session.refresh_repeated").await, 15);
    assert_eq!(nodes.count("session.refresh_reuse_detected").await, 0);
    nodes.finish().await;
}

#[tokio::test]
async fn a_node_whose_memory_is_behind_accepts_the_newer_generation() {
    let nodes = Nodes::start().await;
    let mut current = nodes.sign_in().await;
    assert!(nodes.is_active(&nodes.second, current.refresh.expose()).await);
    for _ in 0..3 {
        current = nodes.refresh(&nodes.first, current.refresh.expose()).await.expect("rotated");
    }
    assert!(nodes.is_active(&nodes.second, current.refresh.expose()).await, "introspection reads again");
    let next = nodes.refresh(&nodes.first, current.refresh.expose()).await.expect("rotated");
    let last = nodes.refresh(&nodes.second, next.refresh.expose()).await.expect("a refresh reads again");
    assert!(nodes.is_active(&nodes.second, &last.access.token).await);
    assert_eq!(nodes.count("session.refreshed").await, 5);
    nodes.finish().await;
}

#[tokio::test]
async fn a_refresh_on_a_node_that_missed_the_sign_out_is_refused() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    let (access, refresh) = (&signed_in.access.token, signed_in.refresh.expose());
    assert!(nodes.is_active(&nodes.second, refresh).await);
    nodes.first.sign_out(nodes.tenant, access, super::rig::deadline()).await.expect("signed out");
    let refused = nodes.refresh(&nodes.second, refresh).await.expect_err("the row's version fences");
    assert!(matches!(refused, ServiceError::InvalidGrant), "{refused}");
    assert!(!nodes.is_active(&nodes.second, access).await, "and the node knows it from then on");
    assert_eq!(nodes.count("session.refreshed").await, 0);
    assert_eq!(nodes.count("session.refresh_reuse_detected").await, 0);
    nodes.finish().await;
}

#[tokio::test]
async fn two_nodes_signing_out_at_once_both_succeed_and_audit_once() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    let access = &signed_in.access.token;
    assert!(nodes.is_active(&nodes.second, access).await);
    let (one, other) = tokio::join!(
        nodes.first.sign_out(nodes.tenant, access, super::rig::deadline()),
        nodes.second.sign_out(nodes.tenant, access, super::rig::deadline()),
    );
    assert_eq!(one.expect("first node"), other.expect("second node"));
    assert_eq!(nodes.count("session.revoked").await, 1);
    nodes.finish().await;
}

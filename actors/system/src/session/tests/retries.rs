//! A replaced refresh token comes again: from whom, when, and which.

use super::rig::{Nodes, client, deadline};
use crate::{ClientContext, ServiceError, SignedIn, SigningAlgorithm};
use plinto_domain::audit::Actor;
use plinto_domain::session::SessionPolicy;
use plinto_domain::tenant::TenantSettings;
use std::time::Duration;

/// A session whose first token was replaced: the first pair and the second.
async fn rotated(nodes: &Nodes) -> (SignedIn, SignedIn) {
    let first = nodes.sign_in().await;
    let second = nodes.refresh(&nodes.first, first.refresh.expose()).await.expect("rotated");
    (first, second)
}

/// Presents a token and expects the whole family to be revoked by it, on both nodes.
async fn expect_reuse(nodes: &Nodes, token: &str, client: ClientContext, current: &SignedIn) {
    let refused = nodes.first.refresh(None, token, client, deadline()).await.expect_err("reuse");
    assert!(matches!(refused, ServiceError::InvalidGrant), "{refused}");
    assert_eq!(nodes.count("session.refresh_reuse_detected").await, 1);
    assert_eq!(nodes.count("session.refresh_repeated").await, 0);
    assert!(!nodes.is_active(&nodes.first, &current.access.token).await);
    for node in [&nodes.first, &nodes.second] {
        let refused = nodes.refresh(node, current.refresh.expose()).await.expect_err("the family is revoked");
        assert!(matches!(refused, ServiceError::InvalidGrant), "{refused}");
    }
}

#[tokio::test]
async fn an_honest_retry_gets_the_current_token_again_from_any_node() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    nodes.advance(Duration::from_secs(9));
    for node in [&nodes.first, &nodes.second, &nodes.first] {
        let again = nodes.refresh(node, first.refresh.expose()).await.expect("within the grace");
        assert_eq!(again.refresh, second.refresh);
        assert_ne!(again.access.token, second.access.token, "a fresh access token");
        assert!(nodes.is_active(node, &again.access.token).await);
    }
    assert_eq!(nodes.count("session.refreshed").await, 1);
    assert_eq!(nodes.count("session.refresh_repeated").await, 3);
    assert!(!nodes.is_active(&nodes.first, first.refresh.expose()).await, "it is not the current one");
    nodes.refresh(&nodes.second, second.refresh.expose()).await.expect("the family goes on");
    nodes.finish().await;
}

#[tokio::test]
async fn an_honest_retry_survives_a_passivation_and_a_new_data_key() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    let algorithm = SigningAlgorithm::EdDsa;
    nodes.first.rotate_keys(nodes.tenant, algorithm, Actor::System, deadline()).await.expect("new keys");
    nodes.first.passivate_all_sessions().await;
    let again = nodes.refresh(&nodes.first, first.refresh.expose()).await.expect("within the grace");
    assert_eq!(again.refresh, second.refresh, "made again under the key version it was made under");
    nodes.finish().await;
}

#[tokio::test]
async fn a_current_token_this_node_cannot_make_again_is_refused_without_revoking() {
    let nodes = Nodes::unaware().await;
    let first = nodes.sign_in().await;
    // The second node holds the tenant's keys as they were before the rotation.
    assert!(nodes.is_active(&nodes.second, first.refresh.expose()).await);
    let algorithm = SigningAlgorithm::EdDsa;
    nodes.first.rotate_keys(nodes.tenant, algorithm, Actor::System, deadline()).await.expect("new keys");
    let second = nodes.refresh(&nodes.first, first.refresh.expose()).await.expect("rotated");
    let refused = nodes.refresh(&nodes.second, first.refresh.expose()).await.expect_err("made elsewhere");
    assert!(matches!(refused, ServiceError::InvalidGrant), "{refused}");
    assert_eq!(nodes.count("session.revoked").await, 0);
    nodes.refresh(&nodes.first, second.refresh.expose()).await.expect("the family goes on");
    nodes.finish().await;
}

#[tokio::test]
async fn after_the_grace_a_replaced_token_revokes_the_family() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    nodes.advance(Duration::from_secs(10));
    expect_reuse(&nodes, first.refresh.expose(), client(), &second).await;
    nodes.finish().await;
}

#[tokio::test]
async fn from_another_network_a_replaced_token_revokes_the_family() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    let elsewhere = ClientContext { address: Some("192.0.2.8".parse().expect("address")), ..client() };
    expect_reuse(&nodes, first.refresh.expose(), elsewhere, &second).await;
    nodes.finish().await;
}

#[tokio::test]
async fn with_another_user_agent_a_replaced_token_revokes_the_family() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    let other = ClientContext { user_agent: Some("curl/8".to_owned()), ..client() };
    expect_reuse(&nodes, first.refresh.expose(), other, &second).await;
    nodes.finish().await;
}

#[tokio::test]
async fn from_an_unknown_address_a_replaced_token_revokes_the_family() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    expect_reuse(&nodes, first.refresh.expose(), ClientContext { address: None, ..client() }, &second).await;
    nodes.finish().await;
}

#[tokio::test]
async fn a_token_before_the_predecessor_revokes_the_family() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    let third = nodes.refresh(&nodes.second, second.refresh.expose()).await.expect("rotated");
    expect_reuse(&nodes, first.refresh.expose(), client(), &third).await;
    nodes.finish().await;
}

#[tokio::test]
async fn a_tenant_may_do_without_the_grace() {
    let session = SessionPolicy { refresh_grace_seconds: 0, ..SessionPolicy::default() };
    let nodes = Nodes::with(TenantSettings { session, ..TenantSettings::default() }, true).await;
    let (first, second) = rotated(&nodes).await;
    expect_reuse(&nodes, first.refresh.expose(), client(), &second).await;
    nodes.finish().await;
}

#[tokio::test]
async fn after_signing_out_nothing_is_repeated() {
    let nodes = Nodes::start().await;
    let (first, second) = rotated(&nodes).await;
    nodes.second.sign_out(nodes.tenant, &second.access.token, deadline()).await.expect("signed out");
    for node in [&nodes.first, &nodes.second] {
        let refused = nodes.refresh(node, first.refresh.expose()).await.expect_err("ended");
        assert!(matches!(refused, ServiceError::InvalidGrant), "{refused}");
    }
    assert_eq!(nodes.count("session.refresh_repeated").await, 0);
    assert_eq!(nodes.count("session.refresh_reuse_detected").await, 0);
    nodes.finish().await;
}

//! Commits nobody heard the outcome of.

use super::rig::{Fate, Nodes, deadline};
use crate::{ServiceError, StorageError};

fn expect_unknown<T>(answer: Result<T, ServiceError>) {
    match answer.err() {
        Some(ServiceError::Storage(error)) => assert_eq!(*error, StorageError::Unacknowledged),
        other => panic!("an unknown outcome was answered {other:?}"),
    }
}

#[tokio::test]
async fn a_refresh_stored_but_not_heard_of_is_answered_by_its_retry() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    assert!(nodes.is_active(&nodes.first, &signed_in.access.token).await);
    nodes.engine.next_commit(Fate::StoredUnheard);
    expect_unknown(nodes.refresh(&nodes.first, signed_in.refresh.expose()).await);
    let again = nodes.refresh(&nodes.first, signed_in.refresh.expose()).await.expect("the retry");
    assert_eq!(nodes.count("session.refreshed").await, 1);
    assert_eq!(nodes.count("session.refresh_repeated").await, 1);
    nodes.refresh(&nodes.second, again.refresh.expose()).await.expect("the family goes on");
    nodes.finish().await;
}

#[tokio::test]
async fn a_refresh_lost_with_its_connection_has_not_happened() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    assert!(nodes.is_active(&nodes.first, &signed_in.access.token).await);
    nodes.engine.next_commit(Fate::Lost);
    expect_unknown(nodes.refresh(&nodes.first, signed_in.refresh.expose()).await);
    nodes.refresh(&nodes.first, signed_in.refresh.expose()).await.expect("rotates now");
    assert_eq!(nodes.count("session.refreshed").await, 1);
    assert_eq!(nodes.count("session.refresh_repeated").await, 0);
    nodes.finish().await;
}

#[tokio::test]
async fn a_sign_out_stored_but_not_heard_of_ends_the_session() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    let access = &signed_in.access.token;
    assert!(nodes.is_active(&nodes.first, access).await);
    nodes.engine.next_commit(Fate::StoredUnheard);
    expect_unknown(nodes.first.sign_out(nodes.tenant, access, deadline()).await);
    assert!(!nodes.is_active(&nodes.first, access).await, "the row was read");
    nodes.first.sign_out(nodes.tenant, access, deadline()).await.expect("again changes nothing");
    assert_eq!(nodes.count("session.revoked").await, 1);
    nodes.finish().await;
}

#[tokio::test]
async fn a_sign_out_everywhere_stored_but_not_heard_of_ends_every_session() {
    let nodes = Nodes::start().await;
    let (phone, laptop) = (nodes.sign_in().await, nodes.sign_in().await);
    for session in [&phone, &laptop] {
        assert!(nodes.is_active(&nodes.first, &session.access.token).await);
    }
    nodes.engine.next_commit(Fate::StoredUnheard);
    expect_unknown(nodes.first.sign_out_everywhere(nodes.tenant, &phone.access.token, deadline()).await);
    for session in [&phone, &laptop] {
        assert!(!nodes.is_active(&nodes.first, &session.access.token).await);
    }
    nodes.finish().await;
}

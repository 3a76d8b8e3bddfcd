//! What lists of sessions say, and what other nodes make of an end.

use super::rig::{Nodes, deadline};
use plinto_domain::audit::Actor;
use plinto_domain::session::{AtLimit, SessionPolicy};
use plinto_domain::tenant::TenantSettings;
use std::time::Duration;

#[tokio::test]
async fn a_list_says_where_a_session_was_begun() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    let token = &signed_in.access.token;
    let list = nodes.second.my_sessions(nodes.tenant, token, None, 9, deadline()).await.expect("listed");
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].address.as_deref(), Some("192.0.2.7"));
    assert_eq!(list[0].place.as_ref().and_then(|place| place.city.as_deref()), Some("Berlin"));
    assert!(!format!("{list:?}").contains("Berlin") && !format!("{list:?}").contains("192.0.2"));
    nodes.finish().await;
}

#[tokio::test]
async fn two_nodes_never_pass_the_limit_together() {
    let session = SessionPolicy { max_concurrent: 2, ..SessionPolicy::default() };
    for at_limit in [AtLimit::EndOldest, AtLimit::RefuseNew] {
        let session = SessionPolicy { at_limit, ..session };
        let nodes = Nodes::with(TenantSettings { session, ..TenantSettings::default() }, true).await;
        let first = nodes.sign_in().await;
        nodes.advance(Duration::from_secs(1));
        let (one, other) = tokio::join!(nodes.try_sign_in(&nodes.first), nodes.try_sign_in(&nodes.second));
        let signed_in: Vec<_> = [one, other].into_iter().flatten().collect();
        let token = &signed_in[0].access.token;
        let live = nodes.first.my_sessions(nodes.tenant, token, None, 9, deadline()).await.expect("listed");
        assert_eq!(live.len(), 2, "{at_limit:?}");
        let ended = live.iter().all(|session| session.id != first.session);
        assert_eq!(
            (signed_in.len(), ended),
            if at_limit == AtLimit::EndOldest { (2, true) } else { (1, false) }
        );
        nodes.finish().await;
    }
}

#[tokio::test]
async fn who_ended_a_session_is_on_record() {
    let nodes = Nodes::start().await;
    let (mine, other) = (nodes.sign_in().await, nodes.sign_in().await);
    let third = nodes.sign_in().await;
    let (tenant, token) = (nodes.tenant, &mine.access.token);
    nodes.first.end_my_session(tenant, token, other.session, deadline()).await.expect("ended");
    nodes.first.end_session(tenant, third.session, Actor::System, deadline()).await.expect("ended");
    assert_eq!(nodes.count("session.revoked").await, 2);
    nodes.first.end_my_session(tenant, token, other.session, deadline()).await.expect("is over");
    assert_eq!(nodes.count("session.revoked").await, 2, "once is enough");
    nodes.first.end_my_other_sessions(tenant, token, deadline()).await.expect("ended");
    assert_eq!(nodes.count("user.sessions_revoked").await, 1);
    assert!(nodes.is_active(&nodes.first, token).await);
    nodes.finish().await;
}

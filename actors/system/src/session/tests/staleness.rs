//! What a node remembers may be out of date.

use super::super::SessionKey;
use super::super::state::Resident;
use super::rig::{Nodes, deadline};
use crate::{ServiceError, StorageError};
use plinto_domain::session::{Session, SessionPolicy};
use plinto_domain::{SessionId, Timestamp, UserId};
use std::time::Duration;
use uuid::Uuid;

/// A node looks at a row that others may have refreshed at most once a second.
async fn a_second_passes() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_node_told_of_a_sign_out_elsewhere_refuses_the_tokens() {
    let nodes = Nodes::unaware().await;
    let signed_in = nodes.sign_in().await;
    let (access, key) =
        (&signed_in.access.token, SessionKey { tenant: nodes.tenant, session: signed_in.session });
    assert!(nodes.is_active(&nodes.second, access).await);
    nodes.first.sign_out(nodes.tenant, access, deadline()).await.expect("signed out");
    assert!(nodes.is_active(&nodes.second, access).await, "not told, it answers from memory");
    nodes.second.session_handle().changed(key);
    assert!(!nodes.is_active(&nodes.second, access).await);
    nodes.finish().await;
}

#[tokio::test]
async fn a_node_in_doubt_answers_an_error_while_storage_is_away_never_active() {
    let nodes = Nodes::unaware().await;
    let signed_in = nodes.sign_in().await;
    let (access, refresh) = (&signed_in.access.token, signed_in.refresh.expose());
    let key = SessionKey { tenant: nodes.tenant, session: signed_in.session };
    assert!(nodes.is_active(&nodes.second, access).await);
    nodes.engine.set_away(true);
    assert!(nodes.is_active(&nodes.second, access).await, "without doubt, live sessions still validate");
    nodes.second.session_handle().changed(key);
    for _ in 0..3 {
        for token in [access.as_str(), refresh] {
            match nodes.introspect(&nodes.second, token).await {
                Err(ServiceError::Storage(error)) => {
                    assert!(matches!(*error, StorageError::Unavailable { .. }), "{error}");
                }
                other => panic!("answered {other:?} from doubtful memory"),
            }
        }
        let refused = nodes.refresh(&nodes.second, refresh).await.expect_err("cannot read the row");
        assert!(matches!(refused, ServiceError::Storage(_)), "{refused}");
    }
    nodes.engine.set_away(false);
    assert!(nodes.is_active(&nodes.second, access).await, "it heals by itself");
    nodes.finish().await;
}

#[tokio::test]
async fn a_session_kept_alive_through_another_node_is_not_called_idle() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    assert!(nodes.is_active(&nodes.second, &signed_in.access.token).await);
    let idle = SessionPolicy::default().idle_seconds;
    nodes.advance(Duration::from_secs(u64::from(idle) - 5));
    let refreshed = nodes.refresh(&nodes.first, signed_in.refresh.expose()).await.expect("still live");
    nodes.advance(Duration::from_secs(60));
    a_second_passes().await;
    assert!(nodes.is_active(&nodes.second, &refreshed.access.token).await);
    nodes.finish().await;
}

#[tokio::test]
async fn a_token_replaced_through_another_node_is_soon_inactive() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    assert!(nodes.is_active(&nodes.second, signed_in.refresh.expose()).await);
    nodes.refresh(&nodes.first, signed_in.refresh.expose()).await.expect("rotated");
    a_second_passes().await;
    assert!(!nodes.is_active(&nodes.second, signed_in.refresh.expose()).await);
    nodes.finish().await;
}

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_000_000);

pub(super) fn session() -> Session {
    Session {
        id: SessionId::from_uuid(Uuid::from_u128(1)),
        user: UserId::from_uuid(Uuid::from_u128(2)),
        authenticated_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(100)),
        idle_expires_at: NOW.plus(Duration::from_secs(10)),
        amr: vec!["pwd".to_owned()],
        generation: 3,
        refresh_hash: [7; 32],
        rotated_at: None,
        refresh_client: None,
        last_seen_at: NOW,
        revoked: false,
        organization: None,
        version: 1,
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_is_read_again_once_a_second_where_others_may_have_refreshed_it() {
    let idle = NOW.plus(Duration::from_secs(10));
    let mut resident = Resident::new(session(), NOW);
    assert!(!resident.must_read(idle, true), "just read");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!resident.must_read(NOW, true), "live: nothing to look for");
    assert!(!resident.must_read(idle, false), "nobody else writes here");
    assert!(resident.must_read(idle, true));
    resident.renew(Some(session()), NOW);
    assert!(!resident.must_read(idle, true), "just read again");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!resident.must_read(NOW.plus(Duration::from_secs(100)), true), "over for good");
}

#[tokio::test(start_paused = true)]
async fn doubt_lasts_until_the_row_was_read_and_ends_with_the_session() {
    let mut resident = Resident::new(session(), NOW);
    resident.doubt();
    assert!(resident.must_read(NOW, false) && resident.must_read_of(3, NOW, false));
    resident.renew(Some(session()), NOW);
    assert!(!resident.must_read(NOW, true) && !resident.must_read_of(3, NOW, true));
    assert!(resident.must_read_of(4, NOW, false), "a newer generation was made elsewhere");
    resident.doubt();
    resident.renew(None, NOW);
    assert!(!resident.must_read(NOW, true), "what is gone needs no reading");
    assert!(resident.session.check_live(NOW).is_err());
}

//! Sessions that are active in an organization, on two nodes and in races.

use super::super::SessionKey;
use super::super::state::Resident;
use super::rig::{Nodes, client, deadline};
use crate::{AskedBy, Platform, ServiceError, SignedIn, Switched};
use plinto_domain::UserId;
use plinto_domain::audit::Actor;
use plinto_domain::authorization::RoleKey;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::NewOrganization;
use plinto_domain::session::{ActiveOrganization, NamedOrganization};
use std::time::Duration;
use uuid::Uuid;

impl Nodes {
    async fn organization(&self, slug: &str, owner: UserId) -> OrganizationId {
        let new = NewOrganization::parse(slug, slug, None, &owner.to_string()).expect("valid");
        let made = self.first.create_organization(self.tenant, new, Actor::System, deadline()).await;
        made.expect("made").id
    }

    /// Switches through a node, by the access token alone.
    async fn switch(&self, node: &Platform, token: &str, to: Option<&str>) -> Result<String, ServiceError> {
        let switching = node.switch_organization(self.tenant, token, to, None, client(), deadline());
        match switching.await? {
            Switched::Access { access, .. } => Ok(access.token),
            Switched::Session(_) => panic!("a refresh token was given out for an access token"),
        }
    }

    /// The same for both tokens.
    async fn switch_both(
        &self,
        node: &Platform,
        with: &SignedIn,
        to: Option<&str>,
    ) -> Result<SignedIn, ServiceError> {
        let (token, refresh) = (&with.access.token, Some(with.refresh.expose()));
        let switching = node.switch_organization(self.tenant, token, to, refresh, client(), deadline());
        match switching.await? {
            Switched::Session(signed_in) => Ok(signed_in),
            Switched::Access { .. } => panic!("a refresh token was not replaced"),
        }
    }
}

#[tokio::test]
async fn a_token_from_another_node_is_good_at_once_and_one_that_was_left_soon_is_not() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    nodes.organization("acme", signed_in.user).await;
    nodes.organization("beta", signed_in.user).await;
    let token = &signed_in.access.token;
    assert!(
        nodes.is_active(&nodes.second, token).await,
        "in the second node's memory, without an organization"
    );
    let acme = nodes.switch(&nodes.first, token, Some("acme")).await.expect("enters");
    assert!(nodes.is_active(&nodes.second, &acme).await, "it reads the row, as the token is newer");
    nodes.advance(Duration::from_secs(1));
    let beta = nodes.switch(&nodes.first, token, Some("beta")).await.expect("enters");
    assert!(nodes.is_active(&nodes.second, &beta).await && !nodes.is_active(&nodes.second, &acme).await);
    nodes.finish().await;
}

#[tokio::test]
async fn a_node_told_of_a_switch_elsewhere_refuses_tokens_of_the_organization_before() {
    let nodes = Nodes::unaware().await;
    let signed_in = nodes.sign_in().await;
    nodes.organization("acme", signed_in.user).await;
    let acme = nodes.switch(&nodes.first, &signed_in.access.token, Some("acme")).await.expect("enters");
    assert!(nodes.is_active(&nodes.second, &acme).await);
    nodes.switch(&nodes.first, &acme, None).await.expect("leaves");
    assert!(nodes.is_active(&nodes.second, &acme).await, "not told, it answers from memory");
    let key = SessionKey { tenant: nodes.tenant, session: signed_in.session };
    nodes.second.session_handle().changed(key);
    assert!(!nodes.is_active(&nodes.second, &acme).await);
    nodes.finish().await;
}

#[tokio::test]
async fn an_organization_that_is_gone_concerns_the_sessions_in_it_only() {
    let nodes = Nodes::unaware().await;
    let signed_in = nodes.sign_in().await;
    let gone = nodes.organization("acme", signed_in.user).await;
    let acme = nodes.switch(&nodes.first, &signed_in.access.token, Some("acme")).await.expect("enters");
    assert!(nodes.is_active(&nodes.second, &acme).await);
    let by = AskedBy::Tenant(Actor::System);
    let deleted = nodes.first.delete_organization(nodes.tenant, gone, Default::default(), by, deadline());
    deleted.await.expect("deleted");
    assert!(!nodes.is_active(&nodes.first, &acme).await);
    let (handle, other) = (nodes.second.session_handle(), OrganizationId::from_uuid(Uuid::from_u128(7)));
    handle.organization_gone(nodes.tenant, other).await;
    assert!(nodes.is_active(&nodes.second, &acme).await, "another organization is nothing to it");
    handle.organization_gone(nodes.tenant, gone).await;
    assert!(!nodes.is_active(&nodes.second, &acme).await);
    nodes.finish().await;
}

#[tokio::test]
async fn an_honest_retry_of_a_switch_gets_the_same_refresh_token_and_a_stolen_one_ends_the_session() {
    let nodes = Nodes::start().await;
    let signed_in = nodes.sign_in().await;
    nodes.organization("acme", signed_in.user).await;
    let (one, other) = tokio::join!(
        nodes.switch_both(&nodes.first, &signed_in, Some("acme")),
        nodes.switch_both(&nodes.second, &signed_in, Some("acme")),
    );
    let (one, other) = (one.expect("first"), other.expect("second"));
    assert_eq!(one.refresh, other.refresh);
    assert_eq!(nodes.count("session.organization_changed").await, 1);
    assert!(nodes.is_active(&nodes.second, &one.access.token).await);
    nodes.advance(Duration::from_secs(20));
    let refused = nodes.switch_both(&nodes.first, &signed_in, None).await.expect_err("replaced long ago");
    assert!(matches!(refused, ServiceError::InvalidGrant), "{refused}");
    assert!(!nodes.is_active(&nodes.first, &one.access.token).await);
    nodes.finish().await;
}

#[tokio::test]
async fn a_refresh_through_a_node_that_missed_the_switch_keeps_the_organization() {
    let nodes = Nodes::unaware().await;
    let signed_in = nodes.sign_in().await;
    let acme = nodes.organization("acme", signed_in.user).await;
    assert!(nodes.is_active(&nodes.second, &signed_in.access.token).await, "in memory without one");
    nodes.switch(&nodes.first, &signed_in.access.token, Some("acme")).await.expect("enters");
    let refreshed = nodes.refresh(&nodes.second, signed_in.refresh.expose()).await.expect("refreshed");
    assert_eq!(refreshed.organization, Some(acme), "the row's version fences");
    nodes.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_token_of_an_unknown_organization_has_the_row_read_where_it_may_say_so() {
    let now = super::staleness::NOW;
    let named = |issued_at| NamedOrganization {
        id: OrganizationId::from_uuid(Uuid::from_u128(7)),
        role: RoleKey::member(),
        issued_at,
    };
    let (newer, older) = (named(now.as_seconds()), named(now.as_seconds() - 1));
    let mut resident = Resident::new(super::staleness::session(), now);
    assert!(resident.must_read_in(Some(&newer), now, true));
    assert!(!resident.must_read_in(Some(&newer), now, false), "nobody else writes here");
    assert!(!resident.must_read_in(Some(&older), now, true), "issued before the row was read");
    assert!(!resident.must_read_in(None, now, true));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(resident.must_read_in(Some(&older), now, true), "clocks of nodes differ: once a second");
    let mut session = super::staleness::session();
    session.organization = Some(ActiveOrganization { id: newer.id, role: newer.role.clone(), until: None });
    resident.renew(Some(session), now);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!resident.must_read_in(Some(&newer), now, true), "it is what memory says");
}

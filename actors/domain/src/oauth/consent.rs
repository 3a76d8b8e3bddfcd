//! What users have said yes to, so that they are asked once.

use super::authorization::{AuthorizationEnd, AuthorizedWrite};
use super::event::OAuthEvent;
use super::scope::ScopeSet;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{ClientId, UserId};
use crate::time::Timestamp;

/// The user has granted the client nothing.
pub const UNKNOWN_APPLICATION: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_application",
    "Unknown application",
    "this user has granted no such application anything",
);

/// What a user lets a client have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientConsent {
    /// The user.
    pub user: UserId,
    /// The client.
    pub client: ClientId,
    /// What.
    pub scope: ScopeSet,
    /// When the user was last asked.
    pub given_at: Timestamp,
}

/// A change of what users let clients have.
#[derive(Debug)]
pub enum ConsentWrite {
    /// It is as it stands here.
    Put(ClientConsent),
    /// It is gone.
    Delete {
        /// The user.
        user: UserId,
        /// The client.
        client: ClientId,
    },
}

/// The user says yes, also to what was granted before.
pub fn consent(
    user: UserId,
    client: ClientId,
    asked: &ScopeSet,
    before: Option<&ClientConsent>,
    now: Timestamp,
) -> Decision<()> {
    let scope = before.map_or_else(|| asked.clone(), |before| before.scope.with(asked));
    let event = OAuthEvent::ConsentGiven { client, user, scope: asked.to_string() };
    let write = ConsentWrite::Put(ClientConsent { user, client, scope, given_at: now });
    Decision { writes: vec![Write::ClientConsent(write)], events: vec![Event::OAuth(event)], reply: () }
}

/// Takes back all that a user lets a client have: the next time it asks, the user is asked.
pub fn withdraw(consent: &ClientConsent, by: AuthorizationEnd, now: Timestamp) -> Decision<()> {
    let ClientConsent { user, client, .. } = *consent;
    let event = OAuthEvent::AuthorizationEnded { client, user, authorization: None, why: by.as_str() };
    let writes = vec![
        Write::ClientConsent(ConsentWrite::Delete { user, client }),
        Write::Authorized(AuthorizedWrite::RevokeAll { user, client, at: now }),
    ];
    Decision { writes, events: vec![Event::OAuth(event)], reply: () }
}

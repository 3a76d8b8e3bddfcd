use super::{Client, ClientDefinition, ClientSecret, OAuthEvent};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::ClientId;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use std::time::Duration;

/// Clients of a tenant. Two made at once may pass it by one.
pub const MOST_CLIENTS: usize = 1_000;

/// There is no such client.
pub const UNKNOWN_CLIENT: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_client",
    "Unknown client",
    "there is no client of this id in the tenant",
);
/// The tenant has as many clients as it may.
pub const TOO_MANY_CLIENTS: Denial = Denial::new(
    DenialKind::Conflict,
    "too_many_clients",
    "Too many clients",
    "a tenant has at most 1000 clients; delete those that nobody uses any more",
);
/// A disabled client needs no new secret.
pub const CLIENT_DISABLED: Denial = Denial::new(
    DenialKind::Conflict,
    "client_disabled",
    "Client disabled",
    "this client is disabled; enable it before you give it a new secret",
);

/// A client that is public, or signs with its own key, has no secret.
pub const NO_SECRET: Denial = Denial::new(
    DenialKind::Conflict,
    "client_without_secret",
    "Client without secret",
    "this client proves who it is without a secret; give it another token_endpoint_auth_method first",
);

/// A change of what is stored about clients.
#[derive(Debug)]
pub enum ClientWrite {
    /// A new client.
    Insert {
        /// It.
        client: Client,
        /// When.
        at: Timestamp,
    },
    /// A client is as it stands here.
    Replace {
        /// It, with the version the decision saw.
        client: Client,
        /// When.
        at: Timestamp,
    },
    /// A client is gone.
    Delete {
        /// Which.
        client: ClientId,
        /// Version the decision saw.
        expected_version: i64,
    },
}

fn decision(write: ClientWrite, event: OAuthEvent) -> Decision<()> {
    Decision { writes: vec![Write::Client(write)], events: vec![Event::OAuth(event)], reply: () }
}

/// Makes a client with its first secret, unless it is a public one, where there are `present` others.
pub fn create(
    id: ClientId,
    definition: ClientDefinition,
    secret: Option<ClientSecret>,
    present: usize,
    at: Timestamp,
) -> Result<Decision<()>, Denial> {
    if present >= MOST_CLIENTS {
        return Err(TOO_MANY_CLIENTS);
    }
    let client = Client { id, definition, secrets: secret.into_iter().collect(), version: 1 };
    Ok(decision(ClientWrite::Insert { client, at }, OAuthEvent::ClientCreated { client: id }))
}

/// Gives a client another definition. What is already so is not written again.
pub fn change(
    client: &Client,
    definition: ClientDefinition,
    precondition: &Precondition,
    at: Timestamp,
) -> Result<Decision<()>, Denial> {
    precondition.check(client.version)?;
    let fields = client.definition.differences(&definition);
    if fields.is_empty() {
        return Ok(Decision::reply_only(()));
    }
    let event = OAuthEvent::ClientChanged { client: client.id, fields };
    Ok(decision(ClientWrite::Replace { client: Client { definition, ..client.clone() }, at }, event))
}

/// Gives a client a new secret; the present one is good for the overlap, and what was before it ends now.
pub fn rotate_secret(
    client: &Client,
    secret: ClientSecret,
    overlap: Duration,
    at: Timestamp,
) -> Result<Decision<()>, Denial> {
    if client.definition.disabled {
        return Err(CLIENT_DISABLED);
    }
    if !client.definition.token_endpoint_auth_method.has_secret() {
        return Err(NO_SECRET);
    }
    let mut secrets = vec![secret];
    if !overlap.is_zero() {
        secrets.extend(client.secrets.first().map(|present| present.clone().ending(at.plus(overlap))));
    }
    let event = OAuthEvent::SecretRotated { client: client.id, overlap_seconds: overlap.as_secs() };
    Ok(decision(ClientWrite::Replace { client: Client { secrets, ..client.clone() }, at }, event))
}

/// Removes a client.
pub fn delete(client: &Client, precondition: &Precondition) -> Result<Decision<()>, Denial> {
    precondition.check(client.version)?;
    let write = ClientWrite::Delete { client: client.id, expected_version: client.version };
    Ok(decision(write, OAuthEvent::ClientDeleted { client: client.id }))
}

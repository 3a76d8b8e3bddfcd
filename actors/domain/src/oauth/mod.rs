//! OAuth 2: which clients there are and what they are given. RFC 6749, its best current practice (RFC 9700) and the
//! extensions named where they are followed.
//!
//! A client has an id everybody may know and, as a confidential one, up to two secrets: the present one, and the one before
//! it until its overlap ends. What is kept of a secret is a keyed hash; it has 256 bits, so nothing can be guessed.

mod changes;
mod client;
mod error;
mod event;
mod grant;
mod scope;
mod secret;

#[cfg(test)]
mod tests;

pub use changes::{
    CLIENT_DISABLED, ClientWrite, MOST_CLIENTS, TOO_MANY_CLIENTS, UNKNOWN_CLIENT, change, create, delete,
    rotate_secret,
};
pub use client::{Client, ClientChange, ClientDefinition};
pub use error::{OAuthCode, OAuthError};
pub use event::OAuthEvent;
pub use grant::{
    CLIENT_CREDENTIALS, ClientToken, ClientTokenClaims, ClientTokenRequest, TokenAudience,
    grant_client_token, refuse_client,
};
pub use scope::{ScopeSet, ScopeToken};
pub use secret::{ClientSecret, NewClientSecret, make_secret};

use crate::denial::Denial;

/// Refusals of this capability, where clients are administered.
pub const DENIALS: &[Denial] = &[UNKNOWN_CLIENT, TOO_MANY_CLIENTS, CLIENT_DISABLED];

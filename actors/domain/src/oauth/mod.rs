//! OAuth 2: which clients there are and what they are given. RFC 6749, its best current practice (RFC 9700) and the
//! extensions named where they are followed.
//!
//! A client has an id everybody may know and, as a confidential one, up to two secrets: the present one, and the one before
//! it until its overlap ends. What is kept of a secret is a keyed hash; it has 256 bits, so nothing can be guessed.

mod authorization;
mod authorization_request;
mod changes;
mod client;
mod client_assertion;
mod client_token;
mod consent;
mod definition;
mod dpop;
mod error;
mod event;
mod id_token;
mod interaction;
mod opaque;
mod parameters;
mod pkce;
mod redirect_uri;
mod registered;
mod registration;
mod request_object;
mod requested_claims;
mod scope;
mod secret;
mod token_grant;
mod used_proof;

#[cfg(test)]
mod tests;

pub use authorization::{
    Authorization, AuthorizationEnd, AuthorizedWrite, SignedInUser, Terms, authorize, end,
};
pub use authorization_request::{AuthorizationRequest, Destination, Prompt, ResponseMode};
pub use changes::{
    CLIENT_DISABLED, ClientWrite, MOST_CLIENTS, NO_SECRET, TOO_MANY_CLIENTS, UNKNOWN_CLIENT, change, create,
    delete, rotate_secret,
};
pub use client::Client;
pub use client_assertion::{ASSERTION_TYPE, check_assertion};
pub use client_token::{
    ClientToken, ClientTokenClaims, ClientTokenRequest, Confirmation, TokenAudience, grant_client_token,
    refuse_client,
};
pub use consent::{ClientConsent, ConsentWrite, UNKNOWN_APPLICATION, consent, withdraw};
pub use definition::{ClientChange, ClientDefinition};
pub use dpop::{
    DPOP_TYPE, PROOF_MALFORMED, PROOF_NEEDED, PROOF_OF_ANOTHER_KEY, PROOF_REPLAYED, ProvedRequest, check_dpop,
};
pub use error::{OAuthCode, OAuthError};
pub use event::OAuthEvent;
pub use id_token::{ID_TOKEN_SECONDS, IdTokenClaims, UserFacts, id_token, user_info};
pub use interaction::{INTERACTION_LIFETIME, Interaction, Known, Step, next_step};
pub use opaque::{Opaque, OpaqueKind, OpaqueParts};
pub use parameters::Parameters;
pub use pkce::S256;
pub use redirect_uri::RedirectUri;
pub use registered::{AuthMethod, GrantType, IdTokenAlgorithm};
pub use registration::{OAuthSettings, RegisteredMetadata, RegistrationPolicy, RegistrationRequest};
pub use request_object::{BAD_REQUEST_OBJECT, REQUEST_OBJECT_TYPES, parameters_of_object};
pub use requested_claims::USER_CLAIMS;
pub use scope::{OFFLINE_ACCESS, OPENID, SCOPES_OF_USERS, ScopeSet, ScopeToken};
pub use secret::{ClientSecret, NewClientSecret, make_secret};
pub use token_grant::{
    CodePresented, GrantedTokens, NOT_GOOD, Outcome, TokenWish, UserTokenClaims, redeem, refresh,
};
pub use used_proof::{Proof, UsedProof};

use crate::denial::Denial;

/// The private claim of access tokens that names what a user granted.
pub const AUTHORIZATION: &str = "authorization_id";
/// How well users are authenticated: by one factor (`acr`, OpenID Connect Core §2).
pub const ACR: &str = "1";

/// Refusals of this capability, where clients are administered and what users granted them.
pub const DENIALS: &[Denial] =
    &[UNKNOWN_CLIENT, TOO_MANY_CLIENTS, CLIENT_DISABLED, NO_SECRET, UNKNOWN_APPLICATION];

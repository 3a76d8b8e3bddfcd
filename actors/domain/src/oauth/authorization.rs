//! What a user granted a client: first a code, then a family of tokens. One row from the click to the last refresh.

use super::authorization_request::AuthorizationRequest;
use super::event::OAuthEvent;
use super::pkce::CodeChallenge;
use super::requested_claims::RequestedClaims;
use super::scope::{OFFLINE_ACCESS, ScopeSet};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::id::{AuthorizationId, ClientId, SessionId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a code is good (RFC 6749 §4.1.2 has at most ten minutes; a browser needs a moment).
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// What was granted. Stored as sealed JSON: what is added later has a default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// Where the code went: whoever redeems it must say so.
    pub redirect_uri: String,
    /// What the tokens may do.
    pub scope: ScopeSet,
    /// Resource servers that were asked for; none for all of the client's.
    pub resources: Vec<String>,
    /// What the code is bound to.
    pub code_challenge: Option<CodeChallenge>,
    /// Comes back in the ID token.
    pub nonce: Option<String>,
    /// Claims asked for one by one.
    pub claims: RequestedClaims,
    /// When the user authenticated.
    pub authenticated_at: Timestamp,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// Thumbprint of the key that must come with the code (RFC 9449 §10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
}

impl Terms {
    /// Whether the grant outlives the session it was given in (OpenID Connect Core §11).
    pub fn outlive_the_session(&self) -> bool {
        self.scope.contains(OFFLINE_ACCESS)
    }
}

/// What a user granted a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authorization {
    /// Which.
    pub id: AuthorizationId,
    /// To whom.
    pub client: ClientId,
    /// By whom.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// What.
    pub terms: Terms,
    /// Until when its code is good.
    pub code_expires_at: Timestamp,
    /// When its code was used.
    pub redeemed_at: Option<Timestamp>,
    /// Generation of the current refresh token; 0 where there is none.
    pub generation: u32,
    /// When that one replaced another.
    pub rotated_at: Option<Timestamp>,
    /// Until when that one is good.
    pub refresh_expires_at: Timestamp,
    /// Thumbprint of the key the refresh tokens of a public client are bound to (RFC 9449 §5).
    pub proof_key: Option<String>,
    /// Whether all that came of it is good no longer.
    pub revoked: bool,
    /// Grows by one with each change.
    pub version: i64,
}

/// Why what a user granted ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthorizationEnd {
    /// A code was presented a second time (RFC 6749 §4.1.2).
    CodeReplayed,
    /// A replaced refresh token was presented again (RFC 9700 §4.14.2).
    RefreshReplayed,
    /// The client gave it back (RFC 7009).
    ByClient,
    /// The user took it back.
    ByUser,
    /// Those who administer the tenant took it back.
    ByOperator,
}

impl AuthorizationEnd {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::RefreshReplayed => "refresh_replayed",
            Self::ByClient => "by_client",
            Self::ByUser => "by_user",
            Self::ByOperator => "by_operator",
        }
    }
}

/// A change of what is stored about grants of users.
#[derive(Debug)]
pub enum AuthorizedWrite {
    /// A new one, with its code.
    Insert {
        /// It.
        authorization: Box<Authorization>,
        /// When.
        at: Timestamp,
    },
    /// Its code was used, or its refresh token replaced.
    Advance {
        /// Which.
        id: AuthorizationId,
        /// When its code was used.
        redeemed_at: Timestamp,
        /// Generation of the current refresh token.
        generation: u32,
        /// When that one replaced another.
        rotated_at: Option<Timestamp>,
        /// Until when that one is good.
        refresh_expires_at: Timestamp,
        /// Thumbprint of the key that one is bound to.
        proof_key: Option<String>,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// It ended.
    Revoke {
        /// Which.
        id: AuthorizationId,
        /// When.
        at: Timestamp,
    },
    /// All that a user granted a client ended.
    RevokeAll {
        /// The user.
        user: UserId,
        /// The client.
        client: ClientId,
        /// When.
        at: Timestamp,
    },
}

/// The session in which a user grants something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedInUser {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// When the user authenticated.
    pub authenticated_at: Timestamp,
    /// How.
    pub amr: Vec<String>,
}

/// Grants what was asked for. The code is made from the id.
pub fn authorize(
    id: AuthorizationId,
    request: &AuthorizationRequest,
    by: &SignedInUser,
    now: Timestamp,
) -> Decision<()> {
    let terms = Terms {
        redirect_uri: request.destination.redirect_uri.clone(),
        scope: request.scope.clone(),
        resources: request.resources.clone(),
        code_challenge: request.code_challenge,
        nonce: request.nonce.clone(),
        claims: request.claims.clone(),
        authenticated_at: by.authenticated_at,
        amr: by.amr.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
    };
    let authorization = Authorization {
        id,
        client: request.client,
        user: by.user,
        session: by.session,
        terms,
        code_expires_at: now.plus(CODE_LIFETIME),
        redeemed_at: None,
        generation: 0,
        rotated_at: None,
        refresh_expires_at: now,
        proof_key: None,
        revoked: false,
        version: 1,
    };
    let event = OAuthEvent::Authorized {
        client: request.client,
        user: by.user,
        authorization: id,
        session: by.session,
        scope: request.scope.to_string(),
    };
    let write = AuthorizedWrite::Insert { authorization: Box::new(authorization), at: now };
    Decision { writes: vec![Write::Authorized(write)], events: vec![Event::OAuth(event)], reply: () }
}

/// Ends what a user granted. What has ended stays ended.
pub fn end(authorization: &Authorization, why: AuthorizationEnd, now: Timestamp) -> Decision<()> {
    if authorization.revoked {
        return Decision::reply_only(());
    }
    let event = OAuthEvent::AuthorizationEnded {
        client: authorization.client,
        user: authorization.user,
        authorization: Some(authorization.id),
        why: why.as_str(),
    };
    let write = AuthorizedWrite::Revoke { id: authorization.id, at: now };
    Decision { writes: vec![Write::Authorized(write)], events: vec![Event::OAuth(event)], reply: () }
}

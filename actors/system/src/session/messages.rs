use crate::error::ServiceError;
use crate::tenant::TenantCell;
use plinto_domain::audit::Actor;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::OrganizationName;
use plinto_domain::refresh_token::RefreshTokenParts;
use plinto_domain::session::{NamedOrganization, RevocationReason, Session, SessionEnded};
use plinto_domain::{SessionId, TenantId, Timestamp};
use plinto_runtime::{Message, Refusal, Reply};
use std::fmt;
use std::sync::Arc;

/// Which session of which tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SessionKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The session.
    pub session: SessionId,
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.session)
    }
}

/// What gets somebody a session's next tokens.
#[derive(Clone)]
pub(crate) enum Proof {
    /// A genuine refresh token (its MAC holds), and its SHA-256.
    Token(RefreshTokenParts, [u8; 32]),
    /// The user has just proved itself again, with an access token of the session in hand.
    Reauthentication,
    /// The user wants the session to be active in another organization, or in none, with an access token of it in hand.
    Switch { organization: Option<OrganizationName>, shown: Shown },
}

/// What somebody shows who has an access token of a session.
#[derive(Clone, Copy)]
pub(crate) enum Shown {
    /// Nothing else: what they get is good for no longer than that (Unix seconds).
    AccessToken { expires_at: i64 },
    /// A genuine refresh token too (its MAC holds), and its SHA-256.
    RefreshToken(RefreshTokenParts, [u8; 32]),
}

/// A request for a session's next tokens.
pub(crate) struct RefreshRequest {
    pub(crate) cell: Arc<TenantCell>,
    pub(crate) proof: Proof,
    /// Who presents it, if anything is known of them.
    pub(crate) client: Option<[u8; 32]>,
    pub(crate) now: Timestamp,
}

/// The end of a session.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) reason: RevocationReason,
    /// Who wants it.
    pub(crate) by: Actor,
    pub(crate) now: Timestamp,
}

pub(crate) enum SessionMessage {
    /// Is the session usable now, and active in the organization an access token names?
    Check {
        named: Option<Arc<NamedOrganization>>,
        now: Timestamp,
        reply: Reply<Result<Result<(), SessionEnded>, ServiceError>>,
    },
    /// The session, if it is usable now.
    Look { now: Timestamp, reply: Reply<Result<Option<Session>, ServiceError>> },
    /// Is this genuine refresh token the current one of a usable session?
    CheckRefresh {
        generation: u32,
        hash: [u8; 32],
        now: Timestamp,
        reply: Reply<Result<Option<Session>, ServiceError>>,
    },
    /// Exchange a refresh token, or whatever else gets the next ones.
    Refresh { request: Box<RefreshRequest>, reply: Reply<Result<super::Refreshed, ServiceError>> },
    /// End the session.
    Revoke { ending: Ending, reply: Reply<Result<(), ServiceError>> },
    /// The session was ended by a committed write made elsewhere.
    WasRevoked,
    /// The session's row may have been changed by another node: read it before the next answer.
    Changed,
    /// An organization is gone: a session that is active in it reads its row before the next answer.
    OrganizationGone(OrganizationId),
}

impl Message for SessionMessage {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Check { reply, .. } => reply.is_abandoned(),
            Self::CheckRefresh { reply, .. } | Self::Look { reply, .. } => reply.is_abandoned(),
            Self::Refresh { reply, .. } => reply.is_abandoned(),
            Self::Revoke { reply, .. } => reply.is_abandoned(),
            Self::WasRevoked | Self::Changed | Self::OrganizationGone(_) => false,
        }
    }

    fn refuse(self, why: Refusal) {
        match self {
            Self::Check { reply, .. } => reply.refuse(why),
            Self::CheckRefresh { reply, .. } | Self::Look { reply, .. } => reply.refuse(why),
            Self::Refresh { reply, .. } => reply.refuse(why),
            Self::Revoke { reply, .. } => reply.refuse(why),
            Self::WasRevoked | Self::Changed | Self::OrganizationGone(_) => {}
        }
    }
}

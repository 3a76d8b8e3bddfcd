use super::tokens::IssuedAccessToken;
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::id::OrganizationId;
use plinto_domain::organization::OrganizationName;
use plinto_domain::password::Password;
use plinto_domain::refresh_token::RefreshToken;
use plinto_domain::session::{ClientDescription, RevocationReason};
use plinto_domain::sign_in::SignIn;
use plinto_domain::user::create::NewUser;
use plinto_domain::{SessionId, Timestamp, UserId};
use plinto_runtime::{Message, Refusal, Reply};
use std::net::IpAddr;
use zeroize::Zeroizing;

/// Longest User-Agent kept, in bytes.
const LONGEST_USER_AGENT: usize = 512;

/// Where a request came from. `Debug` shows nothing of it.
#[derive(Clone, Default)]
pub struct ClientContext {
    /// Peer address, or the one a trusted proxy reports.
    pub address: Option<IpAddr>,
    /// User-Agent header.
    pub user_agent: Option<String>,
}

impl std::fmt::Debug for ClientContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientContext(redacted)")
    }
}

impl ClientContext {
    pub(crate) fn describe(self) -> ClientDescription {
        let user_agent = self.user_agent.map(|mut text| {
            let end = (0..=LONGEST_USER_AGENT.min(text.len()))
                .rev()
                .find(|&at| text.is_char_boundary(at))
                .unwrap_or(0);
            text.truncate(end);
            text
        });
        ClientDescription { address: self.address.map(|address| address.to_string()), user_agent }
    }
}

/// A request to create an account, not yet checked. No `Debug`: it holds a password.
pub(crate) struct SignUpRequest {
    pub(crate) email: String,
    pub(crate) password: Zeroizing<String>,
    pub(crate) name: Option<String>,
    pub(crate) client: ClientContext,
}

/// A checked request for a user that a service or an operator creates; the password has not met the policy yet.
#[derive(Debug)]
pub(crate) struct CreateUserRequest {
    pub(crate) new: NewUser,
    pub(crate) password: Option<Password>,
}

/// A well-formed request to sign in.
#[derive(Debug)]
pub(crate) struct SignInRequest {
    pub(crate) sign_in: SignIn,
    pub(crate) client: ClientContext,
}

/// A challenge, and what was mailed for it unless that was confirmed. No `Debug`: they are good for a session.
pub(crate) struct SignInByMailRequest {
    pub(crate) challenge: Zeroizing<String>,
    /// A code, or the token of a link.
    pub(crate) presented: Option<Zeroizing<String>>,
    /// Where the session is to be active.
    pub(crate) organization: Option<OrganizationName>,
    pub(crate) client: ClientContext,
}

/// A question about the password of a user who is signed in. No `Debug`: it holds the password.
pub(crate) struct CheckPassword {
    pub(crate) user: UserId,
    pub(crate) password: Password,
    pub(crate) client: ClientContext,
}

/// The end of a user's sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndSessions {
    pub(crate) user: UserId,
    /// The one that goes on.
    pub(crate) kept: Option<SessionId>,
    pub(crate) reason: RevocationReason,
    /// Who wants it.
    pub(crate) by: Actor,
    pub(crate) now: Timestamp,
}

/// A session's tokens.
#[derive(Debug)]
pub struct SignedIn {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Access token (RFC 9068).
    pub access: IssuedAccessToken,
    /// Its current refresh token.
    pub refresh: RefreshToken,
    /// Seconds after which the session ends unless it is refreshed.
    pub refresh_expires_in: u64,
    /// The organization the access token names.
    pub organization: Option<OrganizationId>,
}

pub(crate) enum TenantMessage {
    SignUp { request: Box<SignUpRequest>, reply: Reply<Result<(), ServiceError>> },
    CreateUser { request: Box<CreateUserRequest>, actor: Actor, reply: Reply<Result<UserId, ServiceError>> },
    SignIn { request: Box<SignInRequest>, reply: Reply<Result<SignedIn, ServiceError>> },
    SignInByMail { request: Box<SignInByMailRequest>, reply: Reply<Result<SignedIn, ServiceError>> },
    CheckPassword { request: Box<CheckPassword>, reply: Reply<Result<(), ServiceError>> },
    EndSessions { request: EndSessions, reply: Reply<Result<(), ServiceError>> },
}

impl Message for TenantMessage {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::SignUp { reply, .. } => reply.is_abandoned(),
            Self::CreateUser { reply, .. } => reply.is_abandoned(),
            Self::SignIn { reply, .. } | Self::SignInByMail { reply, .. } => reply.is_abandoned(),
            Self::CheckPassword { reply, .. } | Self::EndSessions { reply, .. } => reply.is_abandoned(),
        }
    }

    fn refuse(self, why: Refusal) {
        match self {
            Self::SignUp { reply, .. } => reply.refuse(why),
            Self::CreateUser { reply, .. } => reply.refuse(why),
            Self::SignIn { reply, .. } | Self::SignInByMail { reply, .. } => reply.refuse(why),
            Self::CheckPassword { reply, .. } | Self::EndSessions { reply, .. } => reply.refuse(why),
        }
    }
}

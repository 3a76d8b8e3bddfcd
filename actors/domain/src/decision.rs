//! What a decision asks for: writes and audit events, together or not at all, and then the reply.

use crate::api_key::ApiKeyWrite;
use crate::audit::Event;
use crate::authorization::AuthorizationWrite;
use crate::flag::FlagWrite;
use crate::id::{SessionId, UserId};
use crate::mail::{DeliveryWrite, OutgoingMail};
use crate::oauth::{AuthorizedWrite, ClientWrite, ConsentWrite, UsedProof};
use crate::one_time::OneTimeWrite;
use crate::organization::OrganizationWrite;
use crate::password::PasswordHash;
use crate::policy::PolicyWrite;
use crate::privacy::PrivacyWrite;
use crate::recovery::RecoveryWrite;
use crate::service_account::ServiceAccountWrite;
use crate::session::{ClientDescription, RevocationReason, Seat, SessionWrite};
use crate::time::Timestamp;
use crate::user::import::ImportWrite;
use crate::user::invitation::UserInvitationWrite;
use crate::user::write::UserWrite;

/// The outcome of a pure decision.
#[derive(Debug)]
pub struct Decision<R> {
    /// State changes, committed in one transaction with the events.
    pub writes: Vec<Write>,
    /// Entries for the tenant's audit ledger.
    pub events: Vec<Event>,
    /// What the caller hears after the commit.
    pub reply: R,
}

impl<R> Decision<R> {
    /// A decision that changes nothing.
    pub const fn reply_only(reply: R) -> Self {
        Self { writes: Vec::new(), events: Vec::new(), reply }
    }
}

impl Decision<()> {
    /// Adds what another decision asks for.
    pub fn and(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.events.extend(other.events);
    }
}

/// One change of a tenant's state.
#[derive(Debug)]
pub enum Write {
    /// Of a user.
    User(UserWrite),
    /// Of an import of users.
    UserImport(ImportWrite),
    /// Of an invitation to become one.
    UserInvitation(UserInvitationWrite),
    /// Organizations, their members and what belongs to them.
    Organization(OrganizationWrite),
    /// The user's first password.
    InsertPassword {
        /// Whose.
        user: UserId,
        /// PHC string.
        hash: PasswordHash,
        /// When.
        at: Timestamp,
    },
    /// The same password under newer parameters; dropped if someone changed it meanwhile.
    ReplacePasswordHash {
        /// Whose.
        user: UserId,
        /// PHC string.
        hash: PasswordHash,
        /// Version of the credential the decision saw.
        expected_version: i64,
        /// When.
        at: Timestamp,
    },
    /// A mail to be sent.
    Mail(OutgoingMail),
    /// What becomes of a link or code that is good once.
    OneTime(OneTimeWrite),
    /// A proved address, or a new password.
    Recovery(RecoveryWrite),
    /// What becomes of a mail.
    MailDelivery(DeliveryWrite),
    /// A new session.
    InsertSession(NewSession),
    /// The session moves to its next refresh token.
    RotateRefresh {
        /// Which session.
        session: SessionId,
        /// Generation of the new token.
        generation: u32,
        /// SHA-256 of the new token.
        token_hash: [u8; 32],
        /// New end of idleness.
        idle_expires_at: Timestamp,
        /// When.
        at: Timestamp,
        /// Blind index of the client that asked for it, if it is known.
        client: Option<[u8; 32]>,
        /// Version of the session the decision saw.
        expected_version: i64,
    },
    /// The session ends.
    RevokeSession {
        /// Which session.
        session: SessionId,
        /// Why.
        reason: RevocationReason,
        /// When.
        at: Timestamp,
    },
    /// About API keys.
    ApiKey(ApiKeyWrite),
    /// About service accounts.
    ServiceAccount(ServiceAccountWrite),
    /// Every live session of the user ends, but for the one that is kept.
    RevokeUserSessions {
        /// Whose.
        user: UserId,
        /// The one that is kept.
        kept: Option<SessionId>,
        /// Why.
        reason: RevocationReason,
        /// When.
        at: Timestamp,
    },
    /// Something else about a session.
    Session(SessionWrite),
    /// Of roles and grants.
    Authorization(AuthorizationWrite),
    /// Of feature flags.
    Flag(FlagWrite),
    /// Of policies.
    Policy(PolicyWrite),
    /// Of OAuth clients.
    Client(ClientWrite),
    /// Of what users granted OAuth clients.
    Authorized(AuthorizedWrite),
    /// Of what users let OAuth clients have.
    ClientConsent(ConsentWrite),
    /// That something was used which is good once.
    UseProof(UsedProof),
    /// Holds, consents, erasure.
    Privacy(PrivacyWrite),
}

/// A session to be stored.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The session.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// When it was created; also when the user authenticated.
    pub at: Timestamp,
    /// Absolute end.
    pub expires_at: Timestamp,
    /// End if it is not refreshed.
    pub idle_expires_at: Timestamp,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// Where it was started from; sealed at rest.
    pub client: ClientDescription,
    /// SHA-256 of the first refresh token.
    pub refresh_hash: [u8; 32],
    /// Data-key version under which refresh tokens are authenticated.
    pub key_version: u32,
    /// The organization it is active in from the beginning.
    pub seat: Option<Seat>,
}

//! Invitations to an organization: one mail, one person, one membership.

mod accept;
mod event;
mod invite;

pub use accept::{accept, decline};
pub use event::InvitationEvent;
pub use invite::{Addressed, Letter, NewInvitation, invite, resend, revoke};

use crate::authorization::RoleKey;
use crate::denial::{Denial, DenialKind};
use crate::email::EmailAddress;
use crate::id::{InvitationId, OrganizationId, UserId};
use crate::input::InvalidInput;
use crate::one_time::SecretHash;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// There is no such invitation, or it is not for the caller: the two look the same.
pub const UNKNOWN_INVITATION: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_invitation",
    "Unknown invitation",
    "there is no invitation of this id that is yours",
);

/// Somebody invited the same person already.
pub const INVITATION_PENDING: Denial = Denial::new(
    DenialKind::Conflict,
    "invitation_pending",
    "Invitation pending",
    "an invitation of this address waits for an answer; send it once more, or revoke it first",
);

/// It was accepted, declined or revoked before.
pub const INVITATION_ENDED: Denial = Denial::new(
    DenialKind::Conflict,
    "invitation_ended",
    "Invitation ended",
    "this invitation was accepted, declined or revoked; invite again if need be",
);

/// It can no longer be accepted.
pub const INVITATION_EXPIRED: Denial = Denial::new(
    DenialKind::Gone,
    "invitation_expired",
    "Invitation expired",
    "this invitation has expired; ask those who invited you to send it once more",
);

/// Somebody has an account with the address and did not prove that it is theirs: it may be anybody's.
pub const ADDRESS_NOT_PROVED: Denial = Denial::new(
    DenialKind::Conflict,
    "invited_address_not_proved",
    "Address not confirmed",
    "there is an account with this address that did not confirm it: sign in, confirm the address, and accept the invitation there",
);

/// The account cannot become a member now.
pub const ACCOUNT_UNAVAILABLE: Denial = Denial::new(
    DenialKind::Conflict,
    "invited_account_unavailable",
    "Account unavailable",
    "the account with this address is blocked or being deleted; ask those who run the service",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[
    UNKNOWN_INVITATION,
    INVITATION_PENDING,
    INVITATION_ENDED,
    INVITATION_EXPIRED,
    ADDRESS_NOT_PROVED,
    ACCOUNT_UNAVAILABLE,
];

/// What became of an invitation, as people see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvitationState {
    /// It can be accepted.
    Pending,
    /// The person became a member.
    Accepted,
    /// The person does not want to.
    Declined,
    /// It was taken back.
    Revoked,
    /// Its time has passed.
    Expired,
}

impl InvitationState {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// How an invitation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// This user became a member.
    Accepted(UserId),
    /// The person does not want to.
    Declined,
    /// It was taken back.
    Revoked,
    /// It had expired, and another one takes its place.
    Expired,
}

/// What a decision has to know of an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Which.
    pub id: InvitationId,
    /// To which organization.
    pub organization: OrganizationId,
    /// Whom.
    pub email: EmailAddress,
    /// As what.
    pub role: RoleKey,
    /// As it is stored: one whose time has passed may be pending there.
    pub stored: InvitationState,
    /// End of its life.
    pub expires_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

impl Invitation {
    /// What became of it.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        match self.stored {
            InvitationState::Pending if self.expires_at <= now => InvitationState::Expired,
            stored => stored,
        }
    }

    /// Refuses one that can no longer be answered.
    pub fn require_open(&self, now: Timestamp) -> Result<(), Denial> {
        match self.state(now) {
            InvitationState::Pending => Ok(()),
            InvitationState::Expired => Err(INVITATION_EXPIRED),
            InvitationState::Accepted | InvitationState::Declined | InvitationState::Revoked => {
                Err(INVITATION_ENDED)
            }
        }
    }

    fn end(&self, ending: Ending, at: Timestamp) -> InvitationWrite {
        InvitationWrite::End {
            organization: self.organization,
            invitation: self.id,
            ending,
            at,
            expected_version: self.version,
        }
    }
}

/// What becomes of an invitation.
#[derive(Debug)]
pub enum InvitationWrite {
    /// A new one.
    Insert {
        /// Which.
        invitation: InvitationId,
        /// To which organization.
        organization: OrganizationId,
        /// Whom.
        email: EmailAddress,
        /// As what.
        role: RoleKey,
        /// Of what is in the mail.
        token: SecretHash,
        /// Who invited: an id.
        invited_by: String,
        /// When.
        at: Timestamp,
        /// End of its life.
        expires_at: Timestamp,
    },
    /// A new token in place of the old one, and a new life.
    Renew {
        /// To which organization.
        organization: OrganizationId,
        /// Which.
        invitation: InvitationId,
        /// Of what is in the new mail.
        token: SecretHash,
        /// When.
        at: Timestamp,
        /// End of its new life.
        expires_at: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// It ended; what is in the mail is good for nothing any more.
    End {
        /// To which organization.
        organization: OrganizationId,
        /// Which.
        invitation: InvitationId,
        /// How.
        ending: Ending,
        /// When.
        at: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
}

/// What a tenant wants of organizations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OrganizationSettings {
    /// Days for which an invitation can be accepted.
    pub invitation_days: u32,
}

impl Default for OrganizationSettings {
    fn default() -> Self {
        Self { invitation_days: 7 }
    }
}

impl OrganizationSettings {
    /// Refuses values no operator should want.
    pub fn check(&self) -> Result<(), InvalidInput> {
        if (1..=30).contains(&self.invitation_days) {
            return Ok(());
        }
        let field = "settings.organizations.invitation_days";
        Err(InvalidInput::new(field, "out_of_range", "choose 1 to 30 days"))
    }
}

#[cfg(test)]
mod tests;

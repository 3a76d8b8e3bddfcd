//! What sessions ask to be written and put on record, besides what is as old as they are.

use super::organization::Seat;
use crate::id::{OrganizationId, SessionId, UserId};
use crate::time::Timestamp;
use serde_json::{Value, json};

/// A session with its refresh token in its place: in an organization, or in none.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Which session.
    pub session: SessionId,
    /// Generation of its refresh token.
    pub generation: u32,
    /// SHA-256 of its refresh token.
    pub token_hash: [u8; 32],
    /// End of idleness.
    pub idle_expires_at: Timestamp,
    /// When the refresh token was last rotated, if ever.
    pub rotated_at: Option<Timestamp>,
    /// Blind index of the client that asked for that rotation, if it is known.
    pub client: Option<[u8; 32]>,
    /// When the user last authenticated.
    pub authenticated_at: Timestamp,
    /// When.
    pub at: Timestamp,
    /// In which organization; stands only while the user belongs to it in that role and the policy is the same.
    pub seat: Option<Seat>,
    /// Version of the session the decision saw.
    pub expected_version: i64,
}

/// A change of a session.
#[derive(Debug, Clone)]
pub enum SessionWrite {
    /// The session is active in an organization, or in none any more.
    Place(Box<Placement>),
    /// Its user has proved itself again: the session moves to its next refresh token.
    Reauthenticate {
        /// Which.
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
    /// Stands only if the user has at most this many live sessions with the new one.
    WithinLimit {
        /// The new session.
        session: SessionId,
        /// Whose.
        user: UserId,
        /// How many.
        most: u32,
        /// When.
        at: Timestamp,
    },
}

/// Why a session is active in another organization than before, or in none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrganizationChange {
    /// It was begun there.
    SignedIn,
    /// Its user wanted that.
    Switched,
    /// Its user is no member any more, or the policy is not met (any more).
    NotAdmitted(&'static str),
}

impl OrganizationChange {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::Switched => "switched",
            Self::NotAdmitted(why) => why,
        }
    }
}

/// Something that happened to a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionEvent {
    /// Its user proved itself again.
    Reauthenticated {
        /// Which.
        session: SessionId,
        /// The new generation of its refresh token.
        generation: u32,
    },
    /// It is active in another organization, or in none.
    OrganizationChanged {
        /// Which session.
        session: SessionId,
        /// Where it is active now.
        organization: Option<OrganizationId>,
        /// Why.
        why: OrganizationChange,
    },
}

impl SessionEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reauthenticated { .. } => "session.reauthenticated",
            Self::OrganizationChanged { .. } => "session.organization_changed",
        }
    }

    /// Whether a node that did not cause it may have in memory what it changed. The version of the row fences what a
    /// node with the older generation does, as with a refresh. Tokens that name the organization before are to be
    /// refused everywhere.
    pub const fn concerns_other_nodes(&self) -> bool {
        match self {
            Self::Reauthenticated { .. } => false,
            Self::OrganizationChanged { .. } => true,
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Reauthenticated { session, .. } | Self::OrganizationChanged { session, .. } => {
                session.to_string()
            }
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Reauthenticated { generation, .. } => json!({ "generation": generation }),
            Self::OrganizationChanged { organization, why, .. } => {
                json!({ "organization": organization, "reason": why.as_str() })
            }
        }
    }
}

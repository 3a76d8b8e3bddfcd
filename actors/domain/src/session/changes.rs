//! What sessions ask to be written and put on record, besides what is as old as they are.

use crate::id::{SessionId, UserId};
use crate::time::Timestamp;
use serde_json::{Value, json};

/// A change of a session.
#[derive(Debug, Clone)]
pub enum SessionWrite {
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
}

impl SessionEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reauthenticated { .. } => "session.reauthenticated",
        }
    }

    /// Whether a node that did not cause it may have in memory what it changed. The version of the row fences what a
    /// node with the older generation does, as with a refresh.
    pub const fn concerns_other_nodes(&self) -> bool {
        match self {
            Self::Reauthenticated { .. } => false,
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Reauthenticated { session, .. } => session.to_string(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Reauthenticated { generation, .. } => json!({ "generation": generation }),
        }
    }
}

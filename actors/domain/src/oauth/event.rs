use crate::id::ClientId;
use serde_json::{Value, json};

/// Something that happened to a client, or was given to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OAuthEvent {
    /// It was made.
    ClientCreated {
        /// Which.
        client: ClientId,
    },
    /// It was changed.
    ClientChanged {
        /// Which.
        client: ClientId,
        /// Names of what was changed.
        fields: Vec<&'static str>,
    },
    /// It has a new secret.
    SecretRotated {
        /// Which.
        client: ClientId,
        /// For how long the one before is good as well.
        overlap_seconds: u64,
    },
    /// It was removed, and what it was given is good no longer.
    ClientDeleted {
        /// Which.
        client: ClientId,
    },
    /// It was given an access token.
    TokenIssued {
        /// Which.
        client: ClientId,
        /// The grant it used.
        grant_type: &'static str,
        /// The token's.
        jti: String,
        /// The token's, as one text.
        scope: String,
    },
    /// It was refused a token.
    TokenRefused {
        /// Which it said it is; there is such a client.
        client: ClientId,
        /// The error it was answered with.
        error: &'static str,
    },
}

impl OAuthEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ClientCreated { .. } => "client.created",
            Self::ClientChanged { .. } => "client.changed",
            Self::SecretRotated { .. } => "client.secret_rotated",
            Self::ClientDeleted { .. } => "client.deleted",
            Self::TokenIssued { .. } => "client.token_issued",
            Self::TokenRefused { .. } => "client.token_refused",
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        let (Self::ClientCreated { client }
        | Self::ClientChanged { client, .. }
        | Self::SecretRotated { client, .. }
        | Self::ClientDeleted { client }
        | Self::TokenIssued { client, .. }
        | Self::TokenRefused { client, .. }) = self;
        client.to_string()
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::ClientCreated { .. } | Self::ClientDeleted { .. } => json!({}),
            Self::ClientChanged { fields, .. } => json!({ "fields": fields }),
            Self::SecretRotated { overlap_seconds, .. } => json!({ "overlap_seconds": overlap_seconds }),
            Self::TokenIssued { grant_type, jti, scope, .. } => {
                json!({ "grant_type": grant_type, "jti": jti, "scope": scope })
            }
            Self::TokenRefused { error, .. } => json!({ "error": error }),
        }
    }

    /// Whether other nodes have in memory what it changed: nothing of clients is kept there.
    pub const fn concerns_other_nodes(&self) -> bool {
        false
    }
}

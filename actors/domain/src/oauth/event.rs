use crate::id::{AuthorizationId, ClientId, SessionId, UserId};
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
        /// Who granted it and by what, unless it is the client's own.
        authorization: Option<(UserId, AuthorizationId)>,
    },
    /// It was refused a token.
    TokenRefused {
        /// Which it said it is; there is such a client.
        client: ClientId,
        /// The error it was answered with.
        error: &'static str,
    },
    /// A user granted it something.
    Authorized {
        /// Which.
        client: ClientId,
        /// The user.
        user: UserId,
        /// What was granted.
        authorization: AuthorizationId,
        /// In which session.
        session: SessionId,
        /// What it may do, as one text.
        scope: String,
    },
    /// It was told that a user does not grant what it asked for.
    AuthorizationRefused {
        /// Which.
        client: ClientId,
        /// The user, if one was signed in.
        user: Option<UserId>,
        /// The error it was answered with.
        error: &'static str,
    },
    /// What a user granted it ended.
    AuthorizationEnded {
        /// Which.
        client: ClientId,
        /// The user.
        user: UserId,
        /// What ended; all there was if none is named.
        authorization: Option<AuthorizationId>,
        /// Why.
        why: &'static str,
    },
    /// A user was asked and said yes.
    ConsentGiven {
        /// Which.
        client: ClientId,
        /// The user.
        user: UserId,
        /// To what, as one text.
        scope: String,
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
            Self::Authorized { .. } => "client.authorized",
            Self::AuthorizationRefused { .. } => "client.authorization_refused",
            Self::AuthorizationEnded { .. } => "client.authorization_ended",
            Self::ConsentGiven { .. } => "client.consent_given",
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        let (Self::ClientCreated { client }
        | Self::ClientChanged { client, .. }
        | Self::SecretRotated { client, .. }
        | Self::ClientDeleted { client }
        | Self::TokenIssued { client, .. }
        | Self::TokenRefused { client, .. }
        | Self::Authorized { client, .. }
        | Self::AuthorizationRefused { client, .. }
        | Self::AuthorizationEnded { client, .. }
        | Self::ConsentGiven { client, .. }) = self;
        client.to_string()
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::ClientCreated { .. } | Self::ClientDeleted { .. } => json!({}),
            Self::ClientChanged { fields, .. } => json!({ "fields": fields }),
            Self::SecretRotated { overlap_seconds, .. } => json!({ "overlap_seconds": overlap_seconds }),
            Self::TokenIssued { grant_type, jti, scope, authorization: None, .. } => {
                json!({ "grant_type": grant_type, "jti": jti, "scope": scope })
            }
            Self::TokenIssued { grant_type, jti, scope, authorization: Some((user, id)), .. } => json!({
                "grant_type": grant_type, "jti": jti, "scope": scope, "user_id": user, "authorization_id": id
            }),
            Self::TokenRefused { error, .. } => json!({ "error": error }),
            Self::Authorized { user, authorization, session, scope, .. } => json!({
                "user_id": user, "authorization_id": authorization, "session_id": session, "scope": scope
            }),
            Self::AuthorizationRefused { user, error, .. } => json!({ "user_id": user, "error": error }),
            Self::AuthorizationEnded { user, authorization, why, .. } => {
                json!({ "user_id": user, "authorization_id": authorization, "why": why })
            }
            Self::ConsentGiven { user, scope, .. } => json!({ "user_id": user, "scope": scope }),
        }
    }

    /// Whether other nodes have in memory what it changed: nothing of clients is kept there.
    pub const fn concerns_other_nodes(&self) -> bool {
        false
    }
}

//! Events of a tenant, as the audit ledger records them: ids only, never personal data.

use crate::api_key::ApiKeyEvent;
use crate::authorization::AuthorizationEvent;
use crate::flag::FlagEvent;
use crate::id::{ApiKeyId, ClientId, SessionId, TenantId, UserId};
use crate::mail::MailEvent;
use crate::oauth::OAuthEvent;
use crate::organization::OrganizationEvent;
use crate::policy::PolicyEvent;
use crate::privacy::PrivacyEvent;
use crate::recovery::RecoveryEvent;
use crate::service_account::ServiceAccountEvent;
use crate::session::{RevocationReason, SessionEvent};
use crate::user::event::UserEvent;
use crate::user::import::ImportEvent;
use crate::user::invitation::UserInvitationEvent;
use serde_json::{Value, json};

/// Who caused an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Somebody not signed in.
    Anonymous,
    /// A signed-in user.
    User(UserId),
    /// A calling service or operator.
    ApiKey(ApiKeyId),
    /// An OAuth client, for itself.
    Client(ClientId),
    /// Plinto itself.
    System,
}

impl Actor {
    /// The text stored in the ledger.
    pub fn label(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::User(user) => user.to_string(),
            Self::ApiKey(key) => key.to_string(),
            Self::Client(client) => client.to_string(),
            Self::System => "system".to_owned(),
        }
    }
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Organizations, their members and what belongs to them.
    Organization(OrganizationEvent),
    /// A tenant was created.
    TenantCreated {
        /// Which.
        tenant: TenantId,
    },
    /// A tenant's name or settings were changed.
    TenantChanged {
        /// Which.
        tenant: TenantId,
        /// Names of what was changed.
        fields: Vec<String>,
    },
    /// A tenant was deleted and its keys destroyed.
    TenantDeleted {
        /// Which.
        tenant: TenantId,
    },
    /// The tenant's data key moved to a new version.
    DataKeyRotated {
        /// Which tenant.
        tenant: TenantId,
    },
    /// The tenant signs with a new key; the older ones verify until they retire.
    SigningKeyRotated {
        /// RFC 7638 thumbprint.
        kid: String,
        /// JOSE algorithm.
        alg: &'static str,
    },
    /// An API key was made: for one tenant's services, or for the platform's operators.
    ApiKeyIssued {
        /// Which.
        key: ApiKeyId,
        /// The tenant it reaches; none for a platform key.
        tenant: Option<TenantId>,
    },
    /// Something happened to an API key.
    ApiKey(ApiKeyEvent),
    /// Something happened to a service account.
    ServiceAccount(ServiceAccountEvent),
    /// An account was created.
    UserCreated {
        /// Whose.
        user: UserId,
    },
    /// Something about a user was changed.
    UserChanged {
        /// Whose.
        user: UserId,
        /// Names of what was changed.
        fields: Vec<&'static str>,
    },
    /// Something else happened to a user.
    User(UserEvent),
    /// Something happened to an import of users, or they were exported.
    UserImport(ImportEvent),
    /// Something happened to an invitation to become a user.
    UserInvitation(UserInvitationEvent),
    /// Somebody tried to sign up with an address that has an account.
    SignUpRepeated,
    /// A sign-in was refused.
    SignInRefused {
        /// The account, if there is one.
        user: Option<UserId>,
        /// Why, for the operator; the caller hears one uniform answer.
        reason: &'static str,
    },
    /// The password's hash was renewed under current parameters.
    PasswordHashUpgraded {
        /// Whose.
        user: UserId,
    },
    /// A session began.
    SessionCreated {
        /// Which.
        session: SessionId,
        /// Whose.
        user: UserId,
        /// Authentication methods.
        amr: Vec<String>,
    },
    /// A refresh token was used and replaced.
    SessionRefreshed {
        /// Which.
        session: SessionId,
        /// The new generation.
        generation: u32,
    },
    /// A refresh token just replaced came again from the same client, which got the current one once more.
    SessionRefreshRepeated {
        /// Which.
        session: SessionId,
        /// The current generation.
        generation: u32,
    },
    /// A refresh token that had been replaced was presented again.
    RefreshReuseDetected {
        /// Which.
        session: SessionId,
        /// The generation presented.
        presented: u32,
        /// The current generation.
        current: u32,
    },
    /// A session ended.
    SessionRevoked {
        /// Which.
        session: SessionId,
        /// Whose.
        user: UserId,
        /// Why.
        reason: RevocationReason,
    },
    /// All sessions of a user ended, but for the one that is kept.
    UserSessionsRevoked {
        /// Whose.
        user: UserId,
        /// The one that is kept.
        kept: Option<SessionId>,
        /// Why.
        reason: RevocationReason,
    },
    /// Something happened to a mail.
    Mail(MailEvent),
    /// Something happened to an address or a password.
    Recovery(RecoveryEvent),
    /// Something else happened to a session.
    Session(SessionEvent),
    /// Something about roles and grants.
    Authorization(AuthorizationEvent),
    /// Something about feature flags.
    Flag(FlagEvent),
    /// Something about policies.
    Policy(PolicyEvent),
    /// Something happened to an OAuth client, or it was given something.
    OAuth(OAuthEvent),
    /// Holds, consents, erasure, pruning.
    Privacy(PrivacyEvent),
}

impl Event {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Organization(event) => event.name(),
            Self::TenantCreated { .. } => "tenant.created",
            Self::TenantChanged { .. } => "tenant.changed",
            Self::TenantDeleted { .. } => "tenant.deleted",
            Self::DataKeyRotated { .. } => "tenant.data_key.rotated",
            Self::SigningKeyRotated { .. } => "tenant.signing_key.rotated",
            Self::ApiKeyIssued { .. } => "api_key.issued",
            Self::ApiKey(event) => event.name(),
            Self::ServiceAccount(event) => event.name(),
            Self::UserCreated { .. } => "user.created",
            Self::UserChanged { .. } => "user.changed",
            Self::User(event) => event.name(),
            Self::UserImport(event) => event.name(),
            Self::UserInvitation(event) => event.name(),
            Self::SignUpRepeated => "sign_up.repeated",
            Self::SignInRefused { .. } => "sign_in.refused",
            Self::PasswordHashUpgraded { .. } => "user.password_hash.upgraded",
            Self::SessionCreated { .. } => "session.created",
            Self::SessionRefreshed { .. } => "session.refreshed",
            Self::SessionRefreshRepeated { .. } => "session.refresh_repeated",
            Self::RefreshReuseDetected { .. } => "session.refresh_reuse_detected",
            Self::SessionRevoked { .. } => "session.revoked",
            Self::UserSessionsRevoked { .. } => "user.sessions_revoked",
            Self::Mail(event) => event.name(),
            Self::Recovery(event) => event.name(),
            Self::Privacy(event) => event.name(),
            Self::Session(event) => event.name(),
            Self::Authorization(event) => event.name(),
            Self::Flag(event) => event.name(),
            Self::Policy(event) => event.name(),
            Self::OAuth(event) => event.name(),
        }
    }

    /// Whether a node that did not cause it may have in memory what it changed: sessions, keys of tenants, tenants
    /// themselves, API keys, what checks and flags know of users. The others are told, and look for it in the ledger.
    ///
    /// A session that was refreshed is not among them: its row's version fences what a node with the older
    /// generation does. Neither is a new tenant: what a shared node did not find, it does not remember.
    pub const fn concerns_other_nodes(&self) -> bool {
        match self {
            Self::ApiKey(event) => event.concerns_other_nodes(),
            Self::ServiceAccount(event) => event.concerns_other_nodes(),
            Self::TenantChanged { .. }
            | Self::TenantDeleted { .. }
            | Self::DataKeyRotated { .. }
            | Self::SigningKeyRotated { .. }
            | Self::ApiKeyIssued { .. }
            | Self::SessionRevoked { .. }
            | Self::UserSessionsRevoked { .. } => true,
            Self::Authorization(event) => event.concerns_other_nodes(),
            Self::Organization(event) => event.concerns_other_nodes(),
            Self::Flag(event) => event.concerns_other_nodes(),
            Self::Policy(event) => event.concerns_other_nodes(),
            Self::OAuth(event) => event.concerns_other_nodes(),
            Self::User(event) => event.concerns_other_nodes(),
            Self::Recovery(event) => event.concerns_other_nodes(),
            Self::Privacy(event) => event.concerns_other_nodes(),
            Self::UserChanged { .. } => true,
            Self::TenantCreated { .. }
            | Self::UserCreated { .. }
            | Self::UserImport(_)
            | Self::UserInvitation(_)
            | Self::SignUpRepeated
            | Self::SignInRefused { .. }
            | Self::PasswordHashUpgraded { .. }
            | Self::SessionCreated { .. }
            | Self::SessionRefreshed { .. }
            | Self::SessionRefreshRepeated { .. }
            | Self::RefreshReuseDetected { .. }
            | Self::Mail(_) => false,
            Self::Session(event) => event.concerns_other_nodes(),
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Organization(event) => event.subject(),
            Self::TenantCreated { tenant }
            | Self::TenantChanged { tenant, .. }
            | Self::TenantDeleted { tenant }
            | Self::DataKeyRotated { tenant } => tenant.to_string(),
            Self::SigningKeyRotated { kid, .. } => kid.clone(),
            Self::ApiKeyIssued { key, .. } => key.to_string(),
            Self::ApiKey(event) => event.subject(),
            Self::ServiceAccount(event) => event.subject(),
            Self::UserCreated { user }
            | Self::UserChanged { user, .. }
            | Self::PasswordHashUpgraded { user }
            | Self::UserSessionsRevoked { user, .. } => user.to_string(),
            Self::User(event) => event.subject(),
            Self::UserImport(event) => event.subject(),
            Self::UserInvitation(event) => event.subject(),
            Self::SignInRefused { user, .. } => {
                user.map_or_else(|| "unknown".to_owned(), |user| user.to_string())
            }
            Self::SignUpRepeated => "unknown".to_owned(),
            Self::SessionCreated { session, .. }
            | Self::SessionRefreshed { session, .. }
            | Self::SessionRefreshRepeated { session, .. }
            | Self::RefreshReuseDetected { session, .. }
            | Self::SessionRevoked { session, .. } => session.to_string(),
            Self::Mail(event) => event.subject(),
            Self::Recovery(event) => event.subject(),
            Self::Privacy(event) => event.subject(),
            Self::Session(event) => event.subject(),
            Self::Authorization(event) => event.subject(),
            Self::Flag(event) => event.subject(),
            Self::Policy(event) => event.subject(),
            Self::OAuth(event) => event.subject(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Organization(event) => event.data(),
            Self::TenantCreated { .. }
            | Self::TenantDeleted { .. }
            | Self::DataKeyRotated { .. }
            | Self::UserCreated { .. }
            | Self::SignUpRepeated
            | Self::PasswordHashUpgraded { .. } => json!({}),
            Self::User(event) => event.data(),
            Self::UserImport(event) => event.data(),
            Self::UserInvitation(event) => event.data(),
            Self::TenantChanged { fields, .. } => json!({ "fields": fields }),
            Self::UserChanged { fields, .. } => json!({ "fields": fields }),
            Self::ApiKeyIssued { tenant, .. } => json!({ "tenant": tenant }),
            Self::ApiKey(event) => event.data(),
            Self::ServiceAccount(event) => event.data(),
            Self::SigningKeyRotated { alg, .. } => json!({ "alg": alg }),
            Self::SignInRefused { reason, .. } => json!({ "reason": reason }),
            Self::SessionCreated { user, amr, .. } => json!({ "user": user, "amr": amr }),
            Self::SessionRefreshed { generation, .. } | Self::SessionRefreshRepeated { generation, .. } => {
                json!({ "generation": generation })
            }
            Self::RefreshReuseDetected { presented, current, .. } => {
                json!({ "presented": presented, "current": current })
            }
            Self::SessionRevoked { user, reason, .. } => json!({ "user": user, "reason": reason.as_str() }),
            Self::Mail(event) => event.data(),
            Self::Recovery(event) => event.data(),
            Self::Privacy(event) => event.data(),
            Self::UserSessionsRevoked { reason, kept: None, .. } => json!({ "reason": reason.as_str() }),
            Self::UserSessionsRevoked { reason, kept, .. } => {
                json!({ "reason": reason.as_str(), "kept": kept })
            }
            Self::Session(event) => event.data(),
            Self::Authorization(event) => event.data(),
            Self::Flag(event) => event.data(),
            Self::Policy(event) => event.data(),
            Self::OAuth(event) => event.data(),
        }
    }
}

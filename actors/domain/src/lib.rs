//! What Plinto decides, and nothing about how it is carried out.
//!
//! Every decision is a pure function `(state, command, now, randomness) -> Decision { writes, events, reply }`.
//! Architecture invariant: there is no tokio, no IO, no clock and no generator in this crate; time and
//! randomness are parameters, and personal data has redacting `Debug` implementations.

pub mod access_token;
pub mod account;
pub mod address;
pub mod api_key;
pub mod api_scope;
pub mod audit;
pub mod audit_query;
pub mod authorization;
pub mod decision;
pub mod denial;
pub mod email;
pub mod flag;
pub mod foreign_hash;
pub mod id;
pub mod idempotency;
pub mod input;
pub mod mail;
pub mod metadata;
pub mod name;
pub mod oauth;
pub mod one_time;
pub mod organization;
pub mod password;
pub mod passwordless;
pub mod policy;
pub mod precondition;
pub mod privacy;
pub mod randomness;
pub mod recovery;
pub mod refresh_token;
pub mod service_account;
pub mod session;
pub mod sign_in;
pub mod sign_up;
pub mod tenant;
pub mod time;
pub mod user;

pub use decision::{Decision, Write};
pub use denial::{Denial, DenialKind};
pub use id::{
    ApiKeyId, AuthorizationId, ClientId, DomainId, EmailId, InvitationId, MailId, OrganizationId,
    ServiceAccountId, SessionId, TenantId, UserId, UserInvitationId,
};
pub use input::InvalidInput;
pub use time::Timestamp;

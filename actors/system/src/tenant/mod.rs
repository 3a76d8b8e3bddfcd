//! A tenant: its keys, its settings, its limits, and the flows that create accounts and sessions.

mod activation;
mod actor;
mod cell;
mod facts;
mod flags;
mod flows;
mod handle;
mod known_clients;
mod known_users;
mod limits;
mod messages;
mod outcomes;
mod policies;
mod published;
mod rights;
mod signers;
mod slot;
mod tokens;

pub(crate) use activation::new_signing_key;
pub(crate) use actor::TenantActor;
pub(crate) use cell::TenantCell;
pub(crate) use facts::Facts;
pub(crate) use flags::{FlagSet, KeptFlag};
pub(crate) use handle::TenantHandle;
pub(crate) use known_users::{ConcernedUsers, UserStamps};
pub(crate) use limits::AttemptLimits;
pub(crate) use messages::{
    CheckPassword, CreateUserRequest, EndSessions, SignInByMailRequest, SignInRequest, SignUpRequest,
};
pub use messages::{ClientContext, SignedIn};
pub(crate) use policies::ActivePolicies;
pub use published::Published;
pub(crate) use rights::{RoleSet, SeenPrincipal, SubjectRights};
pub use tokens::IssuedAccessToken;
pub(crate) use tokens::{Bearer, OAuthToken, Verified, VerifiedToken, access_token, signed_access_token};

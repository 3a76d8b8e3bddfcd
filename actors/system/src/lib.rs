//! The actors of Plinto and their handles: tenants, sessions and ledgers, supervised by `plinto_runtime`.
//!
//! [`Platform`] is the only way in: listeners call its methods, which admit (rate limiter and in-flight permit),
//! reach the right actor, and answer after the ledger has committed.
//!
//! Architecture invariant: nothing here speaks HTTP, and nothing here decides (see `plinto_domain`); actors load
//! state, run decisions, commit them through the tenant's ledger, and only then change memory and reply.

mod breaches;
mod budgets;
mod config;
mod credentials;
mod directories;
mod dns;
mod environment;
mod error;
mod introspection;
mod joining;
mod ledger;
mod look_ups;
mod mail;
mod metadata_rules;
mod nodes;
mod one_time;
mod passwords;
mod persist;
mod pictures;
mod places;
mod platform;
mod policies;
mod registry;
mod sealed_rows;
mod session;
mod tenant;
mod user_view;

pub use breaches::{
    BreachedPasswords, Breaches, EmbeddedList, HashPrefix, ListUnavailable, WhileUnavailable,
};
pub use budgets::{Charged, noting_charges};
pub use config::{Limits, PlatformConfig};
pub use credentials::{ApiKeyView, Caller, IssuedApiKey, ServiceAccountView};
pub use dns::{DnsFailure, TxtRecords};
pub use environment::{Clock, Environment};
pub use error::ServiceError;
pub use introspection::Introspection;
pub use ledger::CommitError;
pub use mail::{
    KeptMail, MailFailure, MailRoute, MailTransport, Mailbox, RenderedMail, SmtpConfig, SmtpError,
    SmtpSecurity, SmtpTransport,
};
pub use nodes::NodesCount;
pub use passwords::{CURRENT_PARAMETERS, HashMemory, hash_password, verify_password};
pub use places::{Place, Places};
pub use platform::{
    Account, ActiveVersion, ApiKeyWish, ApplicationView, AskedBy, AuditEntry, AuditExport, AuditPage,
    AuditQuery, AuditStream, AuthorizationAnswer, AvatarView, Begun, Browser, Challenge, CheckRequest,
    CheckpointView, Circumstances, ClientAuthentication, ClientProof, ClientView, ConsentView, DecidedBy,
    Device, DeviceKind, DomainView, DryRun, DryRunResult, DryRunSource, EmailView, EndSessionRequest,
    FlagEvaluation, FlagQuestion, FlagView, GrantDraft, GrantQuery, GrantView, HeldPermission, ImportError,
    InvitationAccepted, InvitationOffer, InvitationView, Invited, InvitedAccount, IssuedClientToken,
    IssuedTokens, LegalHold, LogoutPlan, MemberChange, MemberView, MembershipView, MyInvitation, NewAccount,
    NewClient, NewConsent, NewPolicyVersion, NewUserInput, Next, OrganizationPolicyView, OrganizationView,
    Platform, PolicyVersionView, Possession, Pruned, PushedRequest, ReadUsers, Reader, RegisteredClient,
    Repetition, Reservation, RoleOrPermission, RoleView, Ruling, Served, SessionView, SubjectData,
    SubjectEmail, SubjectMembership, SubjectSearch, SubjectSession, SubjectsFound, Switched, TenantErased,
    TenantLook, Unique, UserExport, UserFilter, UserImporter, UserInvitationInput, UserInvitationView,
    UserList, UserView, Why,
};
pub use registry::{TenantChange, TenantView};
pub use session::SessionKey;
pub use tenant::{ClientContext, IssuedAccessToken, Published, SignedIn};

pub use plinto_cluster::{Cluster, ClusterError, ClusterHealth, NodeId, NodeInfo};
pub use plinto_runtime as runtime;
pub use plinto_storage::{EngineHealth, PoolHealth, StorageError};
pub use plinto_token::Algorithm as SigningAlgorithm;

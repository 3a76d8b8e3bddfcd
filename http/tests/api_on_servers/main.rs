//! The same tests as `tests/api`, over PostgreSQL and Redis instead of the embedded engine.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(clippy::allow_attributes, reason = "crate-level for a test binary")]

#[path = "../api/active_organizations.rs"]
mod active_organizations;
#[path = "../api/api_keys.rs"]
mod api_keys;
#[path = "../api/app.rs"]
mod app;
#[path = "../api/audit.rs"]
mod audit;
#[path = "../api/authorization.rs"]
mod authorization;
#[path = "../api/authorization_code.rs"]
mod authorization_code;
#[path = "../api/avatars.rs"]
mod avatars;
mod backend;
#[path = "../api/bad_input.rs"]
mod bad_input;
#[path = "../api/browser_sessions.rs"]
mod browser_sessions;
#[path = "../api/client_keys.rs"]
mod client_keys;
#[path = "../api/coverage.rs"]
mod coverage;
#[path = "../api/decisions.rs"]
mod decisions;
#[path = "../api/domains.rs"]
mod domains;
#[path = "../api/faults.rs"]
mod faults;
#[path = "../api/flags.rs"]
mod flags;
#[path = "../api/foreign.rs"]
mod foreign;
#[path = "../api/hosted.rs"]
mod hosted;
#[path = "../api/idempotency.rs"]
mod idempotency;
#[path = "../api/invitations.rs"]
mod invitations;
#[path = "../api/journey.rs"]
mod journey;
#[path = "../api/keys.rs"]
mod keys;
#[path = "../api/limits.rs"]
mod limits;
#[path = "../api/mail.rs"]
mod mail;
#[path = "../api/makers.rs"]
mod makers;
#[path = "../api/oauth.rs"]
mod oauth;
#[path = "../api/operations.rs"]
mod operations;
#[path = "../api/organizations.rs"]
mod organizations;
#[path = "../api/passwordless.rs"]
mod passwordless;
#[path = "../api/passwords.rs"]
mod passwords;
#[path = "../api/policies.rs"]
mod policies;
#[path = "../api/privacy.rs"]
mod privacy;
#[path = "../api/recovery.rs"]
mod recovery;
#[path = "../api/redaction.rs"]
mod redaction;
#[path = "../api/registration.rs"]
mod registration;
#[path = "../api/retention.rs"]
mod retention;
#[path = "../api/retries.rs"]
mod retries;
#[path = "../api/runtime.rs"]
mod runtime;
#[path = "../api/service_accounts.rs"]
mod service_accounts;
#[path = "../api/session_limits.rs"]
mod session_limits;
#[path = "../api/sessions.rs"]
mod sessions;
#[path = "../api/settings.rs"]
mod settings;
#[path = "../api/subjects.rs"]
mod subjects;
#[path = "../api/tenancy.rs"]
mod tenancy;
#[path = "../api/tokens.rs"]
mod tokens;
mod two_nodes;
#[path = "../api/user_agent.rs"]
mod user_agent;
#[path = "../api/user_emails.rs"]
mod user_emails;
#[path = "../api/user_imports.rs"]
mod user_imports;
#[path = "../api/user_invitations.rs"]
mod user_invitations;
#[path = "../api/user_profiles.rs"]
mod user_profiles;
#[path = "../api/users.rs"]
mod users;
#[path = "../api/users_standing.rs"]
mod users_standing;

//! The Core API and the auth service over the real routers, the real actors and the real embedded engine.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
#![allow(clippy::allow_attributes, reason = "crate-level for a test binary")]

mod api_keys;
mod app;
mod audit;
mod authorization;
mod avatars;
mod backend;
mod bad_input;
mod browser_sessions;
mod coverage;
mod decisions;
mod domains;
mod faults;
mod flags;
mod foreign;
mod idempotency;
mod invitations;
mod journey;
mod keys;
mod limits;
mod mail;
mod makers;
mod operations;
mod organizations;
mod passwordless;
mod passwords;
mod privacy;
mod recovery;
mod redaction;
mod retention;
mod retries;
mod runtime;
mod service_accounts;
mod session_limits;
mod sessions;
mod settings;
mod subjects;
mod tenancy;
mod tokens;
mod user_emails;
mod user_imports;
mod user_invitations;
mod user_profiles;
mod users;
mod users_standing;

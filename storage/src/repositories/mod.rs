//! Every SQL text of the store that is not DDL, one module per table.
//!
//! A repository builds [`Statement`](crate::Statement)s, sealing what is personal or secret, and reads
//! rows back, opening them. It decides nothing: versions and states are what the caller says.
//!
//! Rules that tests hold for every text here: parameters are `$1..$n` without a gap; in a tenant's table
//! `$1` is the tenant's id and every table is bound to it. "Not found" is `Ok(None)`.

/// Declares SQL constants and `ALL`, so that no text escapes the tests over all of them.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)+
        /// Every text of this repository.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((concat!(module_path!(), "::", stringify!($name)), $name)),+];
    };
}

pub mod api_keys;
pub mod authorizations;
pub mod client_consents;
pub mod clients;
pub mod consents;
pub mod constraint;
pub mod credentials;
pub mod erasure;
pub mod flags;
pub mod grants;
pub mod kept_answers;
pub(crate) mod ledger;
pub(crate) mod ledger_checkpoints;
pub mod legal_holds;
pub(crate) mod master_checks;
pub mod one_time_tokens;
pub mod organization_domains;
pub mod organization_invitations;
pub mod organization_members;
pub mod organization_policies;
pub mod organizations;
pub mod outbox;
pub mod password_history;
pub mod policies;
pub mod purge;
pub mod role_sets;
pub mod roles;
pub mod service_accounts;
pub mod session_organizations;
pub mod sessions;
pub mod sign_in;
pub mod signing_keys;
pub mod taken;
pub(crate) mod tenant_keys;
pub mod tenants;
pub mod used_proofs;
pub mod user_avatars;
pub mod user_emails;
pub mod user_imports;
pub mod user_invitations;
pub mod user_search;
pub mod user_views;
pub mod users;
pub(crate) mod whole_rows;
pub(crate) mod write_probe;

#[cfg(test)]
mod tests;

/// Cursor that stands before the greatest id, for lists in descending order.
pub(crate) const LAST: uuid::Uuid = uuid::Uuid::max();

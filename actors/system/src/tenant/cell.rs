use super::flags::FlagSet;
use super::known_clients::KnownClients;
use super::known_users::KnownUsers;
use super::outcomes::Outcomes;
use super::policies::ActivePolicies;
use super::published::Published;
use super::rights::Rights;
use super::signers::Signers;
use super::slot::Slot;
use super::tokens::VerifiedTokens;
use crate::nodes::UnknownKeys;
use plinto_domain::TenantId;
use plinto_domain::metadata::MetadataRules;
use plinto_domain::tenant::TenantSettings;
use plinto_storage::TenantVault;
use plinto_token::KeySet;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// What a tenant's actor shares with those that work for it: an immutable picture of one activation. A change of
/// keys or settings passivates the tenant; its next activation has the new picture.
pub(crate) struct TenantCell {
    pub(crate) id: TenantId,
    /// What people call it.
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) settings: TenantSettings,
    /// Ready for use; none where this version cannot use what was accepted once.
    pub(crate) metadata: Option<Arc<MetadataRules>>,
    pub(crate) vault: Arc<TenantVault>,
    pub(crate) signers: Signers,
    pub(crate) keys: KeySet,
    /// When the retired ones among the keys stop verifying, by `kid`, in Unix milliseconds.
    pub(crate) retired: HashMap<String, i64>,
    /// The public key set as served at `jwks.json` (RFC 7517).
    pub(crate) jwks: Published,
    /// What clients are told of the tenant as an authorization server (RFC 8414), once somebody asked.
    pub(crate) server_metadata: OnceLock<Published>,
    pub(crate) verified: VerifiedTokens,
    pub(crate) unknown_keys: UnknownKeys,
    /// One permit for each stream of the audit ledger that may be open at once.
    pub(crate) audit_streams: Arc<Semaphore>,
    /// One permit for each import and export of users that may be under way at once.
    pub(crate) bulk_streams: Arc<Semaphore>,
    pub(crate) rights: Rights,
    pub(crate) outcomes: Outcomes,
    pub(crate) flags: Slot<FlagSet>,
    pub(crate) users: KnownUsers,
    pub(crate) clients: KnownClients,
    pub(crate) policies: Slot<ActivePolicies>,
}

impl TenantCell {
    /// Whatever is kept of what the tenant stores may have changed: it is read again.
    pub(crate) fn doubt(&self) {
        self.forget_policies();
        self.flags.forget();
        self.clients.forget();
    }

    /// Other policies are active, or may be: what subjects hold was compiled with those that were.
    pub(crate) fn forget_policies(&self) {
        self.policies.forget();
        self.rights.forget_all();
    }
}

impl fmt::Debug for TenantCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantCell").field("id", &self.id).finish_non_exhaustive()
    }
}

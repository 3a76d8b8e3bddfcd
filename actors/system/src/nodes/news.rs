use super::Follower;
use crate::error::ServiceError;
use crate::tenant::TenantCell;
use parking_lot::Mutex;
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::{Deadline, Refusal};
use plinto_storage::TenantVault;
use plinto_storage::repositories::signing_keys;
use plinto_token::UnverifiedToken;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Key names remembered per tenant that were looked up in vain.
const IN_VAIN: usize = 64;
/// A tenant is loaded again for an unknown key at most this often.
const RELOAD: Duration = Duration::from_secs(1);
/// Tenants of which the last such reload is remembered.
const RELOADED: usize = 10_000;

/// Names of signing keys that tokens gave and this activation of their tenant does not have.
#[derive(Default)]
pub(crate) struct UnknownKeys {
    /// One look-up at a time: most of those that wait for it ask for the same key.
    looking: tokio::sync::Mutex<()>,
    in_vain: Mutex<VecDeque<[u8; 32]>>,
}

impl UnknownKeys {
    fn were_in_vain(&self, kid: &[u8; 32]) -> bool {
        self.in_vain.lock().contains(kid)
    }

    fn remember(&self, kid: [u8; 32]) {
        let in_vain = &mut *self.in_vain.lock();
        if in_vain.len() == IN_VAIN {
            in_vain.pop_front();
        }
        in_vain.push_back(kid);
    }
}

/// When tenants were last loaded again because a token named a key they did not have.
pub(crate) struct Reloads(Cache<TenantId, Instant>);

impl Default for Reloads {
    fn default() -> Self {
        Self(Cache::new(RELOADED))
    }
}

impl Reloads {
    fn admit(&self, tenant: TenantId) -> Result<(), Refusal> {
        let now = Instant::now();
        let retry_after = self.0.get(&tenant).map(|last| RELOAD.saturating_sub(now - last));
        if let Some(retry_after) = retry_after.filter(|left| !left.is_zero()) {
            return Err(Refusal::RateLimited { retry_after });
        }
        self.0.insert(tenant, now);
        Ok(())
    }
}

/// Tokens may come here before the word that the keys they were made with exist. What is not known is looked up, so
/// many times a second at most: made-up tokens name keys, too.
impl Follower {
    /// Loads the tenant again if the key that signed this token verifies now and `cell` does not have it: another node
    /// made it. Whether the tenant's present activation has it.
    pub(crate) async fn learn_signing_key(
        &self,
        cell: &TenantCell,
        token: &str,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<bool, ServiceError> {
        let Ok(token) = UnverifiedToken::parse(token) else { return Ok(false) };
        let kid = &token.header().kid;
        let hash = Sha256::digest(kid.as_bytes()).into();
        if cell.unknown_keys.were_in_vain(&hash) {
            return Ok(false);
        }
        let _one = cell.unknown_keys.looking.lock().await;
        if cell.unknown_keys.were_in_vain(&hash) {
            return Ok(false);
        }
        // Somebody who came first may have had the tenant loaded again.
        if self.tenants.cell(cell.id, deadline).await?.keys.get(kid).is_some() {
            return Ok(true);
        }
        self.look_ups.admit()?;
        // The new key may be sealed under a new version of the data key.
        self.store.unlock(cell.id.uuid()).await?;
        let keys = signing_keys::list(&*self.engine, &cell.vault).await?;
        let verifies = |end: Option<i64>| end.is_none_or(|end| end > now.as_millis());
        if !keys.iter().any(|key| key.kid == *kid && verifies(key.not_after)) {
            cell.unknown_keys.remember(hash);
            return Ok(false);
        }
        self.reloads.admit(cell.id)?;
        self.tenants.drain(cell.id).await;
        Ok(true)
    }

    /// Gives the live vault the versions of the data key that other nodes made, if this one is newer than it knows.
    pub(crate) async fn learn_data_key(&self, vault: &TenantVault, version: u32) -> Result<(), ServiceError> {
        if version > vault.current_version() {
            self.look_ups.admit()?;
            self.store.unlock(vault.tenant()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_are_remembered() {
        let unknown = UnknownKeys::default();
        let kid = |n: usize| Sha256::digest(n.to_le_bytes()).into();
        (0..=IN_VAIN).for_each(|n| unknown.remember(kid(n)));
        assert_eq!(unknown.in_vain.lock().len(), IN_VAIN);
        assert!(!unknown.were_in_vain(&kid(0)), "the oldest makes room");
        assert!(unknown.were_in_vain(&kid(IN_VAIN)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_is_loaded_again_once_a_second() {
        let reloads = Reloads::default();
        let tenant = |n| TenantId::from_uuid(uuid::Uuid::from_u128(n));
        assert_eq!(reloads.admit(tenant(1)), Ok(()));
        tokio::time::advance(RELOAD / 4).await;
        assert_eq!(reloads.admit(tenant(1)), Err(Refusal::RateLimited { retry_after: RELOAD / 4 * 3 }));
        assert_eq!(reloads.admit(tenant(2)), Ok(()));
        tokio::time::advance(RELOAD).await;
        assert_eq!(reloads.admit(tenant(1)), Ok(()));
    }
}

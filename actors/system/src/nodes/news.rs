use super::Follower;
use crate::error::ServiceError;
use crate::tenant::TenantCell;
use plinto_storage::TenantVault;
use plinto_storage::repositories::signing_keys;
use plinto_token::UnverifiedToken;

/// Tokens may come here before the word that the keys they were made with exist. What is not known is looked up, so
/// many times a second at most: made-up tokens name keys, too.
impl Follower {
    /// Loads the tenant again if another node made the key that signed this token. Whether it did.
    pub(crate) async fn learn_signing_key(
        &self,
        cell: &TenantCell,
        token: &str,
    ) -> Result<bool, ServiceError> {
        let Ok(token) = UnverifiedToken::parse(token) else { return Ok(false) };
        self.look_ups.admit()?;
        // The new key may be sealed under a new version of the data key.
        self.store.unlock(cell.id.uuid()).await?;
        let keys = signing_keys::list(&*self.engine, &cell.vault).await?;
        let exists = keys.iter().any(|key| key.kid == token.header().kid);
        if exists {
            self.tenants.drain(cell.id).await;
        }
        Ok(exists)
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

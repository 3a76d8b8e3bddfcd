//! Erasing a whole tenant, and proving it.

use super::{Platform, to_the_end};
use crate::error::ServiceError;
use plinto_domain::audit::Actor;
use plinto_domain::{TenantId, Timestamp};
use plinto_storage::Scope;
use plinto_storage::ledger::{self, NoteSigner};

/// What is left of an erased tenant: a statement that the platform signed.
#[derive(Clone, Debug)]
pub struct TenantErased {
    /// Which tenant.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// Entry of the platform's ledger that says so.
    pub ledger_seq: i64,
    /// Its SHA-256.
    pub ledger_hash: [u8; 32],
    /// Sealed rows that were read before, and tried again afterwards.
    pub rows_tried: usize,
    /// Whether its storage is removed; if not, what lies there is unreadable and goes at the next start.
    pub storage_removed: bool,
    /// All of this as a signed note (C2SP signed-note).
    pub statement: String,
    /// The platform's key, to check it with.
    pub verifier: String,
}

impl Platform {
    /// Erases a tenant: destroys its keys, drains its actors, removes its storage, and then looks whether that is so:
    /// no wrapped key is left, and rows that were read before do not open any more. Once begun it goes on to its end,
    /// also if the caller leaves.
    pub async fn erase_tenant(&self, id: TenantId, actor: Actor) -> Result<TenantErased, ServiceError> {
        let platform = self.clone();
        to_the_end(async move { platform.erase_and_prove(id, actor).await }).await
    }

    async fn erase_and_prove(&self, id: TenantId, actor: Actor) -> Result<TenantErased, ServiceError> {
        let store = &self.0.store;
        self.0.registry.get(id).await?;
        let sealed = store.tenants().sealed_sample(id.uuid()).await?;
        let receipt = self.destroy_tenant(id, actor).await?;
        let proof = store.tenants().look_for_remains(id.uuid(), &sealed).await?;
        if proof.wrapped_keys > 0 || proof.rows_opened > 0 {
            tracing::error!(tenant = %id, ?proof, "an erased tenant can still be read");
            return Err(ServiceError::Damaged("an erased tenant can still be read"));
        }
        let before = receipt.last_seq - 1;
        let entry = ledger::page(&**store.engine(), Scope::Platform, before, 1).await?.into_iter().next();
        let entry = entry.ok_or(ServiceError::Damaged("the platform's ledger"))?;
        let signer = NoteSigner::of(store.platform_vault());
        let text = format!(
            "plinto/erasure\ntenant {id}\nerased {}\nledger {} {}\nwrapped-keys {}\nrows-tried {}\nrows-opened {}\n\
             storage-removed {}\n",
            entry.at,
            entry.seq,
            hex::encode(entry.hash),
            proof.wrapped_keys,
            proof.rows_tried,
            proof.rows_opened,
            proof.storage_removed,
        );
        Ok(TenantErased {
            tenant: id,
            at: Timestamp::from_millis(entry.at),
            ledger_seq: entry.seq,
            ledger_hash: entry.hash,
            rows_tried: proof.rows_tried,
            storage_removed: proof.storage_removed,
            statement: signer.sign(&text),
            verifier: signer.verifier(),
        })
    }
}

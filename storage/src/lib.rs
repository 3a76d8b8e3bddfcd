//! Storage of Plinto: engines, the vault of per-tenant keys, repositories and the audit ledger.
//!
//! The crate knows nothing of identity rules: it keeps rows, seals what is personal or secret, and
//! chains every write of a scope into that scope's ledger. Ids are [`uuid::Uuid`]; times are `i64`
//! unix milliseconds that the caller passes in; randomness is an [`Entropy`] that the caller passes in.
//!
//! * [`Engine`] is what an engine must do: read one statement, commit a batch of [`Unit`]s durably.
//! * [`engines::sqlite`] is the embedded engine: `platform.db` and one file per tenant.
//! * [`vault`] wraps, derives and applies keys; nothing else in the workspace touches key bytes at rest.
//! * [`repositories`] holds every SQL text that is not DDL, one module per table.
//! * [`ledger`] is the hash chain: canonical bytes, verification, paging, export.
//! * [`backup`] copies the embedded engine while it runs, and restores it.
//! * [`import`] brings embedded data into an engine that several nodes share.
//! * [`Store`] ties them together and looks after tenants.

pub mod backup;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod engine;
pub mod engines;
mod entropy;
mod error;
pub mod import;
pub mod ledger;
pub mod repositories;
mod store;
mod tenants;
pub mod vault;

pub use engine::{
    Engine, EngineHealth, Expect, NewEntry, PoolHealth, Receipt, Row, Scope, Statement, TransactionCount,
    Unit, Value,
};
pub use entropy::Entropy;
pub use error::{StorageError, UnitError};
pub use repositories::tenants::{TenantRow, TenantState};
pub use store::Store;
pub use tenants::{NewTenant, Remains, Tenants};
pub use vault::{MasterKey, TenantVault, VaultError};

//! The ledger of a tenant: every write goes through it, grouped into as few transactions as the disk allows.

mod actor;
mod handle;
mod messages;
mod state;

pub(crate) use actor::LedgerActor;
pub(crate) use handle::LedgerHandle;
pub use messages::CommitError;

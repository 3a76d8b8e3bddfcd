//! The flows of a tenant: gather facts, ask the domain to decide, commit, answer.

mod sign_in;
mod sign_out;
mod sign_up;

use super::AttemptLimits;
use super::cell::TenantCell;
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::ledger::LedgerHandle;
use crate::passwords::PasswordHasher;
use crate::sealed_rows::SealedRows;
use plinto_runtime::{Refusal, Reply};
use plinto_storage::Engine;
use std::sync::Arc;

pub(super) use sign_in::sign_in;
pub(super) use sign_out::sign_out_everywhere;
pub(super) use sign_up::{create_user, sign_up};

/// What a flow works with.
pub(super) struct Services {
    pub(super) cell: Arc<TenantCell>,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) rows: Arc<SealedRows>,
    pub(super) environment: Environment,
    pub(super) hasher: PasswordHasher,
    pub(super) ledger: LedgerHandle,
    pub(super) attempts: Arc<AttemptLimits>,
}

/// Does slow work for a caller; gives it up when the caller leaves, so that it costs nobody else a place in the pool.
async fn while_wanted<T, R>(
    reply: &mut Reply<R>,
    work: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    tokio::select! {
        done = work => done,
        () = reply.closed() => Err(ServiceError::Refused(Refusal::DeadlineExceeded)),
    }
}

/// Purposes of the blind indexes under which attempts are counted: signing up for an address does not use up the
/// attempts to sign in to it.
const SIGN_IN_ATTEMPTS: &str = "attempts.sign_in";
const SIGN_UP_ATTEMPTS: &str = "attempts.sign_up";

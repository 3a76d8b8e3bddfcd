//! The flows of a tenant: gather facts, ask the domain to decide, commit, answer.

mod begin_session;
mod check_password;
mod create_user;
mod end_sessions;
mod sign_in;
mod sign_in_by_mail;
mod sign_up;

use super::AttemptLimits;
use super::cell::TenantCell;
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::ledger::LedgerHandle;
use crate::metadata_rules::MetadataChecker;
use crate::passwords::PasswordHasher;
use crate::persist::unit;
use crate::sealed_rows::SealedRows;
use crate::session::SessionEnds;
use plinto_domain::Timestamp;
use plinto_domain::audit::{Actor, Event};
use plinto_runtime::{Deadline, Refusal, Reply};
use plinto_storage::Engine;
use std::sync::Arc;
use std::time::Duration;

pub(super) use check_password::check_password;
pub(super) use create_user::create_user;
pub(super) use end_sessions::end_sessions;
pub(super) use sign_in::sign_in;
pub(super) use sign_in_by_mail::sign_in_by_mail;
pub(super) use sign_up::sign_up;

/// What a flow works with.
pub(super) struct Services {
    pub(super) cell: Arc<TenantCell>,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) rows: Arc<SealedRows>,
    pub(super) environment: Environment,
    pub(super) hasher: PasswordHasher,
    pub(super) metadata: MetadataChecker,
    pub(super) ledger: LedgerHandle,
    pub(super) attempts: Arc<AttemptLimits>,
    pub(super) ends: SessionEnds,
}

/// How long the audit entry of a refusal may wait for the ledger.
const AUDIT_WAIT: Duration = Duration::from_secs(60);

async fn record_refusal(services: &Services, events: &[Event], now: Timestamp) {
    // The caller has its answer; the entry does not depend on what is left of its time.
    let deadline = Deadline::after(AUDIT_WAIT);
    let unit = unit(&services.cell.vault, Vec::new(), events, Actor::Anonymous, now);
    let committed = services.ledger.append(services.cell.id, unit, deadline).await;
    if let Err(error) = committed.and_then(|outcome| outcome.map_err(ServiceError::from)) {
        tracing::error!(tenant = %services.cell.id, error = %error, "refused sign-in could not be audited");
    }
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
const REAUTHENTICATION_ATTEMPTS: &str = "attempts.reauthentication";

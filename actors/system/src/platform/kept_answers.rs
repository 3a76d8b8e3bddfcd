//! Answers kept for requests that may be sent again (`Idempotency-Key`).
//!
//! The key's row is reserved before the request is carried out, and noted as effective in the same transaction as its
//! effect: whatever becomes of the node, a repetition takes effect once. Whether a key is new is decided by the row's
//! uniqueness, so it holds on all nodes together. Answers are sealed under the tenant's data key, secrets in them too.

use super::Platform;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use plinto_domain::idempotency::{First, IN_PROGRESS, KEPT_MILLIS, Next, decide};
use plinto_domain::{TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::kept_answers::{self, KeptAnswerRow};
use plinto_storage::{Statement, TenantVault, Unit};
use zeroize::Zeroizing;

/// Version of a row when it is new.
const FIRST_VERSION: i64 = 1;

/// A request that is to be carried out once.
#[derive(Clone, Copy, Debug)]
pub struct Reservation {
    tenant: TenantId,
    request_index: [u8; 32],
    version: i64,
}

/// What is to be done with a request that has a key.
pub enum Repetition {
    /// Carry it out; it is the first.
    First(Reservation),
    /// Give the answer that was given the first time.
    Answered(Zeroizing<Vec<u8>>),
}

tokio::task_local! {
    static UNDER_WAY: Reservation;
}

/// What notes that the request under way takes effect in `tenant`, if it has a key.
pub(super) fn mark(tenant: TenantId) -> Option<Statement> {
    let of = |reservation: &Reservation| {
        let Reservation { request_index, version, .. } = *reservation;
        (reservation.tenant == tenant).then(|| kept_answers::mark(tenant.uuid(), request_index, version))
    };
    UNDER_WAY.try_with(of).ok().flatten()
}

/// The same work for a task of its own: what it commits belongs to the request under way here.
pub(super) fn in_the_same_request<T>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send + 'static {
    let reservation = UNDER_WAY.try_with(|reservation| *reservation).ok();
    async move {
        match reservation {
            Some(reservation) => UNDER_WAY.scope(reservation, work).await,
            None => work.await,
        }
    }
}

impl Reservation {
    /// Carries the request out: what it commits notes that it took effect.
    pub async fn carry_out<F: Future>(self, request: F) -> F::Output {
        UNDER_WAY.scope(self, request).await
    }
}

impl Platform {
    /// The user an access token speaks for, without reading the user.
    pub async fn user_of(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let entered = self.0.tenants.enter(tenant, deadline).await?;
        Ok(self.authorize(&entered.shared, token, deadline).await?.user)
    }

    /// Reserves a caller's key for a request, unless it is known.
    pub async fn reserve_answer(
        &self,
        tenant: TenantId,
        caller: &str,
        key: &str,
        request: &[u8],
        deadline: Deadline,
    ) -> Result<Repetition, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let (vault, now) = (work.vault(), work.now());
        let index = kept_answers::request_index(vault, caller, key);
        let row = reserved(vault, index, request, now);
        let known = work.read(|| kept_answers::get(work.engine(), vault, index)).await?;
        let (reserve, version) = match known {
            None => (kept_answers::insert(vault, &row), FIRST_VERSION),
            Some(first) => match decide(to_domain(&first, &row), now)? {
                Next::Replay => return Ok(Repetition::Answered(first.answer.unwrap_or_default())),
                Next::TakeOver => (kept_answers::take_over(vault, &row, first.version), first.version + 1),
            },
        };
        let sweep = kept_answers::sweep(tenant.uuid(), now.as_millis());
        // The taken-over row may itself have expired; it must be changed before expired rows are removed.
        let unit = Unit { statements: vec![reserve, sweep], entries: vec![] };
        match work.commit(unit).await? {
            Ok(_) => Ok(Repetition::First(Reservation { tenant, request_index: index, version })),
            // Another one was a moment earlier, on this node or another.
            Err(CommitError::Unique(_) | CommitError::Conflict(_)) => Err(IN_PROGRESS.into()),
            Err(other) => Err(other.into()),
        }
    }

    /// Keeps the answer to a request that was carried out.
    pub async fn keep_answer(
        &self,
        reservation: Reservation,
        answer: &[u8],
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let Reservation { tenant, request_index, version } = reservation;
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        let statement = kept_answers::answer(&cell.vault, request_index, answer, version);
        self.0
            .ledger
            .append(tenant, Unit { statements: vec![statement], entries: vec![] }, deadline)
            .await??;
        Ok(())
    }

    /// Forgets a request that came to nothing, so that it may be sent again. One that took effect is remembered.
    pub async fn release_answer(
        &self,
        reservation: Reservation,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let Reservation { tenant, request_index, version } = reservation;
        let statement = kept_answers::release(tenant.uuid(), request_index, version);
        self.0
            .ledger
            .append(tenant, Unit { statements: vec![statement], entries: vec![] }, deadline)
            .await??;
        Ok(())
    }
}

fn reserved(vault: &TenantVault, index: [u8; 32], request: &[u8], now: Timestamp) -> KeptAnswerRow {
    KeptAnswerRow {
        request_index: index,
        fingerprint: kept_answers::fingerprint(vault, request),
        took_effect: false,
        answer: None,
        reserved_at: now.as_millis(),
        expires_at: now.as_millis() + KEPT_MILLIS,
        version: FIRST_VERSION,
    }
}

fn to_domain(first: &KeptAnswerRow, present: &KeptAnswerRow) -> First {
    First {
        is_same: first.fingerprint == present.fingerprint,
        took_effect: first.took_effect,
        has_answer: first.answer.is_some(),
        reserved_at: Timestamp::from_millis(first.reserved_at),
        expires_at: Timestamp::from_millis(first.expires_at),
    }
}

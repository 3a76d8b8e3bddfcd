//! Answers to requests with an `Idempotency-Key`. The key is there as a blind index, together with the caller; the
//! request as a keyed hash, because it may hold a password; the answer is sealed, because it may hold a new secret.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;
use zeroize::Zeroizing;

const TABLE: &str = "kept_answers";
/// Expired rows that one [`sweep`] removes at most.
const SWEPT: i64 = 16;

statements! {
    INSERT = "INSERT INTO kept_answers \
              (tenant_id, request_index, fingerprint, took_effect, answer, reserved_at, expires_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    GET = "SELECT request_index, fingerprint, took_effect, answer, reserved_at, expires_at, version \
           FROM kept_answers WHERE tenant_id = $1 AND request_index = $2";
    TAKE_OVER = "UPDATE kept_answers SET fingerprint = $2, took_effect = 0, answer = NULL, reserved_at = $3, \
                 expires_at = $4, version = version + 1 \
                 WHERE tenant_id = $1 AND request_index = $5 AND version = $6";
    MARK = "UPDATE kept_answers SET took_effect = 1 \
            WHERE tenant_id = $1 AND request_index = $2 AND version = $3";
    ANSWER = "UPDATE kept_answers SET took_effect = 1, answer = $2 \
              WHERE tenant_id = $1 AND request_index = $3 AND version = $4";
    RELEASE = "DELETE FROM kept_answers \
               WHERE tenant_id = $1 AND request_index = $2 AND version = $3 AND took_effect = 0";
    SWEEP = "DELETE FROM kept_answers WHERE tenant_id = $1 AND request_index IN \
             (SELECT request_index FROM kept_answers WHERE tenant_id = $1 AND expires_at <= $2 \
              ORDER BY expires_at LIMIT $3)";
}

/// A request that is under way or was answered.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptAnswerRow {
    /// Blind index of caller and key; see [`request_index`].
    pub request_index: [u8; 32],
    /// Keyed hash of the request; see [`fingerprint`].
    pub fingerprint: [u8; 32],
    /// Whether something was committed for it.
    pub took_effect: bool,
    /// The answer; sealed at rest.
    pub answer: Option<Zeroizing<Vec<u8>>>,
    /// Unix milliseconds.
    pub reserved_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
    /// Grows by one with each request that takes the place of an earlier one.
    pub version: i64,
}

impl std::fmt::Debug for KeptAnswerRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("KeptAnswerRow")
            .field("took_effect", &self.took_effect)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The index of a caller's key.
pub fn request_index(vault: &TenantVault, caller: &str, key: &str) -> [u8; 32] {
    vault.blind_index("kept_answers.request", format!("{caller} {key}").as_bytes())
}

/// The fingerprint of a request.
pub fn fingerprint(vault: &TenantVault, request: &[u8]) -> [u8; 32] {
    vault.blind_index("kept_answers.fingerprint", request)
}

fn sealed(vault: &TenantVault, index: &[u8; 32], answer: &[u8]) -> Vec<u8> {
    vault.seal(TABLE, index, "answer", answer)
}

/// Adds a request.
pub fn insert(vault: &TenantVault, row: &KeptAnswerRow) -> Statement {
    let answer = row.answer.as_ref().map(|answer| sealed(vault, &row.request_index, answer));
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.request_index.into(),
            row.fingerprint.into(),
            row.took_effect.into(),
            answer.into(),
            row.reserved_at.into(),
            row.expires_at.into(),
            row.version.into(),
        ],
    )
}

/// Puts a request in the place of an earlier one of this index whose version is still `expected_version`.
pub fn take_over(vault: &TenantVault, row: &KeptAnswerRow, expected_version: i64) -> Statement {
    Statement::new(
        TAKE_OVER,
        vec![
            vault.tenant().into(),
            row.fingerprint.into(),
            row.reserved_at.into(),
            row.expires_at.into(),
            row.request_index.into(),
            expected_version.into(),
        ],
    )
    .expecting(1, "kept_answer_version")
}

/// Notes that the request takes effect, in the unit of work that is its effect.
pub fn mark(tenant: Uuid, request_index: [u8; 32], version: i64) -> Statement {
    Statement::new(MARK, vec![tenant.into(), request_index.into(), version.into()])
        .expecting(1, "kept_answer_version")
}

/// Keeps the answer.
pub fn answer(vault: &TenantVault, request_index: [u8; 32], answer: &[u8], version: i64) -> Statement {
    let sealed = sealed(vault, &request_index, answer);
    Statement::new(ANSWER, vec![vault.tenant().into(), sealed.into(), request_index.into(), version.into()])
        .expecting(1, "kept_answer_version")
}

/// Forgets a request that took no effect.
pub fn release(tenant: Uuid, request_index: [u8; 32], version: i64) -> Statement {
    Statement::new(RELEASE, vec![tenant.into(), request_index.into(), version.into()])
}

/// Removes some of the rows that expired.
pub fn sweep(tenant: Uuid, now: i64) -> Statement {
    Statement::new(SWEEP, vec![tenant.into(), now.into(), SWEPT.into()])
}

/// The request of an index.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    request_index: [u8; 32],
) -> Result<Option<KeptAnswerRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), request_index.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    rows.into_iter().next().map(|row| decode(vault, &mut Columns::of(TABLE, row))).transpose()
}

fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<KeptAnswerRow, StorageError> {
    let request_index = columns.bytes32("request_index")?;
    Ok(KeptAnswerRow {
        request_index,
        fingerprint: columns.bytes32("fingerprint")?,
        took_effect: columns.flag("took_effect")?,
        answer: columns.maybe_sealed(vault, &request_index, "answer")?,
        reserved_at: columns.int("reserved_at")?,
        expires_at: columns.int("expires_at")?,
        version: columns.int("version")?,
    })
}

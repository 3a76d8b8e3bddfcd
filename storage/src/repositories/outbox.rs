//! Mail to be sent. To whom and what it says is sealed, and forgotten when it was sent or given up.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "outbox";

statements! {
    INSERT = "INSERT INTO outbox (tenant_id, mail_id, kind, language, state, attempts, next_attempt_at, useful_until, \
              created_at, once, message, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    DUE = "SELECT mail_id, kind, language, state, attempts, next_attempt_at, useful_until, created_at, once, message, \
           version FROM outbox WHERE tenant_id = $1 AND state = 'waiting' AND next_attempt_at <= $2 \
           ORDER BY next_attempt_at, mail_id LIMIT $3";
    NEXT = "SELECT next_attempt_at FROM outbox WHERE tenant_id = $1 AND state = 'waiting' \
            ORDER BY next_attempt_at LIMIT 1";
    GET = "SELECT mail_id, kind, language, state, attempts, next_attempt_at, useful_until, created_at, once, message, \
           version FROM outbox WHERE tenant_id = $1 AND mail_id = $2";
    LIST = "SELECT mail_id, kind, language, state, attempts, next_attempt_at, useful_until, created_at, once, message, \
            version FROM outbox WHERE tenant_id = $1 AND mail_id < $2 ORDER BY mail_id DESC LIMIT $3";
    CLAIM = "UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2, version = version + 1 \
             WHERE tenant_id = $1 AND mail_id = $3 AND version = $4";
    POSTPONE = "UPDATE outbox SET next_attempt_at = $2, version = version + 1 \
                WHERE tenant_id = $1 AND mail_id = $3 AND version = $4";
    FINISH = "UPDATE outbox SET state = $2, next_attempt_at = $3, message = NULL, version = version + 1 \
              WHERE tenant_id = $1 AND mail_id = $4 AND version = $5";
    PURGE_SENT = "DELETE FROM outbox WHERE tenant_id = $1 AND state = 'sent' AND next_attempt_at <= $2";
    PURGE_FAILED = "DELETE FROM outbox WHERE tenant_id = $1 AND state = 'failed' AND next_attempt_at <= $2";
}

/// What became of a mail.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It is to be sent.
    Waiting,
    /// It was sent.
    Sent,
    /// It was given up.
    Failed,
}

impl MailState {
    /// The name as stored: `waiting`, `sent` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Sent, Self::Failed].into_iter().find(|state| state.as_str() == text)
    }
}

/// A mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailRow {
    /// Its id.
    pub mail_id: Uuid,
    /// What kind of mail.
    pub kind: String,
    /// Tag of its language.
    pub language: String,
    /// What became of it.
    pub state: MailState,
    /// Attempts begun.
    pub attempts: u32,
    /// When something is to be done about it next: an attempt, or, once it is finished, its removal; unix milliseconds.
    pub next_attempt_at: i64,
    /// Until when it is of use, unix milliseconds.
    pub useful_until: i64,
    /// Unix milliseconds.
    pub created_at: i64,
    /// What must not be said twice in the tenant.
    pub once: Option<String>,
    /// Recipient and content; sealed at rest, and gone once it is finished.
    pub message: Option<Zeroizing<String>>,
    /// Grows by one with each change.
    pub version: i64,
}

impl std::fmt::Debug for MailRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MailRow")
            .field("mail_id", &self.mail_id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Adds a mail. A second one with the same `once` is refused as [`OUTBOX_ONCE`](super::constraint::OUTBOX_ONCE).
pub fn insert(vault: &TenantVault, row: &MailRow) -> Statement {
    let message = row.message.as_ref();
    let sealed = message.map(|text| vault.seal(TABLE, row.mail_id.as_bytes(), "message", text.as_bytes()));
    Statement::new(
        INSERT,
        vec![
            vault.tenant().into(),
            row.mail_id.into(),
            row.kind.as_str().into(),
            row.language.as_str().into(),
            row.state.as_str().into(),
            row.attempts.into(),
            row.next_attempt_at.into(),
            row.useful_until.into(),
            row.created_at.into(),
            row.once.clone().into(),
            sealed.into(),
            row.version.into(),
        ],
    )
}

/// Whether a statement adds a mail.
pub fn is_insert(statement: &Statement) -> bool {
    statement.sql == INSERT
}

/// Takes a mail for one attempt while its version is still `expected_version`; otherwise the conflict `mail_version`.
pub fn claim(tenant: Uuid, mail_id: Uuid, until: i64, expected_version: i64) -> Statement {
    let params = vec![tenant.into(), until.into(), mail_id.into(), expected_version.into()];
    Statement::new(CLAIM, params).expecting(1, "mail_version")
}

/// Has a mail tried again later, while its version is still `expected_version`; otherwise the conflict `mail_version`.
pub fn postpone(tenant: Uuid, mail_id: Uuid, until: i64, expected_version: i64) -> Statement {
    let params = vec![tenant.into(), until.into(), mail_id.into(), expected_version.into()];
    Statement::new(POSTPONE, params).expecting(1, "mail_version")
}

/// Ends a mail and forgets what it said, while its version is still `expected_version`; otherwise the conflict
/// `mail_version`.
pub fn finish(
    tenant: Uuid,
    mail_id: Uuid,
    state: MailState,
    keep_until: i64,
    expected_version: i64,
) -> Statement {
    let params = vec![
        tenant.into(),
        state.as_str().into(),
        keep_until.into(),
        mail_id.into(),
        expected_version.into(),
    ];
    Statement::new(FINISH, params).expecting(1, "mail_version")
}

/// Removes finished mails that were kept long enough.
pub fn purge(tenant: Uuid, now: i64) -> [Statement; 2] {
    [PURGE_SENT, PURGE_FAILED].map(|text| Statement::new(text, vec![tenant.into(), now.into()]))
}

/// Mails to be attempted now, those that wait longest first, at most `limit`.
pub async fn due(
    engine: &dyn Engine,
    vault: &TenantVault,
    now: i64,
    limit: u32,
) -> Result<Vec<MailRow>, StorageError> {
    let statement = Statement::new(DUE, vec![vault.tenant().into(), now.into(), limit.into()]);
    decode_all(vault, engine.read(Scope::of(vault.tenant()), statement).await?)
}

/// When the next attempt of a tenant is due. Needs no key, so that it can be asked for tenants that are not live.
pub async fn next(engine: &dyn Engine, tenant: Uuid) -> Result<Option<i64>, StorageError> {
    let statement = Statement::new(NEXT, vec![tenant.into()]);
    let rows = engine.read_aside(Scope::of(tenant), statement).await?;
    rows.into_iter().next().map(|row| Columns::of(TABLE, row).int("next_attempt_at")).transpose()
}

/// One mail.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    mail_id: Uuid,
) -> Result<Option<MailRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), mail_id.into()]);
    let rows = decode_all(vault, engine.read(Scope::of(vault.tenant()), statement).await?)?;
    Ok(rows.into_iter().next())
}

/// Mails, newest first, before `before`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    vault: &TenantVault,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<MailRow>, StorageError> {
    let before = before.unwrap_or(super::LAST);
    let statement = Statement::new(LIST, vec![vault.tenant().into(), before.into(), limit.into()]);
    decode_all(vault, engine.read(Scope::of(vault.tenant()), statement).await?)
}

fn decode_all(vault: &TenantVault, rows: Vec<crate::Row>) -> Result<Vec<MailRow>, StorageError> {
    rows.into_iter().map(|row| decode(vault, &mut Columns::of(TABLE, row))).collect()
}

fn decode(vault: &TenantVault, columns: &mut Columns) -> Result<MailRow, StorageError> {
    let mail_id = columns.uuid("mail_id")?;
    Ok(MailRow {
        mail_id,
        kind: columns.text("kind")?,
        language: columns.text("language")?,
        state: columns.named("state", MailState::parse)?,
        attempts: columns.key_version("attempts")?,
        next_attempt_at: columns.int("next_attempt_at")?,
        useful_until: columns.int("useful_until")?,
        created_at: columns.int("created_at")?,
        once: columns.maybe_text("once")?,
        message: columns.maybe_sealed_text(vault, mail_id.as_bytes(), "message")?.map(Zeroizing::new),
        version: columns.int("version")?,
    })
}

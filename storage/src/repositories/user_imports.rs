//! Imports of users: how far they are, and what was wrong with which line. Nothing of a line is in them.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Row, Scope, Statement, Value};
use crate::error::StorageError;

const TABLE: &str = "user_imports";
const ERRORS: &str = "user_import_errors";
/// Imports that are forgotten at once, at most.
const FORGOTTEN: i64 = 16;

statements! {
    INSERT = "INSERT INTO user_imports (tenant_id, import_id, dry_run, on_conflict, source, state, lines, imported, \
              skipped, failed, errors, created_at, updated_at, version) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    UPDATE = "UPDATE user_imports SET state = $2, lines = $3, imported = $4, skipped = $5, failed = $6, errors = $7, \
              updated_at = $8, version = version + 1 WHERE tenant_id = $1 AND import_id = $9 AND version = $10";
    GET = "SELECT import_id, dry_run, on_conflict, source, state, lines, imported, skipped, failed, errors, \
           created_at, updated_at, version FROM user_imports WHERE tenant_id = $1 AND import_id = $2";
    LIST = "SELECT import_id, dry_run, on_conflict, source, state, lines, imported, skipped, failed, errors, \
            created_at, updated_at, version FROM user_imports \
            WHERE tenant_id = $1 AND import_id < $2 ORDER BY import_id DESC LIMIT $3";
    INSERT_ERROR = "INSERT INTO user_import_errors (tenant_id, import_id, place, field, code, detail) \
                    VALUES ($1, $2, $3, $4, $5, $6)";
    LIST_ERRORS = "SELECT place, field, code, detail FROM user_import_errors \
                   WHERE tenant_id = $1 AND import_id = $2 AND place > $3 ORDER BY place LIMIT $4";
    FORGET_ERRORS = "DELETE FROM user_import_errors WHERE tenant_id = $1 AND import_id IN \
                     (SELECT import_id FROM user_imports WHERE tenant_id = $1 AND updated_at <= $2 \
                      ORDER BY import_id LIMIT $3)";
    FORGET = "DELETE FROM user_imports WHERE tenant_id = $1 AND import_id IN \
              (SELECT import_id FROM user_imports WHERE tenant_id = $1 AND updated_at <= $2 \
               ORDER BY import_id LIMIT $3)";
}

/// An import of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserImportRow {
    /// Its id (UUIDv7: lists are newest first by id).
    pub import_id: Uuid,
    /// Whether nobody is imported.
    pub dry_run: bool,
    /// What becomes of lines about users who are there.
    pub on_conflict: String,
    /// By what its sender knows the file again.
    pub source: Option<String>,
    /// `open`, `completed` or `cancelled`.
    pub state: String,
    /// Lines so far.
    pub lines: i64,
    /// Users imported.
    pub imported: i64,
    /// Lines passed over.
    pub skipped: i64,
    /// Lines with errors.
    pub failed: i64,
    /// Errors that are kept.
    pub errors: i64,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub updated_at: i64,
    /// Grows by one with each change.
    pub version: i64,
}

/// Where an error stands: line and ordinal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ErrorPlace {
    /// Number of the line, from 1.
    pub line: u64,
    /// Which of its errors, from 0.
    pub ordinal: u16,
}

impl ErrorPlace {
    fn bytes(self) -> Vec<u8> {
        [self.line.to_be_bytes().as_slice(), &self.ordinal.to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (line, ordinal) = bytes.split_first_chunk()?;
        let ordinal = <[u8; 2]>::try_from(ordinal).ok()?;
        Some(Self { line: u64::from_be_bytes(*line), ordinal: u16::from_be_bytes(ordinal) })
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserImportErrorRow {
    /// Where.
    pub place: ErrorPlace,
    /// Name of the member.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// What to do about it.
    pub detail: String,
}

/// Adds an import.
pub fn insert(tenant: Uuid, row: &UserImportRow) -> Statement {
    let params = vec![
        tenant.into(),
        row.import_id.into(),
        row.dry_run.into(),
        row.on_conflict.as_str().into(),
        row.source.clone().into(),
        row.state.as_str().into(),
        row.lines.into(),
        row.imported.into(),
        row.skipped.into(),
        row.failed.into(),
        row.errors.into(),
        row.created_at.into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    Statement::new(INSERT, params)
}

/// Sets state and tally of an import whose version is still `expected_version`; otherwise the conflict
/// `user_import_version`.
pub fn update(tenant: Uuid, row: &UserImportRow, expected_version: i64) -> Statement {
    let params = vec![
        tenant.into(),
        row.state.as_str().into(),
        row.lines.into(),
        row.imported.into(),
        row.skipped.into(),
        row.failed.into(),
        row.errors.into(),
        row.updated_at.into(),
        row.import_id.into(),
        expected_version.into(),
    ];
    Statement::new(UPDATE, params).expecting(1, "user_import_version")
}

/// Adds an error.
pub fn insert_error(tenant: Uuid, import_id: Uuid, row: &UserImportErrorRow) -> Statement {
    let params = vec![
        tenant.into(),
        import_id.into(),
        row.place.bytes().into(),
        row.field.as_str().into(),
        row.code.as_str().into(),
        row.detail.as_str().into(),
    ];
    Statement::new(INSERT_ERROR, params)
}

/// Removes some imports, with their errors, that were not changed since `unchanged_since`.
pub fn forget(tenant: Uuid, unchanged_since: i64) -> Vec<Statement> {
    let params = || -> Vec<Value> { vec![tenant.into(), unchanged_since.into(), FORGOTTEN.into()] };
    vec![Statement::new(FORGET_ERRORS, params()), Statement::new(FORGET, params())]
}

/// One import.
pub async fn get(
    engine: &dyn Engine,
    tenant: Uuid,
    import_id: Uuid,
) -> Result<Option<UserImportRow>, StorageError> {
    let statement = Statement::new(GET, vec![tenant.into(), import_id.into()]);
    engine.read(Scope::of(tenant), statement).await?.into_iter().next().map(decode).transpose()
}

/// Imports, newest first, those before `cursor`, at most `limit`.
pub async fn list(
    engine: &dyn Engine,
    tenant: Uuid,
    limit: u32,
    cursor: Option<Uuid>,
) -> Result<Vec<UserImportRow>, StorageError> {
    let before = cursor.unwrap_or(super::LAST);
    let statement = Statement::new(LIST, vec![tenant.into(), before.into(), limit.into()]);
    engine.read(Scope::of(tenant), statement).await?.into_iter().map(decode).collect()
}

/// Errors of an import in order of their lines, those after `cursor`, at most `limit`.
pub async fn list_errors(
    engine: &dyn Engine,
    tenant: Uuid,
    import_id: Uuid,
    limit: u32,
    cursor: Option<ErrorPlace>,
) -> Result<Vec<UserImportErrorRow>, StorageError> {
    let after = cursor.unwrap_or_default().bytes();
    let params = vec![tenant.into(), import_id.into(), after.into(), limit.into()];
    let rows = engine.read(Scope::of(tenant), Statement::new(LIST_ERRORS, params)).await?;
    let decode = |row| {
        let mut columns = Columns::of(ERRORS, row);
        let place = ErrorPlace::read(&columns.blob("place")?);
        Ok(UserImportErrorRow {
            place: place.ok_or_else(|| StorageError::corrupt("the place of an import's error"))?,
            field: columns.text("field")?,
            code: columns.text("code")?,
            detail: columns.text("detail")?,
        })
    };
    rows.into_iter().map(decode).collect()
}

fn decode(row: Row) -> Result<UserImportRow, StorageError> {
    let mut columns = Columns::of(TABLE, row);
    Ok(UserImportRow {
        import_id: columns.uuid("import_id")?,
        dry_run: columns.flag("dry_run")?,
        on_conflict: columns.text("on_conflict")?,
        source: columns.maybe_text("source")?,
        state: columns.text("state")?,
        lines: columns.int("lines")?,
        imported: columns.int("imported")?,
        skipped: columns.int("skipped")?,
        failed: columns.int("failed")?,
        errors: columns.int("errors")?,
        created_at: columns.int("created_at")?,
        updated_at: columns.int("updated_at")?,
        version: columns.int("version")?,
    })
}

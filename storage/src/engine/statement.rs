use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;

use super::Scope;

/// A parameter or a column. `Debug` prints the kind, never the content.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// SQL null.
    Null,
    /// A 64-bit integer: counts, versions, unix milliseconds, truth as 0 or 1.
    Int(i64),
    /// UTF-8 text without NUL.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// An id: `uuid` where the engine has it, 16 bytes elsewhere.
    Uuid(Uuid),
}

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int(..)",
            Self::Text(_) => "Text(..)",
            Self::Blob(_) => "Blob(..)",
            Self::Uuid(_) => "Uuid(..)",
        })
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<[u8; 32]> for Value {
    fn from(value: [u8; 32]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a statement must have done for its unit to stand.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Any number of rows.
    Any,
    /// Exactly this many affected rows.
    Rows(u64),
}

/// One SQL statement with its parameters, numbered `$1..$n` as PostgreSQL numbers them: `$2` is the second
/// of `params` wherever it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Text valid on every engine; the constants live in [`crate::repositories`].
    pub sql: &'static str,
    /// Values of `$1..$n`. In a tenant's scope `$1` is the tenant's id.
    pub params: Vec<Value>,
    /// How many rows a write must affect; ignored by reads.
    pub expect: Expect,
    /// Name of the conflict when the expectation is not met, such as `session_version`.
    pub otherwise: &'static str,
}

impl Statement {
    /// A statement that may affect any number of rows.
    pub fn new(sql: &'static str, params: Vec<Value>) -> Self {
        Self { sql, params, expect: Expect::Any, otherwise: "unexpected_rows" }
    }

    /// Demands exactly `rows` affected rows, or else the conflict called `otherwise`.
    #[must_use]
    pub fn expecting(mut self, rows: u64, otherwise: &'static str) -> Self {
        self.expect = Expect::Rows(rows);
        self.otherwise = otherwise;
        self
    }
}

/// An audit entry to be appended to the ledger of a scope. Holds ids only; personal data must be
/// sealed by the caller before it comes here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// When it happened, unix milliseconds.
    pub at: i64,
    /// What happened, such as `session.revoked`.
    pub event: Cow<'static, str>,
    /// Who did it: an id, or `system`.
    pub actor: String,
    /// What it was done to: an id.
    pub subject: String,
    /// Details: a JSON value of ids, names of fields and numbers.
    pub data: serde_json::Value,
}

/// One caller's unit of work, isolated from its neighbours by a savepoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// Run first, in order; the first that fails ends the unit.
    pub statements: Vec<Statement>,
    /// Appended after the statements, in order.
    pub entries: Vec<NewEntry>,
}

/// What a committed unit appended to the ledger.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Sequence of the unit's first entry.
    pub first_seq: i64,
    /// Sequence of its last entry; `first_seq - 1` when the unit had no entries.
    pub last_seq: i64,
}

/// The rules that hold on every engine, checked before a statement reaches one.
pub(crate) fn guard(scope: Scope, statement: &Statement) -> Result<(), &'static str> {
    if let Scope::Tenant(tenant) = scope
        && statement.params.first() != Some(&Value::Uuid(tenant))
    {
        return Err("the first parameter of a tenant's statement must be that tenant's id");
    }
    let nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if statement.params.iter().any(nul) {
        return Err("text must not contain a nul byte");
    }
    Ok(())
}

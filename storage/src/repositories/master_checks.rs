//! A value by which a wrong master key is recognised, and beside it values by which imports know each other (platform).

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

const NAME: &str = "master";

statements! {
    INSERT = "INSERT INTO master_checks (name, check_value) VALUES ($1, $2)";
    REMOVE = "DELETE FROM master_checks WHERE name = $1";
    CLAIM = "INSERT INTO master_checks (name, check_value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET check_value = excluded.check_value \
             WHERE master_checks.check_value IN ($2, $3)";
    CHANGE_CLAIM = "UPDATE master_checks SET check_value = $3 WHERE name = $1 AND check_value = $2";
    RELEASE = "DELETE FROM master_checks WHERE name = $1 AND check_value = $2";
    GET = "SELECT check_value FROM master_checks WHERE name = $1";
}

pub(crate) fn insert(check: [u8; 32]) -> Statement {
    Statement::new(INSERT, vec![NAME.into(), check.into()])
}

/// Fails where the check value is, and leaves none: a node that starts at the same time comes before or after.
pub(crate) fn expect_none(check: [u8; 32]) -> [Statement; 2] {
    [insert(check), Statement::new(REMOVE, vec![NAME.into()]).expecting(1, "master_check")]
}

/// The conflict of a claim that is somebody else's.
pub(crate) const FOREIGN_CLAIM: &str = "import_claim";

/// Sets a claim of this name to `value` unless it holds anything but `value` or `former`.
pub(crate) fn claim(name: &str, value: [u8; 32], former: [u8; 32]) -> Statement {
    Statement::new(CLAIM, vec![name.into(), value.into(), former.into()]).expecting(1, FOREIGN_CLAIM)
}

/// Replaces the value of a claim.
pub(crate) fn change_claim(name: &str, value: [u8; 32], new: [u8; 32]) -> Statement {
    Statement::new(CHANGE_CLAIM, vec![name.into(), value.into(), new.into()]).expecting(1, FOREIGN_CLAIM)
}

/// Ends a claim of this value.
pub(crate) fn release(name: &str, value: [u8; 32]) -> Statement {
    Statement::new(RELEASE, vec![name.into(), value.into()]).expecting(1, FOREIGN_CLAIM)
}

pub(crate) async fn get(engine: &dyn Engine) -> Result<Option<[u8; 32]>, StorageError> {
    let rows = engine.read(Scope::Platform, Statement::new(GET, vec![NAME.into()])).await?;
    rows.into_iter().next().map(|row| Columns::of("master_checks", row).bytes32("check_value")).transpose()
}

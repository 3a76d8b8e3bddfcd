//! A value by which a wrong master key is recognised (platform).

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

const NAME: &str = "master";

statements! {
    INSERT = "INSERT INTO master_checks (name, check_value) VALUES ($1, $2)";
    GET = "SELECT check_value FROM master_checks WHERE name = $1";
}

pub(crate) fn insert(check: [u8; 32]) -> Statement {
    Statement::new(INSERT, vec![NAME.into(), check.into()])
}

pub(crate) async fn get(engine: &dyn Engine) -> Result<Option<[u8; 32]>, StorageError> {
    let rows = engine.read(Scope::Platform, Statement::new(GET, vec![NAME.into()])).await?;
    rows.into_iter().next().map(|row| Columns::of("master_checks", row).bytes32("check_value")).transpose()
}

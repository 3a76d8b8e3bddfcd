//! Feature flags: to rows and back.

use super::FIRST_VERSION;
use crate::error::ServiceError;
use crate::tenant::KeptFlag;
use plinto_domain::Timestamp;
use plinto_domain::flag::{Compiled, Definition, Flag, FlagKey, FlagWrite};
use plinto_storage::repositories::flags::{self, FlagRow};
use plinto_storage::{Statement, TenantVault};

pub(super) fn statement(vault: &TenantVault, write: FlagWrite) -> Statement {
    match write {
        FlagWrite::Insert { flag, at } => {
            flags::insert(vault, &FlagRow { version: FIRST_VERSION, ..row(&flag, at) })
        }
        FlagWrite::Replace { flag, at } => flags::update(vault, &row(&flag, at)),
        FlagWrite::Delete { flag, expected_version } => {
            flags::delete(vault.tenant(), flag.as_str(), expected_version)
        }
    }
}

fn row(flag: &Flag, at: Timestamp) -> FlagRow {
    FlagRow {
        key: flag.key.to_string(),
        definition: serde_json::to_string(&flag.definition).expect("a definition is plain JSON"),
        created_at: at.as_millis(),
        updated_at: at.as_millis(),
        version: flag.version,
    }
}

/// A flag as it is stored, ready to be asked.
pub(crate) fn flag(row: FlagRow) -> Result<KeptFlag, ServiceError> {
    let read = || {
        let definition: Definition = serde_json::from_str(&row.definition).ok()?;
        let compiled = Compiled::of(&definition).ok()?;
        let flag = Flag { key: FlagKey::parse("key", &row.key).ok()?, definition, version: row.version };
        Some(KeptFlag { flag, compiled, created_at: row.created_at, updated_at: row.updated_at })
    };
    read().ok_or(ServiceError::Damaged("a flag"))
}

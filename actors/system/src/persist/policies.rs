//! Policies: to rows and back.

use crate::error::ServiceError;
use plinto_domain::policy::{PolicySource, PolicyState, PolicyWrite};
use plinto_storage::repositories::policies::{self, PolicySetRow, PolicyVersionRow};
use plinto_storage::{Statement, TenantVault};

pub(super) fn statement(vault: &TenantVault, write: PolicyWrite) -> Statement {
    match write {
        PolicyWrite::Set { set, at } => {
            let PolicyState { latest, active, activations, version } = set;
            let row = PolicySetRow { latest, active, activations, updated_at: at.as_millis(), version };
            policies::store_set(vault.tenant(), &row)
        }
        PolicyWrite::InsertVersion { version, source, note, count, at } => {
            let row = PolicyVersionRow {
                number: version,
                note,
                policies: i64::try_from(count).unwrap_or(i64::MAX),
                created_at: at.as_millis(),
            };
            let source = serde_json::to_string(&source).expect("texts and JSON are plain JSON");
            policies::insert(vault, &row, &source)
        }
        PolicyWrite::DeleteVersion { version } => policies::delete(vault.tenant(), version),
    }
}

/// The set as it is stored.
pub(crate) fn state(row: &PolicySetRow) -> PolicyState {
    let PolicySetRow { latest, active, activations, version, .. } = *row;
    PolicyState { latest, active, activations, version }
}

/// What a version is made of, as it is stored.
pub(crate) fn source(text: &str) -> Result<PolicySource, ServiceError> {
    serde_json::from_str(text).map_err(|_| ServiceError::Damaged("the source of a policy version"))
}

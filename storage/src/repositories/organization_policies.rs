//! What organizations ask of the sessions that are active in them: with the organization, but of a version of its own.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

statements! {
    GET = "SELECT policy, policy_version, policy_updated_at FROM organizations \
           WHERE tenant_id = $1 AND organization_id = $2";
    SET = "UPDATE organizations SET policy = $2, policy_updated_at = $3, policy_version = policy_version + 1 \
           WHERE tenant_id = $1 AND organization_id = $4 AND policy_version = $5";
}

/// The policy of an organization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrganizationPolicyRow {
    /// The policy, as JSON.
    pub policy: String,
    /// Grows by one with each change.
    pub version: i64,
    /// When it was last changed, unix milliseconds; 0 if never.
    pub updated_at: i64,
}

/// The policy of an organization, if there is such an organization.
pub async fn get(
    engine: &dyn Engine,
    tenant: Uuid,
    organization_id: Uuid,
) -> Result<Option<OrganizationPolicyRow>, StorageError> {
    let statement = Statement::new(GET, vec![tenant.into(), organization_id.into()]);
    let row = engine.read(Scope::of(tenant), statement).await?.into_iter().next();
    row.map(|row| {
        let mut columns = Columns::of("organizations", row);
        Ok(OrganizationPolicyRow {
            policy: columns.text("policy")?,
            version: columns.int("policy_version")?,
            updated_at: columns.int("policy_updated_at")?,
        })
    })
    .transpose()
}

/// Sets a policy whose version is still `expected_version`; otherwise the conflict `policy_version`.
pub fn set(tenant: Uuid, organization_id: Uuid, policy: &str, at: i64, expected_version: i64) -> Statement {
    let params =
        vec![tenant.into(), policy.into(), at.into(), organization_id.into(), expected_version.into()];
    Statement::new(SET, params).expecting(1, "policy_version")
}

//! Wrapped keys of every tenant (platform). Destroying a tenant's rows is erasure.

use uuid::Uuid;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::{Purpose, WrappedKey};

statements! {
    INSERT = "INSERT INTO tenant_keys (tenant_id, purpose, version, wrapped, created_at) \
              VALUES ($1, $2, $3, $4, $5)";
    LIST = "SELECT purpose, version, wrapped FROM tenant_keys WHERE tenant_id = $1 ORDER BY purpose, version";
    DESTROY = "DELETE FROM tenant_keys WHERE tenant_id = $1";
}

pub(crate) fn insert(key: &WrappedKey, at: i64) -> Statement {
    Statement::new(
        INSERT,
        vec![
            key.tenant.into(),
            key.purpose.as_str().into(),
            key.version.into(),
            key.bytes.clone().into(),
            at.into(),
        ],
    )
}

pub(crate) fn destroy(tenant: Uuid) -> Statement {
    Statement::new(DESTROY, vec![tenant.into()])
}

pub(crate) async fn list(engine: &dyn Engine, tenant: Uuid) -> Result<Vec<WrappedKey>, StorageError> {
    let rows = engine.read(Scope::Platform, Statement::new(LIST, vec![tenant.into()])).await?;
    rows.into_iter()
        .map(|row| {
            let mut columns = Columns::of("tenant_keys", row);
            Ok(WrappedKey {
                tenant,
                purpose: columns.named("purpose", Purpose::parse)?,
                version: columns.key_version("version")?,
                bytes: columns.blob("wrapped")?,
            })
        })
        .collect()
}

//! Storage of tenants: made in one transaction, removed in bounded batches.

use tokio_postgres::types::Type;
use uuid::Uuid;

use super::failure::Fault;
use super::pool::Lease;
use super::read::Beginning;
use super::suitability::TENANT_TABLES;
use crate::engine::Scope;
use crate::ledger::chain;
use crate::repositories::ledger;

/// Rows removed in one transaction.
const ROWS: i64 = 1_000;

/// Registers the storage of a tenant and begins its ledger, unless that was done before.
pub(super) async fn create(lease: &mut Lease, beginning: &Beginning, tenant: Uuid) -> Result<(), Fault> {
    let head = chain::genesis(tenant);
    lease.begin();
    let client = lease.client();
    let work = async {
        client.batch_execute(&beginning.write(Scope::Platform)).await?;
        let text = "INSERT INTO tenant_storage (tenant_id) VALUES ($1) ON CONFLICT (tenant_id) DO NOTHING";
        client.execute_typed(text, &[(&tenant, Type::UUID)]).await?;
        client.batch_execute(&format!("SET LOCAL plinto.scope = '{tenant}'")).await?;
        let hash = &head.hash[..];
        let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
            [(&tenant, Type::UUID), (&head.seq, Type::INT8), (&hash, Type::BYTEA)];
        client.execute_typed(ledger::CREATE_HEAD, &params).await?;
        client.batch_execute("COMMIT").await
    };
    lease.answer(work).await??;
    lease.settle();
    Ok(())
}

/// Removes everything of a tenant: its head first, so that it is unknown at once and nobody commits for it any
/// more, and its registration last, so that an interrupted removal is found again.
pub(super) async fn destroy(lease: &mut Lease, beginning: &Beginning, tenant: Uuid) -> Result<(), Fault> {
    let scope = Scope::Tenant(tenant);
    let head = "DELETE FROM ledger_heads WHERE tenant_id = $1";
    change(lease, &beginning.write(scope), head, tenant).await?;
    for table in TENANT_TABLES {
        let some = format!(
            "DELETE FROM {table} WHERE tenant_id = $1 AND ctid = ANY \
             (ARRAY(SELECT ctid FROM {table} WHERE tenant_id = $1 LIMIT {ROWS}))"
        );
        while change(lease, &beginning.write(scope), &some, tenant).await? > 0 {}
    }
    let registration = "DELETE FROM tenant_storage WHERE tenant_id = $1";
    change(lease, &beginning.write(Scope::Platform), registration, tenant).await?;
    Ok(())
}

async fn change(lease: &mut Lease, begin: &str, text: &str, tenant: Uuid) -> Result<u64, Fault> {
    lease.begin();
    let client = lease.client();
    let params = [(&tenant as &(dyn tokio_postgres::types::ToSql + Sync), Type::UUID)];
    let all = futures::future::join3(
        client.batch_execute(begin),
        client.execute_typed(text, &params),
        client.batch_execute("COMMIT"),
    );
    let (begun, changed, ended) = lease.answer(all).await?;
    begun?;
    let changed = changed?;
    ended?;
    lease.settle();
    Ok(changed)
}

/// The tenants that have storage, in order of id.
pub(super) const LIST: &str = "SELECT tenant_id FROM tenant_storage ORDER BY tenant_id";

/// Sequences of ledgers, as the platform may see them.
pub(super) async fn heads(
    lease: &mut Lease,
    beginning: &Beginning,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, i64)>, Fault> {
    lease.begin();
    let client = lease.client();
    let begin = beginning.read(Scope::Platform);
    let params = [(&ids as &(dyn tokio_postgres::types::ToSql + Sync), Type::UUID_ARRAY)];
    let all = futures::future::join3(
        client.batch_execute(&begin),
        client.query_typed("SELECT tenant_id, seq FROM ledger_heads WHERE tenant_id = ANY($1)", &params),
        client.batch_execute("COMMIT"),
    );
    let (begun, rows, ended) = lease.answer(all).await?;
    begun?;
    let rows = rows?;
    ended?;
    lease.settle();
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

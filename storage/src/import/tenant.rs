//! One tenant into an installation that may have another master key.

use uuid::Uuid;

use super::claim::{Claim, Claimant};
use super::copy::Pages;
use super::{ImportError, compare, copy};
use crate::TenantRow;
use crate::engine::{NewEntry, Row, Scope, Statement, Value};
use crate::error::{StorageError, UnitError};
use crate::repositories::whole_rows::{CATALOGUE, Table};
use crate::repositories::{constraint, tenant_keys, tenants};
use crate::store::Store;
use crate::vault::WrappedKey;

/// What came over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The tenant, with the id it had.
    pub tenant: Uuid,
    /// Its API keys that came with it, valid as before.
    pub api_keys: Vec<Uuid>,
}

/// Brings one tenant from a stopped embedded installation into another one, which may serve meanwhile.
///
/// Its rows travel as they are, under the tenant's own keys; those are wrapped anew under the target's master key, and
/// its name and settings are sealed anew under the target's platform keys. The register names it last, in one
/// transaction with the entries that `audit` makes of it for the platform's ledger; until then no node sees it, and the
/// command can be run again. Its id is claimed before anything is copied; an attempt that fails clears away what it
/// copied. The source is only read.
pub async fn move_tenant(
    source: &Store,
    target: &Store,
    claimant: Claimant,
    slug: &str,
    audit: impl FnOnce(&Moved) -> Vec<NewEntry>,
) -> Result<Moved, ImportError> {
    let unknown = || ImportError::UnknownTenant { slug: slug.to_owned() };
    let row = source.tenants().by_slug(slug).await?.ok_or_else(unknown)?;
    refuse_taken(target, &row).await?;
    let keys = rewrapped(source, target, row.id).await?;
    let claim = Claim::on_tenant(row.id, claimant);
    take(&claim, target, &row, &keys).await?;
    let moved = bring(&claim, source, target, &row, keys, audit).await;
    if moved.is_err()
        && let Err(error) = clear_away(&claim, target, row.id).await
    {
        tracing::warn!(tenant = %row.id, %error, "what was copied is not cleared away: move the tenant again");
    }
    moved
}

/// In one transaction: sees that neither id nor name nor keys of the tenant are there, and claims its id.
async fn take(claim: &Claim, target: &Store, row: &TenantRow, keys: &[Statement]) -> Result<(), ImportError> {
    let mut statements = vec![claim.take(), register(target, row)];
    statements.extend_from_slice(keys);
    statements.extend([tenant_keys::destroy(row.id), tenants::withdraw(row.id)]);
    copy::attempt(&**target.engine(), Scope::Platform, statements, Vec::new())
        .await?
        .map_err(|refused| taken(refused, claim, row))
}

async fn bring(
    claim: &Claim,
    source: &Store,
    target: &Store,
    row: &TenantRow,
    keys: Vec<Statement>,
    audit: impl FnOnce(&Moved) -> Vec<NewEntry>,
) -> Result<Moved, ImportError> {
    let (from, to) = (&**source.engine(), &**target.engine());
    let scope = Scope::Tenant(row.id);
    copy::tenant(from, to, scope).await?;
    compare::tenant(from, to, scope).await?;
    let api_keys = rows_of(source, &CATALOGUE.api_keys, row.id).await?;
    let accounts = rows_of(source, &CATALOGUE.service_accounts, row.id).await?;
    let moved = Moved { tenant: row.id, api_keys: api_keys.iter().filter_map(id_of).collect() };
    let mut statements = vec![claim.fulfil(), register(target, row)];
    statements.extend(keys);
    statements.extend(api_keys.into_iter().map(|row| CATALOGUE.api_keys.insert(row)));
    statements.extend(accounts.into_iter().map(|row| CATALOGUE.service_accounts.insert(row)));
    copy::attempt(to, Scope::Platform, statements, audit(&moved))
        .await?
        .map_err(|refused| taken(refused, claim, row))?;
    Ok(moved)
}

/// Removes what an attempt copied. First it is made sure that it did not succeed, and never will: a commit whose answer
/// was lost may have come, or may come yet.
async fn clear_away(claim: &Claim, target: &Store, tenant: Uuid) -> Result<(), ImportError> {
    let engine = &**target.engine();
    copy::commit(engine, Scope::Platform, vec![claim.give_up()]).await?;
    engine.destroy_tenant(tenant).await?;
    copy::commit(engine, Scope::Platform, vec![claim.forget()]).await
}

/// Before anything is written: the name must be free, and the id must never have been there.
async fn refuse_taken(target: &Store, row: &TenantRow) -> Result<(), ImportError> {
    let there = target.tenants().get(row.id).await?.is_some();
    let keys = tenant_keys::list(&**target.engine(), row.id).await?;
    if there || !keys.is_empty() {
        return Err(ImportError::AlreadyThere { tenant: row.id });
    }
    match target.tenants().by_slug(&row.slug).await? {
        Some(_) => Err(ImportError::SlugTaken { slug: row.slug.clone() }),
        None => Ok(()),
    }
}

/// Somebody else was faster, or the tenant was deleted in the target once.
fn taken(refused: UnitError, claim: &Claim, row: &TenantRow) -> ImportError {
    match refused {
        UnitError::Unique(name) if name == constraint::TENANT_SLUG => {
            ImportError::SlugTaken { slug: row.slug.clone() }
        }
        UnitError::Unique(name) if name == constraint::TENANT || name == constraint::TENANT_KEY => {
            ImportError::AlreadyThere { tenant: row.id }
        }
        refused => claim.foreign(&refused).unwrap_or_else(|| refused.into()),
    }
}

fn register(target: &Store, row: &TenantRow) -> Statement {
    let (name, settings) = tenants::sealed(target.platform_vault(), row.id, &row.name, &row.settings);
    let values = vec![
        row.id.into(),
        row.slug.as_str().into(),
        name.into(),
        settings.into(),
        "active".into(),
        row.created_at.into(),
        row.updated_at.into(),
        row.version.into(),
    ];
    CATALOGUE.tenants.insert(Row { values })
}

/// Every key of the tenant, opened with the source's master key and wrapped with the target's.
async fn rewrapped(source: &Store, target: &Store, tenant: Uuid) -> Result<Vec<Statement>, ImportError> {
    let wrapped = tenant_keys::list(&**source.engine(), tenant).await?;
    let times = copy::keys_of(&**source.engine(), tenant).await?;
    let mut statements = Vec::with_capacity(wrapped.len());
    for (old, row) in wrapped.iter().zip(times) {
        let damaged = || StorageError::corrupt(format!("a wrapped key of tenant {tenant}"));
        let WrappedKey { purpose, version, .. } = *old;
        let key = source.master.unwrap_key(old).ok_or_else(damaged)?;
        let new = target.master.wrap_key(&*target.entropy, tenant, purpose, version, &key);
        let Some(Value::Int(created_at)) = row.values.last() else { return Err(damaged().into()) };
        statements.push(tenant_keys::insert(&new, *created_at));
    }
    Ok(statements)
}

/// What a tenant has in a table of the platform whose second column says whose a row is.
async fn rows_of(source: &Store, table: &Table, tenant: Uuid) -> Result<Vec<Row>, StorageError> {
    let mut pages = Pages::of(&**source.engine(), Scope::Platform, table);
    let mut found = Vec::new();
    loop {
        let rows = pages.next().await?;
        if rows.is_empty() {
            return Ok(found);
        }
        found.extend(rows.into_iter().filter(|row| row.values.get(1) == Some(&Value::Uuid(tenant))));
    }
}

fn id_of(row: &Row) -> Option<Uuid> {
    match row.values.first() {
        Some(Value::Uuid(id)) => Some(*id),
        _ => None,
    }
}

//! A whole data directory into an empty database.

use uuid::Uuid;

use super::claim::{Claim, Claimant};
use super::copy::Pages;
use super::{ImportError, Phase, Progress, compare, copy};
use crate::engine::{Engine, Scope};
use crate::error::{PLATFORM, StorageError, UnitError};
use crate::ledger::chain;
use crate::repositories::whole_rows::{self, CATALOGUE, Catalogue};
use crate::repositories::{constraint, ledger as texts, master_checks, tenants};
use crate::vault::MasterKey;

/// What came over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Tenants that are served.
    pub tenants: usize,
}

/// Brings everything of an embedded installation into an empty, migrated database: the platform, its keys, its ledger
/// and every tenant, unchanged. `master` must be the key of the source, and is that of the target from then on.
///
/// The check value of the master key is written last, after everything was compared: no node can start before. An
/// interrupted import begins anew when it is run again; until then the database is claimed by its source.
pub async fn import_embedded(
    source: &dyn Engine,
    master: &MasterKey,
    target: &dyn Engine,
    claimant: Claimant,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Imported, ImportError> {
    let check = master_checks::get(source).await?.ok_or(ImportError::NotData)?;
    crate::store::admit(master, check)?;
    if master_checks::get(target).await?.is_some() {
        return Err(ImportError::NotEmpty);
    }
    let claim = Claim::on_everything(claimant);
    take(&claim, check, source, target).await?;
    clear_tenants(target).await?;
    let served = served(source).await?;
    for (done, tenant) in served.iter().enumerate() {
        progress(Progress { phase: Phase::Copying, done, total: served.len() });
        copy::tenant(source, target, Scope::Tenant(*tenant)).await?;
    }
    platform(source, target).await?;
    for (done, tenant) in served.iter().enumerate() {
        progress(Progress { phase: Phase::Verifying, done, total: served.len() });
        compare::tenant(source, target, Scope::Tenant(*tenant)).await?;
    }
    let Catalogue { tenants, tenant_keys, api_keys, service_accounts, ledger, .. } = &*CATALOGUE;
    for table in [tenant_keys, api_keys, service_accounts, tenants, ledger] {
        compare::table(source, target, Scope::Platform, table).await?;
    }
    compare::chain(source, target, Scope::Platform).await?;
    copy::commit(target, Scope::Platform, vec![claim.fulfil(), master_checks::insert(check)]).await?;
    Ok(Imported { tenants: served.len() })
}

/// In one transaction: sees that no node started there, claims the database, clears what an interrupted import left of
/// the platform, and writes the platform's keys: with them there, no node makes others.
async fn take(
    claim: &Claim,
    check: [u8; 32],
    source: &dyn Engine,
    target: &dyn Engine,
) -> Result<(), ImportError> {
    let mut statements = Vec::from(master_checks::expect_none(check));
    statements.push(claim.take());
    statements.extend(whole_rows::clear_platform());
    statements.push(texts::set_head(PLATFORM, &chain::genesis(PLATFORM)).expecting(1, "imported_head"));
    let keys = copy::keys_of(source, PLATFORM).await?;
    statements.extend(keys.into_iter().map(|row| CATALOGUE.tenant_keys.insert(row)));
    copy::attempt(target, Scope::Platform, statements, Vec::new()).await?.map_err(|refused| match refused {
        UnitError::Unique(name) if name == constraint::MASTER_CHECK => ImportError::NotEmpty,
        refused => claim.foreign(&refused).unwrap_or_else(|| refused.into()),
    })
}

/// Clears what an interrupted import left of tenants. Only once the database is claimed: then nobody else has any there.
async fn clear_tenants(target: &dyn Engine) -> Result<(), StorageError> {
    for leftover in target.list_tenants().await? {
        target.destroy_tenant(leftover).await?;
    }
    Ok(())
}

async fn served(source: &dyn Engine) -> Result<Vec<Uuid>, ImportError> {
    let rows = source.read(Scope::Platform, tenants::active()).await?;
    Ok(rows.into_iter().map(tenants::id).collect::<Result<_, _>>()?)
}

/// The platform's ledger and API keys, then the register with the keys of all tenants.
async fn platform(source: &dyn Engine, target: &dyn Engine) -> Result<(), ImportError> {
    let scope = Scope::Platform;
    let Catalogue { tenants, tenant_keys, api_keys, service_accounts, ledger, .. } = &*CATALOGUE;
    for table in [ledger, api_keys, service_accounts] {
        copy::table(Pages::of(source, scope, table), target).await?;
    }
    copy::head(source, target, scope).await?;
    let own = copy::keys_of(source, PLATFORM).await?;
    let mut keys = Pages::of(source, scope, tenant_keys);
    if let Some(last) = own.last() {
        // Those of the platform, whose id is the first of all, are there since the database was claimed.
        keys = keys.after(tenant_keys.key(last).to_vec());
    }
    copy::table(keys, target).await?;
    copy::table(Pages::of(source, scope, tenants), target).await
}

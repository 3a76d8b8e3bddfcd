//! Ledgers in PostgreSQL, read with the application's role. No master key is needed.

use std::path::Path;
use std::process::ExitCode;

use plinto_domain::TenantId;
use plinto_storage::repositories::tenants;
use plinto_storage::{Engine, Scope, ledger};

use super::{PLATFORM, create, exported, is_called, report};
use crate::commands::CommandError;
use crate::composition;
use crate::settings::DatabaseSettings;
use crate::terminal;

pub(super) async fn verify(
    database: &DatabaseSettings,
    tenant: Option<&str>,
) -> Result<ExitCode, CommandError> {
    let engine = composition::open_database(database).await?;
    let done = verify_in(&*engine, tenant).await;
    engine.close().await;
    done
}

pub(super) async fn export(
    database: &DatabaseSettings,
    tenant: &str,
    output: &Path,
) -> Result<ExitCode, CommandError> {
    let engine = composition::open_database(database).await?;
    let done = export_from(&*engine, tenant, output).await;
    engine.close().await;
    done
}

async fn verify_in(engine: &dyn Engine, tenant: Option<&str>) -> Result<ExitCode, CommandError> {
    let mut outcome = ExitCode::SUCCESS;
    for (name, scope) in ledgers(engine, tenant).await? {
        let bar = terminal::progress("verifying");
        let verified = ledger::verify(engine, scope, |done, total| {
            bar.set_length(total.unsigned_abs());
            bar.set_position(done.unsigned_abs());
        });
        let verified = verified.await;
        bar.finish_and_clear();
        let one = report(&name, verified);
        if one != ExitCode::SUCCESS {
            outcome = one;
        }
    }
    Ok(outcome)
}

async fn export_from(engine: &dyn Engine, tenant: &str, output: &Path) -> Result<ExitCode, CommandError> {
    let mut found = ledgers(engine, Some(tenant)).await?;
    let unknown = || CommandError::UnknownTenant { named: tenant.to_owned() };
    let (name, scope) = found.pop().ok_or_else(unknown)?;
    let mut file = create(output)?;
    let head = ledger::export(engine, scope, &mut file).await?;
    exported(&name, head.seq, &file, output)
}

/// The platform's ledger and those of all tenants, or the one that was asked for.
async fn ledgers(engine: &dyn Engine, asked: Option<&str>) -> Result<Vec<(String, Scope)>, CommandError> {
    let named = |(id, slug)| (format!("{slug} ({})", TenantId::from_uuid(id)), Scope::Tenant(id));
    let tenants = tenants::registered(engine).await?.into_iter().map(named);
    let all = std::iter::once((PLATFORM.to_owned(), Scope::Platform)).chain(tenants);
    let Some(asked) = asked else { return Ok(all.collect()) };
    let found: Vec<_> = all.filter(|(name, _)| is_called(name, asked)).collect();
    if found.is_empty() {
        return Err(CommandError::UnknownTenant { named: asked.to_owned() });
    }
    Ok(found)
}

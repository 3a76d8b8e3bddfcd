use std::collections::HashSet;

use super::{Findings, Invariant};
use crate::HarnessError;
use crate::audit::{self, Entry};
use crate::journal::{Account, Standing, Tenant};
use crate::process::Installation;

/// [`Invariant::LedgerVerifies`]: `plinto audit verify` finds every ledger good, the platform's and `tenants` others
/// at least.
pub async fn ledger_verifies(installation: &Installation, tenants: usize) -> Result<Findings, HarnessError> {
    let mut findings = Findings::default();
    let verdict = audit::verify(installation).await?;
    findings.hold(Invariant::LedgerVerifies, verdict.good, || verdict.said.clone());
    findings.hold(Invariant::LedgerVerifies, verdict.ledgers > tenants, || {
        format!("{} ledgers were verified, {} are known", verdict.ledgers, tenants + 1)
    });
    Ok(findings)
}

/// [`Invariant::LedgerRecords`]: the ledgers of `tenants` and of the platform hold what is expected of them.
pub async fn ledger_records(
    installation: &Installation,
    tenants: &[Tenant],
    accounts: &[Account],
) -> Result<Findings, HarnessError> {
    let mut findings = Findings::default();
    let platform = audit::export(installation, audit::PLATFORM).await?;
    tenants.iter().for_each(|tenant| in_platform(tenant, &platform, &mut findings));
    for tenant in tenants.iter().filter(|tenant| tenant.standing == Standing::Acknowledged) {
        let entries = audit::export(installation, &tenant.slug).await?;
        let own = accounts.iter().filter(|account| account.tenant == tenant.slug);
        in_tenant(tenant, &own.collect::<Vec<_>>(), &entries, &mut findings);
    }
    Ok(findings)
}

/// At least so many entries of an event are there.
fn at_least(
    entries: &[Entry],
    event: &str,
    subject: Option<&str>,
    least: usize,
    tenant: &Tenant,
    findings: &mut Findings,
) {
    let is = |entry: &&Entry| entry.event == event && subject.is_none_or(|subject| entry.subject == subject);
    let found = entries.iter().filter(is).count();
    findings.hold(Invariant::LedgerRecords, found >= least, || {
        format!("of {} the ledger has {found} entries {event}, {least} were acknowledged", tenant.slug)
    });
}

fn in_platform(tenant: &Tenant, entries: &[Entry], findings: &mut Findings) {
    let id = Some(tenant.id.as_str());
    let deletions = usize::from(tenant.standing == Standing::Removed);
    at_least(entries, "tenant.created", id, 1, tenant, findings);
    at_least(entries, "tenant.deleted", id, deletions, tenant, findings);
    at_least(entries, "tenant.data_key.rotated", id, tenant.rotations, tenant, findings);
}

fn in_tenant(tenant: &Tenant, accounts: &[&Account], entries: &[Entry], findings: &mut Findings) {
    let of = |entry: &Entry| (entry.event.clone(), entry.subject.clone(), entry.data.generation);
    let found: HashSet<_> = entries.iter().map(of).collect();
    for expected in accounts.iter().flat_map(|account| &account.expected) {
        let wanted = (expected.event.to_owned(), expected.subject.clone(), expected.generation);
        findings.hold(Invariant::LedgerRecords, found.contains(&wanted), || {
            format!("the ledger of {} has no entry {expected:?}", tenant.slug)
        });
    }
    let acknowledged = accounts.iter().filter(|account| account.standing == Standing::Acknowledged).count();
    at_least(entries, "user.created", None, acknowledged, tenant, findings);
    at_least(entries, "tenant.signing_key.rotated", None, tenant.rotations, tenant, findings);
}

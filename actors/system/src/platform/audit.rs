//! The audit ledger of a tenant, as its services and operators read it.

use super::Platform;
use crate::error::ServiceError;
use plinto_domain::audit_query::{AuditFilter, LedgerName, UNKNOWN_ENTRY};
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::{Deadline, Refusal};
use plinto_storage::ledger::{self, By, Entry, Exporter, Look, Order, ROUTINE};
use plinto_storage::{Engine, Scope};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How often a stream looks for new entries.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Entries a stream reads at a time.
const STREAMED: u32 = 200;

/// An entry of the ledger.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Position, from 1, without gaps.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: String,
    /// Who did it.
    pub actor: String,
    /// To what.
    pub subject: String,
    /// The facts.
    pub data: serde_json::Value,
    /// SHA-256 of the entry before.
    pub prev_hash: [u8; 32],
    /// SHA-256 of this entry.
    pub hash: [u8; 32],
}

impl TryFrom<Entry> for AuditEntry {
    type Error = ServiceError;

    fn try_from(entry: Entry) -> Result<Self, ServiceError> {
        Ok(Self {
            seq: entry.seq,
            at: Timestamp::from_millis(entry.at),
            event: entry.event,
            actor: entry.actor,
            subject: entry.subject,
            data: serde_json::from_str(&entry.data)
                .map_err(|_| ServiceError::Damaged("data of an audit entry"))?,
            prev_hash: entry.prev_hash,
            hash: entry.hash,
        })
    }
}

/// Which entries, and how many of them.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// What is wanted.
    pub filter: AuditFilter,
    /// Newest first.
    pub newest_first: bool,
    /// Sequence of the last entry of the page before.
    pub after: Option<i64>,
    /// Most entries on the page.
    pub limit: u32,
}

/// A page of entries.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Where to go on; none at the end.
    pub next: Option<i64>,
}

impl Platform {
    /// Entries of a tenant's ledger, page by page.
    pub async fn audit_events(
        &self,
        tenant: TenantId,
        query: &AuditQuery,
        deadline: Deadline,
    ) -> Result<AuditPage, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let filter = &query.filter;
        let look = Look {
            by: examined(filter),
            order: if query.newest_first { Order::NewestFirst } else { Order::OldestFirst },
            after: query.after,
            from: filter.from.map(Timestamp::as_millis),
            until: filter.to.map(Timestamp::as_millis),
            limit: query.limit,
        };
        let scope = Scope::Tenant(tenant.uuid());
        let found =
            work.read(|| ledger::look(work.engine(), scope, &look, |entry| admits(filter, entry))).await?;
        let entries = found.entries.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?;
        Ok(AuditPage { entries, next: found.next })
    }

    /// One entry of a tenant's ledger.
    pub async fn audit_event(
        &self,
        tenant: TenantId,
        seq: i64,
        deadline: Deadline,
    ) -> Result<AuditEntry, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let before = seq.checked_sub(1).ok_or(UNKNOWN_ENTRY)?;
        let scope = Scope::Tenant(tenant.uuid());
        let found = work.read(|| ledger::page(work.engine(), scope, before, 1)).await?;
        let entry = found.into_iter().next().filter(|entry| entry.seq == seq);
        entry.ok_or(UNKNOWN_ENTRY)?.try_into()
    }

    /// The whole ledger of a tenant as of now, with the chain that proves it. The tenant's limits are passed once, at
    /// the beginning.
    pub async fn audit_export(
        &self,
        tenant: TenantId,
        deadline: Deadline,
    ) -> Result<AuditExport, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let scope = Scope::Tenant(tenant.uuid());
        let exporter = work.read(|| Exporter::begin(work.engine(), scope)).await?;
        Ok(AuditExport { engine: Arc::clone(self.0.store.engine()), exporter })
    }

    /// What is added to a tenant's ledger behind `after`, or from now on. A tenant has few streams on a node at once.
    pub async fn audit_stream(
        &self,
        tenant: TenantId,
        filter: AuditFilter,
        after: Option<i64>,
        deadline: Deadline,
    ) -> Result<AuditStream, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let permit = Arc::clone(&work.cell().audit_streams)
            .try_acquire_owned()
            .map_err(|_| Refusal::Overloaded { retry_after: Duration::from_secs(30) })?;
        let scope = Scope::Tenant(tenant.uuid());
        let head = work.read(|| ledger::head(work.engine(), scope)).await?;
        let head = head.ok_or(ServiceError::UnknownTenant)?.seq;
        let after = after.map_or(head, |seen| seen.clamp(0, head));
        let engine = Arc::clone(self.0.store.engine());
        Ok(AuditStream { engine, scope, filter, after, _permit: permit })
    }
}

/// By which index to look: by none for events that are in none.
fn examined(filter: &AuditFilter) -> By<'_> {
    if filter.event.as_ref().is_some_and(|pattern| pattern.admits(ROUTINE)) {
        return By::All;
    }
    let (subject, actor) = (&filter.subject, &filter.actor);
    let subject = subject.as_ref().map(LedgerName::as_str).map(By::Subject);
    subject.or(actor.as_ref().map(LedgerName::as_str).map(By::Actor)).unwrap_or(By::All)
}

fn admits(filter: &AuditFilter, entry: &Entry) -> bool {
    filter.admits(&entry.event, &entry.actor, &entry.subject, Timestamp::from_millis(entry.at))
}

/// An export under way.
pub struct AuditExport {
    engine: Arc<dyn Engine>,
    exporter: Exporter,
}

impl AuditExport {
    /// The next lines; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(self.exporter.next(&*self.engine).await?)
    }
}

/// A stream of new entries.
pub struct AuditStream {
    engine: Arc<dyn Engine>,
    scope: Scope,
    filter: AuditFilter,
    after: i64,
    _permit: OwnedSemaphorePermit,
}

impl AuditStream {
    /// Waits for the next entries that are wanted. It may be called again after an error.
    pub async fn next(&mut self) -> Result<Vec<AuditEntry>, ServiceError> {
        loop {
            let entries = ledger::page(&*self.engine, self.scope, self.after, STREAMED).await?;
            let Some(last) = entries.last() else {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            self.after = last.seq;
            let wanted = entries.into_iter().filter(|entry| admits(&self.filter, entry));
            let wanted: Vec<AuditEntry> = wanted.map(AuditEntry::try_from).collect::<Result<_, _>>()?;
            if !wanted.is_empty() {
                return Ok(wanted);
            }
        }
    }
}

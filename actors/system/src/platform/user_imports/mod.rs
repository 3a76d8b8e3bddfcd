//! Imports of users, as a tenant's services and operators see them.

mod importer;

pub use importer::UserImporter;

use super::Platform;
use super::work::Work;
use crate::error::ServiceError;
use crate::persist::user_imports::to_domain;
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::id::ImportId;
use plinto_domain::user::import::{Ending, Import, NewImport, UNKNOWN_IMPORT, begin, end};
use plinto_runtime::{Deadline, Refusal};
use plinto_storage::repositories::user_imports::{self, ErrorPlace};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// How often one ending decides on an import that goes on meanwhile.
const MOST_DECISIONS: usize = 16;
/// How long work on many users gives way to what else the tenant does.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a part of such work may take.
const PART: Duration = Duration::from_secs(60);
/// When to come back if the tenant imports and exports as much as it may.
const BUSY: Duration = Duration::from_secs(5);

/// What was wrong with a line.
#[derive(Clone, Debug)]
pub struct ImportError {
    /// Number of the line, from 1.
    pub line: u64,
    /// Which of the line's errors, from 0.
    pub ordinal: u16,
    /// Name of the member, or `line`.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// What to do about it.
    pub detail: String,
}

impl Platform {
    /// Begins an import. Its lines come with [`Self::user_importer`].
    pub async fn begin_user_import(
        &self,
        tenant: TenantId,
        new: NewImport,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<Import, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let now = work.now();
        work.carry_out(begin(new, now, work.environment().randomness()), actor, now).await
    }

    /// Imports, newest first, those before `after`.
    pub async fn user_imports(
        &self,
        tenant: TenantId,
        after: Option<ImportId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<Import>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let after = after.map(ImportId::uuid);
        let read = || user_imports::list(work.engine(), tenant.uuid(), limit, after);
        work.read(read).await?.into_iter().map(to_domain).collect()
    }

    /// One import.
    pub async fn user_import(
        &self,
        tenant: TenantId,
        import: ImportId,
        deadline: Deadline,
    ) -> Result<Import, ServiceError> {
        self.work(tenant, deadline).await?.user_import(import).await
    }

    /// What was wrong with lines of an import, in their order, behind the place `after`.
    pub async fn user_import_errors(
        &self,
        tenant: TenantId,
        import: ImportId,
        after: Option<(u64, u16)>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ImportError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_import(import).await?;
        let after = after.map(|(line, ordinal)| ErrorPlace { line, ordinal });
        let read = || user_imports::list_errors(work.engine(), tenant.uuid(), import.uuid(), limit, after);
        let errors = work.read(read).await?.into_iter().map(|row| ImportError {
            line: row.place.line,
            ordinal: row.place.ordinal,
            field: row.field,
            code: row.code,
            detail: row.detail,
        });
        Ok(errors.collect())
    }

    /// Ends an import; users imported before stay.
    pub async fn end_user_import(
        &self,
        tenant: TenantId,
        import: ImportId,
        ending: Ending,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<Import, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        for _ in 0..MOST_DECISIONS {
            let read = work.user_import(import).await?;
            let now = work.now();
            match work.carry_out(end(&read, ending, now)?, actor, now).await {
                // Some of its lines were imported meanwhile.
                Err(ServiceError::Conflict) => {}
                done => return done,
            }
        }
        Err(ServiceError::Conflict)
    }

    /// A place among the few imports and exports a tenant may have under way at once on a node.
    pub(super) async fn bulk_place(
        &self,
        tenant: TenantId,
        deadline: Deadline,
    ) -> Result<OwnedSemaphorePermit, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let place = Arc::clone(&work.cell().bulk_streams).try_acquire_owned();
        place.map_err(|_| Refusal::Overloaded { retry_after: BUSY }.into())
    }

    /// Passes the tenant's limits for a part of work on many users: it waits for them, for a while, where others are
    /// refused at once.
    pub(super) async fn patient_work(&self, tenant: TenantId) -> Result<Work, ServiceError> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let refused = match self.work(tenant, Deadline::after(PART)).await {
                Err(ServiceError::Refused(refused)) => refused,
                admitted => return admitted,
            };
            let (Refusal::RateLimited { retry_after } | Refusal::Overloaded { retry_after }) = refused else {
                return Err(refused.into());
            };
            if Instant::now() + retry_after > give_up {
                return Err(refused.into());
            }
            tokio::time::sleep(retry_after).await;
        }
    }
}

impl Work {
    async fn user_import(&self, import: ImportId) -> Result<Import, ServiceError> {
        let read = || user_imports::get(self.engine(), self.cell().id.uuid(), import.uuid());
        to_domain(self.read(read).await?.ok_or(UNKNOWN_IMPORT)?)
    }
}

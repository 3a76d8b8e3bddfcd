//! Lines of an import become users.

use super::super::work::Work;
use super::Platform;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist::unit;
use plinto_domain::audit::Actor;
use plinto_domain::id::ImportId;
use plinto_domain::user::identifiers::{ExternalId, PhoneNumber, Username};
use plinto_domain::user::import::{
    IMPORT_BUSY, IMPORT_ENDED, Import, ImportOutcome, ImportState, ImportedUser, LINES_MISSING, Seen, Taken,
    advance, examine,
};
use plinto_domain::user::profile::Profile;
use plinto_domain::{Decision, InvalidInput, TenantId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::taken;
use plinto_storage::repositories::users::Identifier;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Lines that are one unit of work. Some three thousand rows: enough that the disk's flush is little beside them, few
/// enough that others who write to the tenant meanwhile wait some tens of milliseconds.
const BATCH: usize = 100;
/// How often a batch is examined again because others took a value of it meanwhile.
const MOST_LOOKS: usize = 16;

/// A user, or what is wrong with its line.
type Line = Result<Arc<ImportedUser>, Vec<InvalidInput>>;

/// Takes the lines of one request. What it has answered for is on stable storage; what it was given and dropped with is
/// not, and is sent again.
pub struct UserImporter {
    platform: Platform,
    tenant: TenantId,
    actor: Actor,
    import: Import,
    /// Number of the next line to be given.
    next: u64,
    batch: Vec<Line>,
    /// Values of lines before, where nothing else remembers them.
    seen: Seen,
    _place: OwnedSemaphorePermit,
}

impl Platform {
    /// Goes on with an import: the first line that will be given is number `first`. Lines that were imported before are
    /// passed over.
    pub async fn user_importer(
        &self,
        tenant: TenantId,
        import: ImportId,
        first: u64,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserImporter, ServiceError> {
        let import = self.user_import(tenant, import, deadline).await?;
        if import.state != ImportState::Open {
            return Err(IMPORT_ENDED.into());
        }
        if first > import.tally.lines + 1 {
            return Err(LINES_MISSING.into());
        }
        let place = self.bulk_place(tenant, deadline).await?;
        Ok(UserImporter {
            platform: self.clone(),
            tenant,
            actor,
            import,
            next: first,
            batch: Vec::with_capacity(BATCH),
            seen: Seen::default(),
            _place: place,
        })
    }
}

impl UserImporter {
    /// How far the import is.
    pub fn import(&self) -> &Import {
        &self.import
    }

    /// The next line. Now and then it waits until those so far are stored.
    pub async fn line(&mut self, line: &[u8]) -> Result<(), ServiceError> {
        let number = self.next;
        self.next += 1;
        if number <= self.import.tally.lines {
            return Ok(());
        }
        self.batch.push(ImportedUser::parse(line, self.platform.0.environment.now()).map(Arc::new));
        if self.batch.len() == BATCH { self.store().await } else { Ok(()) }
    }

    /// There are no more lines in this request. All of them are stored when it answers.
    pub async fn finish(mut self) -> Result<Import, ServiceError> {
        if !self.batch.is_empty() {
            self.store().await?;
        }
        Ok(self.import)
    }

    /// Imports what is gathered, as one unit of work.
    async fn store(&mut self) -> Result<(), ServiceError> {
        for _ in 0..MOST_LOOKS {
            let work = self.platform.patient_work(self.tenant).await?;
            let lines = work.matching(&self.batch).await?;
            let taken = work.taken(&lines).await?;
            // A dry run leaves nothing by which a value would be found again in a later batch.
            let mut seen = if self.import.dry_run { std::mem::take(&mut self.seen) } else { Seen::default() };
            let on_conflict = self.import.on_conflict;
            let lines = lines.into_iter();
            let outcomes: Vec<ImportOutcome> =
                lines.map(|line| examine(line, on_conflict, &taken, &mut seen)).collect();
            let stored = self.advance(&work, outcomes).await;
            self.seen = seen;
            match stored? {
                Ok(import) => {
                    self.import = import;
                    self.batch.clear();
                    return Ok(());
                }
                // Somebody took a value after it was looked for; it will be found.
                Err(CommitError::Unique(_)) => {}
                Err(CommitError::Conflict(_)) => return Err(self.overtaken(&work).await),
                Err(error) => return Err(error.into()),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn advance(
        &self,
        work: &Work,
        outcomes: Vec<ImportOutcome>,
    ) -> Result<Result<Import, CommitError>, ServiceError> {
        let first = self.import.tally.lines + 1;
        let (import, environment, actor) = (self.import.clone(), work.environment().clone(), self.actor);
        let vault = Arc::clone(&work.cell().vault);
        // Deciding and sealing keeps a core busy for ten milliseconds.
        let prepare = move || {
            let now = environment.now();
            let decision = advance(&import, first, outcomes, now, environment.randomness())?;
            let Decision { writes, events, reply } = decision;
            Ok::<_, ServiceError>((unit(&vault, writes, &events, actor, now), reply))
        };
        let (unit, import) = work.hasher().in_share(self.tenant, work.deadline(), prepare).await??;
        Ok(work.commit(unit).await?.map(|_| import))
    }

    /// Why another version of the import was found.
    async fn overtaken(&self, work: &Work) -> ServiceError {
        match work.user_import(self.import.id).await {
            Ok(import) if import.state == ImportState::Open => IMPORT_BUSY.into(),
            Ok(_) => IMPORT_ENDED.into(),
            Err(error) => error,
        }
    }
}

impl Work {
    /// The same lines, but for those with metadata that does not match the tenant's schemas. One is compared after the
    /// other: a schema may be slow, and the tenant's neighbours must not wait for a hundred of them.
    async fn matching(&self, lines: &[Line]) -> Result<Vec<Line>, ServiceError> {
        let mut compared = Vec::with_capacity(lines.len());
        for line in lines {
            compared.push(match line {
                Err(errors) => Err(errors.clone()),
                Ok(user) => {
                    let nothing = Profile::default();
                    let written =
                        self.metadata().compare(self.cell(), &nothing, &user.profile, self.deadline());
                    written.await?.map(|()| Arc::clone(user))
                }
            });
        }
        Ok(compared)
    }

    /// Values of these lines that users of the tenant have.
    async fn taken(&self, lines: &[Line]) -> Result<Taken, ServiceError> {
        let users = || lines.iter().flatten();
        let emails: Vec<&str> =
            users().flat_map(|user| &user.emails).map(|email| email.address.normalized()).collect();
        let found = self.read(|| taken::emails(self.engine(), self.vault(), &emails)).await?;
        let usernames = users().filter_map(|user| user.profile.username.as_ref().map(Username::as_str));
        let ids = users().filter_map(|user| user.profile.external_id.as_ref().map(ExternalId::as_str));
        let phones = users().filter_map(|user| user.profile.phone.as_ref().map(PhoneNumber::as_str));
        Ok(Taken {
            emails: owned(found),
            usernames: self.taken_identifiers(Identifier::Username, usernames.collect()).await?,
            external_ids: self.taken_identifiers(Identifier::ExternalId, ids.collect()).await?,
            phones: self.taken_identifiers(Identifier::Phone, phones.collect()).await?,
        })
    }

    async fn taken_identifiers(
        &self,
        kind: Identifier,
        values: Vec<&str>,
    ) -> Result<HashSet<String>, ServiceError> {
        Ok(owned(self.read(|| taken::identifiers(self.engine(), self.vault(), kind, &values)).await?))
    }
}

fn owned(values: Vec<&str>) -> HashSet<String> {
    values.into_iter().map(str::to_owned).collect()
}

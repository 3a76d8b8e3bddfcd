//! Feature flags: administered by the tenant's services, asked for by them and by users. Answers come from memory.

mod evaluation;

pub use evaluation::{FlagEvaluation, FlagQuestion, Served};

use super::work::Work;
use super::{Platform, to_the_end};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use crate::tenant::{FlagSet, KeptFlag};
use plinto_domain::audit::Actor;
use plinto_domain::flag::{
    Definition, DefinitionChange, FLAG_KEY_TAKEN, Flag, FlagKey, UNKNOWN_FLAG, change, create, delete,
};
use plinto_domain::precondition::Precondition;
use plinto_domain::{Decision, TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::flags as flag_rows;
use std::sync::Arc;

/// A decision that another one overtook is made once more.
const ATTEMPTS: usize = 3;
/// Flags read at a time.
const PAGE: u32 = 200;

/// A flag as those who administer it see it.
#[derive(Clone, Debug)]
pub struct FlagView {
    /// The flag.
    pub flag: Flag,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl FlagView {
    fn of(kept: &KeptFlag) -> Self {
        Self {
            flag: kept.flag.clone(),
            created_at: Timestamp::from_millis(kept.created_at),
            updated_at: Timestamp::from_millis(kept.updated_at),
        }
    }

    fn find(set: &FlagSet, key: &FlagKey) -> Result<Self, ServiceError> {
        Ok(Self::of(set.by_key.get(key).ok_or(UNKNOWN_FLAG)?))
    }
}

impl Platform {
    /// Flags in order of key, after `after`, at most `limit`.
    pub async fn flags(
        &self,
        tenant: TenantId,
        after: Option<&FlagKey>,
        limit: usize,
        deadline: Deadline,
    ) -> Result<Vec<FlagView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let set = work.flags().await?;
        let beyond = set.by_key.iter().filter(|(key, _)| after.is_none_or(|after| *key > after));
        Ok(beyond.take(limit).map(|(_, kept)| FlagView::of(kept)).collect())
    }

    /// One flag.
    pub async fn flag(
        &self,
        tenant: TenantId,
        key: &FlagKey,
        deadline: Deadline,
    ) -> Result<FlagView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        FlagView::find(&*work.flags().await?, key)
    }

    /// Makes a flag.
    pub async fn create_flag(
        &self,
        tenant: TenantId,
        key: FlagKey,
        definition: Definition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<FlagView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            let (set, now) = (work.read_flags().await?, work.now());
            let decision = create(key.clone(), definition, set.by_key.len(), now)?;
            match work.carry_out_flags(decision, actor, now).await? {
                Ok(()) => FlagView::find(&*work.read_flags().await?, &key),
                Err(CommitError::Unique(_)) => Err(FLAG_KEY_TAKEN.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// Changes a flag, if its version is one the precondition admits.
    pub async fn change_flag(
        &self,
        tenant: TenantId,
        key: FlagKey,
        wanted: DefinitionChange,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<FlagView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.read_flags().await?, work.now());
                let known = &set.by_key.get(&key).ok_or(UNKNOWN_FLAG)?.flag;
                let (definition, fields) = known.definition.changed(wanted.clone())?;
                let decision = change(known, definition, fields, &precondition, now)?;
                match work.carry_out_flags(decision, actor, now).await? {
                    Ok(()) => return FlagView::find(&*work.read_flags().await?, &key),
                    Err(CommitError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Removes a flag, if its version is one the precondition admits.
    pub async fn delete_flag(
        &self,
        tenant: TenantId,
        key: FlagKey,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            for _ in 0..ATTEMPTS {
                let (set, now) = (work.read_flags().await?, work.now());
                let known = &set.by_key.get(&key).ok_or(UNKNOWN_FLAG)?.flag;
                let decision = delete(known, &precondition)?;
                match work.carry_out_flags(decision, actor, now).await? {
                    Ok(()) => return Ok(()),
                    Err(CommitError::Conflict(_)) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }
}

impl Work {
    /// The flags, from memory if they are there.
    async fn flags(&self) -> Result<Arc<FlagSet>, ServiceError> {
        match self.cell().flags.get() {
            Some(flags) => Ok(flags),
            None => self.read_flags().await,
        }
    }

    /// The flags as they are stored now.
    async fn read_flags(&self) -> Result<Arc<FlagSet>, ServiceError> {
        let stamp = self.cell().flags.stamp();
        let (mut set, mut after) = (FlagSet::default(), None::<String>);
        loop {
            let read = || flag_rows::list(self.engine(), self.vault(), after.as_deref(), PAGE);
            let page = self.read(read).await?;
            let last = page.last().filter(|_| page.len() == PAGE as usize).map(|row| row.key.clone());
            for row in page {
                let kept = persist::flags::flag(row)?;
                set.by_key.insert(kept.flag.key.clone(), kept);
            }
            match last {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        let set = Arc::new(set);
        self.cell().flags.keep(stamp, &set);
        Ok(set)
    }

    /// Commits a decision about flags, and has them read again, also if nobody learns how the commit ended. Callers run
    /// it to its end.
    async fn carry_out_flags(
        &self,
        decision: Decision<()>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Result<(), CommitError>, ServiceError> {
        self.try_to_carry_out(decision, actor, now, |_| self.cell().flags.forget()).await
    }
}

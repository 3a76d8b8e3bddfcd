use super::hash::{HashMemory, hash_password, verify_password};
use super::pace::Pace;
use super::priority::give_way;
use crate::config::Limits;
use crate::environment::Environment;
use crate::error::ServiceError;
use plinto_domain::TenantId;
use plinto_domain::foreign_hash::ForeignHash;
use plinto_domain::password::{Password, PasswordHash, PasswordPolicy, breached, reused};
use plinto_domain::sign_in::PasswordCheck;
use plinto_runtime::{ActorSystem, Deadline, FairPool, GivingWay, PoolConfig};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a hash may take on a thread that gives way, at least; with a core to itself it takes a tenth of that. Far
/// below the deadline of a request, and long enough that a flood of cheap requests does not make hashing hurry at once.
const PATIENCE: Duration = Duration::from_millis(300);
/// Share of a job that costs as much as one of our hashes; one that costs more has less of it, so that a tenant whose
/// hashes are dear takes no more of the pool than others.
const SHARE: u32 = 64;

/// A password somebody chose, whose form the policy accepts.
pub(crate) struct Chosen {
    pub(crate) password: Password,
    /// The field it was sent in.
    pub(crate) field: &'static str,
    pub(crate) policy: PasswordPolicy,
    /// Hashes of those it must differ from.
    pub(crate) former: Vec<PasswordHash>,
}

impl Chosen {
    /// A first password, which follows no other.
    pub(crate) fn first(password: Password, policy: PasswordPolicy) -> Self {
        Self { password, field: "password", policy, former: Vec::new() }
    }
}

/// Hashes and checks passwords on a bounded pool that serves tenants fairly.
#[derive(Clone)]
pub(crate) struct PasswordHasher {
    pool: FairPool<TenantId, HashMemory>,
    environment: Environment,
    /// Hash of nobody's password: checked when there is no account, so that the answer takes the same time.
    decoy: Arc<PasswordHash>,
    pace: Arc<Pace>,
}

impl PasswordHasher {
    pub(crate) fn start(limits: &Limits, environment: Environment, system: &ActorSystem) -> Self {
        let config = PoolConfig {
            name: "passwords",
            workers: limits.password_workers(),
            depth_per_key: limits.password_queue,
            ..PoolConfig::default()
        };
        let giving_way = GivingWay { prepare: give_way, patience: PATIENCE };
        let mut secret = [0_u8; 32];
        environment.randomness().fill(&mut secret);
        let decoy =
            Password::entered("password", &hex::encode(secret)).expect("64 hex digits are a password");
        let decoy = hash_password(&mut HashMemory::default(), &decoy, environment.randomness());
        Self {
            pool: FairPool::giving_way(config, giving_way, HashMemory::default).observed_by(system),
            environment,
            decoy: Arc::new(decoy),
            pace: Arc::default(),
        }
    }

    /// Hashes a password somebody chose, unless it is known from breaches or was used before. There is no other way to a
    /// new hash, so that none escapes the lists.
    pub(crate) async fn hash(
        &self,
        tenant: TenantId,
        chosen: Chosen,
        deadline: Deadline,
    ) -> Result<PasswordHash, ServiceError> {
        let Chosen { password, field, policy, former } = chosen;
        if policy.refuse_breached {
            let asking = self.environment.breaches().know(&password);
            if crate::platform::within(deadline, asking).await? {
                return Err(breached(field).into());
            }
        }
        let password = Arc::new(password);
        if self.is_one_of(tenant, &password, former, deadline).await? {
            return Err(reused(field).into());
        }
        let environment = self.environment.clone();
        let hash = move |memory: &mut HashMemory| hash_password(memory, &password, environment.randomness());
        self.run(tenant, 1, hash, deadline).await
    }

    /// Does other slow work in the tenant's share, and where nobody else wants the core: as much as a hash or less.
    pub(crate) async fn in_share<R: Send + 'static>(
        &self,
        tenant: TenantId,
        deadline: Deadline,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, ServiceError> {
        Ok(self.pool.run(&tenant, SHARE, deadline, move |_| work()).await?)
    }

    /// Checks a password; without a stored hash the same work is done for nothing. Where hashes of the tenant were made
    /// elsewhere, a miss takes about as long as with one of those.
    pub(crate) async fn check(
        &self,
        tenant: TenantId,
        password: Password,
        stored: Option<PasswordHash>,
        deadline: Deadline,
    ) -> Result<PasswordCheck, ServiceError> {
        let foreign = stored.as_ref().and_then(|stored| ForeignHash::parse(stored.as_phc()).ok());
        let work = foreign.as_ref().map_or(1, ForeignHash::relative_work);
        let environment = self.environment.clone();
        let decoy = Arc::clone(&self.decoy);
        let check = move |memory: &mut HashMemory| {
            let began = Instant::now();
            let check = match &stored {
                Some(hash) => verify_password(memory, &password, hash, environment.randomness()),
                None => verify_password(memory, &password, &decoy, environment.randomness())
                    .map(|_| PasswordCheck { matches: false, upgraded: None }),
            };
            (check, began.elapsed())
        };
        let (check, took) = self.run(tenant, work, check, deadline).await?;
        let check = check.ok_or(ServiceError::Damaged("a password hash has an unknown form"))?;
        if foreign.is_some_and(|hash| !hash.is_ours() || work > 1) {
            self.pace.note(tenant, took);
        } else if !check.matches {
            self.keep_pace(tenant, took, deadline).await;
        }
        Ok(check)
    }

    /// Waits, but not beyond the deadline.
    async fn keep_pace(&self, tenant: TenantId, took: Duration, deadline: Deadline) {
        let wait = self.pace.wait(tenant, took);
        if !wait.is_zero() {
            tokio::time::sleep_until(deadline.instant().min(Instant::now() + wait)).await;
        }
    }

    /// Does work that costs so many of our hashes in the tenant's share.
    async fn run<R: Send + 'static>(
        &self,
        tenant: TenantId,
        cost: u32,
        work: impl Fn(&mut HashMemory) -> R + Send + Sync + 'static,
        deadline: Deadline,
    ) -> Result<R, ServiceError> {
        let share = (SHARE / cost).max(1);
        Ok(self.pool.run_repeatable(&tenant, share, deadline, work).await?)
    }

    /// Whether a password is one of those. Each comparison is a job of its own, so that a long history gets no more
    /// than its tenant's share; none is left out when one matches, so that time does not tell which.
    async fn is_one_of(
        &self,
        tenant: TenantId,
        password: &Arc<Password>,
        hashes: Vec<PasswordHash>,
        deadline: Deadline,
    ) -> Result<bool, ServiceError> {
        let mut found = false;
        for hash in hashes {
            let (environment, password) = (self.environment.clone(), Arc::clone(password));
            let cost = ForeignHash::parse(hash.as_phc()).map_or(1, |hash| hash.relative_work());
            let check = move |memory: &mut HashMemory| {
                verify_password(memory, &password, &hash, environment.randomness())
            };
            // One of an unknown form is nobody's password any more, and choosing another is the cure.
            let check = self.run(tenant, cost, check, deadline).await?;
            found |= check.is_some_and(|check| check.matches);
        }
        Ok(found)
    }
}

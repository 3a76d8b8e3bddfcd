use super::hash::{HashMemory, hash_password, verify_password};
use super::worker::{HashWorker, Work};
use crate::config::Limits;
use crate::environment::Environment;
use crate::error::ServiceError;
use plinto_domain::TenantId;
use plinto_domain::password::{Password, PasswordHash};
use plinto_domain::sign_in::PasswordCheck;
use plinto_runtime::{ActorSystem, Deadline, FairPool, PoolConfig};
use std::sync::Arc;
use std::time::Duration;

/// How long a hash may take on a thread that gives way; with a core to itself it takes a tenth of that. Far below the
/// deadline of a request, and long enough that a flood of cheap requests does not make hashing hurry at once.
const PATIENCE: Duration = Duration::from_millis(500);

/// Hashes and checks passwords on a bounded pool that serves tenants fairly.
#[derive(Clone)]
pub(crate) struct PasswordHasher {
    pool: FairPool<TenantId, HashWorker>,
    environment: Environment,
    /// Hash of nobody's password: checked when there is no account, so that the answer takes the same time.
    decoy: Arc<PasswordHash>,
}

impl PasswordHasher {
    pub(crate) fn start(limits: &Limits, environment: Environment, system: &ActorSystem) -> Self {
        let config = PoolConfig {
            name: "passwords",
            workers: limits.password_workers(),
            depth_per_key: limits.password_queue,
            ..PoolConfig::default()
        };
        let mut secret = [0_u8; 32];
        environment.randomness().fill(&mut secret);
        let decoy =
            Password::entered("password", &hex::encode(secret)).expect("64 hex digits are a password");
        let decoy = hash_password(&mut HashMemory::default(), &decoy, environment.randomness());
        Self {
            pool: FairPool::start(config, || HashWorker::new(PATIENCE)).observed_by(system),
            environment,
            decoy: Arc::new(decoy),
        }
    }

    pub(crate) async fn hash(
        &self,
        tenant: TenantId,
        password: Password,
        deadline: Deadline,
    ) -> Result<PasswordHash, ServiceError> {
        let environment = self.environment.clone();
        let hash = move |memory: &mut HashMemory| hash_password(memory, &password, environment.randomness());
        self.run(tenant, Arc::new(hash), deadline).await
    }

    /// Checks a password; without a stored hash the same work is done for nothing.
    pub(crate) async fn check(
        &self,
        tenant: TenantId,
        password: Password,
        stored: Option<PasswordHash>,
        deadline: Deadline,
    ) -> Result<PasswordCheck, ServiceError> {
        let environment = self.environment.clone();
        let decoy = Arc::clone(&self.decoy);
        let check = move |memory: &mut HashMemory| match &stored {
            Some(hash) => verify_password(memory, &password, hash, environment.randomness()),
            None => verify_password(memory, &password, &decoy, environment.randomness())
                .map(|_| PasswordCheck { matches: false, upgraded: None }),
        };
        let check = self.run(tenant, Arc::new(check), deadline).await?;
        check.ok_or(ServiceError::Damaged("a password hash has an unknown form"))
    }

    async fn run<R: Send + 'static>(
        &self,
        tenant: TenantId,
        work: Work<R>,
        deadline: Deadline,
    ) -> Result<R, ServiceError> {
        Ok(self.pool.run(&tenant, 1_u32, deadline, move |worker: &mut HashWorker| worker.run(&work)).await?)
    }
}

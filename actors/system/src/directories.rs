//! The directories of actors a platform consists of, callees before callers.

use crate::config::PlatformConfig;
use crate::environment::Environment;
use crate::ledger::{LedgerActor, LedgerHandle};
use crate::mail::{MailQueue, MailTransport, Postman};
use crate::metadata_rules::MetadataChecker;
use crate::nodes::{Lessor, SharedGuesses, Watch};
use crate::passwords::PasswordHasher;
use crate::sealed_rows::SealedRows;
use crate::session::{SessionActor, SessionEnds};
use crate::tenant::{AttemptLimits, TenantActor, TenantHandle, UserStamps};
use plinto_cluster::Cluster;
use plinto_runtime::{ActorSystem, Directory, DirectoryConfig};
use plinto_storage::Store;
use std::sync::Arc;

/// What every actor is made with.
pub(crate) struct Parts<'p> {
    pub(crate) config: &'p PlatformConfig,
    pub(crate) store: &'p Arc<Store>,
    pub(crate) rows: &'p Arc<SealedRows>,
    pub(crate) environment: &'p Environment,
    pub(crate) watch: &'p Arc<Watch>,
    pub(crate) mail: &'p Arc<MailQueue>,
    /// Where several nodes share limits: by what, and through what.
    pub(crate) shared: Option<(&'p Arc<dyn Cluster>, &'p Arc<Lessor>)>,
}

/// One directory of each kind.
pub(crate) struct Directories {
    pub(crate) ledger: LedgerHandle,
    pub(crate) tenants: Directory<TenantActor>,
    pub(crate) sessions: Directory<SessionActor>,
    /// How tenants reach sessions that they end.
    pub(crate) ends: SessionEnds,
    pub(crate) hasher: PasswordHasher,
    pub(crate) metadata: MetadataChecker,
    pub(crate) attempts: Arc<AttemptLimits>,
}

impl Parts<'_> {
    /// Registers callees first: a shutdown drains sessions, then tenants, then ledgers.
    pub(crate) async fn directories(&self, system: &ActorSystem) -> Directories {
        let limits = self.config.limits;
        let user_stamps = Arc::new(UserStamps::default());
        let ledger_actor = LedgerActor {
            engine: Arc::clone(self.store.engine()),
            limits,
            mail: Arc::clone(self.mail),
            users: Arc::clone(&user_stamps),
        };
        let tenant_idle = DirectoryConfig {
            idle_after: limits.tenant_idle(),
            max_live: limits.live_tenants,
            ..DirectoryConfig::default()
        };
        let ledger = LedgerHandle::new(system.directory(ledger_actor, tenant_idle.clone()).await);
        let guesses = self.shared.map(|(cluster, _)| SharedGuesses::new(Arc::clone(cluster)));
        let ends = SessionEnds::default();
        let hasher = PasswordHasher::start(&limits, self.environment.clone(), system);
        let attempts = Arc::new(AttemptLimits::new(&limits, guesses));
        let metadata = MetadataChecker::start(system);
        let tenant_actor = TenantActor {
            store: Arc::clone(self.store),
            rows: Arc::clone(self.rows),
            config: self.config.clone(),
            environment: self.environment.clone(),
            hasher: hasher.clone(),
            metadata: metadata.clone(),
            ledger: ledger.clone(),
            attempts: Arc::clone(&attempts),
            watch: Arc::clone(self.watch),
            ends: ends.clone(),
            user_stamps,
            lessor: self.shared.map(|(_, lessor)| Arc::clone(lessor)),
        };
        let tenant_config = DirectoryConfig { max_bytes: limits.live_tenant_bytes, ..tenant_idle };
        let tenants = system.directory(tenant_actor, tenant_config).await;
        let session_actor = SessionActor {
            engine: Arc::clone(self.store.engine()),
            rows: Arc::clone(self.rows),
            tenants: tenants.clone(),
            ledger: ledger.clone(),
            environment: self.environment.clone(),
            limits,
            watch: Arc::clone(self.watch),
        };
        let session_config = DirectoryConfig {
            idle_after: limits.session_idle(),
            max_live: limits.live_sessions,
            max_bytes: limits.live_session_bytes,
            ..DirectoryConfig::default()
        };
        let sessions = system.directory(session_actor, session_config).await;
        Directories { ledger, tenants, sessions, ends, hasher, metadata, attempts }
    }

    /// What delivers mail.
    pub(crate) fn postman(
        &self,
        transport: Arc<dyn MailTransport>,
        tenants: &TenantHandle,
        ledger: &LedgerHandle,
    ) -> Postman {
        Postman {
            queue: Arc::clone(self.mail),
            transport,
            store: Arc::clone(self.store),
            rows: Arc::clone(self.rows),
            environment: self.environment.clone(),
            tenants: tenants.clone(),
            ledger: ledger.clone(),
        }
    }
}

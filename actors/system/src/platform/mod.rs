//! The one entrance: what listeners may ask of the platform.

mod accounts;
mod api_keys;
mod audit;
mod authorization;
mod avatars;
mod budgets;
mod callers;
mod consents;
mod erasure;
mod flags;
mod holds;
mod introspection;
mod kept_answers;
mod look;
mod mail;
mod oauth;
mod one_time;
mod organizations;
mod passwordless;
mod policies;
mod reauthentication;
mod recovery;
mod retention;
mod service_accounts;
mod session_ends;
mod session_lists;
mod sessions;
mod signing_keys;
mod subjects;
mod switching;
mod tenants;
mod user_emails;
mod user_export;
mod user_imports;
mod user_invitations;
mod user_purge;
mod user_standing;
mod users;
mod work;

pub use crate::user_view::{Reader, UserView};
pub use api_keys::ApiKeyWish;
pub use audit::{AuditEntry, AuditExport, AuditPage, AuditQuery, AuditStream};
pub use authorization::{
    CheckRequest, Circumstances, DecidedBy, GrantDraft, GrantQuery, GrantView, HeldPermission,
    RoleOrPermission, RoleView, Ruling, SubjectSearch, SubjectsFound, Why,
};
pub use avatars::AvatarView;
pub use consents::{ConsentView, NewConsent};
pub use erasure::TenantErased;
pub use flags::{FlagEvaluation, FlagQuestion, FlagView, Served};
pub use holds::LegalHold;
pub use kept_answers::{Repetition, Reservation};
pub use look::TenantLook;
pub use oauth::{
    Account, ApplicationView, AuthorizationAnswer, Begun, Browser, ClientAuthentication, ClientProof,
    ClientView, EndSessionRequest, IssuedClientToken, IssuedTokens, LogoutPlan, NewClient, Next, Possession,
    PushedRequest, RegisteredClient,
};
pub use organizations::{
    AskedBy, DomainView, InvitationAccepted, InvitationOffer, InvitationView, Invited, InvitedAccount,
    MemberChange, MemberView, MembershipView, MyInvitation, NewAccount, OrganizationPolicyView,
    OrganizationView,
};
pub use passwordless::Challenge;
pub use policies::{ActiveVersion, DryRun, DryRunResult, DryRunSource, NewPolicyVersion, PolicyVersionView};
pub use retention::{CheckpointView, Pruned};
pub use session_lists::{Device, DeviceKind, SessionView};
pub use subjects::{SubjectData, SubjectEmail, SubjectMembership, SubjectSession};
pub use switching::Switched;
pub use user_emails::EmailView;
pub use user_export::UserExport;
pub use user_imports::{ImportError, UserImporter};
pub use user_invitations::{UserInvitationInput, UserInvitationView};
pub(crate) use users::taken;
pub use users::{NewUserInput, ReadUsers, Unique, UserFilter, UserList};

use crate::config::PlatformConfig;
use crate::credentials::ApiKeys;
use crate::directories::{Directories, Parts};
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::ledger::LedgerHandle;
use crate::look_ups::LookUps;
use crate::mail::MailRoute;
use crate::metadata_rules::MetadataChecker;
use crate::nodes::{Follower, Lessor, NodesCount, Progress, Reloads, Watch, announcing};
use crate::passwords::PasswordHasher;
use crate::pictures::PictureMaker;
use crate::policies::PolicyCompiler;
use crate::registry::Registry;
use crate::sealed_rows::SealedRows;
use crate::session::SessionHandle;
use crate::tenant::{AttemptLimits, TenantHandle};
use plinto_cluster::{Cluster, ClusterError, ClusterHealth, NodeInfo};
use plinto_runtime::{ActorSystem, Deadline, Refusal, SystemConfig};
use plinto_storage::{Engine, EngineHealth, Scope, Store};
use std::sync::Arc;
use std::time::Duration;

/// How long work that must not be given up halfway waits for the ledger.
const COMMIT_WAIT: Duration = Duration::from_secs(600);

/// The running platform. Cheap to clone.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    config: PlatformConfig,
    issuer_prefix: String,
    store: Arc<Store>,
    rows: Arc<SealedRows>,
    environment: Environment,
    system: ActorSystem,
    registry: Arc<Registry>,
    keys: Arc<ApiKeys>,
    tenants: TenantHandle,
    sessions: Arc<SessionHandle>,
    ledger: LedgerHandle,
    cluster: Arc<dyn Cluster>,
    mail: MailRoute,
    hasher: PasswordHasher,
    metadata: MetadataChecker,
    pictures: PictureMaker,
    policies: PolicyCompiler,
    attempts: Arc<AttemptLimits>,
    /// Where other nodes write to the same storage.
    follower: Option<Arc<Follower>>,
}

impl Platform {
    /// Starts the actor system over an open store. Nothing is activated yet. Where the store's engine is shared with
    /// other nodes, everything committed through this platform is announced to them over `cluster`, and this node
    /// follows what they commit. Mail goes the given route.
    pub async fn start(
        config: PlatformConfig,
        store: Arc<Store>,
        environment: Environment,
        cluster: Arc<dyn Cluster>,
        mail: MailRoute,
    ) -> Result<Self, ServiceError> {
        let store = Arc::new(store.over(announcing(store.engine(), &cluster)));
        let engine = Arc::clone(store.engine());
        let watch = follow_platform(&engine).await?;
        let keys = Arc::new(ApiKeys::load(Arc::clone(&store), environment.clone()).await?);
        let registry = Arc::new(Registry::new(Arc::clone(&store), environment.clone()));
        let system = ActorSystem::start(SystemConfig { name: "plinto".into(), ..SystemConfig::default() });
        keys.start(&system);
        let lessor = engine.is_shared().then(|| Lessor::start(Arc::clone(&cluster), &system));
        let shared = lessor.as_ref().map(|lessor| (&cluster, lessor));
        let rows = Arc::new(SealedRows::of(Arc::clone(&store)));
        let mail_queue = Arc::default();
        let parts = Parts {
            config: &config,
            store: &store,
            rows: &rows,
            environment: &environment,
            watch: &watch,
            mail: &mail_queue,
            shared,
        };
        let Directories { ledger, tenants, sessions, ends, hasher, metadata, attempts } =
            parts.directories(&system).await;
        let (tenant_handle, session_handle) =
            (TenantHandle::new(tenants.clone()), Arc::new(SessionHandle::new(sessions.clone())));
        ends.reach(&session_handle);
        if let Some(transport) = mail.transport() {
            parts.postman(transport, &tenant_handle, &ledger).start(&system);
        }
        let follower = lessor.map(|lessor| {
            let follower = Arc::new(Follower {
                cluster: Arc::clone(&cluster),
                engine,
                store: Arc::clone(&store),
                rows: Arc::clone(&rows),
                watch,
                system: system.clone(),
                registry: Arc::clone(&registry),
                keys: Arc::clone(&keys),
                sessions: SessionHandle::clone(&session_handle),
                resident_sessions: sessions,
                tenants: tenant_handle.clone(),
                resident_tenants: tenants,
                ledger: ledger.clone(),
                lessor,
                look_ups: LookUps::default(),
                reloads: Reloads::default(),
                progress: Progress::default(),
            });
            follower.start();
            follower
        });
        Ok(Self::of(Inner {
            issuer_prefix: format!("{}/t/", config.base_url),
            pictures: PictureMaker::start(&system),
            policies: PolicyCompiler::start(&system),
            registry,
            tenants: tenant_handle,
            sessions: session_handle,
            ledger,
            keys,
            system,
            store,
            rows,
            environment,
            config,
            cluster,
            mail,
            hasher,
            metadata,
            attempts,
            follower,
        }))
    }

    fn of(inner: Inner) -> Self {
        retention::sweeping(Self(Arc::new(inner)).purging())
    }

    /// The supervision tree, its events and metrics.
    pub fn system(&self) -> &ActorSystem {
        &self.0.system
    }

    /// The configuration it was started with.
    pub fn config(&self) -> &PlatformConfig {
        &self.0.config
    }

    /// How the storage engine is.
    pub async fn storage_health(&self) -> EngineHealth {
        self.0.store.engine().health().await
    }

    /// Session actors that are live on this node.
    pub fn live_sessions(&self) -> usize {
        self.0.sessions.live()
    }

    #[cfg(test)]
    pub(crate) fn session_handle(&self) -> &SessionHandle {
        &self.0.sessions
    }

    /// Passivates every session actor of this node, for maintenance and tests; the next request brings one back.
    pub async fn passivate_all_sessions(&self) -> usize {
        self.0.sessions.drain_all().await
    }

    /// How what the nodes share is.
    pub async fn cluster_health(&self) -> ClusterHealth {
        self.0.cluster.health().await
    }

    /// The nodes that are alive, this one included.
    pub async fn nodes(&self) -> Result<Vec<NodeInfo>, ClusterError> {
        self.0.cluster.nodes().await
    }

    /// This node.
    pub fn this_node(&self) -> &NodeInfo {
        self.0.cluster.this()
    }

    /// Whether the store of what nodes share answered lately; it does not wait for an answer.
    pub fn cluster_is_reachable(&self) -> bool {
        self.0.cluster.is_reachable()
    }

    /// What following other nodes has come to.
    pub fn nodes_count(&self) -> NodesCount {
        self.0.follower.as_ref().map(|follower| follower.count()).unwrap_or_default()
    }

    /// Leaves the cluster and closes the storage engine; call it after the actor system has shut down.
    pub async fn close(&self) {
        self.0.cluster.close().await;
        self.0.store.engine().close().await;
    }
}

/// What this node holds of others' changes; where there are others, those to the platform are followed from before
/// anything of it is read.
async fn follow_platform(engine: &Arc<dyn Engine>) -> Result<Arc<Watch>, ServiceError> {
    let watch = Arc::new(Watch::new(Arc::clone(engine)));
    if engine.is_shared() {
        watch.follow(Scope::Platform.id()).await?;
    }
    Ok(watch)
}

/// Bounds what carries no deadline of its own. What is ready at once sets no timer.
pub(crate) async fn within<T>(
    deadline: Deadline,
    work: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    match tokio::time::timeout_at(deadline.instant(), work).await {
        Ok(done) => done,
        Err(_elapsed) => Err(Refusal::DeadlineExceeded.into()),
    }
}

/// Runs work that must not stop halfway in a task of its own: a caller that leaves does not take it along.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::spawn(kept_answers::in_the_same_request(work))
        .await
        .unwrap_or(Err(ServiceError::Refused(Refusal::Crashed)))
}

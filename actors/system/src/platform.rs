//! The one entrance: what listeners may ask of the platform.

use crate::config::PlatformConfig;
use crate::credentials::{ApiKeys, Caller, IssuedApiKey};
use crate::directories::{Directories, Parts};
use crate::environment::Environment;
use crate::error::ServiceError;
use crate::introspection::{Introspection, active_refresh_token};
use crate::ledger::LedgerHandle;
use crate::look_ups::LookUps;
use crate::nodes::{Follower, Lessor, NodesCount, Progress, Reloads, Watch, announcing};
use crate::registry::{Registry, TenantView};
use crate::sealed_rows::SealedRows;
use crate::session::{Presented, RefreshRequest, SessionHandle, SessionKey, client_index};
use crate::tenant::{
    ClientContext, SignInRequest, SignUpRequest, SignedIn, TenantActor, TenantCell, TenantHandle,
    VerifiedToken, new_signing_key,
};
use plinto_cluster::{Cluster, ClusterError, ClusterHealth, NodeInfo};
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::session::RevocationReason;
use plinto_domain::sign_in::SignIn;
use plinto_domain::tenant::{TenantSettings, TenantSlug};
use plinto_domain::{SessionId, TenantId, Timestamp, UserId};
use plinto_runtime::{ActorSystem, Deadline, Entered, Refusal, SystemConfig};
use plinto_storage::repositories::{sessions, signing_keys, user_emails, users};
use plinto_storage::{EngineHealth, Scope, Store};
use plinto_token::{Algorithm, TokenError, UnverifiedToken};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long work that must not be given up halfway waits for the ledger.
const COMMIT_WAIT: Duration = Duration::from_secs(600);
/// Sessions told at a time that all sessions of a user ended.
const SESSIONS_PER_PAGE: u32 = 256;
/// Seconds a replaced signing key still verifies beyond the life of the tokens it signed.
const RETIREMENT_MARGIN_SECONDS: i64 = 300;

/// A user as the user sees it.
#[derive(Clone)]
pub struct UserView {
    /// The user.
    pub id: UserId,
    /// Primary address.
    pub email: Option<String>,
    /// Whether the address was verified.
    pub email_verified: bool,
    /// What to call them.
    pub name: Option<String>,
    /// When the account was created.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for UserView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserView").field("id", &self.id).finish_non_exhaustive()
    }
}

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
    sessions: SessionHandle,
    ledger: LedgerHandle,
    cluster: Arc<dyn Cluster>,
    /// Where other nodes write to the same storage.
    follower: Option<Arc<Follower>>,
}

impl Platform {
    /// Starts the actor system over an open store. Nothing is activated yet. Where the store's engine is shared with
    /// other nodes, everything committed through this platform is announced to them over `cluster`, and this node
    /// follows what they commit.
    pub async fn start(
        config: PlatformConfig,
        store: Arc<Store>,
        environment: Environment,
        cluster: Arc<dyn Cluster>,
    ) -> Result<Self, ServiceError> {
        let store = Arc::new(store.over(announcing(store.engine(), &cluster)));
        let engine = Arc::clone(store.engine());
        let watch = Arc::new(Watch::new(Arc::clone(&engine)));
        if engine.is_shared() {
            // Before anything of the platform is read.
            watch.follow(Scope::Platform.id()).await?;
        }
        let keys = Arc::new(ApiKeys::load(Arc::clone(&engine), environment.clone()).await?);
        let registry = Arc::new(Registry::new(Arc::clone(&store), environment.clone()));
        let system = ActorSystem::start(SystemConfig { name: "plinto".into(), ..SystemConfig::default() });
        let lessor = engine.is_shared().then(|| Lessor::start(Arc::clone(&cluster), &system));
        let shared = lessor.as_ref().map(|lessor| (&cluster, lessor));
        let rows = Arc::new(SealedRows::of(Arc::clone(&store)));
        let parts = Parts {
            config: &config,
            store: &store,
            rows: &rows,
            environment: &environment,
            watch: &watch,
            shared,
        };
        let Directories { ledger, tenants, sessions } = parts.directories(&system).await;
        let (tenant_handle, session_handle) =
            (TenantHandle::new(tenants.clone()), SessionHandle::new(sessions.clone()));
        let follower = lessor.map(|lessor| {
            Arc::new(Follower {
                cluster: Arc::clone(&cluster),
                engine,
                store: Arc::clone(&store),
                rows: Arc::clone(&rows),
                watch,
                system: system.clone(),
                registry: Arc::clone(&registry),
                keys: Arc::clone(&keys),
                sessions: session_handle.clone(),
                resident_sessions: sessions,
                tenants: tenant_handle.clone(),
                resident_tenants: tenants,
                ledger: ledger.clone(),
                lessor,
                look_ups: LookUps::default(),
                reloads: Reloads::default(),
                progress: Progress::default(),
            })
        });
        if let Some(follower) = &follower {
            follower.start();
        }
        Ok(Self(Arc::new(Inner {
            issuer_prefix: format!("{}/t/", config.base_url),
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
            follower,
        })))
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

    // --- callers -------------------------------------------------------------------------------------------------

    /// Who presents this API key?
    pub async fn authenticate(&self, api_key: &str) -> Result<Caller, ServiceError> {
        self.0.keys.authenticate(api_key).await
    }

    /// Makes a platform key. Only the composition root calls this: on the first start, and for an operator who lost it.
    pub async fn issue_platform_key(&self, name: &str) -> Result<IssuedApiKey, ServiceError> {
        self.0.keys.issue(None, name, Actor::System).await
    }

    /// Whether any platform key exists.
    pub async fn has_platform_key(&self) -> Result<bool, ServiceError> {
        self.0.keys.has_platform_key().await
    }

    /// Makes a key with which a tenant's services call the auth service.
    pub async fn issue_service_key(
        &self,
        tenant: TenantId,
        name: &str,
        actor: Actor,
    ) -> Result<IssuedApiKey, ServiceError> {
        let name = DisplayName::parse("name", name)?;
        self.0.registry.get(tenant).await?;
        self.0.keys.issue(Some(tenant), name.as_str(), actor).await
    }

    // --- tenants -------------------------------------------------------------------------------------------------

    /// Creates a tenant with its own database, keys and ledger.
    pub async fn create_tenant(
        &self,
        slug: &str,
        name: &str,
        settings: TenantSettings,
        actor: Actor,
    ) -> Result<TenantView, ServiceError> {
        let slug = TenantSlug::parse_new("slug", slug);
        let name = DisplayName::parse("name", name);
        let (slug, name) = match (slug, name, settings.check()) {
            (Ok(slug), Ok(name), Ok(())) => (slug, name),
            (slug, name, settings) => {
                let errors = [slug.err(), name.err(), settings.err()];
                return Err(ServiceError::Invalid(errors.into_iter().flatten().collect()));
            }
        };
        self.0.registry.create(&slug, &name, settings, actor).await
    }

    /// One tenant.
    pub async fn tenant(&self, id: TenantId) -> Result<TenantView, ServiceError> {
        self.0.registry.get(id).await
    }

    /// A page of tenants.
    pub async fn tenants(
        &self,
        after: Option<TenantId>,
        limit: u32,
    ) -> Result<Vec<TenantView>, ServiceError> {
        self.0.registry.list(after, limit).await
    }

    /// Deletes a tenant: destroys its keys, drains its actors, removes its database. Once begun it goes on to its end,
    /// also if the caller leaves.
    pub async fn delete_tenant(&self, id: TenantId, actor: Actor) -> Result<(), ServiceError> {
        let platform = self.clone();
        to_the_end(async move {
            let deleted = platform.0.registry.delete(id, actor).await;
            // Also where the row was deleted before: whatever is still live of it holds keys.
            if matches!(deleted, Ok(()) | Err(ServiceError::UnknownTenant)) {
                platform.drain_tenant(id).await;
                platform.0.keys.reload().await?;
            }
            deleted
        })
        .await
    }

    async fn drain_tenant(&self, id: TenantId) {
        self.0.sessions.drain_tenant(id).await;
        self.0.tenants.drain(id).await;
        self.0.ledger.drain(id).await;
    }

    /// Rotates the tenant's data key and signing key. Older versions keep reading and verifying. Once begun it goes on
    /// to its end, also if the caller leaves.
    pub async fn rotate_keys(
        &self,
        id: TenantId,
        algorithm: Algorithm,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let platform = self.clone();
        to_the_end(async move { platform.rotate(id, algorithm, actor, deadline).await }).await
    }

    async fn rotate(
        &self,
        id: TenantId,
        algorithm: Algorithm,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let inner = &self.0;
        inner.registry.rotate_data_key(id, actor).await?;
        // The next activation sees the new data key; the new signing key is sealed under it.
        inner.tenants.drain(id).await;
        let cell = inner.tenants.cell(id, deadline).await?;
        let now = inner.environment.now();
        // Making an RSA key takes a tenth of a second: not on an executor's thread.
        let vault = Arc::clone(&cell.vault);
        let making = tokio::task::spawn_blocking(move || new_signing_key(&vault, algorithm, actor, now));
        let mut unit = making.await.map_err(|_| ServiceError::Damaged("making a signing key failed"))??;
        let lifetime = i64::from(cell.settings.session.access_token_seconds) + RETIREMENT_MARGIN_SECONDS;
        let not_after = now.as_millis() + lifetime * 1_000;
        let list = || signing_keys::list(&**inner.store.engine(), &cell.vault);
        for key in inner.rows.read(id, list).await? {
            if key.state == signing_keys::SigningKeyState::Active {
                unit.statements.push(signing_keys::retire(id.uuid(), &key.kid, not_after));
            }
        }
        let committed = inner.ledger.append(id, unit, Deadline::after(COMMIT_WAIT)).await;
        inner.tenants.drain(id).await;
        committed??;
        Ok(())
    }

    /// The tenant of a slug.
    pub async fn resolve(&self, slug: &str) -> Result<TenantId, ServiceError> {
        self.0.registry.resolve(slug).await
    }

    /// The tenant whose issuer a token names. Nothing of the token is believed by this.
    pub async fn tenant_named_by(&self, token: &str) -> Result<TenantId, ServiceError> {
        let malformed = |_| ServiceError::InvalidToken { reason: "malformed" };
        let issuer = UnverifiedToken::parse(token).and_then(|token| token.issuer()).map_err(malformed)?;
        let slug = issuer.strip_prefix(&self.0.issuer_prefix);
        self.resolve(slug.ok_or(ServiceError::InvalidToken { reason: "wrong_issuer" })?).await
    }

    /// The tenant's public keys as JSON (RFC 7517 §5).
    pub async fn jwks(&self, tenant: TenantId, deadline: Deadline) -> Result<Arc<str>, ServiceError> {
        Ok(Arc::clone(&self.0.tenants.cell(tenant, deadline).await?.jwks))
    }

    // --- accounts and sessions -----------------------------------------------------------------------------------

    /// Creates an account; says nothing about whether the address had one.
    pub async fn sign_up(
        &self,
        tenant: TenantId,
        email: String,
        password: Zeroizing<String>,
        name: Option<String>,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let request = SignUpRequest { email, password, name, client };
        self.0.tenants.sign_up(tenant, request, deadline).await
    }

    /// Creates an account on an operator's word, who is told if the address has one.
    pub async fn create_user(
        &self,
        tenant: TenantId,
        email: String,
        password: Zeroizing<String>,
        name: Option<String>,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let request = SignUpRequest { email, password, name, client: ClientContext::default() };
        self.0.tenants.create_user(tenant, request, actor, deadline).await
    }

    /// Signs somebody in.
    pub async fn sign_in(
        &self,
        tenant: TenantId,
        email: &str,
        password: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let request = SignInRequest { sign_in: SignIn::parse(email, password)?, client };
        self.0.tenants.sign_in(tenant, request, deadline).await
    }

    /// Exchanges a refresh token for the next pair. The token itself names its tenant; if the request names one too,
    /// the two must agree. A client that presents the token it just had replaced gets the current one once more.
    pub async fn refresh(
        &self,
        named: Option<TenantId>,
        token: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let presented = Presented::read(token).ok_or(ServiceError::InvalidGrant)?;
        let tenant = presented.parts.tenant;
        if named.is_some_and(|named| named != tenant) {
            return Err(ServiceError::InvalidGrant);
        }
        let entered = self.enter_claimed(tenant, deadline).await.map_err(hide_unknown_tenant)?;
        let cell = Arc::clone(&entered.shared);
        if !self.is_genuine(&presented, &cell, deadline).await? {
            return Err(ServiceError::InvalidGrant);
        }
        let key = SessionKey { tenant, session: presented.parts.session };
        let now = self.0.environment.now();
        let client = client_index(&cell.vault, &client);
        let request = RefreshRequest { cell, parts: presented.parts, hash: presented.hash, client, now };
        let refreshed = self.0.sessions.refresh(key, request, deadline).await?;
        Ok(SignedIn {
            user: refreshed.user,
            session: refreshed.session,
            access: refreshed.access,
            refresh: refreshed.refresh,
        })
    }

    /// The user an access token speaks for.
    pub async fn me(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let entered = self.0.tenants.enter(tenant, deadline).await?;
        let cell = &entered.shared;
        let verified = self.authorize(cell, token, deadline).await?;
        let engine = self.0.store.engine();
        let gone = ServiceError::InvalidToken { reason: "unknown_subject" };
        let read = || users::get(&**engine, &cell.vault, verified.user.uuid());
        let user = self.0.rows.read(tenant, read).await?.ok_or(gone)?;
        let list = || user_emails::list_for_user(&**engine, &cell.vault, verified.user.uuid());
        let emails = self.0.rows.read(tenant, list).await?;
        let primary = emails.into_iter().find(|email| email.is_primary);
        Ok(UserView {
            id: verified.user,
            email_verified: primary.as_ref().is_some_and(|email| email.verified_at.is_some()),
            email: primary.map(|email| email.email),
            name: user.name,
            created_at: Timestamp::from_millis(user.created_at),
        })
    }

    /// Ends the session an access token belongs to; ending an ended one changes nothing. Not rate limited.
    pub async fn sign_out(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<SessionId, ServiceError> {
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        let now = self.0.environment.now();
        let verified = self.verify(&cell, token, now, deadline).await?;
        let key = SessionKey { tenant, session: verified.session };
        self.0.sessions.revoke(key, RevocationReason::SignOut, now, deadline).await?;
        Ok(verified.session)
    }

    /// Ends every session of the user an access token speaks for. Once begun it goes on to its end, also if the caller
    /// leaves: what is committed must reach the sessions that are resident. Not rate limited.
    pub async fn sign_out_everywhere(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        let now = self.0.environment.now();
        let verified = self.verify(&cell, token, now, deadline).await?;
        let key = SessionKey { tenant, session: verified.session };
        if self.0.sessions.check_beyond_limits(key, now, deadline).await?.is_err() {
            return Err(ServiceError::InvalidToken { reason: "session_ended" });
        }
        let platform = self.clone();
        to_the_end(async move { platform.end_all_sessions(&cell, verified.user, now).await }).await
    }

    async fn end_all_sessions(
        &self,
        cell: &TenantCell,
        user: UserId,
        now: Timestamp,
    ) -> Result<UserId, ServiceError> {
        let deadline = Deadline::after(COMMIT_WAIT);
        let committed = self.0.tenants.sign_out_everywhere(cell.id, user, now, deadline).await;
        let told = match &committed {
            Ok(()) => self.tell_sessions(cell, user).await,
            // It may have been committed or not.
            Err(error) if error.leaves_open() => Err(ServiceError::Conflict),
            Err(_) => Ok(()),
        };
        if told.is_err() {
            // Who is concerned is not known: every session of the tenant reads its row again.
            self.0.sessions.drain_tenant(cell.id).await;
        }
        committed.map(|()| user)
    }

    /// Tells the resident sessions of a user that a committed write has ended them: those whose rows say so, as others
    /// may have begun after it.
    async fn tell_sessions(&self, cell: &TenantCell, user: UserId) -> Result<(), ServiceError> {
        let engine = self.0.store.engine();
        let mut cursor = None;
        loop {
            let list =
                || sessions::list_for_user(&**engine, &cell.vault, user.uuid(), SESSIONS_PER_PAGE, cursor);
            let page = self.0.rows.read(cell.id, list).await?;
            for row in page.iter().filter(|row| row.revoked_at.is_some()) {
                let session = SessionId::from_uuid(row.session_id);
                self.0.sessions.was_revoked(SessionKey { tenant: cell.id, session });
            }
            match page.last() {
                Some(last) => cursor = Some(last.session_id),
                None => return Ok(()),
            }
        }
    }

    async fn authorize(
        &self,
        cell: &TenantCell,
        token: &str,
        deadline: Deadline,
    ) -> Result<Arc<VerifiedToken>, ServiceError> {
        let now = self.0.environment.now();
        let verified = self.verify(cell, token, now, deadline).await?;
        let key = SessionKey { tenant: cell.id, session: verified.session };
        match self.0.sessions.check(key, now, deadline).await? {
            Ok(()) => Ok(verified),
            Err(_) => Err(ServiceError::InvalidToken { reason: "session_ended" }),
        }
    }

    /// What an access token says, if it is good. Its key may have been made by another node a moment ago.
    async fn verify(
        &self,
        cell: &TenantCell,
        token: &str,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Arc<VerifiedToken>, ServiceError> {
        let verified = cell.verify(token, now);
        let (Some(follower), Err(ServiceError::InvalidToken { reason })) = (&self.0.follower, &verified)
        else {
            return verified;
        };
        if *reason != TokenError::UnknownKey.code() {
            return verified;
        }
        // Boxed, so that tokens of known keys do not carry the size of this.
        if Box::pin(within(deadline, follower.learn_signing_key(cell, token, now, deadline))).await? {
            return self.0.tenants.cell(cell.id, deadline).await?.verify(token, now);
        }
        verified
    }

    /// Whether a refresh token is one of ours. Its key may have been made by another node a moment ago.
    async fn is_genuine(
        &self,
        presented: &Presented,
        cell: &TenantCell,
        deadline: Deadline,
    ) -> Result<bool, ServiceError> {
        if let Some(follower) = &self.0.follower {
            within(deadline, follower.learn_data_key(&cell.vault, presented.parts.key_version)).await?;
        }
        Ok(presented.is_genuine(&cell.vault))
    }

    // --- introspection -------------------------------------------------------------------------------------------

    /// What a resource server is told about a token (RFC 7662). A token of a tenant the caller does not reach is
    /// inactive, like any other token that is not usable; limits and failures are errors, never "inactive".
    pub async fn introspect(
        &self,
        caller: &Caller,
        token: &str,
        deadline: Deadline,
    ) -> Result<Introspection, ServiceError> {
        if let Some(presented) = Presented::read(token) {
            return self.introspect_refresh(caller, presented, deadline).await;
        }
        let tenant = match caller.tenant {
            Some(tenant) => tenant,
            None => match within(deadline, self.tenant_named_by(token)).await {
                Ok(tenant) => tenant,
                Err(ServiceError::InvalidToken { .. } | ServiceError::UnknownTenant) => {
                    return Ok(Introspection::Inactive);
                }
                Err(error) => return Err(error),
            },
        };
        let entered = match self.0.tenants.enter(tenant, deadline).await {
            Err(ServiceError::UnknownTenant) => return Ok(Introspection::Inactive),
            entered => entered?,
        };
        match self.authorize(&entered.shared, token, deadline).await {
            Ok(verified) => Ok(Introspection::Active(verified.introspection.clone())),
            Err(ServiceError::InvalidToken { .. }) => Ok(Introspection::Inactive),
            Err(error) => Err(error),
        }
    }

    /// Enters the tenant a token claims to be of, which is not believed yet: nothing is activated for a made-up one.
    async fn enter_claimed(
        &self,
        tenant: TenantId,
        deadline: Deadline,
    ) -> Result<Entered<TenantActor>, ServiceError> {
        within(deadline, self.0.registry.require(tenant)).await?;
        self.0.tenants.enter(tenant, deadline).await
    }

    async fn introspect_refresh(
        &self,
        caller: &Caller,
        presented: Presented,
        deadline: Deadline,
    ) -> Result<Introspection, ServiceError> {
        let tenant = presented.parts.tenant;
        if !caller.reaches(tenant) {
            return Ok(Introspection::Inactive);
        }
        let entered = match self.enter_claimed(tenant, deadline).await {
            Err(ServiceError::UnknownTenant) => return Ok(Introspection::Inactive),
            entered => entered?,
        };
        let cell = &entered.shared;
        if !self.is_genuine(&presented, cell, deadline).await? {
            return Ok(Introspection::Inactive);
        }
        let key = SessionKey { tenant, session: presented.parts.session };
        let now = self.0.environment.now();
        let generation = presented.parts.generation;
        let session = self.0.sessions.check_refresh(key, generation, presented.hash, now, deadline).await?;
        Ok(session.map_or(Introspection::Inactive, |session| active_refresh_token(&cell.issuer, &session)))
    }
}

/// Bounds what carries no deadline of its own. What is ready at once sets no timer.
async fn within<T>(
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
    tokio::spawn(work).await.unwrap_or(Err(ServiceError::Refused(Refusal::Crashed)))
}

/// A refresh token that names no tenant of ours is a bad token, not a missing page.
fn hide_unknown_tenant(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::UnknownTenant | ServiceError::Refused(Refusal::NotFound) => ServiceError::InvalidGrant,
        other => other,
    }
}

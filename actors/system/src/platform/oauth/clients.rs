use super::super::work::Work;
use super::super::{Platform, to_the_end};
use super::authentication::parse_keys;
use super::user_tokens::algorithm;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::oauth::{
    Client, ClientChange, ClientDefinition, ClientSecret, GrantType, UNKNOWN_CLIENT, change, create, delete,
    make_secret, rotate_secret,
};
use plinto_domain::precondition::Precondition;
use plinto_domain::{ClientId, Decision, InvalidInput, TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::clients::{self as rows, ClientRow};
use std::time::Duration;
use zeroize::Zeroizing;

/// A decision that another one overtook is made once more.
const ATTEMPTS: usize = 3;

/// A client as those who administer it see it.
#[derive(Clone, Debug)]
pub struct ClientView {
    /// The client.
    pub client: Client,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A client with a secret that is shown once. No `Debug`.
pub struct NewClient {
    /// The client.
    pub view: ClientView,
    /// Its secret; a public client has none.
    pub secret: Option<Zeroizing<String>>,
}

fn view(row: &ClientRow) -> Result<ClientView, ServiceError> {
    Ok(ClientView {
        client: persist::clients::client(row)?,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
    })
}

impl Platform {
    /// Makes a client.
    pub async fn create_client(
        &self,
        tenant: TenantId,
        definition: ClientDefinition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<NewClient, ServiceError> {
        self.prepare_signing(tenant, &definition, actor, deadline).await?;
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            let now = work.now();
            let present = work.read(|| rows::count(work.engine(), tenant.uuid())).await?;
            let present = usize::try_from(present).unwrap_or(usize::MAX);
            let id = ClientId::generate(now, work.environment().randomness());
            let has_secret = definition.token_endpoint_auth_method.has_secret();
            let (secret, kept) = has_secret.then(|| work.new_secret(id, now)).unzip();
            work.carry_out(create(id, definition, kept, present, now)?, actor, now).await?;
            Ok(NewClient { view: work.client_view(id).await?, secret })
        })
        .await
    }

    /// Sees to it that the keys of such a client are keys, and that ID tokens for it can be signed.
    async fn prepare_signing(
        &self,
        tenant: TenantId,
        definition: &ClientDefinition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        if let Some(keys) = &definition.jwks {
            let usable = parse_keys(keys);
            let wrong = |detail: String| InvalidInput::new("jwks", "invalid_jwks", detail);
            if usable.map_err(|error| wrong(error.to_string()))?.is_empty() {
                return Err(
                    wrong("no key of the set is one that verifies EdDSA, ES256 or RS256".to_owned()).into()
                );
            }
        }
        if !definition.may_use(GrantType::AuthorizationCode) {
            return Ok(());
        }
        let algorithm = algorithm(definition.id_token_signed_response_alg);
        self.ensure_signing_key(tenant, algorithm, actor, deadline).await
    }

    /// Clients in order of id, after `after`, at most `limit`.
    pub async fn clients(
        &self,
        tenant: TenantId,
        after: Option<ClientId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<ClientView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let after = after.map(ClientId::uuid);
        let found = work.read(|| rows::list(work.engine(), work.vault(), after, limit)).await?;
        found.iter().map(view).collect()
    }

    /// One client.
    pub async fn client(
        &self,
        tenant: TenantId,
        client: ClientId,
        deadline: Deadline,
    ) -> Result<ClientView, ServiceError> {
        self.work(tenant, deadline).await?.client_view(client).await
    }

    /// Changes a client, if its version is one the precondition admits.
    pub async fn change_client(
        &self,
        tenant: TenantId,
        client: ClientId,
        wanted: ClientChange,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<ClientView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let known = work.client(client).await?.definition.changed(wanted.clone())?;
        // A key that has to be made is one the tenant is loaded anew with: not while this is its work.
        drop(work);
        self.prepare_signing(tenant, &known, actor, deadline).await?;
        let work = self.work(tenant, deadline).await?;
        let decide = move |known: &Client, now| {
            let definition = known.definition.clone().changed(wanted.clone())?;
            Ok(change(known, definition, &precondition, now)?)
        };
        to_the_end(async move {
            work.decide_on_client(client, actor, decide).await?;
            work.client_view(client).await
        })
        .await
    }

    /// Gives a client another definition, if its version is one the precondition admits.
    pub(super) async fn redefine_client(
        &self,
        tenant: TenantId,
        client: ClientId,
        definition: ClientDefinition,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<ClientView, ServiceError> {
        self.prepare_signing(tenant, &definition, actor, deadline).await?;
        let work = self.work(tenant, deadline).await?;
        let decide = move |known: &Client, now| Ok(change(known, definition.clone(), &precondition, now)?);
        to_the_end(async move {
            work.decide_on_client(client, actor, decide).await?;
            work.client_view(client).await
        })
        .await
    }

    /// Gives a client a new secret; the present one is good for the overlap.
    pub async fn rotate_client_secret(
        &self,
        tenant: TenantId,
        client: ClientId,
        overlap: Duration,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<NewClient, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        to_the_end(async move {
            let (secret, kept) = work.new_secret(client, work.now());
            let decide = |known: &Client, now| Ok(rotate_secret(known, kept.clone(), overlap, now)?);
            work.decide_on_client(client, actor, decide).await?;
            Ok(NewClient { view: work.client_view(client).await?, secret: Some(secret) })
        })
        .await
    }

    /// Removes a client, if its version is one the precondition admits.
    pub async fn delete_client(
        &self,
        tenant: TenantId,
        client: ClientId,
        precondition: Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let decide = move |known: &Client, _| Ok(delete(known, &precondition)?);
        to_the_end(async move { work.decide_on_client(client, actor, decide).await }).await
    }
}

impl Work {
    async fn client_view(&self, client: ClientId) -> Result<ClientView, ServiceError> {
        view(&self.client_row(client).await?.ok_or(UNKNOWN_CLIENT)?)
    }

    /// A new secret, and what is kept of it.
    fn new_secret(&self, client: ClientId, now: Timestamp) -> (Zeroizing<String>, ClientSecret) {
        let secret = make_secret(self.environment().randomness()).text;
        let kept = ClientSecret::new(self.secret_hash(client, &secret), now);
        (secret, kept)
    }

    /// Decides about a client, again where another decision was faster.
    async fn decide_on_client(
        &self,
        client: ClientId,
        actor: Actor,
        decide: impl Fn(&Client, Timestamp) -> Result<Decision<()>, ServiceError>,
    ) -> Result<(), ServiceError> {
        for _ in 0..ATTEMPTS {
            let (known, now) = (self.client(client).await?, self.now());
            let forget = |_: &[Event]| self.cell().clients.forget();
            match self.try_to_carry_out(decide(&known, now)?, actor, now, forget).await? {
                Err(CommitError::Conflict(_)) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Conflict)
    }
}

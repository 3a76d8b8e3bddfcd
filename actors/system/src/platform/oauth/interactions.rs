//! From a client's request to its answer, with the user's pages in between.

use super::super::Platform;
use super::super::work::Work;
use super::browser::Browser;
use super::opaque;
use super::user_tokens::ID_TOKEN_TYPE;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::oauth::{
    AuthorizationRequest, Client, ClientConsent, Destination, Interaction, Known, OAuthCode, OAuthError,
    OAuthEvent, Opaque, OpaqueKind, Parameters, SignedInUser, Step, authorize, consent, next_step,
};
use plinto_domain::{AuthorizationId, ClientId, Decision, TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::client_consents;
use plinto_token::UnverifiedToken;
use serde::Deserialize;
use std::sync::Arc;

/// What an interaction is sealed as.
const SEALED_AS: &str = "interactions";
/// A decision that another one overtook is made once more.
const ATTEMPTS: usize = 3;

const UNKNOWN_CLIENT: OAuthError =
    OAuthError::new(OAuthCode::InvalidClient, "client_id is missing, or there is no such client");
const DENIED: OAuthError = OAuthError::new(OAuthCode::AccessDenied, "the user said no");
const STRANGE_HINT: OAuthError =
    OAuthError::new(OAuthCode::InvalidRequest, "id_token_hint is no ID token of this issuer");

/// What a client hears. No `Debug`.
pub struct AuthorizationAnswer {
    /// Where.
    pub destination: Destination,
    /// From whom (RFC 9207).
    pub issuer: String,
    /// A code, or why not.
    pub result: Result<Opaque, OAuthError>,
}

/// What comes of a request.
pub enum Begun {
    /// Nobody but the user may hear that something is wrong: it is not certain where the client is.
    Untrusted(OAuthError),
    /// The client hears what is wrong.
    Answered(Box<AuthorizationAnswer>),
    /// It may be answered.
    Interaction(Box<Interaction>),
}

/// What happens next.
pub enum Next {
    /// The user sees a page: not that of an answer.
    Page(Step, Arc<Client>),
    /// The client gets its answer.
    Answered(Box<AuthorizationAnswer>),
    /// The client is gone or disabled.
    Untrusted(OAuthError),
}

/// What an ID token says that names who is meant.
#[derive(Deserialize)]
pub(super) struct Hint {
    iss: String,
    pub(super) sub: UserId,
    pub(super) aud: ClientId,
    pub(super) sid: plinto_domain::SessionId,
}

impl Platform {
    /// Reads a client's request (RFC 6749 §4.1.1).
    pub async fn begin_authorization(
        &self,
        tenant: TenantId,
        parameters: &Parameters,
        deadline: Deadline,
    ) -> Result<Begun, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let id = parameters.one("client_id").ok().flatten().and_then(|id| id.parse::<ClientId>().ok());
        let client = match id {
            Some(id) => work.usable_client(id).await?,
            None => None,
        };
        let Some(client) = client else { return Ok(Begun::Untrusted(UNKNOWN_CLIENT)) };
        let destination = match Destination::of(&client, parameters) {
            Ok(destination) => destination,
            Err(error) => return Ok(Begun::Untrusted(error)),
        };
        let read = AuthorizationRequest::read(&client, destination.clone(), parameters);
        let read = read.and_then(|request| match &request.id_token_hint {
            Some(hint) if work.hint(hint).is_none() => Err(STRANGE_HINT),
            _ => Ok(request),
        });
        Ok(match read {
            Ok(request) => Begun::Interaction(Box::new(Interaction::new(request, work.now()))),
            Err(error) => Begun::Answered(Box::new(work.answer(destination, Err(error)))),
        })
    }

    /// An interaction as it travels in the addresses of pages.
    pub async fn seal_interaction(
        &self,
        tenant: TenantId,
        interaction: &Interaction,
        deadline: Deadline,
    ) -> Result<String, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let plain = serde_json::to_vec(interaction).expect("an interaction is plain JSON");
        Ok(URL_SAFE_NO_PAD.encode(work.vault().seal(SEALED_AS, b"", "request", &plain)))
    }

    /// The interaction of a page, unless it took too long or is not ours.
    pub async fn open_interaction(
        &self,
        tenant: TenantId,
        sealed: &str,
        deadline: Deadline,
    ) -> Result<Option<Interaction>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let opened = || {
            let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
            let plain = work.vault().open(SEALED_AS, b"", "request", &sealed).ok()?;
            serde_json::from_slice::<Interaction>(&plain).ok()
        };
        Ok(opened().filter(|interaction| !interaction.is_over(work.now())))
    }

    /// What happens next in an interaction, and the client's answer if that is it.
    pub async fn advance(
        &self,
        tenant: TenantId,
        interaction: &Interaction,
        browser: &Browser,
        deadline: Deadline,
    ) -> Result<Next, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let request = &interaction.request;
        let Some(client) = work.usable_client(request.client).await? else {
            return Ok(Next::Untrusted(UNKNOWN_CLIENT));
        };
        let user = browser.user();
        let consent = match user {
            Some(user) => work.client_consent(user.user, client.id).await?,
            None => None,
        };
        let hinted = request.id_token_hint.as_deref().and_then(|hint| work.hint(hint)).map(|hint| hint.sub);
        let known = Known { user, hinted, consent: consent.as_ref() };
        match (next_step(interaction, &client, known, work.now()), user) {
            (Step::Authorize, Some(user)) => work.authorize(interaction, user).await.map(Next::Answered),
            (Step::Refuse(error), user) => {
                let user = user.map(|user| user.user);
                work.refuse_authorization(interaction, user, error).await.map(Next::Answered)
            }
            (step, _) => Ok(Next::Page(step, client)),
        }
    }

    /// The user was asked and answered: then it goes on.
    pub async fn consent_to(
        &self,
        tenant: TenantId,
        interaction: &Interaction,
        browser: &Browser,
        allows: bool,
        deadline: Deadline,
    ) -> Result<Next, ServiceError> {
        let (Some(user), request) = (browser.user(), &interaction.request) else {
            return self.advance(tenant, interaction, browser, deadline).await;
        };
        let work = self.work(tenant, deadline).await?;
        if !allows {
            return work.refuse_authorization(interaction, Some(user.user), DENIED).await.map(Next::Answered);
        }
        let before = work.client_consent(user.user, request.client).await?;
        let now = work.now();
        let decision = consent(user.user, request.client, &request.scope, before.as_ref(), now);
        work.carry_out(decision, Actor::User(user.user), now).await?;
        drop(work);
        self.advance(tenant, interaction, browser, deadline).await
    }
}

impl Work {
    fn answer(&self, destination: Destination, result: Result<Opaque, OAuthError>) -> AuthorizationAnswer {
        AuthorizationAnswer { destination, issuer: self.cell().issuer.clone(), result }
    }

    pub(super) async fn client_consent(
        &self,
        user: UserId,
        client: ClientId,
    ) -> Result<Option<ClientConsent>, ServiceError> {
        let (tenant, id) = (self.cell().id.uuid(), client.uuid());
        let row = self.read(|| client_consents::get(self.engine(), tenant, user.uuid(), id)).await?;
        row.as_ref().map(|row| persist::authorizations::consent(user, row)).transpose()
    }

    /// Who is meant by an ID token of ours; it may have expired (OpenID Connect Core §3.1.2.1).
    pub(super) fn hint(&self, id_token: &str) -> Option<Hint> {
        let parsed = UnverifiedToken::parse(id_token).ok()?;
        let payload = parsed.verified_payload(&self.cell().keys, ID_TOKEN_TYPE).ok()?;
        let hint: Hint = serde_json::from_slice(payload).ok()?;
        (hint.iss == self.cell().issuer).then_some(hint)
    }

    async fn authorize(
        &self,
        interaction: &Interaction,
        user: &SignedInUser,
    ) -> Result<Box<AuthorizationAnswer>, ServiceError> {
        let request = &interaction.request;
        for _ in 0..ATTEMPTS {
            let now = self.now();
            let id = AuthorizationId::generate(now, self.environment().randomness());
            let decision = authorize(id, request, user, now);
            match self.try_to_carry_out(decision, Actor::User(user.user), now, |_| {}).await? {
                Err(CommitError::Conflict(_)) => {}
                done => {
                    done?;
                    let code = opaque::make(self.vault(), OpaqueKind::Code, id.uuid(), 0)?;
                    return Ok(Box::new(self.answer(request.destination.clone(), Ok(code))));
                }
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn refuse_authorization(
        &self,
        interaction: &Interaction,
        user: Option<UserId>,
        error: OAuthError,
    ) -> Result<Box<AuthorizationAnswer>, ServiceError> {
        let request = &interaction.request;
        let event =
            OAuthEvent::AuthorizationRefused { client: request.client, user, error: error.code.as_str() };
        let refused = Decision { writes: Vec::new(), events: vec![Event::OAuth(event)], reply: () };
        let actor = user.map_or(Actor::Anonymous, Actor::User);
        self.carry_out(refused, actor, self.now()).await?;
        Ok(Box::new(self.answer(request.destination.clone(), Err(error))))
    }
}

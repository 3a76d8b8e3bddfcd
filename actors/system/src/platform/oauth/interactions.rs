//! From a client's request to its answer, with the user's pages in between.

use super::super::Platform;
use super::super::work::Work;
use super::authentication::{ClientAuthentication, client_keys};
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
    AuthorizationRequest, BAD_REQUEST_OBJECT, Client, ClientConsent, Destination, Interaction, Known,
    OAuthCode, OAuthError, OAuthEvent, Opaque, OpaqueKind, PROOF_OF_ANOTHER_KEY, Parameters,
    REQUEST_OBJECT_TYPES, SignedInUser, Step, authorize, consent, next_step, parameters_of_object,
};
use plinto_domain::{AuthorizationId, ClientId, Decision, TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::client_consents;
use plinto_storage::repositories::constraint::AUTHORIZATION;
use plinto_token::{ClientJws, UnverifiedToken};
use serde::Deserialize;
use std::time::Duration;

/// What an interaction is sealed as: on its way through the pages, or pushed and not begun.
const SEALED_AS: &str = "interactions";
const ON_ITS_WAY: &str = "request";
const PUSHED: &str = "pushed";
/// How references to pushed requests begin (RFC 9126 §2.2).
const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a pushed request may wait for its user.
const PUSHED_LIFETIME: Duration = Duration::from_secs(300);

const UNKNOWN_CLIENT: OAuthError =
    OAuthError::new(OAuthCode::InvalidClient, "client_id is missing, or there is no such client");
const DENIED: OAuthError = OAuthError::new(OAuthCode::AccessDenied, "the user said no");
const MUST_PUSH: OAuthError =
    OAuthError::new(OAuthCode::InvalidRequest, "this client must push its requests (RFC 9126)");
const MUST_SIGN: OAuthError =
    OAuthError::new(OAuthCode::InvalidRequest, "this client must sign its requests (RFC 9101)");
const NO_REQUEST_URI: OAuthError = OAuthError::new(
    OAuthCode::InvalidRequest,
    "request_uri has no place in a pushed request (RFC 9126 section 2.1)",
);
const NOT_PUSHED: OAuthError = OAuthError::new(
    OAuthCode::InvalidRequestUri,
    "this request_uri is not ours, was pushed by another client, or is too old; push the request again",
);
const ANSWERED: OAuthError =
    OAuthError::new(OAuthCode::InvalidRequest, "this pushed request was answered already; push another");
pub(super) const STRANGE_HINT: OAuthError =
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

/// A request that was pushed (RFC 9126 §2.2). No `Debug`.
pub struct PushedRequest {
    /// Its reference.
    pub request_uri: String,
    /// Seconds it may wait for its user.
    pub expires_in: u64,
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
    Page(Step),
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
    /// Reads a client's request (RFC 6749 §4.1.1), which may have been pushed or signed.
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
        let pushed =
            parameters.one("request_uri").ok().flatten().and_then(|uri| uri.strip_prefix(REQUEST_URI));
        if let Some(pushed) = pushed {
            return Ok(work.begin_pushed(&client, pushed));
        }
        let (destination, read) = work.read_request(&client, parameters);
        let read = match client.definition.require_pushed_authorization_requests {
            true => Err(MUST_PUSH),
            false => read,
        };
        Ok(match (read, destination) {
            (Ok(request), _) => Begun::Interaction(Box::new(Interaction::new(request, work.now()))),
            (Err(error), Some(destination)) => {
                Begun::Answered(Box::new(work.answer(destination, Err(error))))
            }
            (Err(error), None) => Begun::Untrusted(error),
        })
    }

    /// Takes a request from the client itself (RFC 9126). The inner error is the endpoint's answer.
    pub async fn push_authorization(
        &self,
        tenant: TenantId,
        authentication: ClientAuthentication<'_>,
        parameters: &Parameters,
        deadline: Deadline,
    ) -> Result<Result<PushedRequest, OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let proved = match work.authenticated(authentication).await? {
            Ok(proved) => proved,
            Err(error) => return Ok(Err(error)),
        };
        if parameters.one("request_uri").ok() != Some(None) {
            return Ok(Err(NO_REQUEST_URI));
        }
        let client = &proved.client;
        let request = match (work.read_request(client, parameters).1, &proved.key) {
            (Err(error), _) => return Ok(Err(error)),
            (Ok(request), Some(key)) if request.dpop_jkt.as_ref().is_some_and(|bound| bound != key) => {
                return Ok(Err(PROOF_OF_ANOTHER_KEY));
            }
            (Ok(request), key) => {
                AuthorizationRequest { dpop_jkt: request.dpop_jkt.or(key.clone()), ..request }
            }
        };
        let now = work.now();
        if let Err(error) = work.use_up(proved.used(), client.id, now).await? {
            return Ok(Err(error));
        }
        let authorization = AuthorizationId::generate(now, work.environment().randomness());
        let interaction =
            Interaction { authorization: Some(authorization), ..Interaction::new(request, now) };
        let request_uri = format!("{REQUEST_URI}{}", work.seal(PUSHED, &interaction));
        Ok(Ok(PushedRequest { request_uri, expires_in: PUSHED_LIFETIME.as_secs() }))
    }

    /// An interaction as it travels in the addresses of pages.
    pub async fn seal_interaction(
        &self,
        tenant: TenantId,
        interaction: &Interaction,
        deadline: Deadline,
    ) -> Result<String, ServiceError> {
        Ok(self.work(tenant, deadline).await?.seal(ON_ITS_WAY, interaction))
    }

    /// The interaction of a page, unless it took too long or is not ours.
    pub async fn open_interaction(
        &self,
        tenant: TenantId,
        sealed: &str,
        deadline: Deadline,
    ) -> Result<Option<Interaction>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        Ok(work.unseal(ON_ITS_WAY, sealed).filter(|interaction| !interaction.is_over(work.now())))
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
            (step, _) => Ok(Next::Page(step)),
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
    fn seal(&self, what: &str, interaction: &Interaction) -> String {
        let plain = serde_json::to_vec(interaction).expect("an interaction is plain JSON");
        URL_SAFE_NO_PAD.encode(self.vault().seal(SEALED_AS, b"", what, &plain))
    }

    fn unseal(&self, what: &str, sealed: &str) -> Option<Interaction> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let plain = self.vault().open(SEALED_AS, b"", what, &sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// A request the client pushed: it goes on as if it came now.
    fn begin_pushed(&self, client: &Client, sealed: &str) -> Begun {
        let now = self.now();
        let is_good = |pushed: &Interaction| {
            pushed.request.client == client.id && now < pushed.started_at.plus(PUSHED_LIFETIME)
        };
        match self.unseal(PUSHED, sealed).filter(is_good) {
            Some(pushed) => Begun::Interaction(Box::new(Interaction { started_at: now, ..pushed })),
            None => Begun::Untrusted(NOT_PUSHED),
        }
    }

    /// What a client asks for, and where the answer goes if that is certain. Of a request that is signed nothing counts that
    /// is not in what was signed (RFC 9101 §6.3).
    fn read_request(
        &self,
        client: &Client,
        parameters: &Parameters,
    ) -> (Option<Destination>, Result<AuthorizationRequest, OAuthError>) {
        let outside = || Destination::of(client, parameters).ok();
        let signed = match parameters.one("request") {
            Ok(Some(object)) => match self.parameters_of_object(client, object) {
                Ok(signed) => Some(signed),
                Err(error) => return (outside(), Err(error)),
            },
            Ok(None) if client.definition.require_signed_request_object => {
                return (outside(), Err(MUST_SIGN));
            }
            Ok(None) => None,
            Err(error) => return (outside(), Err(error)),
        };
        let parameters = signed.as_ref().unwrap_or(parameters);
        let destination = match Destination::of(client, parameters) {
            Ok(destination) => destination,
            Err(error) => return (None, Err(error)),
        };
        let read = AuthorizationRequest::read(client, destination.clone(), parameters);
        let read = read.and_then(|request| match &request.id_token_hint {
            Some(hint) if self.hint(hint).is_none() => Err(STRANGE_HINT),
            _ => Ok(request),
        });
        (Some(destination), read)
    }

    fn parameters_of_object(&self, client: &Client, object: &str) -> Result<Parameters, OAuthError> {
        let keys = client_keys(client).ok_or(BAD_REQUEST_OBJECT)?;
        let jws = ClientJws::parse(object).map_err(|_| BAD_REQUEST_OBJECT)?;
        let is_one = !jws.is_typed() || REQUEST_OBJECT_TYPES.iter().any(|typ| jws.is_of_type(typ));
        let claims = jws.verify(&keys).map_err(|_| BAD_REQUEST_OBJECT)?;
        match is_one {
            true => parameters_of_object(claims, client.id, &self.cell().issuer, self.now()),
            false => Err(BAD_REQUEST_OBJECT),
        }
    }

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
        let now = self.now();
        let fresh = || AuthorizationId::generate(now, self.environment().randomness());
        let id = interaction.authorization.unwrap_or_else(fresh);
        let decision = authorize(id, request, user, now);
        let result = match self.try_to_carry_out(decision, Actor::User(user.user), now, |_| {}).await? {
            Err(CommitError::Unique(rule)) if rule == AUTHORIZATION => Err(ANSWERED),
            done => {
                done?;
                Ok(opaque::make(self.vault(), OpaqueKind::Code, id.uuid(), 0)?)
            }
        };
        Ok(Box::new(self.answer(request.destination.clone(), result)))
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

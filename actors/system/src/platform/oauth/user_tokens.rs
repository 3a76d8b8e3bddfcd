//! Tokens for what users granted, and what they are good for.

use super::super::Platform;
use super::super::work::Work;
use super::authentication::{ClientAuthentication, Possession, Proved};
use super::opaque;
use crate::error::ServiceError;
use crate::introspection::Introspection;
use crate::ledger::CommitError;
use crate::persist;
use crate::session::SessionKey;
use crate::tenant::{OAuthToken, Verified, signed_access_token};
use plinto_domain::account::AccountState;
use plinto_domain::audit::Actor;
use plinto_domain::id::AuthorizationId;
use plinto_domain::oauth::{
    Authorization, AuthorizationEnd, Client, CodePresented, GrantType, GrantedTokens, IdTokenAlgorithm,
    NOT_GOOD, OAuthCode, OAuthError, OPENID, Opaque, OpaqueKind, OpaqueParts, Outcome, PROOF_OF_ANOTHER_KEY,
    PROOF_REPLAYED, ScopeSet, TokenWish, UserFacts, end, id_token, redeem, refresh, refuse_client, user_info,
};
use plinto_domain::{Decision, TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::authorizations;
use plinto_token::Algorithm;
use serde_json::{Map, Value};
use std::time::Duration;

/// A decision that another one overtook is made once more.
const ATTEMPTS: usize = 3;
/// JOSE `typ` of ID tokens.
pub(super) const ID_TOKEN_TYPE: &str = "JWT";

const NO_USER_TOKEN: OAuthError = OAuthError::new(
    OAuthCode::InvalidToken,
    "send an access token a user granted an OAuth client, while it is good",
);
const WRONG_SCHEME: OAuthError = OAuthError::new(
    OAuthCode::InvalidToken,
    "send a token that is bound to a key as `Authorization: DPoP` with a proof, any other as Bearer (RFC 9449 section 7)",
);
const NOT_OF_OPENID: OAuthError =
    OAuthError::new(OAuthCode::InsufficientScope, "the access token needs the scope openid");
const NOT_REVOCABLE: OAuthError = OAuthError::new(
    OAuthCode::UnsupportedTokenType,
    "a client's own access token cannot be revoked alone; it expires, or disable the client",
);

/// Tokens as a client gets them. No `Debug`.
pub struct IssuedTokens {
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// Seconds it is good for.
    pub expires_in: u32,
    /// What it may do; empty if nothing is said of that.
    pub scope: String,
    /// Gets the next ones.
    pub refresh_token: Option<Opaque>,
    /// Who the user is (OpenID Connect Core §2).
    pub id_token: Option<String>,
    /// Whether the access token is bound to the key the client proved to have.
    pub is_bound: bool,
}

/// How the tokens of an authorization are asked for.
enum Presented<'p> {
    Code(CodePresented<'p>),
    Refresh { generation: u32 },
}

impl Platform {
    /// Tokens for a code (RFC 6749 §4.1.3). The inner error is the token endpoint's answer.
    pub async fn redeem_code(
        &self,
        tenant: TenantId,
        authentication: ClientAuthentication<'_>,
        code: &str,
        presented: CodePresented<'_>,
        wish: TokenWish<'_>,
        deadline: Deadline,
    ) -> Result<Result<IssuedTokens, OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let proved = match work.authenticated_for(GrantType::AuthorizationCode, authentication).await? {
            Ok(proved) => proved,
            Err(error) => return Ok(Err(error)),
        };
        let Some(parts) = opaque::read(work.vault(), OpaqueKind::Code, code) else {
            return work.refuse_client(&proved.client, NOT_GOOD).await.map(Err);
        };
        work.tokens(&proved, parts, Presented::Code(presented), wish).await
    }

    /// The next tokens (RFC 6749 §6). The inner error is the token endpoint's answer.
    pub async fn refresh_tokens(
        &self,
        tenant: TenantId,
        authentication: ClientAuthentication<'_>,
        token: &str,
        wish: TokenWish<'_>,
        deadline: Deadline,
    ) -> Result<Result<IssuedTokens, OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let proved = match work.authenticated_for(GrantType::RefreshToken, authentication).await? {
            Ok(proved) => proved,
            Err(error) => return Ok(Err(error)),
        };
        let Some(parts) = opaque::read(work.vault(), OpaqueKind::Refresh, token) else {
            return work.refuse_client(&proved.client, NOT_GOOD).await.map(Err);
        };
        work.tokens(&proved, parts, Presented::Refresh { generation: parts.number }, wish).await
    }

    /// Gives back what a user granted, by one of its tokens (RFC 7009). A token that is unknown is as good as revoked.
    pub async fn revoke_token(
        &self,
        tenant: TenantId,
        authentication: ClientAuthentication<'_>,
        token: &str,
        deadline: Deadline,
    ) -> Result<Result<(), OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let proved = match work.authenticated(authentication).await? {
            Ok(proved) => proved,
            Err(error) => return Ok(Err(error)),
        };
        let id = match opaque::read(work.vault(), OpaqueKind::Refresh, token) {
            Some(parts) => AuthorizationId::from_uuid(parts.of),
            None => match work.cell().verify_any(token, work.now()) {
                Ok(Verified::OfClient(verified)) => match verified.user {
                    Some((_, authorization)) => authorization,
                    None => return Ok(Err(NOT_REVOCABLE)),
                },
                _ => return Ok(Ok(())),
            },
        };
        work.end_of_client(&proved, id).await
    }

    /// What a relying party learns of the user a token speaks for (OpenID Connect Core §5.3). The inner error is the answer.
    pub async fn user_info(
        &self,
        tenant: TenantId,
        token: &str,
        possession: Option<Possession<'_>>,
        deadline: Deadline,
    ) -> Result<Result<Map<String, Value>, OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let verified = match self.verify_any(work.cell(), token, work.now(), deadline).await {
            Ok(Verified::OfClient(verified)) => verified,
            Ok(Verified::OfSession(_)) | Err(ServiceError::InvalidToken { .. }) => {
                return Ok(Err(NO_USER_TOKEN));
            }
            Err(error) => return Err(error),
        };
        let Some(authorization) = work.standing_authorization(&verified).await? else {
            return Ok(Err(NO_USER_TOKEN));
        };
        let scope = verified.claims.scope.as_deref().and_then(ScopeSet::of_parameter).unwrap_or_default();
        let is_for_us = verified.claims.aud.iter().any(|audience| *audience == work.cell().issuer);
        if !scope.contains(OPENID) || !is_for_us {
            return Ok(Err(NOT_OF_OPENID));
        }
        if let Err(error) = work.check_bearer(&verified, token, possession).await? {
            return Ok(Err(error));
        }
        let facts = work.facts_of(&authorization).await?;
        Ok(facts.map(|facts| user_info(&authorization, &scope, &facts)).ok_or(NO_USER_TOKEN))
    }
}

impl Work {
    /// What a resource server is told about a client's token: it is good as long as its client is, and what a user granted
    /// stands.
    pub(in crate::platform) async fn introspect_oauth_token(
        &self,
        verified: &OAuthToken,
    ) -> Result<Introspection, ServiceError> {
        let is_good = match verified.user {
            Some(_) => self.standing_authorization(verified).await?.is_some(),
            None => self.usable_client(verified.client).await?.is_some(),
        };
        let active = || Introspection::Active(verified.introspection.clone());
        Ok(if is_good { active() } else { Introspection::Inactive })
    }

    async fn refuse_client(&self, client: &Client, error: OAuthError) -> Result<OAuthError, ServiceError> {
        self.carry_out(refuse_client(client.id, error), Actor::Client(client.id), self.now()).await
    }

    /// Whether whoever sent a token has the key it is bound to, and proves so for the first time (RFC 9449 §7).
    async fn check_bearer(
        &self,
        verified: &OAuthToken,
        token: &str,
        possession: Option<Possession<'_>>,
    ) -> Result<Result<(), OAuthError>, ServiceError> {
        let now = self.now();
        let (bound, possession) = match (&verified.key, possession) {
            (None, None) => return Ok(Ok(())),
            // A token that is bound, sent as if it were not, or the other way round.
            (Some(_), None) | (None, Some(_)) => return Ok(Err(WRONG_SCHEME)),
            (Some(bound), Some(possession)) => (bound, possession),
        };
        let (key, used) = match self.check_possession(possession, Some(token), now) {
            Ok(checked) => checked,
            Err(error) => return Ok(Err(error)),
        };
        if key != *bound {
            return Ok(Err(PROOF_OF_ANOTHER_KEY));
        }
        let used_up = self.use_up(&[used], verified.client, now).await?;
        Ok(used_up.map_err(|_| PROOF_REPLAYED))
    }

    pub(super) async fn authorization(
        &self,
        id: AuthorizationId,
    ) -> Result<Option<Authorization>, ServiceError> {
        let row = self.read(|| authorizations::get(self.engine(), self.vault(), id.uuid())).await?;
        row.as_ref().map(persist::authorizations::authorization).transpose()
    }

    /// Decides about a genuine code or refresh token, again where another decision was faster.
    async fn tokens(
        &self,
        proved: &Proved,
        parts: OpaqueParts,
        presented: Presented<'_>,
        wish: TokenWish<'_>,
    ) -> Result<Result<IssuedTokens, OAuthError>, ServiceError> {
        let (client, id) = (&*proved.client, AuthorizationId::from_uuid(parts.of));
        let wish = TokenWish { key: proved.key.as_deref(), ..wish };
        for _ in 0..ATTEMPTS {
            let Some(known) = self.authorization(id).await? else {
                return self.refuse_client(client, NOT_GOOD).await.map(Err);
            };
            let now = self.now();
            let decision = self.decide_on_tokens(&known, client, &presented, wish, now);
            let is_granted = matches!(decision.reply, Outcome::Granted(_));
            if is_granted && !self.stands(&known).await? {
                return self.refuse_client(client, NOT_GOOD).await.map(Err);
            }
            match self.carry_out_for(proved.used(), decision, Actor::Client(client.id), now).await? {
                Err(CommitError::Conflict(_)) => {}
                done => {
                    return match done? {
                        Ok(Outcome::Granted(granted)) => self.issue(&known, client, *granted, now).await,
                        Ok(Outcome::Refused(error)) | Err(error) => Ok(Err(error)),
                    };
                }
            }
        }
        Err(ServiceError::Conflict)
    }

    fn decide_on_tokens(
        &self,
        known: &Authorization,
        client: &Client,
        presented: &Presented<'_>,
        wish: TokenWish<'_>,
        now: Timestamp,
    ) -> Decision<Outcome> {
        let (issuer, randomness) = (&self.cell().issuer, self.environment().randomness());
        match presented {
            Presented::Code(code) => redeem(known, client, *code, wish, issuer, now, randomness),
            Presented::Refresh { generation } => {
                let grace = Duration::from_secs(self.cell().settings.session.refresh_grace_seconds.into());
                refresh(known, client, *generation, wish, grace, issuer, now, randomness)
            }
        }
    }

    /// Signs and makes what was granted.
    async fn issue(
        &self,
        authorization: &Authorization,
        client: &Client,
        granted: GrantedTokens,
        now: Timestamp,
    ) -> Result<Result<IssuedTokens, OAuthError>, ServiceError> {
        let access_token = signed_access_token(self.cell(), &granted.access)?;
        let id_token = match granted.id_token {
            false => None,
            true => match self.facts_of(authorization).await? {
                Some(facts) => Some(self.id_token(authorization, client, &access_token, &facts, now)?),
                None => return Ok(Err(NOT_GOOD)),
            },
        };
        let make =
            |generation| opaque::make(self.vault(), OpaqueKind::Refresh, authorization.id.uuid(), generation);
        Ok(Ok(IssuedTokens {
            access_token,
            expires_in: granted.expires_in,
            scope: granted.access.scope,
            is_bound: granted.access.cnf.is_some(),
            refresh_token: granted.refresh_generation.map(make).transpose()?,
            id_token,
        }))
    }

    fn id_token(
        &self,
        authorization: &Authorization,
        client: &Client,
        access_token: &str,
        facts: &UserFacts,
        now: Timestamp,
    ) -> Result<String, ServiceError> {
        let claims = id_token(authorization, client, access_token, facts, &self.cell().issuer, now);
        let algorithm = algorithm(client.definition.id_token_signed_response_alg);
        let signer = self.cell().signers.with(algorithm);
        let signer = signer.ok_or(ServiceError::Damaged("no signing key of a client's algorithm"))?;
        let broken = |_| ServiceError::Damaged("the signing key does not sign");
        signer.sign(ID_TOKEN_TYPE, &claims).map_err(broken)
    }

    /// What is known of the user of an authorization; none if the user is gone.
    async fn facts_of(&self, authorization: &Authorization) -> Result<Option<UserFacts>, ServiceError> {
        let view = self.find_user_view(authorization.user).await?;
        Ok(view.map(|view| UserFacts {
            name: view.name.clone(),
            username: view.username.clone(),
            email: view.email.clone().map(|email| (email, view.email_verified)),
            phone: view.phone.clone(),
            updated_at: Some(view.updated_at),
        }))
    }

    /// What a user granted by which a token was given, if it still stands.
    async fn standing_authorization(
        &self,
        verified: &OAuthToken,
    ) -> Result<Option<Authorization>, ServiceError> {
        let Some((user, id)) = verified.user else { return Ok(None) };
        let Some(known) = self.authorization(id).await? else { return Ok(None) };
        let is_its_own = known.user == user && known.client == verified.client && !known.revoked;
        let stands =
            is_its_own && self.usable_client(known.client).await?.is_some() && self.stands(&known).await?;
        Ok(stands.then_some(known))
    }

    /// Whether who granted it may still be signed in: in the session it was granted in or, where it outlives that, at all.
    pub(super) async fn stands(&self, authorization: &Authorization) -> Result<bool, ServiceError> {
        if authorization.terms.outlive_the_session() {
            let user = self.find_user_view(authorization.user).await?;
            return Ok(user.is_some_and(|user| user.state == AccountState::Active));
        }
        let key = SessionKey { tenant: self.cell().id, session: authorization.session };
        Ok(self.sessions().look(key, self.now(), self.deadline()).await?.is_some())
    }

    /// Ends an authorization of the client that asks for it.
    async fn end_of_client(
        &self,
        proved: &Proved,
        id: AuthorizationId,
    ) -> Result<Result<(), OAuthError>, ServiceError> {
        let client = &proved.client;
        for _ in 0..ATTEMPTS {
            let Some(known) = self.authorization(id).await? else { return Ok(Ok(())) };
            if known.client != client.id {
                return self.refuse_client(client, NOT_GOOD).await.map(Err);
            }
            let now = self.now();
            let decision = end(&known, AuthorizationEnd::ByClient, now);
            match self.carry_out_for(proved.used(), decision, Actor::Client(client.id), now).await? {
                Err(CommitError::Conflict(_)) => {}
                done => return Ok(done?),
            }
        }
        Err(ServiceError::Conflict)
    }
}

/// The algorithm as keys have it.
pub(in crate::platform) const fn algorithm(algorithm: IdTokenAlgorithm) -> Algorithm {
    match algorithm {
        IdTokenAlgorithm::RS256 => Algorithm::Rs256,
        IdTokenAlgorithm::ES256 => Algorithm::Es256,
        IdTokenAlgorithm::EdDSA => Algorithm::EdDsa,
    }
}

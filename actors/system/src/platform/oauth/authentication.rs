//! How a client proves at the endpoints for clients who it is, and that it has a key.

use super::super::work::Work;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::tenant::ClientContext;
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{
    AuthMethod, Client, DPOP_TYPE, GrantType, OAuthCode, OAuthError, PROOF_MALFORMED, Proof, ProvedRequest,
    UsedProof, check_assertion, check_dpop, refuse_client,
};
use plinto_domain::{ClientId, Decision, Timestamp, Write};
use plinto_storage::repositories::constraint::USED_PROOF;
use plinto_token::{ClientJws, Jwk, Jwks, KeyError, KeySet};
use serde_json::Value;
use std::sync::Arc;

/// Purpose of the keyed hash of what is good once.
const PROOFS: &str = "used-proof";

/// What is said whatever is wrong with a client's credentials.
const NOT_PROVED: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "there is no such client, it is disabled, or it did not prove who it is as it was registered to",
);
const NOT_ITS_GRANT: OAuthError =
    OAuthError::new(OAuthCode::UnauthorizedClient, "this client is not registered for this grant_type");
const USED_BEFORE: OAuthError = OAuthError::new(
    OAuthCode::InvalidClient,
    "the client assertion or DPoP proof was used before; make a new one for each request",
);

/// What proves who a client is. No `Debug`.
#[derive(Clone, Copy)]
pub enum ClientProof<'a> {
    /// Nothing: a public client.
    None,
    /// Its secret.
    Secret(&'a str),
    /// A JWT it signed (RFC 7523).
    Assertion(&'a str),
}

/// How a client says who it is (RFC 6749 §2.3, RFC 7521 §4.2), and that it has a key (RFC 9449). No `Debug`.
#[derive(Clone, Copy)]
pub struct ClientAuthentication<'a> {
    /// Its id; with an assertion it may stand only there.
    pub client_id: Option<&'a str>,
    /// What proves it.
    pub proof: ClientProof<'a>,
    /// A proof of possession, and the request it came with.
    pub possession: Option<Possession<'a>>,
    /// From where.
    pub context: &'a ClientContext,
}

/// A proof that somebody has a key (RFC 9449 §4), not yet believed.
#[derive(Clone, Copy)]
pub struct Possession<'a> {
    /// The JWT.
    pub proof: &'a str,
    /// Method of the request it came with.
    pub method: &'a str,
    /// URL of it, as clients know it.
    pub url: &'a str,
}

/// A client that proved to be one.
pub(super) struct Proved {
    pub(super) client: Arc<Client>,
    /// Thumbprint of the key it proved to have.
    pub(super) key: Option<String>,
    /// What must not be used again.
    used: Vec<UsedProof>,
}

impl Work {
    /// The client that proves to be one, if it may use the grant. What it tried otherwise is noted.
    pub(super) async fn authenticated_for(
        &self,
        grant: GrantType,
        authentication: ClientAuthentication<'_>,
    ) -> Result<Result<Proved, OAuthError>, ServiceError> {
        let proved = match self.authenticated(authentication).await? {
            Ok(proved) => proved,
            refused => return Ok(refused),
        };
        if proved.client.definition.may_use(grant) {
            return Ok(Ok(proved));
        }
        let refusal = refuse_client(proved.client.id, NOT_ITS_GRANT);
        self.carry_out(refusal, Actor::Client(proved.client.id), self.now()).await.map(Err)
    }

    /// The client that proves to be one. A wrong proof of a client is noted, as often as guesses from a network may be
    /// made.
    pub(super) async fn authenticated(
        &self,
        authentication: ClientAuthentication<'_>,
    ) -> Result<Result<Proved, OAuthError>, ServiceError> {
        let ClientAuthentication { client_id, proof, possession, context } = authentication;
        let Some(id) = claimed_client(client_id, proof) else { return Ok(Err(NOT_PROVED)) };
        // Made before it is known whether there is the client.
        let hash = match proof {
            ClientProof::Secret(secret) => Some(self.secret_hash(id, secret)),
            ClientProof::None | ClientProof::Assertion(_) => None,
        };
        let Some(client) = self.known_client(id).await? else { return Ok(Err(NOT_PROVED)) };
        let now = self.now();
        let proved = self.prove(&client, proof, hash.as_ref(), now);
        let by_assertion = match proved {
            Ok(used) if !client.definition.disabled => used,
            refused => {
                self.may_try(context).await?;
                let error = refused.err().unwrap_or(NOT_PROVED);
                return self.carry_out(refuse_client(id, error), Actor::Anonymous, now).await.map(Err);
            }
        };
        let possession =
            possession.map(|possession| self.check_possession(possession, None, now)).transpose();
        let (key, possessed) = match possession {
            Ok(checked) => checked.unzip(),
            Err(error) => {
                return self.carry_out(refuse_client(id, error), Actor::Client(id), now).await.map(Err);
            }
        };
        let used = by_assertion.into_iter().chain(possessed).collect();
        Ok(Ok(Proved { client, key, used }))
    }

    /// Whether a client proves to be one as it was registered to, and what it used up by that.
    fn prove(
        &self,
        client: &Client,
        proof: ClientProof<'_>,
        secret_hash: Option<&[u8; 32]>,
        now: Timestamp,
    ) -> Result<Option<UsedProof>, OAuthError> {
        let is_proved = match (proof, secret_hash) {
            (ClientProof::Assertion(assertion), _) => {
                return self.check_assertion(client, assertion, now).map(Some);
            }
            (_, Some(hash)) => client.is_proved_by(hash, now),
            (_, None) => client.is_public(),
        };
        if is_proved { Ok(None) } else { Err(NOT_PROVED) }
    }

    fn check_assertion(
        &self,
        client: &Client,
        assertion: &str,
        now: Timestamp,
    ) -> Result<UsedProof, OAuthError> {
        let keys = match client.definition.token_endpoint_auth_method {
            AuthMethod::PrivateKeyJwt => client_keys(client).ok_or(NOT_PROVED)?,
            _ => return Err(NOT_PROVED),
        };
        let claims = ClientJws::parse(assertion).and_then(|jws| jws.verify(&keys)).map_err(|_| NOT_PROVED)?;
        let issuer = &self.cell().issuer;
        let endpoints =
            ["token", "par", "revoke", "introspect"].map(|path| format!("{issuer}/oauth2/{path}"));
        let audiences: Vec<String> = [issuer.clone()].into_iter().chain(endpoints).collect();
        check_assertion(&claims, client.id, &audiences, now).map(|proof| self.used(&proof))
    }

    /// The key somebody proves to have, for a request with this access token, and what must not be used again.
    pub(super) fn check_possession(
        &self,
        Possession { proof, method, url }: Possession<'_>,
        access_token: Option<&str>,
        now: Timestamp,
    ) -> Result<(String, UsedProof), OAuthError> {
        let jws = ClientJws::parse_proof(proof).map_err(|_| PROOF_MALFORMED)?;
        if !jws.is_of_type(DPOP_TYPE) {
            return Err(PROOF_MALFORMED);
        }
        let (claims, thumbprint) = jws.verify_proof().map_err(|_| PROOF_MALFORMED)?;
        let request = ProvedRequest { method, url, access_token };
        let proof = check_dpop(&claims, &thumbprint, request, now)?;
        let used = self.used(&proof);
        Ok((thumbprint, used))
    }

    fn used(&self, proof: &Proof) -> UsedProof {
        UsedProof { hash: self.vault().blind_index(PROOFS, proof.text()), expires_at: proof.expires_at }
    }

    /// Commits what was decided for a client together with what it used. The inner error says that something is in the
    /// way, the innermost that what it used was used before.
    pub(super) async fn carry_out_for<R>(
        &self,
        used: &[UsedProof],
        mut decision: Decision<R>,
        actor: Actor,
        now: Timestamp,
    ) -> Result<Result<Result<R, OAuthError>, CommitError>, ServiceError> {
        decision.writes.extend(used.iter().cloned().map(Write::UseProof));
        Ok(match self.try_to_carry_out(decision, actor, now, |_| {}).await? {
            Err(CommitError::Unique(rule)) if rule == USED_PROOF => Ok(Err(USED_BEFORE)),
            done => done.map(Ok),
        })
    }
}

impl Work {
    /// Notes that a client has used what is good once, for a request that changes nothing else. The inner error says that
    /// it was used before.
    pub(super) async fn use_up(
        &self,
        used: &[UsedProof],
        client: ClientId,
        now: Timestamp,
    ) -> Result<Result<(), OAuthError>, ServiceError> {
        let nothing = Decision::reply_only(());
        Ok(self.carry_out_for(used, nothing, Actor::Client(client), now).await??)
    }
}

impl Proved {
    /// What must not be used again.
    pub(super) fn used(&self) -> &[UsedProof] {
        &self.used
    }
}

/// The client a request says it is of.
fn claimed_client(client_id: Option<&str>, proof: ClientProof<'_>) -> Option<ClientId> {
    let by_assertion = match proof {
        ClientProof::Assertion(assertion) => {
            Some(ClientJws::parse(assertion).ok()?.claimed("sub")?.parse().ok()?)
        }
        ClientProof::Secret(_) | ClientProof::None => None,
    };
    match (client_id.map(str::parse), by_assertion) {
        (Some(Ok(named)), None) => Some(named),
        (Some(Ok(named)), Some(claimed)) if named == claimed => Some(named),
        (None, claimed) => claimed,
        _ => None,
    }
}

/// The keys of a client, for what it signs; none if it has none.
pub(super) fn client_keys(client: &Client) -> Option<KeySet> {
    parse_keys(client.definition.jwks.as_ref()?).ok()
}

/// Keys as clients publish them: one without a `kid` is known by its thumbprint.
pub(super) fn parse_keys(keys: &Value) -> Result<KeySet, KeyError> {
    let mut jwks: Jwks = serde_json::from_value(keys.clone()).map_err(|_| KeyError::Malformed("keys"))?;
    for key in jwks.keys.iter_mut().filter(|key| key.kid.is_none()) {
        let thumbprint = Jwk::thumbprint(key)?;
        key.kid = Some(thumbprint);
    }
    KeySet::from_jwks(&jwks)
}

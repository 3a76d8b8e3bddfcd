use super::cell::TenantCell;
use crate::config::Limits;
use crate::environment::Environment;
use crate::error::ServiceError;
use bytes::Bytes;
use plinto_domain::access_token::{AccessTokenGrant, ORGANIZATION, ORGANIZATION_ROLE, claims};
use plinto_domain::authorization::RoleKey;
use plinto_domain::oauth::AUTHORIZATION;
use plinto_domain::organization::Candidate;
use plinto_domain::session::NamedOrganization;
use plinto_domain::{AuthorizationId, ClientId, SessionId, Timestamp, UserId};
use plinto_token::{Claims, Expectations, TokenError, UnverifiedToken, check_times};
use quick_cache::sync::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// JOSE `typ` of access tokens (RFC 9068 §2.1).
const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// Seconds of clock difference tolerated; our own nodes issue and verify, so little is needed.
const LEEWAY_SECONDS: i64 = 5;
/// What the bearer of a token must prove to have (RFC 7800), and the key's thumbprint in it (RFC 9449 §6.1).
const CONFIRMATION: &str = "cnf";
const THUMBPRINT: &str = "jkt";
/// Why a token is refused that is genuine and not of a kind that is good for this.
const FOREIGN: ServiceError = ServiceError::InvalidToken { reason: "foreign_claims" };

/// An access token as it is handed out. `Debug` does not show it.
pub struct IssuedAccessToken {
    /// The JWT.
    pub token: String,
    /// Seconds it is good for.
    pub expires_in: u32,
}

impl fmt::Debug for IssuedAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedAccessToken(redacted)")
    }
}

/// Whom an access token speaks for, and how they proved it.
pub(crate) struct Bearer<'a> {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) authenticated_at: Timestamp,
    pub(crate) amr: &'a [String],
    /// The organization the session is active in.
    pub(crate) organization: Option<&'a Candidate>,
    /// When the token expires at the latest, Unix seconds.
    pub(crate) until: Option<i64>,
}

/// Signs an access token for a session.
pub(crate) fn access_token(
    cell: &TenantCell,
    bearer: Bearer<'_>,
    now: Timestamp,
    environment: &Environment,
) -> Result<IssuedAccessToken, ServiceError> {
    let usual = cell.settings.session.access_token_seconds;
    let left = bearer.until.map(|until| u32::try_from(until.saturating_sub(now.as_seconds())).unwrap_or(0));
    let expires_in = left.map_or(usual, |left| usual.min(left));
    let grant = AccessTokenGrant {
        issuer: &cell.issuer,
        user: bearer.user,
        session: bearer.session,
        authenticated_at: bearer.authenticated_at,
        amr: bearer.amr,
        organization: bearer.organization,
        lifetime_seconds: expires_in,
    };
    let claims = claims(&grant, now, environment.randomness());
    let token = cell
        .signers
        .access()
        .sign(ACCESS_TOKEN_TYPE, &claims)
        .map_err(|_| ServiceError::Damaged("the signing key does not sign"))?;
    Ok(IssuedAccessToken { token, expires_in })
}

/// Signs an access token an OAuth client gets.
pub(crate) fn signed_access_token(
    cell: &TenantCell,
    claims: &impl Serialize,
) -> Result<String, ServiceError> {
    cell.signers
        .access()
        .sign(ACCESS_TOKEN_TYPE, claims)
        .map_err(|_| ServiceError::Damaged("the signing key does not sign"))
}

/// A session's access token whose signature, issuer, audience and type were checked; times and session are checked each
/// time.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    pub(crate) claims: Claims,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    /// The organization it names.
    pub(crate) organization: Option<Arc<NamedOrganization>>,
    /// The answer to an introspection, rendered once (RFC 7662).
    pub(crate) introspection: Bytes,
}

/// An OAuth client's access token, checked like a session's, but for the audience: whom it is meant for is for others to say.
/// Whether client and grant still stand is checked each time.
#[derive(Debug)]
pub(crate) struct OAuthToken {
    pub(crate) claims: Claims,
    pub(crate) client: ClientId,
    /// The user it speaks for and what the user granted, unless it speaks for the client.
    pub(crate) user: Option<(UserId, AuthorizationId)>,
    /// Thumbprint of the key its bearer must prove to have (RFC 9449 §6).
    pub(crate) key: Option<String>,
    /// The answer to an introspection, rendered once (RFC 7662).
    pub(crate) introspection: Bytes,
}

/// A genuine access token.
#[derive(Clone, Debug)]
pub(crate) enum Verified {
    /// A session's.
    OfSession(Arc<VerifiedToken>),
    /// An OAuth client's.
    OfClient(Arc<OAuthToken>),
}

/// Remembers verified tokens by their SHA-256, bounded per tenant. Revocation needs no invalidation here: every use
/// still asks the session's actor, or for the client and the grant.
pub(crate) struct VerifiedTokens {
    /// With when the key each was signed with stops verifying, in Unix milliseconds; none while the key is in use.
    cache: Cache<[u8; 32], (Verified, Option<i64>)>,
}

/// Bytes one remembered token takes, roughly: its claims, its rendered introspection, its place in the cache.
const BYTES_EACH: usize = 2_048;

impl VerifiedTokens {
    /// Bytes held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.cache.len() * BYTES_EACH
    }

    pub(crate) fn new(limits: &Limits) -> Self {
        Self { cache: Cache::new(limits.verified_tokens.max(1)) }
    }
}

impl TenantCell {
    /// Verifies an access token of this tenant, whoever has it, or finds it verified before.
    pub(crate) fn verify_any(&self, token: &str, now: Timestamp) -> Result<Verified, ServiceError> {
        let expect = Expectations {
            issuer: &self.issuer,
            audience: None,
            now: now.as_seconds(),
            leeway: LEEWAY_SECONDS,
            typ: ACCESS_TOKEN_TYPE,
        };
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some((known, key_retires_at)) = self.verified.cache.get(&key) {
            check_times(known.claims(), &expect).map_err(invalid)?;
            check_key(key_retires_at, now)?;
            return Ok(known);
        }
        let parsed = UnverifiedToken::parse(token).map_err(invalid)?;
        let claims = parsed.verify(&self.keys, &expect).map_err(invalid)?;
        let key_retires_at = self.retired.get(&parsed.header().kid).copied();
        check_key(key_retires_at, now)?;
        let verified = Verified::of(claims, &self.issuer)?;
        self.verified.cache.insert(key, (verified.clone(), key_retires_at));
        Ok(verified)
    }
}

impl Verified {
    /// The session's token, if it is one.
    pub(crate) fn of_session(self) -> Result<Arc<VerifiedToken>, ServiceError> {
        match self {
            Self::OfSession(verified) => Ok(verified),
            Self::OfClient(_) => Err(FOREIGN),
        }
    }

    fn claims(&self) -> &Claims {
        match self {
            Self::OfSession(verified) => &verified.claims,
            Self::OfClient(verified) => &verified.claims,
        }
    }

    /// What a token is: one with a session is the session's, and good for nothing else.
    fn of(claims: Claims, issuer: &str) -> Result<Self, ServiceError> {
        match claims.sid.is_some() {
            true => VerifiedToken::of(claims, issuer).map(Arc::new).map(Self::OfSession),
            false => OAuthToken::of(claims).map(Arc::new).map(Self::OfClient),
        }
    }
}

/// A busy tenant may outlive the retirement of a key it has loaded.
fn check_key(retires_at: Option<i64>, now: Timestamp) -> Result<(), ServiceError> {
    match retires_at {
        Some(end) if now.as_millis() >= end => Err(ServiceError::InvalidToken { reason: "retired_key" }),
        _ => Ok(()),
    }
}

impl VerifiedToken {
    fn of(claims: Claims, issuer: &str) -> Result<Self, ServiceError> {
        if !claims.aud.iter().any(|audience| audience == issuer) {
            return Err(invalid(TokenError::WrongAudience));
        }
        let user = claims.sub.parse().map_err(|_| FOREIGN)?;
        let session = claims.sid.as_deref().and_then(|sid| sid.parse().ok()).ok_or(FOREIGN)?;
        let organization = named_organization(&claims)?.map(Arc::new);
        let introspection = crate::introspection::active_access_token(&claims).into();
        Ok(Self { claims, user, session, organization, introspection })
    }
}

impl OAuthToken {
    fn of(claims: Claims) -> Result<Self, ServiceError> {
        let client: ClientId = claims.client_id.parse().map_err(|_| FOREIGN)?;
        let authorization = claims.extra.get(AUTHORIZATION).and_then(|id| id.as_str());
        let user = match authorization {
            None if claims.sub == claims.client_id => None,
            None => return Err(FOREIGN),
            Some(id) => Some((claims.sub.parse().map_err(|_| FOREIGN)?, id.parse().map_err(|_| FOREIGN)?)),
        };
        let key = match claims.extra.get(CONFIRMATION) {
            None => None,
            Some(confirmation) => {
                let thumbprint = confirmation.get(THUMBPRINT).and_then(|key| key.as_str());
                Some(thumbprint.ok_or(FOREIGN)?.to_owned())
            }
        };
        let introspection = crate::introspection::active_access_token(&claims).into();
        Ok(Self { claims, client, user, key, introspection })
    }
}

/// The organization a token names, if it names one.
fn named_organization(claims: &Claims) -> Result<Option<NamedOrganization>, ServiceError> {
    let Some(id) = claims.extra.get(ORGANIZATION) else { return Ok(None) };
    let id = id.as_str().and_then(|id| id.parse().ok());
    let role = claims.extra.get(ORGANIZATION_ROLE).and_then(|role| role.as_str());
    let role = role.and_then(|role| RoleKey::parse("org_role", role).ok());
    match (id, role) {
        (Some(id), Some(role)) => Ok(Some(NamedOrganization { id, role, issued_at: claims.iat })),
        _ => Err(FOREIGN),
    }
}

fn invalid(error: TokenError) -> ServiceError {
    ServiceError::InvalidToken { reason: error.code() }
}

//! Tokens for what a user granted: the first by the code, the next by a refresh token (RFC 6749 §4.1.3 and §6).

use super::authorization::{Authorization, AuthorizationEnd, AuthorizedWrite, end};
use super::client_token::{Confirmation, TokenAudience, audience};
use super::dpop::{PROOF_NEEDED, PROOF_OF_ANOTHER_KEY};
use super::error::{OAuthCode, OAuthError};
use super::event::OAuthEvent;
use super::registered::GrantType;
use super::scope::{OPENID, ScopeSet};
use super::{ACR, Client};
use crate::access_token::new_jti;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::id::AuthorizationId;
use crate::randomness::Randomness;
use crate::time::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// What is said of a code or refresh token, whatever is wrong with it.
pub const NOT_GOOD: OAuthError = OAuthError::new(
    OAuthCode::InvalidGrant,
    "the code or refresh token is wrong, used, too old or another client's, or what was granted has ended",
);
const WRONG_URI: OAuthError =
    OAuthError::new(OAuthCode::InvalidGrant, "redirect_uri must be the one the code was sent to");
const WRONG_VERIFIER: OAuthError = OAuthError::new(
    OAuthCode::InvalidGrant,
    "code_verifier does not go with the code: send the one its code_challenge was made from, and none where there was none",
);

/// What a client sends with a code.
#[derive(Clone, Copy, Default)]
pub struct CodePresented<'r> {
    /// The parameter `redirect_uri`.
    pub redirect_uri: Option<&'r str>,
    /// The parameter `code_verifier`.
    pub code_verifier: Option<&'r str>,
}

/// What a client may ask of tokens it has a right to.
#[derive(Clone, Copy, Default)]
pub struct TokenWish<'r> {
    /// The parameter `scope`: less than was granted.
    pub scope: Option<&'r str>,
    /// The parameters `resource`: fewer than were granted (RFC 8707 §2.2).
    pub resources: &'r [&'r str],
    /// Thumbprint of the key the client proved to have (RFC 9449).
    pub key: Option<&'r str>,
}

/// Claims of an access token for what a user granted (RFC 9068 §2.2). There is no `sid`: it opens nothing of the session's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UserTokenClaims {
    /// Issuer: `{base}/t/{tenant}`.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The resource servers it is meant for, the issuer among them if UserInfo may be asked.
    pub aud: TokenAudience,
    /// Expiry, NumericDate.
    pub exp: i64,
    /// Issued at, NumericDate.
    pub iat: i64,
    /// Unique token id.
    pub jti: String,
    /// The client.
    pub client_id: String,
    /// What it may do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// When the user authenticated, NumericDate.
    pub auth_time: i64,
    /// How well (RFC 9068 §2.2.1).
    pub acr: &'static str,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// What the bearer must prove to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// What the user granted: a private claim, by which introspection finds whether it still stands.
    pub authorization_id: AuthorizationId,
}

/// What a client is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantedTokens {
    /// What the access token says.
    pub access: UserTokenClaims,
    /// Seconds it is good for.
    pub expires_in: u32,
    /// Generation of the refresh token, if there is one.
    pub refresh_generation: Option<u32>,
    /// Whether there is an ID token.
    pub id_token: bool,
}

/// What comes of a code or a refresh token.
#[derive(Debug)]
pub enum Outcome {
    /// Tokens.
    Granted(Box<GrantedTokens>),
    /// Nothing.
    Refused(OAuthError),
}

/// Redeems a genuine code. One that was used before ends all that came of it (RFC 6749 §4.1.2).
pub fn redeem(
    authorization: &Authorization,
    client: &Client,
    presented: CodePresented<'_>,
    wish: TokenWish<'_>,
    issuer: &str,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<Outcome> {
    if authorization.client != client.id {
        return refuse(client, NOT_GOOD);
    }
    if authorization.redeemed_at.is_some() {
        return replayed(authorization, client, AuthorizationEnd::CodeReplayed, now);
    }
    if authorization.revoked || now >= authorization.code_expires_at {
        return refuse(client, NOT_GOOD);
    }
    let bound = authorization.terms.dpop_jkt.as_deref();
    let checked =
        check_code(authorization, client, presented).and_then(|()| check_key(client, bound, wish.key));
    if let Err(error) = checked {
        return refuse(client, error);
    }
    let generation = u32::from(client.definition.may_use(GrantType::RefreshToken));
    // A confidential client is known at each refresh; a public one by the key it began with (RFC 9449 §5).
    let proof_key = wish.key.filter(|_| client.is_public()).map(str::to_owned);
    let rotation = Rotation { redeemed_at: now, generation, rotated_at: None, proof_key };
    grant(authorization, client, wish, GrantType::AuthorizationCode, Some(rotation), issuer, now, randomness)
}

/// Exchanges a genuine refresh token of this generation for the next one. The immediate predecessor within `grace` of its
/// replacement is an honest retry and gets the current one once more; any older one ends all that came of the grant.
#[expect(clippy::too_many_arguments, reason = "the facts of a decision")]
pub fn refresh(
    authorization: &Authorization,
    client: &Client,
    generation: u32,
    wish: TokenWish<'_>,
    grace: Duration,
    issuer: &str,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<Outcome> {
    let known = authorization.generation;
    let Some(redeemed_at) = authorization.redeemed_at.filter(|_| authorization.client == client.id) else {
        return refuse(client, NOT_GOOD);
    };
    let is_over = authorization.revoked || now >= authorization.refresh_expires_at;
    if is_over || generation > known || !client.definition.may_use(GrantType::RefreshToken) {
        return refuse(client, NOT_GOOD);
    }
    let bound = authorization.proof_key.as_deref();
    if let Err(error) = check_key(client, bound, wish.key) {
        return refuse(client, error);
    }
    if generation == known {
        let rotation = Rotation {
            redeemed_at,
            generation: known.saturating_add(1),
            rotated_at: Some(now),
            proof_key: authorization.proof_key.clone(),
        };
        return grant(
            authorization,
            client,
            wish,
            GrantType::RefreshToken,
            Some(rotation),
            issuer,
            now,
            randomness,
        );
    }
    let is_retry = generation + 1 == known
        && authorization.rotated_at.is_some_and(|rotated_at| now < rotated_at.plus(grace));
    if is_retry {
        return grant(authorization, client, wish, GrantType::RefreshToken, None, issuer, now, randomness);
    }
    replayed(authorization, client, AuthorizationEnd::RefreshReplayed, now)
}

fn check_code(
    authorization: &Authorization,
    client: &Client,
    presented: CodePresented<'_>,
) -> Result<(), OAuthError> {
    let terms = &authorization.terms;
    match presented.redirect_uri {
        Some(uri) if uri != terms.redirect_uri => return Err(WRONG_URI),
        // OAuth 2.1 leaves it out where PKCE binds the code to who asked.
        None if terms.code_challenge.is_none() => return Err(WRONG_URI),
        _ => {}
    }
    let is_bound = match (&terms.code_challenge, presented.code_verifier) {
        (Some(challenge), Some(verifier)) => challenge.is_met_by(verifier),
        // A verifier without a challenge: somebody took the challenge out of the request (RFC 9700 §2.1.1).
        (None, None) => !client.definition.require_pkce,
        _ => false,
    };
    if is_bound { Ok(()) } else { Err(WRONG_VERIFIER) }
}

/// Whether the key that was proved is the one that is needed.
pub(super) fn check_key(client: &Client, bound: Option<&str>, key: Option<&str>) -> Result<(), OAuthError> {
    match (bound, key) {
        (Some(bound), Some(key)) if bound != key => Err(PROOF_OF_ANOTHER_KEY),
        (Some(_), None) => Err(PROOF_NEEDED),
        (None, None) if client.definition.dpop_bound_access_tokens => Err(PROOF_NEEDED),
        _ => Ok(()),
    }
}

/// What changes of the authorization.
struct Rotation {
    redeemed_at: Timestamp,
    generation: u32,
    rotated_at: Option<Timestamp>,
    proof_key: Option<String>,
}

#[expect(clippy::too_many_arguments, reason = "the facts of a decision")]
fn grant(
    authorization: &Authorization,
    client: &Client,
    wish: TokenWish<'_>,
    grant_type: GrantType,
    rotation: Option<Rotation>,
    issuer: &str,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<Outcome> {
    let access = match access_claims(authorization, client, wish, issuer, now, randomness) {
        Ok(access) => access,
        Err(error) => return refuse(client, error),
    };
    let generation = rotation.as_ref().map_or(authorization.generation, |rotation| rotation.generation);
    let lasts = Duration::from_secs(client.definition.refresh_token_seconds.into());
    let write = rotation.map(|rotation| AuthorizedWrite::Advance {
        id: authorization.id,
        redeemed_at: rotation.redeemed_at,
        generation: rotation.generation,
        rotated_at: rotation.rotated_at,
        refresh_expires_at: now.plus(lasts),
        proof_key: rotation.proof_key,
        expected_version: authorization.version,
    });
    let event = OAuthEvent::TokenIssued {
        client: client.id,
        grant_type: grant_type.as_str(),
        jti: access.jti.clone(),
        scope: access.scope.clone(),
        authorization: Some((authorization.user, authorization.id)),
    };
    let granted = GrantedTokens {
        expires_in: client.definition.access_token_seconds,
        refresh_generation: (generation > 0).then_some(generation),
        id_token: authorization.terms.scope.contains(OPENID),
        access,
    };
    Decision {
        writes: write.into_iter().map(Write::Authorized).collect(),
        events: vec![Event::OAuth(event)],
        reply: Outcome::Granted(Box::new(granted)),
    }
}

fn access_claims(
    authorization: &Authorization,
    client: &Client,
    wish: TokenWish<'_>,
    issuer: &str,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<UserTokenClaims, OAuthError> {
    let terms = &authorization.terms;
    let scope = narrowed(&terms.scope, wish.scope)?;
    let granted = match terms.resources.is_empty() {
        true => &client.definition.resources,
        false => &terms.resources,
    };
    let iat = now.as_seconds();
    Ok(UserTokenClaims {
        iss: issuer.to_owned(),
        sub: authorization.user.to_string(),
        aud: audience(granted, wish.resources, issuer, scope.contains(OPENID))?,
        exp: iat + i64::from(client.definition.access_token_seconds),
        iat,
        jti: new_jti(randomness),
        client_id: client.id.to_string(),
        scope: scope.to_string(),
        auth_time: terms.authenticated_at.as_seconds(),
        acr: ACR,
        amr: terms.amr.clone(),
        cnf: Confirmation::of(wish.key),
        authorization_id: authorization.id,
    })
}

/// What is asked for, within what was granted (RFC 6749 §6).
fn narrowed(granted: &ScopeSet, asked: Option<&str>) -> Result<ScopeSet, OAuthError> {
    let Some(asked) = asked else { return Ok(granted.clone()) };
    let beyond = OAuthError::new(OAuthCode::InvalidScope, "scope must be within what the user granted");
    ScopeSet::of_parameter(asked).filter(|asked| asked.is_within(granted)).ok_or(beyond)
}

fn refused_event(client: &Client, error: OAuthError) -> Event {
    Event::OAuth(OAuthEvent::TokenRefused { client: client.id, error: error.code.as_str() })
}

fn refuse(client: &Client, error: OAuthError) -> Decision<Outcome> {
    Decision {
        writes: Vec::new(),
        events: vec![refused_event(client, error)],
        reply: Outcome::Refused(error),
    }
}

fn replayed(
    authorization: &Authorization,
    client: &Client,
    why: AuthorizationEnd,
    now: Timestamp,
) -> Decision<Outcome> {
    let Decision { writes, mut events, reply: () } = end(authorization, why, now);
    events.push(refused_event(client, NOT_GOOD));
    Decision { writes, events, reply: Outcome::Refused(NOT_GOOD) }
}

#[cfg(test)]
mod tests;

//! What users granted OAuth clients: to rows and back.

use super::FIRST_VERSION;
use crate::error::ServiceError;
use plinto_domain::id::AuthorizationId;
use plinto_domain::oauth::{
    Authorization, AuthorizedWrite, ClientConsent, ConsentWrite, ScopeSet, UsedProof,
};
use plinto_domain::{ClientId, SessionId, Timestamp, UserId};
use plinto_storage::repositories::authorizations::{self, Advance, AuthorizationRow};
use plinto_storage::repositories::client_consents::{self, ClientConsentRow};
use plinto_storage::repositories::used_proofs;
use plinto_storage::{Statement, TenantVault};
use std::time::Duration;

/// How long a row is kept after its refresh token has expired: longer than any access token is good.
const KEPT: Duration = Duration::from_secs(2 * 86_400);
/// One in so many insertions also removes rows nobody needs any more.
const SWEEP_EVERY: u8 = 16;

pub(super) fn statements(vault: &TenantVault, write: AuthorizedWrite) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        AuthorizedWrite::Insert { authorization, at } => {
            let row = row(&authorization, at);
            // The last byte of an id is random.
            let sweeps = row.authorization_id.as_bytes()[15].is_multiple_of(SWEEP_EVERY);
            let before = at.as_millis() - i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
            let swept = sweeps.then(|| authorizations::sweep(tenant, before));
            [authorizations::insert(vault, &row)].into_iter().chain(swept).collect()
        }
        AuthorizedWrite::Advance {
            id,
            redeemed_at,
            generation,
            rotated_at,
            refresh_expires_at,
            proof_key,
            expected_version,
        } => {
            let to = Advance {
                redeemed_at: redeemed_at.as_millis(),
                generation,
                rotated_at: rotated_at.map(Timestamp::as_millis),
                refresh_expires_at: refresh_expires_at.as_millis(),
                proof_key: proof_key.as_deref(),
            };
            vec![authorizations::advance(tenant, id.uuid(), to, expected_version)]
        }
        AuthorizedWrite::Revoke { id, at } => {
            vec![authorizations::revoke(tenant, id.uuid(), at.as_millis())]
        }
        AuthorizedWrite::RevokeAll { user, client, at } => {
            vec![authorizations::revoke_all(tenant, user.uuid(), client.uuid(), at.as_millis())]
        }
    }
}

pub(super) fn consent_statement(vault: &TenantVault, write: ConsentWrite) -> Statement {
    let tenant = vault.tenant();
    match write {
        ConsentWrite::Put(ClientConsent { user, client, scope, given_at }) => {
            let scope = scope.to_string();
            client_consents::put(tenant, user.uuid(), client.uuid(), &scope, given_at.as_millis())
        }
        ConsentWrite::Delete { user, client } => client_consents::delete(tenant, user.uuid(), client.uuid()),
    }
}

pub(super) fn use_proof(vault: &TenantVault, proof: &UsedProof, now: Timestamp) -> Vec<Statement> {
    let tenant = vault.tenant();
    let swept =
        proof.hash[0].is_multiple_of(SWEEP_EVERY).then(|| used_proofs::sweep(tenant, now.as_millis()));
    let used = used_proofs::insert(tenant, proof.hash, proof.expires_at.as_millis());
    [used].into_iter().chain(swept).collect()
}

fn row(authorization: &Authorization, at: Timestamp) -> AuthorizationRow {
    AuthorizationRow {
        authorization_id: authorization.id.uuid(),
        client_id: authorization.client.uuid(),
        user_id: authorization.user.uuid(),
        session_id: authorization.session.uuid(),
        terms: serde_json::to_string(&authorization.terms).expect("terms are plain JSON"),
        code_expires_at: authorization.code_expires_at.as_millis(),
        redeemed_at: authorization.redeemed_at.map(Timestamp::as_millis),
        generation: authorization.generation,
        rotated_at: authorization.rotated_at.map(Timestamp::as_millis),
        refresh_expires_at: authorization.refresh_expires_at.as_millis(),
        proof_key: authorization.proof_key.clone(),
        revoked_at: authorization.revoked.then(|| at.as_millis()),
        created_at: at.as_millis(),
        version: FIRST_VERSION,
    }
}

/// What a user granted, as it is stored.
pub(crate) fn authorization(row: &AuthorizationRow) -> Result<Authorization, ServiceError> {
    Ok(Authorization {
        id: AuthorizationId::from_uuid(row.authorization_id),
        client: ClientId::from_uuid(row.client_id),
        user: UserId::from_uuid(row.user_id),
        session: SessionId::from_uuid(row.session_id),
        terms: serde_json::from_str(&row.terms).map_err(|_| ServiceError::Damaged("terms of a grant"))?,
        code_expires_at: Timestamp::from_millis(row.code_expires_at),
        redeemed_at: row.redeemed_at.map(Timestamp::from_millis),
        generation: row.generation,
        rotated_at: row.rotated_at.map(Timestamp::from_millis),
        refresh_expires_at: Timestamp::from_millis(row.refresh_expires_at),
        proof_key: row.proof_key.clone(),
        revoked: row.revoked_at.is_some(),
        version: row.version,
    })
}

/// What a user lets a client have, as it is stored.
pub(crate) fn consent(user: UserId, row: &ClientConsentRow) -> Result<ClientConsent, ServiceError> {
    let scope = match row.scope.as_str() {
        "" => Some(ScopeSet::default()),
        text => ScopeSet::of_parameter(text),
    };
    Ok(ClientConsent {
        user,
        client: ClientId::from_uuid(row.client_id),
        scope: scope.ok_or(ServiceError::Damaged("scope of a consent"))?,
        given_at: Timestamp::from_millis(row.given_at),
    })
}

//! The keys a tenant signs with: replaced, and made for the algorithms its clients want.

use super::oauth::algorithm;
use super::{COMMIT_WAIT, Platform, to_the_end};
use crate::error::ServiceError;
use crate::persist;
use crate::tenant::{TenantCell, new_signing_key};
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{ClientDefinition, GrantType, ID_TOKEN_SECONDS, MOST_CLIENTS};
use plinto_domain::{TenantId, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::{clients, signing_keys};
use plinto_storage::{TenantVault, Unit};
use plinto_token::Algorithm;
use std::sync::Arc;

/// Seconds a replaced signing key still verifies beyond the life of the tokens it signed.
const RETIREMENT_MARGIN_SECONDS: i64 = 300;

impl Platform {
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
        let mut unit = made_signing_key(&cell.vault, algorithm, actor, now).await?;
        let clients = self.signing_needs(&cell, deadline).await?;
        // Later than the first, which is to sign access tokens.
        let later = Timestamp::from_millis(now.as_millis() + 1);
        for other in clients.algorithms.into_iter().filter(|other| *other != algorithm) {
            let another = made_signing_key(&cell.vault, other, actor, later).await?;
            unit.statements.extend(another.statements);
            unit.entries.extend(another.entries);
        }
        let lifetime = clients.longest_lifetime + RETIREMENT_MARGIN_SECONDS;
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

    /// What the tenant's clients need of its signing keys.
    async fn signing_needs(
        &self,
        cell: &TenantCell,
        deadline: Deadline,
    ) -> Result<SigningNeeds, ServiceError> {
        let (engine, most) = (&**self.0.store.engine(), u32::try_from(MOST_CLIENTS).unwrap_or(u32::MAX));
        let list = || clients::list(engine, &cell.vault, None, most);
        let rows = super::within(deadline, self.0.rows.read(cell.id, list)).await?;
        let definition = |row| Ok(persist::clients::client(row)?.definition);
        let definitions =
            rows.iter().map(definition).collect::<Result<Vec<ClientDefinition>, ServiceError>>()?;
        let signing = definitions.iter().filter(|client| client.may_use(GrantType::AuthorizationCode));
        let algorithms = signing.map(|client| algorithm(client.id_token_signed_response_alg));
        let lifetimes = definitions.iter().map(|client| client.access_token_seconds);
        let has_id_tokens = definitions.iter().any(|client| client.may_use(GrantType::AuthorizationCode));
        let of_users = if has_id_tokens { ID_TOKEN_SECONDS } else { 0 };
        let own = cell.settings.session.access_token_seconds.max(of_users);
        Ok(SigningNeeds {
            algorithms: algorithms.fold(Vec::new(), |mut known, algorithm| {
                if !known.contains(&algorithm) {
                    known.push(algorithm);
                }
                known
            }),
            longest_lifetime: lifetimes.fold(own, u32::max).into(),
        })
    }

    /// Sees to it that the tenant has a key of an algorithm to sign with.
    pub(super) async fn ensure_signing_key(
        &self,
        id: TenantId,
        algorithm: Algorithm,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        if self.0.tenants.cell(id, deadline).await?.signers.with(algorithm).is_some() {
            return Ok(());
        }
        let platform = self.clone();
        to_the_end(async move {
            let inner = &platform.0;
            let cell = inner.tenants.cell(id, deadline).await?;
            let list = || signing_keys::list(&**inner.store.engine(), &cell.vault);
            let newest = inner.rows.read(id, list).await?.iter().map(|key| key.created_at + 1).max();
            // Later than those there are: the oldest signs access tokens.
            let at = inner.environment.now().max(Timestamp::from_millis(newest.unwrap_or_default()));
            let unit = made_signing_key(&cell.vault, algorithm, actor, at).await?;
            drop(cell);
            let committed = inner.ledger.append(id, unit, Deadline::after(COMMIT_WAIT)).await;
            inner.tenants.drain(id).await;
            committed??;
            Ok(())
        })
        .await
    }
}

/// What clients need of a tenant's signing keys.
struct SigningNeeds {
    /// Algorithms of their ID tokens, each once.
    algorithms: Vec<Algorithm>,
    /// Seconds for which a token that is signed now may be good.
    longest_lifetime: i64,
}

/// A unit of work that adds a signing key. Making an RSA key takes a tenth of a second: not on an executor's thread.
async fn made_signing_key(
    vault: &Arc<TenantVault>,
    algorithm: Algorithm,
    actor: Actor,
    now: Timestamp,
) -> Result<Unit, ServiceError> {
    let vault = Arc::clone(vault);
    let making = tokio::task::spawn_blocking(move || new_signing_key(&vault, algorithm, actor, now));
    making.await.map_err(|_| ServiceError::Damaged("making a signing key failed"))?
}

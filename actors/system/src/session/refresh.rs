//! Giving out the next tokens: for a refresh token, or to a user who authenticated again.

use super::actor::SessionActor;
use super::commit::CommitFailure;
use super::handle::Refreshed;
use super::messages::{Proof, RefreshRequest, SessionKey};
use super::refresh_tokens::{issue, issue_again};
use super::state::Resident;
use crate::error::ServiceError;
use crate::persist::unit;
use crate::tenant::access_token;
use plinto_domain::Decision;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::decision::Write;
use plinto_domain::refresh_token::{RefreshToken, RefreshTokenParts};
use plinto_domain::session::{self, PresentedRefresh, RefreshOutcome, Session};
use plinto_runtime::Deadline;

/// How often one request decides on a row that somebody else keeps changing.
const MOST_DECISIONS: usize = 3;

impl SessionActor {
    /// Decides on what the row says: of a token that memory does not know as the current one, and after somebody else
    /// was faster, it is read again first.
    pub(super) async fn refresh(
        &self,
        key: &SessionKey,
        deadline: Deadline,
        resident: &mut Resident,
        request: RefreshRequest,
    ) -> Result<Refreshed, ServiceError> {
        let unknown = match &request.proof {
            Proof::Token(parts, _) => parts.generation != resident.session.generation,
            Proof::Reauthentication => false,
        };
        if (unknown && !resident.session.revoked) || resident.must_read(request.now, self.engine.is_shared())
        {
            self.read_again(key, resident).await?;
        }
        for _ in 0..MOST_DECISIONS {
            match self.exchange(key, deadline, resident, &request).await {
                Ok(answer) => return answer,
                Err(CommitFailure::RowDiffers) => self.read_after_conflict(key, resident).await?,
                Err(CommitFailure::AlreadyRevoked) => {
                    resident.session.revoked = true;
                    return Err(ServiceError::InvalidGrant);
                }
                Err(failure) => return Err(failure.answer(resident)),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn read_after_conflict(
        &self,
        key: &SessionKey,
        resident: &mut Resident,
    ) -> Result<(), ServiceError> {
        // Should reading fail, the next message reads first.
        resident.doubt();
        self.read_again(key, resident).await
    }

    /// One decision, committed. The inner result is the caller's answer.
    async fn exchange(
        &self,
        key: &SessionKey,
        deadline: Deadline,
        resident: &mut Resident,
        request: &RefreshRequest,
    ) -> Result<Result<Refreshed, ServiceError>, CommitFailure> {
        let session = &mut resident.session;
        let next =
            match issue(&request.cell.vault, key.tenant, session.id, session.generation.saturating_add(1)) {
                Ok((next, _)) => next,
                Err(error) => return Ok(Err(error.into())),
            };
        let Decision { writes, events, reply: outcome } = decide(session, request, &next);
        let refresh = match outcome {
            RefreshOutcome::Rotated => next,
            RefreshOutcome::Repeated => match current_token(session, request) {
                Some(current) => current,
                None => return Ok(Err(ServiceError::InvalidGrant)),
            },
            RefreshOutcome::ReuseDetected => {
                self.record(key, deadline, session, request, writes, &events).await?;
                session.revoked = true;
                return Ok(Err(ServiceError::InvalidGrant));
            }
            RefreshOutcome::Ended(_) | RefreshOutcome::Invalid => return Ok(Err(ServiceError::InvalidGrant)),
        };
        self.record(key, deadline, session, request, writes, &events).await?;
        if outcome == RefreshOutcome::Rotated {
            rotated(session, request, &refresh);
        }
        let access = access_token(&request.cell, (&*session).into(), request.now, &self.environment);
        let ends_at = session.expires_at.min(session.idle_expires_at);
        let (session, user) = (session.id, session.user);
        Ok(access.map(|access| Refreshed { session, user, access, refresh, ends_at }))
    }

    async fn record(
        &self,
        key: &SessionKey,
        deadline: Deadline,
        session: &Session,
        request: &RefreshRequest,
        writes: Vec<Write>,
        events: &[Event],
    ) -> Result<(), CommitFailure> {
        let unit = unit(&request.cell.vault, writes, events, Actor::User(session.user), request.now);
        self.commit(key.tenant, unit, deadline).await
    }
}

fn decide(session: &Session, request: &RefreshRequest, next: &RefreshToken) -> Decision<RefreshOutcome> {
    let RefreshRequest { cell, proof, client, now } = request;
    let policy = &cell.settings.session;
    match *proof {
        Proof::Token(parts, hash) => {
            let presented = PresentedRefresh { generation: parts.generation, hash, client: *client };
            session::refresh(session, presented, next.sha256(), policy, *now)
        }
        Proof::Reauthentication => session::reauthenticate(session, next.sha256(), *client, policy, *now),
    }
}

/// Memory after a committed rotation.
fn rotated(session: &mut Session, request: &RefreshRequest, next: &RefreshToken) {
    session.generation = session.generation.saturating_add(1);
    session.refresh_hash = next.sha256();
    session.rotated_at = Some(request.now);
    session.refresh_client = request.client;
    session.idle_expires_at = request.cell.settings.session.idle_expires_at(request.now);
    session.last_seen_at = request.now;
    if let Proof::Reauthentication = request.proof {
        session.authenticated_at = request.now;
    }
    session.version += 1;
}

/// The session's current refresh token, which is not stored but can be made again.
fn current_token(session: &Session, request: &RefreshRequest) -> Option<RefreshToken> {
    let Proof::Token(RefreshTokenParts { tenant, key_version, .. }, _) = request.proof else { return None };
    let current =
        RefreshTokenParts { tenant, session: session.id, generation: session.generation, key_version };
    let vault = &request.cell.vault;
    issue_again(vault, current, [vault.current_version(), key_version], &session.refresh_hash)
}

//! Exchanging a refresh token.

use super::actor::SessionActor;
use super::commit::CommitFailure;
use super::handle::Refreshed;
use super::messages::{RefreshRequest, SessionKey};
use super::refresh_tokens::issue;
use super::state::Resident;
use crate::error::ServiceError;
use crate::persist::unit;
use crate::tenant::access_token;
use plinto_domain::Decision;
use plinto_domain::audit::Actor;
use plinto_domain::session::{self, PresentedRefresh, RefreshOutcome};
use plinto_runtime::Deadline;

/// How often one request decides on a row that somebody else keeps changing.
const MOST_DECISIONS: usize = 3;

impl SessionActor {
    pub(super) async fn refresh(
        &self,
        key: &SessionKey,
        deadline: Deadline,
        resident: &mut Resident,
        request: RefreshRequest,
    ) -> Result<Refreshed, ServiceError> {
        let from_elsewhere =
            request.parts.generation != resident.session.generation && !resident.session.revoked;
        if from_elsewhere || resident.must_read(request.now, self.engine.is_shared()) {
            self.read_again(key, resident).await?;
        }
        for _ in 0..MOST_DECISIONS {
            match self.decide_refresh(key, deadline, resident, &request).await {
                Err(CommitFailure::RowDiffers) => self.read_again(key, resident).await?,
                Err(CommitFailure::AlreadyRevoked) => {
                    resident.session.revoked = true;
                    return Err(ServiceError::InvalidGrant);
                }
                Err(failure) => return Err(failure.answer(resident)),
                Ok(refreshed) => return Ok(refreshed),
            }
        }
        Err(ServiceError::Conflict)
    }

    /// One decision on what memory says, and its commit.
    async fn decide_refresh(
        &self,
        key: &SessionKey,
        deadline: Deadline,
        resident: &mut Resident,
        request: &RefreshRequest,
    ) -> Result<Refreshed, CommitFailure> {
        let RefreshRequest { cell, parts, hash, now } = request;
        let now = *now;
        let session = &mut resident.session;
        let generation = session.generation.saturating_add(1);
        let (token, _) = issue(&cell.vault, key.tenant, session.id, generation)
            .map_err(|error| CommitFailure::NotStored(error.into()))?;
        let presented = PresentedRefresh { generation: parts.generation, hash: *hash };
        let policy = cell.settings.session;
        let Decision { writes, events, reply: outcome } =
            session::refresh(session, presented, token.sha256(), &policy, now);
        if !events.is_empty() {
            let unit = unit(&cell.vault, writes, &events, Actor::User(session.user), now);
            self.commit(key.tenant, unit, deadline).await?;
        }
        match outcome {
            RefreshOutcome::Rotated => {
                session.generation = generation;
                session.refresh_hash = token.sha256();
                session.idle_expires_at = policy.idle_expires_at(now);
                session.version += 1;
                let access = access_token(cell, (&*session).into(), now, &self.environment)
                    .map_err(CommitFailure::NotStored)?;
                Ok(Refreshed { session: session.id, user: session.user, access, refresh: token })
            }
            RefreshOutcome::ReuseDetected => {
                session.revoked = true;
                Err(CommitFailure::NotStored(ServiceError::InvalidGrant))
            }
            RefreshOutcome::Ended(_) | RefreshOutcome::Invalid => {
                Err(CommitFailure::NotStored(ServiceError::InvalidGrant))
            }
        }
    }
}

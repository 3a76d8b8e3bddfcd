//! Giving out the next tokens: for a refresh token, to a user who authenticated again, or wants another organization.

use super::actor::SessionActor;
use super::commit::CommitFailure;
use super::handle::Refreshed;
use super::messages::{Proof, RefreshRequest, SessionKey, Shown};
use super::refresh_tokens::{issue, issue_again};
use super::state::Resident;
use crate::error::ServiceError;
use crate::persist::{self, unit};
use crate::tenant::{Bearer, access_token};
use plinto_domain::audit::{Actor, Event};
use plinto_domain::decision::Write;
use plinto_domain::organization::Candidate;
use plinto_domain::refresh_token::{RefreshToken, RefreshTokenParts};
use plinto_domain::session::{self, PresentedRefresh, RefreshOutcome, Session, Sought, SwitchProof};
use plinto_domain::{Decision, Timestamp};
use plinto_runtime::Deadline;
use plinto_storage::repositories::session_organizations::{self, Name};

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
            // Where nothing has to be written, no version would tell that another node was faster.
            Proof::Switch { .. } => true,
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
        let candidate = match self.candidate(key, session, request).await {
            Ok(candidate) => candidate,
            Err(error) => return Ok(Err(error)),
        };
        let generation = session.generation.saturating_add(1);
        let next = match issue(&request.cell.vault, key.tenant, session.id, generation) {
            Ok((next, _)) => next,
            Err(error) => return Ok(Err(error.into())),
        };
        let Decision { writes, events, reply: outcome } =
            match decide(session, request, candidate.as_ref(), &next) {
                Ok(decision) => decision,
                Err(error) => return Ok(Err(error)),
            };
        let refresh = match (outcome, &request.proof) {
            (RefreshOutcome::Ended(_) | RefreshOutcome::Invalid, _) => {
                return Ok(Err(ServiceError::InvalidGrant));
            }
            (RefreshOutcome::ReuseDetected, _) => {
                self.record(key, deadline, session, request, writes, &events).await?;
                session.revoked = true;
                return Ok(Err(ServiceError::InvalidGrant));
            }
            (_, Proof::Switch { shown: Shown::AccessToken { .. }, .. }) => None,
            (RefreshOutcome::Rotated, _) => Some(next),
            (RefreshOutcome::Repeated, _) => match current_token(session, request) {
                Some(current) => Some(current),
                None => return Ok(Err(ServiceError::InvalidGrant)),
            },
        };
        let after = session.after(&writes);
        self.record(key, deadline, session, request, writes, &events).await?;
        *session = after;
        Ok(self.tokens(session, request, candidate.as_ref(), refresh))
    }

    /// The tokens of a session as it is stored now.
    fn tokens(
        &self,
        session: &Session,
        request: &RefreshRequest,
        candidate: Option<&Candidate>,
        refresh: Option<RefreshToken>,
    ) -> Result<Refreshed, ServiceError> {
        let now = request.now;
        let organization = session.named(candidate, &request.cell.settings.session, now);
        let leaves = organization.and_then(|_| session.active_at(now)).and_then(|active| active.until);
        let shown = match request.proof {
            Proof::Switch { shown: Shown::AccessToken { expires_at }, .. } => Some(expires_at),
            _ => None,
        };
        let bearer = Bearer {
            user: session.user,
            session: session.id,
            authenticated_at: session.authenticated_at,
            amr: &session.amr,
            organization,
            until: [leaves.map(Timestamp::as_seconds), shown].into_iter().flatten().min(),
        };
        let access = access_token(&request.cell, bearer, now, &self.environment)?;
        Ok(Refreshed {
            session: session.id,
            user: session.user,
            access,
            refresh,
            ends_at: session.expires_at.min(session.idle_expires_at),
            organization: organization.map(|organization| organization.id),
        })
    }

    /// The organization that is asked for, or else the one the session is active in, if its user belongs to it.
    async fn candidate(
        &self,
        key: &SessionKey,
        session: &Session,
        request: &RefreshRequest,
    ) -> Result<Option<Candidate>, ServiceError> {
        let name = match &request.proof {
            Proof::Switch { organization, .. } => organization.as_ref().map(persist::organizations::name),
            Proof::Token(..) | Proof::Reauthentication => {
                session.organization.as_ref().map(|active| Name::Id(active.id.uuid()))
            }
        };
        let Some(name) = name else { return Ok(None) };
        let (tenant, user) = (key.tenant.uuid(), session.user.uuid());
        let read = || session_organizations::candidate(&*self.engine, tenant, name, user);
        let row = self.rows.read(key.tenant, read).await?;
        row.as_ref().map(persist::organizations::candidate).transpose()
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
        if writes.is_empty() && events.is_empty() {
            return Ok(());
        }
        let unit = unit(&request.cell.vault, writes, events, Actor::User(session.user), request.now);
        self.commit(key.tenant, unit, deadline).await
    }
}

fn decide(
    session: &Session,
    request: &RefreshRequest,
    candidate: Option<&Candidate>,
    next: &RefreshToken,
) -> Result<Decision<RefreshOutcome>, ServiceError> {
    let RefreshRequest { cell, proof, client, now } = request;
    let (policy, client, next) = (&cell.settings.session, *client, next.sha256());
    let presented =
        |parts: &RefreshTokenParts, hash| PresentedRefresh { generation: parts.generation, hash, client };
    Ok(match proof {
        Proof::Token(parts, hash) => {
            session::refresh(session, presented(parts, *hash), next, candidate, policy, *now)
        }
        Proof::Reauthentication => session::reauthenticate(session, next, client, candidate, policy, *now),
        Proof::Switch { organization, shown } => {
            let sought = match (organization, candidate) {
                (None, _) => Sought::Nothing,
                (Some(_), None) => Sought::Unknown,
                (Some(_), Some(candidate)) => Sought::Found(candidate),
            };
            let proof = match shown {
                Shown::AccessToken { .. } => SwitchProof::AccessToken,
                Shown::RefreshToken(parts, hash) => SwitchProof::Refresh(presented(parts, *hash)),
            };
            session::switch(session, proof, sought, next, policy, *now)?
        }
    })
}

/// The session's current refresh token, which is not stored but can be made again.
fn current_token(session: &Session, request: &RefreshRequest) -> Option<RefreshToken> {
    let RefreshTokenParts { tenant, key_version, .. } = match request.proof {
        Proof::Token(parts, _) | Proof::Switch { shown: Shown::RefreshToken(parts, _), .. } => parts,
        Proof::Reauthentication | Proof::Switch { .. } => return None,
    };
    let current =
        RefreshTokenParts { tenant, session: session.id, generation: session.generation, key_version };
    let vault = &request.cell.vault;
    issue_again(vault, current, [vault.current_version(), key_version], &session.refresh_hash)
}

use super::{Services, record_refusal};
use crate::error::ServiceError;
use crate::joining::Joining;
use crate::ledger::CommitError;
use crate::persist::unit;
use crate::platform::standing;
use crate::session::issue;
use crate::tenant::{Bearer, ClientContext, SignedIn, access_token};
use plinto_domain::account::AccountState;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::one_time::UNUSABLE;
use plinto_domain::session::{RevocationReason, SESSION_LIMIT};
use plinto_domain::sign_in::{SessionSeed, SignInOutcome};
use plinto_domain::{Decision, SessionId, Timestamp, UserId, Write};
use plinto_runtime::{Deadline, Reply};
use plinto_storage::repositories::{sessions, sign_in};

/// Generation of a session's first refresh token.
const FIRST_GENERATION: u32 = 1;
/// How often one sign-in decides on sessions that others keep beginning and ending.
const MOST_DECISIONS: usize = 16;

/// What came of signing somebody in.
pub(super) enum Attempt {
    SignedIn(Box<SignedIn>),
    Refused { error: ServiceError, events: Vec<Event>, now: Timestamp },
}

/// A refusal is answered before its audit entry is committed, so that the answer's time tells nothing; a success is
/// answered after its commit.
pub(super) async fn answer(
    services: &Services,
    attempt: Result<Attempt, ServiceError>,
    deadline: Deadline,
    reply: Reply<Result<SignedIn, ServiceError>>,
) {
    match attempt {
        Ok(Attempt::SignedIn(signed_in)) => {
            join_by_domains(services, signed_in.user, deadline).await;
            reply.send(Ok(*signed_in));
        }
        Ok(Attempt::Refused { error, events, now }) => {
            reply.send(Err(error));
            record_refusal(services, &events, now).await;
        }
        Err(error) => reply.send(Err(error)),
    }
}

/// Whoever signs in is a member from then on wherever the domain of an address admits.
async fn join_by_domains(services: &Services, user: UserId, deadline: Deadline) {
    let joining = Joining {
        cell: &services.cell,
        engine: &*services.engine,
        rows: &services.rows,
        ledger: &services.ledger,
        now: services.environment.now(),
    };
    joining.by_domains(user, deadline).await;
}

/// Decides, and commits what was decided, however somebody has proved who they are. `counted` is whose live sessions the
/// decision has to know; others that begin or end meanwhile are a reason to decide again.
pub(super) async fn begin_session(
    services: &Services,
    counted: Option<UserId>,
    client: ClientContext,
    deadline: Deadline,
    decide: impl Fn(SessionSeed, &[SessionId], Timestamp) -> Decision<SignInOutcome>,
) -> Result<Attempt, ServiceError> {
    let cell = &services.cell;
    let policy = &cell.settings.session;
    let now = services.environment.now();
    let session = SessionId::generate(now, services.environment.randomness());
    let (refresh, key_version) = issue(&cell.vault, cell.id, session, FIRST_GENERATION)?;
    let seed =
        SessionSeed { session, refresh_hash: refresh.sha256(), key_version, client: client.describe() };
    for _ in 0..MOST_DECISIONS {
        let live = match counted {
            Some(user) => live_sessions(services, user, now).await?,
            None => Vec::new(),
        };
        let Decision { writes, events, reply: outcome } = decide(seed.clone(), &live, now);
        let (user, amr, ended) = match outcome {
            SignInOutcome::SignedIn { user, amr, ended } => (user, amr, ended),
            SignInOutcome::TooManySessions => {
                return Ok(Attempt::Refused { error: SESSION_LIMIT.into(), events, now });
            }
            SignInOutcome::Refused => {
                return Ok(Attempt::Refused { error: ServiceError::InvalidCredentials, events, now });
            }
        };
        let unit = unit(&cell.vault, writes, &events, Actor::User(user), now);
        match services.ledger.append(cell.id, unit, deadline).await {
            Ok(Ok(_)) => services.ends.tell(cell.id, &ended),
            // The link or code was used by another request.
            Ok(Err(CommitError::Conflict("token_version"))) => return Err(UNUSABLE.into()),
            Ok(Err(CommitError::Conflict(_))) if counted.is_some() => continue,
            failed => {
                // It may have been stored.
                services.ends.doubt(cell.id, &ended);
                failed??;
            }
        }
        if let Some(refused) = refused_meanwhile(services, user, session, deadline).await? {
            return Ok(refused);
        }
        let bearer = Bearer { user, session, authenticated_at: now, amr: &amr };
        let access = access_token(cell, bearer, now, &services.environment)?;
        let ends_at = policy.expires_at(now).min(policy.idle_expires_at(now));
        let refresh_expires_in = ends_at.since(now).as_secs();
        let signed_in = SignedIn { user, session, access, refresh, refresh_expires_in };
        return Ok(Attempt::SignedIn(Box::new(signed_in)));
    }
    Err(ServiceError::Conflict)
}

async fn live_sessions(
    services: &Services,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<SessionId>, ServiceError> {
    let tenant = services.cell.id.uuid();
    let live = sessions::live_of_user(&*services.engine, tenant, user.uuid(), now.as_millis()).await?;
    Ok(live.into_iter().map(SessionId::from_uuid).collect())
}

/// Whoever blocks or deletes a user ends the sessions there are. One that was being made meanwhile is not among them, so
/// it is ended here, before anybody has heard of it.
async fn refused_meanwhile(
    services: &Services,
    user: UserId,
    session: SessionId,
    deadline: Deadline,
) -> Result<Option<Attempt>, ServiceError> {
    let cell = &services.cell;
    let read = || sign_in::standing(&*services.engine, cell.id.uuid(), user.uuid());
    let now = services.environment.now();
    let state = services.rows.read(cell.id, read).await?.map(|row| standing(row).state(now));
    let reason = match state {
        Some(AccountState::Active) => return Ok(None),
        Some(state) => state.as_str(),
        None => "unknown_account",
    };
    let ended = RevocationReason::UserBlocked;
    let revoke = Write::RevokeSession { session, reason: ended, at: now };
    let event = Event::SessionRevoked { session, user, reason: ended };
    let unit = unit(&cell.vault, vec![revoke], &[event], Actor::System, now);
    match services.ledger.append(cell.id, unit, deadline).await? {
        // A conflict says that it was ended with the others.
        Ok(_) | Err(CommitError::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let events = vec![Event::SignInRefused { user: Some(user), reason }];
    Ok(Some(Attempt::Refused { error: ServiceError::InvalidCredentials, events, now }))
}

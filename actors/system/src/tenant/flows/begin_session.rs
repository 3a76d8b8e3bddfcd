use super::{Services, record_refusal};
use crate::error::ServiceError;
use crate::joining::Joining;
use crate::ledger::CommitError;
use crate::persist::{self, unit};
use crate::session::issue;
use crate::tenant::{Bearer, ClientContext, SignedIn, access_token};
use crate::user_view::standing;
use plinto_domain::account::AccountState;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::one_time::UNUSABLE;
use plinto_domain::organization::{Candidate, OrganizationName};
use plinto_domain::refresh_token::RefreshToken;
use plinto_domain::session::{RevocationReason, SESSION_LIMIT, Sought};
use plinto_domain::sign_in::{Begun, SessionSeed, SignInOutcome};
use plinto_domain::{Decision, SessionId, Timestamp, UserId, Write};
use plinto_runtime::{Deadline, Reply};
use plinto_storage::repositories::{session_organizations, sessions, sign_in};

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

/// Who begins a session.
pub(super) struct Who {
    /// The user, once known to be who they say and to have an account that may be used.
    pub(super) user: Option<UserId>,
    /// Whether the decision has to know the user's live sessions.
    pub(super) counts: bool,
}

/// What somebody who signs in says besides who they are.
pub(super) struct Wish {
    pub(super) client: ClientContext,
    pub(super) organization: Option<OrganizationName>,
}

/// Decides, and commits what was decided, however somebody has proved who they are. Where live sessions are counted,
/// others that begin or end meanwhile are a reason to decide again, and so is another membership or policy where an
/// organization was named.
pub(super) async fn begin_session(
    services: &Services,
    who: Who,
    Wish { client, organization }: Wish,
    deadline: Deadline,
    decide: impl Fn(SessionSeed, Sought<'_>, &[SessionId], Timestamp) -> Decision<SignInOutcome>,
) -> Result<Attempt, ServiceError> {
    let cell = &services.cell;
    let now = services.environment.now();
    let session = SessionId::generate(now, services.environment.randomness());
    let (refresh, key_version) = issue(&cell.vault, cell.id, session, FIRST_GENERATION)?;
    let seed =
        SessionSeed { session, refresh_hash: refresh.sha256(), key_version, client: client.describe() };
    for _ in 0..MOST_DECISIONS {
        let live = match who.user.filter(|_| who.counts) {
            Some(user) => live_sessions(services, user, now).await?,
            None => Vec::new(),
        };
        let found = match who.user {
            Some(user) => candidate(services, user, organization.as_ref(), deadline).await?,
            None => None,
        };
        let sought = match (&organization, &found) {
            (None, _) => Sought::Nothing,
            (Some(_), None) => Sought::Unknown,
            (Some(_), Some(found)) => Sought::Found(found),
        };
        let Decision { writes, events, reply: outcome } = decide(seed.clone(), sought, &live, now);
        let begun = match outcome {
            SignInOutcome::SignedIn(begun) => begun,
            refused => return Ok(Attempt::Refused { error: refusal(refused), events, now }),
        };
        let unit = unit(&cell.vault, writes, &events, Actor::User(begun.user), now);
        match services.ledger.append(cell.id, unit, deadline).await {
            Ok(Ok(_)) => services.ends.tell(cell.id, &begun.ended),
            // The link or code was used by another request.
            Ok(Err(CommitError::Conflict("token_version"))) => return Err(UNUSABLE.into()),
            Ok(Err(CommitError::Conflict(_))) if who.counts || found.is_some() => continue,
            failed => {
                // It may have been stored.
                services.ends.doubt(cell.id, &begun.ended);
                failed??;
            }
        }
        if let Some(refused) = refused_meanwhile(services, begun.user, session, deadline).await? {
            return Ok(refused);
        }
        let signed_in = hand_out(services, session, begun, found.as_ref(), refresh, now)?;
        return Ok(Attempt::SignedIn(Box::new(signed_in)));
    }
    Err(ServiceError::Conflict)
}

fn refusal(outcome: SignInOutcome) -> ServiceError {
    match outcome {
        SignInOutcome::TooManySessions => SESSION_LIMIT.into(),
        SignInOutcome::NotAdmitted(why) => why.into(),
        SignInOutcome::Refused | SignInOutcome::SignedIn(_) => ServiceError::InvalidCredentials,
    }
}

/// The tokens of a session that was begun.
fn hand_out(
    services: &Services,
    session: SessionId,
    begun: Begun,
    organization: Option<&Candidate>,
    refresh: RefreshToken,
    now: Timestamp,
) -> Result<SignedIn, ServiceError> {
    let user = begun.user;
    let bearer = Bearer {
        user,
        session,
        authenticated_at: now,
        amr: &begun.amr,
        organization,
        until: begun.organization_until.map(Timestamp::as_seconds),
    };
    let access = access_token(&services.cell, bearer, now, &services.environment)?;
    let refresh_expires_in = begun.ends_at.since(now).as_secs();
    let organization = organization.map(|organization| organization.id);
    Ok(SignedIn { user, session, access, refresh, refresh_expires_in, organization })
}

/// The organization that was named, if the user belongs to it. One who does not yet may be admitted by a domain.
async fn candidate(
    services: &Services,
    user: UserId,
    name: Option<&OrganizationName>,
    deadline: Deadline,
) -> Result<Option<Candidate>, ServiceError> {
    let Some(name) = name.map(persist::organizations::name) else { return Ok(None) };
    let tenant = services.cell.id;
    let read = || session_organizations::candidate(&*services.engine, tenant.uuid(), name, user.uuid());
    let mut row = services.rows.read(tenant, read).await?;
    if row.is_none() {
        join_by_domains(services, user, deadline).await;
        row = services.rows.read(tenant, read).await?;
    }
    row.as_ref().map(persist::organizations::candidate).transpose()
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

use super::{SIGN_IN_ATTEMPTS, Services, while_wanted};
use crate::error::ServiceError;
use crate::persist::unit;
use crate::session::issue;
use crate::tenant::{Bearer, SignInRequest, SignedIn, access_token};
use plinto_domain::account::{Account, AccountState, StoredPassword};
use plinto_domain::address::Network;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::password::PasswordHash;
use plinto_domain::sign_in::{SessionSeed, SignIn, SignInOutcome, decide};
use plinto_domain::{Decision, SessionId, Timestamp, UserId};
use plinto_runtime::{Deadline, Reply};
use plinto_storage::repositories::sign_in;
use plinto_storage::repositories::users::UserState;
use std::time::Duration;

/// How long the audit entry of a refused sign-in may wait for the ledger.
const AUDIT_WAIT: Duration = Duration::from_secs(60);
/// Generation of a session's first refresh token.
const FIRST_GENERATION: u32 = 1;

/// Signs somebody in. A refusal is answered before its audit entry is committed, so that the answer's time tells
/// nothing; a success is answered after its commit.
pub(in crate::tenant) async fn sign_in(
    services: &Services,
    request: SignInRequest,
    deadline: Deadline,
    mut reply: Reply<Result<SignedIn, ServiceError>>,
) {
    match attempt(services, request, deadline, &mut reply).await {
        Ok(Attempt::SignedIn(signed_in)) => reply.send(Ok(*signed_in)),
        Ok(Attempt::Refused { events, now }) => {
            reply.send(Err(ServiceError::InvalidCredentials));
            record_refusal(services, &events, now).await;
        }
        Err(error) => reply.send(Err(error)),
    }
}

enum Attempt {
    SignedIn(Box<SignedIn>),
    Refused { events: Vec<Event>, now: Timestamp },
}

async fn attempt(
    services: &Services,
    request: SignInRequest,
    deadline: Deadline,
    reply: &mut Reply<Result<SignedIn, ServiceError>>,
) -> Result<Attempt, ServiceError> {
    let cell = &services.cell;
    let SignInRequest { sign_in: SignIn { email, password }, client } = request;
    let network = client.address.map(Network::of);
    if let Some(network) = network {
        services.attempts.network(&cell.vault, network).await?;
    }
    let account = cell.vault.blind_index(SIGN_IN_ATTEMPTS, email.normalized().as_bytes());
    services.attempts.account(&cell.vault, &account, network).await?;

    let account = load_account(services, email.normalized()).await?;
    let stored =
        account.as_ref().and_then(|account| account.password.as_ref()).map(|stored| stored.hash.clone());
    let checking = services.hasher.check(cell.id, password, stored, deadline);
    let check = while_wanted(reply, checking).await?;

    let now = services.environment.now();
    let session = SessionId::generate(now, services.environment.randomness());
    let (refresh, key_version) = issue(&cell.vault, cell.id, session, FIRST_GENERATION)?;
    let seed =
        SessionSeed { session, refresh_hash: refresh.sha256(), key_version, client: client.describe() };
    let Decision { writes, events, reply: outcome } =
        decide(account.as_ref(), check, seed, &cell.settings.session, now);
    let SignInOutcome::SignedIn { user, amr } = outcome else { return Ok(Attempt::Refused { events, now }) };

    let unit = unit(&cell.vault, writes, &events, Actor::User(user), now);
    services.ledger.append(cell.id, unit, deadline).await??;
    let bearer = Bearer { user, session, authenticated_at: now, amr: &amr };
    let access = access_token(cell, bearer, now, &services.environment)?;
    Ok(Attempt::SignedIn(Box::new(SignedIn { user, session, access, refresh })))
}

async fn load_account(services: &Services, email: &str) -> Result<Option<Account>, ServiceError> {
    let cell = &services.cell;
    let read = || sign_in::by_email(&*services.engine, &cell.vault, email);
    let row = services.rows.read(cell.id, read).await?;
    Ok(row.map(|row| Account {
        user: UserId::from_uuid(row.user.user_id),
        state: match row.user.state {
            UserState::Active => AccountState::Active,
            UserState::Blocked => AccountState::Blocked,
        },
        password: row.credential.map(|credential| StoredPassword {
            hash: PasswordHash::from_phc(credential.secret.to_string()),
            version: credential.version,
        }),
    }))
}

async fn record_refusal(services: &Services, events: &[Event], now: Timestamp) {
    // The caller has its answer; the entry does not depend on what is left of its time.
    let deadline = Deadline::after(AUDIT_WAIT);
    let unit = unit(&services.cell.vault, Vec::new(), events, Actor::Anonymous, now);
    let committed = services.ledger.append(services.cell.id, unit, deadline).await;
    if let Err(error) = committed.and_then(|outcome| outcome.map_err(ServiceError::from)) {
        tracing::error!(tenant = %services.cell.id, error = %error, "refused sign-in could not be audited");
    }
}

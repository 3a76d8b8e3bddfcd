use super::Services;
use super::begin_session::{Attempt, Who, Wish, answer, begin_session};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::one_time::{hash_of, hash_sent, stored};
use crate::persist::unit;
use crate::tenant::{SignInByMailRequest, SignedIn};
use crate::user_view::standing;
use plinto_domain::account::AccountState;
use plinto_domain::address::Network;
use plinto_domain::audit::Actor;
use plinto_domain::authorization::Subject;
use plinto_domain::email::EmailAddress;
use plinto_domain::one_time::{StoredSecret, UNUSABLE};
use plinto_domain::passwordless::{MailAccount, MailMethod, SignInByMail, check};
use plinto_domain::{Decision, Denial, Timestamp, UserId};
use plinto_runtime::{Deadline, Reply};
use plinto_storage::repositories::user_emails::UserEmailRow;
use plinto_storage::repositories::{one_time_tokens, sign_in, user_emails};

/// Signs in whoever has the challenge and what was mailed for it. A wrong code is counted before it is answered.
pub(in crate::tenant) async fn sign_in_by_mail(
    services: &Services,
    request: SignInByMailRequest,
    deadline: Deadline,
    reply: Reply<Result<SignedIn, ServiceError>>,
) {
    let attempted = match attempt(services, request, deadline).await {
        // Whoever reads the mail learns no more of an account than whoever guesses at a link.
        Ok(Attempt::Refused { error: ServiceError::InvalidCredentials, events, now }) => {
            Ok(Attempt::Refused { error: UNUSABLE.into(), events, now })
        }
        attempted => attempted,
    };
    answer(services, attempted, deadline, reply).await;
}

async fn attempt(
    services: &Services,
    request: SignInByMailRequest,
    deadline: Deadline,
) -> Result<Attempt, ServiceError> {
    let cell = &services.cell;
    let SignInByMailRequest { challenge, presented, organization, client } = request;
    if let Some(network) = client.address.map(Network::of) {
        services.attempts.network(&cell.vault, network).await?;
    }
    let id = hash_of(&cell.vault, &challenge).ok_or(UNUSABLE)?;
    let sent = match &presented {
        Some(presented) => Some(hash_sent(&cell.vault, &id, presented).ok_or(UNUSABLE)?),
        None => None,
    };
    let read = || one_time_tokens::get(&*services.engine, &cell.vault, id);
    let found = services.rows.read(cell.id, read).await?.map(stored).transpose()?;
    let now = services.environment.now();
    let (secret, user) = match check(found.as_ref(), sent.as_ref(), now) {
        Ok(good) => good,
        Err(refused) => return Err(count(services, refused, now, deadline).await),
    };
    let settings = &cell.settings;
    MailMethod::of(secret.purpose).ok_or(UNUSABLE)?.check(&settings.recovery)?;
    let account = account(services, secret, user, now).await?;
    let by_mail = SignInByMail { secret, user, account, language: settings.mail.language };
    let counts = settings.session.max_concurrent > 0 || by_mail.is_first_proof();
    let active = account.filter(|account| account.state == AccountState::Active);
    let who = Who { user: active.map(|_| user), counts };
    let wish = Wish { client, organization };
    let randomness = services.environment.randomness();
    let begun = begin_session(services, who, wish, deadline, |seed, sought, live, now| {
        by_mail.decide(seed, sought, live, &settings.session, now, randomness)
    })
    .await;
    // It may have proved an address, which is known of the user for flags.
    cell.rights.forget(Subject::User(user));
    begun
}

/// Counts a refused attempt, and answers why it was refused.
async fn count(
    services: &Services,
    refused: Decision<Denial>,
    now: Timestamp,
    deadline: Deadline,
) -> ServiceError {
    let Decision { writes, events, reply: why } = refused;
    if writes.is_empty() {
        return why.into();
    }
    let unit = unit(&services.cell.vault, writes, &events, Actor::Anonymous, now);
    match services.ledger.append(services.cell.id, unit, deadline).await {
        // Somebody else presented one at the same time; theirs was counted, and a good one would not have been served.
        Ok(Ok(_) | Err(CommitError::Conflict(_))) => why.into(),
        Ok(Err(error)) => error.into(),
        Err(error) => error,
    }
}

/// The account as it is now: its standing may have changed since the mail was sent, and so may its addresses.
async fn account(
    services: &Services,
    secret: &StoredSecret,
    user: UserId,
    now: Timestamp,
) -> Result<Option<MailAccount>, ServiceError> {
    let (cell, engine) = (&services.cell, &*services.engine);
    let normalized = secret.email.normalized();
    let find = || sign_in::by_email(engine, &cell.vault, normalized);
    let found = services.rows.read(cell.id, find).await?.filter(|row| row.user_id == user.uuid());
    let Some(row) = found else { return Ok(None) };
    let list = || user_emails::list_for_user(engine, &cell.vault, user.uuid());
    let emails = services.rows.read(cell.id, list).await?;
    let is_it = |email: &&UserEmailRow| {
        EmailAddress::parse("email", &email.email).is_ok_and(|email| email.normalized() == normalized)
    };
    let address = emails.iter().find(is_it);
    let address_proved = address.is_some_and(|email| email.verified_at.is_some());
    Ok(Some(MailAccount {
        state: standing(row.standing).state(now),
        has_address: address_proved || address.is_some_and(|email| email.is_primary),
        address_proved,
        any_proved: row.any_proved,
        has_password: row.credential.is_some(),
    }))
}

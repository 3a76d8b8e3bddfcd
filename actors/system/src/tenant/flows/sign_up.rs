use super::{SIGN_UP_ATTEMPTS, Services, while_wanted};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::one_time::fresh;
use crate::passwords::Chosen;
use crate::persist::unit;
use crate::tenant::SignUpRequest;
use plinto_domain::address::Network;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::recovery::{Recipient, ask_to_verify};
use plinto_domain::sign_up::{SignUp, decide, decide_repeated};
use plinto_domain::{Decision, UserId};
use plinto_runtime::{Deadline, Reply};
use plinto_storage::Unit;
use plinto_storage::repositories::user_emails;

/// Creates an account, or, if the address has one, does the same work and answers the same. The two differ only in
/// what is committed: one transaction either way.
pub(in crate::tenant) async fn sign_up(
    services: &Services,
    request: SignUpRequest,
    deadline: Deadline,
    reply: &mut Reply<Result<(), ServiceError>>,
) -> Result<(), ServiceError> {
    let cell = &services.cell;
    let network = request.client.address.map(Network::of);
    if let Some(network) = network {
        services.attempts.network(&cell.vault, network).await?;
    }
    let checked = check(services, &request)?;
    let account = cell.vault.blind_index(SIGN_UP_ATTEMPTS, checked.email.normalized().as_bytes());
    services.attempts.account(&cell.vault, &account, network).await?;
    let find = || user_emails::find_by_email(&*services.engine, &cell.vault, checked.email.normalized());
    let taken = services.rows.read(cell.id, find).await?.is_some();
    let email = checked.email.clone();
    let (mut unit, user) = hash_and_decide(services, checked, deadline, reply).await?;
    if taken {
        return tell_owner(services, email, deadline).await;
    }
    let proof = verification(services, Recipient { user, email: email.clone() });
    // That it was sent goes without saying: the ledger says that the user is new.
    unit.statements.extend(proof.statements);
    match services.ledger.append(cell.id, unit, deadline).await? {
        Ok(_) => Ok(()),
        // Somebody took the address between the look and the commit.
        Err(CommitError::Unique(_)) => tell_owner(services, email, deadline).await,
        Err(error) => Err(error.into()),
    }
}

fn check(services: &Services, request: &SignUpRequest) -> Result<SignUp, ServiceError> {
    let policy = &services.cell.settings.password;
    Ok(SignUp::parse(&request.email, &request.password, request.name.as_deref(), policy)?)
}

/// The decision as a unit of work. The new user acts for themselves.
async fn hash_and_decide<R>(
    services: &Services,
    checked: SignUp,
    deadline: Deadline,
    reply: &mut Reply<R>,
) -> Result<(Unit, UserId), ServiceError> {
    let cell = &services.cell;
    let SignUp { email, password, name } = checked;
    let chosen = Chosen::first(password, cell.settings.password);
    let hash = while_wanted(reply, services.hasher.hash(cell.id, chosen, deadline)).await?;
    let now = services.environment.now();
    let Decision { writes, events, reply: user } =
        decide(email, name, hash, now, services.environment.randomness());
    Ok((unit(&cell.vault, writes, &events, Actor::User(user), now), user))
}

/// The link by which a new user proves the address.
fn verification(services: &Services, recipient: Recipient) -> Unit {
    let (cell, now) = (&services.cell, services.environment.now());
    let randomness = services.environment.randomness();
    let (user, email) = (recipient.user, recipient.email.clone());
    let wanted = (&cell.settings.recovery, cell.settings.mail.language);
    let fresh = fresh(&cell.vault, randomness);
    let Decision { writes, events, reply: () } =
        ask_to_verify(email, Some(recipient), fresh, wanted, now, randomness);
    unit(&cell.vault, writes, &events, Actor::User(user), now)
}

/// The address has an account: whoever reads its mail hears of it, whoever signs up does not.
async fn tell_owner(
    services: &Services,
    email: EmailAddress,
    deadline: Deadline,
) -> Result<(), ServiceError> {
    let (cell, now) = (&services.cell, services.environment.now());
    let language = cell.settings.mail.language;
    let Decision { writes, events, reply: () } =
        decide_repeated(email, language, now, services.environment.randomness());
    let unit = unit(&cell.vault, writes, &events, Actor::Anonymous, now);
    services.ledger.append(cell.id, unit, deadline).await??;
    Ok(())
}

use super::begin_session::{Attempt, Who, Wish, answer, begin_session};
use super::{SIGN_IN_ATTEMPTS, Services, while_wanted};
use crate::error::ServiceError;
use crate::tenant::{SignInRequest, SignedIn};
use crate::user_view::standing;
use plinto_domain::UserId;
use plinto_domain::account::{Account, AccountState, StoredPassword};
use plinto_domain::address::Network;
use plinto_domain::password::PasswordHash;
use plinto_domain::sign_in::{SignIn, SignInName, decide};
use plinto_runtime::{Deadline, Reply};
use plinto_storage::repositories::sign_in;

/// Signs somebody in by a password.
pub(in crate::tenant) async fn sign_in(
    services: &Services,
    request: SignInRequest,
    deadline: Deadline,
    mut reply: Reply<Result<SignedIn, ServiceError>>,
) {
    let attempted = attempt(services, request, deadline, &mut reply).await;
    answer(services, attempted, deadline, reply).await;
}

async fn attempt(
    services: &Services,
    request: SignInRequest,
    deadline: Deadline,
    reply: &mut Reply<Result<SignedIn, ServiceError>>,
) -> Result<Attempt, ServiceError> {
    let cell = &services.cell;
    let SignInRequest { sign_in: SignIn { name, password, organization }, client } = request;
    let network = client.address.map(Network::of);
    if let Some(network) = network {
        services.attempts.network(&cell.vault, network).await?;
    }
    let account = cell.vault.blind_index(SIGN_IN_ATTEMPTS, name.normalized().as_bytes());
    services.attempts.account(&cell.vault, &account, network).await?;

    let account = load_account(services, &name).await?;
    let stored =
        account.as_ref().and_then(|account| account.password.as_ref()).map(|stored| stored.hash.clone());
    let checking = services.hasher.check(cell.id, password, stored, deadline);
    let check = while_wanted(reply, checking).await?;

    let policy = &cell.settings.session;
    let proved = account.as_ref().filter(|account| check.matches && account.state == AccountState::Active);
    let who = Who { user: proved.map(|account| account.user), counts: policy.max_concurrent > 0 };
    let wish = Wish { client, organization };
    begin_session(services, who, wish, deadline, |seed, sought, live, now| {
        let policies = (policy, &cell.settings.recovery);
        decide(account.as_ref(), check.clone(), seed, sought, live, policies, now)
    })
    .await
}

async fn load_account(services: &Services, name: &SignInName) -> Result<Option<Account>, ServiceError> {
    let cell = &services.cell;
    let read = async || match name {
        SignInName::Email(email) => {
            sign_in::by_email(&*services.engine, &cell.vault, email.normalized()).await
        }
        SignInName::Username(name) => {
            sign_in::by_username(&*services.engine, &cell.vault, name.as_str()).await
        }
    };
    let row = services.rows.read(cell.id, read).await?;
    let now = services.environment.now();
    Ok(row.map(|row| Account {
        user: UserId::from_uuid(row.user_id),
        state: standing(row.standing).state(now),
        any_proved: row.any_proved,
        password: row.credential.map(|credential| StoredPassword {
            hash: PasswordHash::from_phc(credential.secret.to_string()),
            version: credential.version,
        }),
    }))
}

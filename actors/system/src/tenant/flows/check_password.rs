use super::{REAUTHENTICATION_ATTEMPTS, Services, record_refusal, while_wanted};
use crate::error::ServiceError;
use crate::tenant::CheckPassword;
use plinto_domain::address::Network;
use plinto_domain::audit::Event;
use plinto_domain::password::PasswordHash;
use plinto_runtime::{Deadline, Reply};
use plinto_storage::repositories::credentials::{self, CredentialKind};

/// Whether this is the password of a user who is signed in. Attempts are counted for the user, so that a stolen session
/// is not enough to guess at it. A refusal is answered before it is put on record.
pub(in crate::tenant) async fn check_password(
    services: &Services,
    request: CheckPassword,
    deadline: Deadline,
    mut reply: Reply<Result<(), ServiceError>>,
) {
    let user = request.user;
    let matches = match compare(services, request, deadline, &mut reply).await {
        Ok(matches) => matches,
        Err(error) => return reply.send(Err(error)),
    };
    if matches {
        return reply.send(Ok(()));
    }
    reply.send(Err(ServiceError::InvalidCredentials));
    let refused = Event::SignInRefused { user: Some(user), reason: "wrong_password" };
    record_refusal(services, &[refused], services.environment.now()).await;
}

async fn compare(
    services: &Services,
    CheckPassword { user, password, client }: CheckPassword,
    deadline: Deadline,
    reply: &mut Reply<Result<(), ServiceError>>,
) -> Result<bool, ServiceError> {
    let cell = &services.cell;
    let network = client.address.map(Network::of);
    if let Some(network) = network {
        services.attempts.network(&cell.vault, network).await?;
    }
    let account = cell.vault.blind_index(REAUTHENTICATION_ATTEMPTS, user.uuid().as_bytes());
    services.attempts.account(&cell.vault, &account, network).await?;
    let read = || credentials::get(&*services.engine, &cell.vault, user.uuid(), CredentialKind::Password);
    let stored = services.rows.read(cell.id, read).await?;
    let stored = stored.map(|credential| PasswordHash::from_phc(credential.secret.to_string()));
    // Without a password there is nothing to match; the work is done all the same.
    let has_password = stored.is_some();
    let check = while_wanted(reply, services.hasher.check(cell.id, password, stored, deadline)).await?;
    Ok(has_password && check.matches)
}

use super::{Services, while_wanted};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::passwords::Chosen;
use crate::persist::unit;
use crate::platform::taken;
use crate::tenant::CreateUserRequest;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::user::create::decide;
use plinto_domain::user::profile::Profile;
use plinto_domain::{Decision, UserId};
use plinto_runtime::{Deadline, Reply};

/// Creates an account for a service or an operator, who is told if an address or another identifier is taken.
pub(in crate::tenant) async fn create_user(
    services: &Services,
    request: CreateUserRequest,
    actor: Actor,
    deadline: Deadline,
    reply: &mut Reply<Result<UserId, ServiceError>>,
) -> Result<UserId, ServiceError> {
    let cell = &services.cell;
    let CreateUserRequest { new, password } = request;
    services.metadata.check(cell, &Profile::default(), &new.profile, deadline).await?;
    let hash = match password {
        None => None,
        Some(password) => {
            let name = new.profile.name.as_ref().map(DisplayName::as_str);
            cell.settings.password.check(&password, Some(&new.email), name)?;
            let chosen = Chosen::first(password, cell.settings.password);
            Some(while_wanted(reply, services.hasher.hash(cell.id, chosen, deadline)).await?)
        }
    };
    let now = services.environment.now();
    let Decision { writes, events, reply: user } = decide(new, hash, now, services.environment.randomness());
    let unit = unit(&cell.vault, writes, &events, actor, now);
    match services.ledger.append(cell.id, unit, deadline).await? {
        Ok(_) => Ok(user),
        Err(CommitError::Unique(rule)) => Err(taken(&rule).unwrap_or(ServiceError::Conflict)),
        Err(error) => Err(error.into()),
    }
}

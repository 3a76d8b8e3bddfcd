use super::Services;
use crate::error::ServiceError;
use crate::persist::unit;
use plinto_domain::audit::Actor;
use plinto_domain::session::{RevocationReason, revoke_all};
use plinto_domain::{Decision, Timestamp, UserId};
use plinto_runtime::Deadline;

/// Ends every session of a user, in one transaction. Resident sessions are told afterwards by the caller.
pub(in crate::tenant) async fn sign_out_everywhere(
    services: &Services,
    user: UserId,
    now: Timestamp,
    deadline: Deadline,
) -> Result<(), ServiceError> {
    let Decision { writes, events, reply: () } = revoke_all(user, RevocationReason::SignOutEverywhere, now);
    let unit = unit(&services.cell.vault, writes, &events, Actor::User(user), now);
    services.ledger.append(services.cell.id, unit, deadline).await??;
    Ok(())
}

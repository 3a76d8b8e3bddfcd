use super::Services;
use crate::error::ServiceError;
use crate::persist::unit;
use crate::tenant::EndSessions;
use plinto_domain::Decision;
use plinto_domain::session::revoke_all;
use plinto_runtime::Deadline;

/// Ends sessions of a user, in one transaction. Resident sessions are told afterwards by the caller.
pub(in crate::tenant) async fn end_sessions(
    services: &Services,
    EndSessions { user, kept, reason, by, now }: EndSessions,
    deadline: Deadline,
) -> Result<(), ServiceError> {
    let Decision { writes, events, reply: () } = revoke_all(user, kept, reason, now);
    let unit = unit(&services.cell.vault, writes, &events, by, now);
    services.ledger.append(services.cell.id, unit, deadline).await??;
    Ok(())
}

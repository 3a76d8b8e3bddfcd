//! How many sessions a user has at once.

use super::changes::{OrganizationChange, SessionEvent, SessionWrite};
use super::ending::RevocationReason;
use super::policy::{AtLimit, SessionPolicy};
use crate::audit::Event;
use crate::decision::{Decision, NewSession, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::SessionId;

/// The user has as many sessions as the tenant allows.
pub const SESSION_LIMIT: Denial = Denial::new(
    DenialKind::Conflict,
    "session_limit_reached",
    "Too many sessions",
    "you are signed in on as many devices as may be at once; sign out on one of them and try again",
);

/// Begins a session beside those that are live, if their number is limited; answers which of them end for it.
pub fn begin(
    new: NewSession,
    live: &[SessionId],
    policy: &SessionPolicy,
) -> Result<Decision<Vec<SessionId>>, Denial> {
    let (session, user, at, most) = (new.session, new.user, new.at, policy.max_concurrent);
    let excess = if most == 0 { 0 } else { (live.len() + 1).saturating_sub(most as usize) };
    if excess > 0 && policy.at_limit == AtLimit::RefuseNew {
        return Err(SESSION_LIMIT);
    }
    // Ids are in the order of time.
    let mut ended = live.to_vec();
    ended.sort_unstable();
    ended.truncate(excess);
    let reason = RevocationReason::SessionLimit;
    let mut writes: Vec<Write> =
        ended.iter().map(|&session| Write::RevokeSession { session, reason, at }).collect();
    let mut events: Vec<Event> =
        ended.iter().map(|&session| Event::SessionRevoked { session, user, reason }).collect();
    events.push(Event::SessionCreated { session, user, amr: new.amr.clone() });
    if let Some(seat) = &new.seat {
        let (organization, why) = (Some(seat.organization().id), OrganizationChange::SignedIn);
        events.push(Event::Session(SessionEvent::OrganizationChanged { session, organization, why }));
    }
    writes.push(Write::InsertSession(new));
    if most > 0 {
        writes.push(Write::Session(SessionWrite::WithinLimit { session, user, most, at }));
    }
    Ok(Decision { writes, events, reply: ended })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;
    use crate::session::ClientDescription;
    use crate::time::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn id(number: u128) -> SessionId {
        SessionId::from_uuid(Uuid::from_u128(number))
    }

    fn new() -> NewSession {
        let now = Timestamp::from_millis(1_000);
        NewSession {
            session: id(1_000_000),
            user: UserId::from_uuid(Uuid::from_u128(1)),
            at: now,
            expires_at: now,
            idle_expires_at: now,
            amr: vec!["pwd".into()],
            client: ClientDescription::default(),
            refresh_hash: [0; 32],
            key_version: 1,
            seat: None,
        }
    }

    proptest! {
        #[test]
        fn never_more_than_allowed_and_the_oldest_go_first(
            live in prop::collection::hash_set(0_u128..1_000, 0..12),
            max_concurrent in 0_u32..6,
            refuse: bool,
        ) {
            let at_limit = if refuse { AtLimit::RefuseNew } else { AtLimit::EndOldest };
            let policy = SessionPolicy { max_concurrent, at_limit, ..SessionPolicy::default() };
            let live: Vec<_> = live.into_iter().map(id).collect();
            let fits = max_concurrent == 0 || live.len() < max_concurrent as usize;
            match begin(new(), &live, &policy) {
                Err(denial) => prop_assert!(denial == SESSION_LIMIT && refuse && !fits),
                Ok(Decision { writes, events, reply: ended }) => {
                    prop_assert!(fits || !refuse);
                    prop_assert_eq!(ended.is_empty(), fits);
                    if max_concurrent > 0 {
                        prop_assert!(live.len() - ended.len() < max_concurrent as usize);
                        let guarded = matches!(writes.last(), Some(Write::Session(
                            SessionWrite::WithinLimit { most, .. })) if *most == max_concurrent);
                        prop_assert!(guarded, "two at once must not both fit");
                    }
                    let kept = live.iter().filter(|session| !ended.contains(session));
                    prop_assert!(kept.min().is_none_or(|kept| ended.iter().all(|gone| gone < kept)));
                    prop_assert_eq!(events.len(), ended.len() + 1);
                }
            }
        }
    }
}

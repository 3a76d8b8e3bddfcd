//! Making a session active in another organization, or in none.

use super::changes::{OrganizationChange, Placement, SessionEvent, SessionWrite};
use super::organization::{NotAdmitted, Seat, Sought, idle_end};
use super::policy::SessionPolicy;
use super::{Presentation, PresentedRefresh, RefreshOutcome, Session};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::time::Timestamp;

/// By what somebody who has a session's access token asks for another organization.
#[derive(Clone, Copy, Debug)]
pub enum SwitchProof {
    /// The access token alone: nothing the session lives on is given out, and its life is not prolonged.
    AccessToken,
    /// A genuine refresh token too, which is replaced: who saw it before has nothing of the new rights.
    Refresh(PresentedRefresh),
}

/// Makes a session active in the organization that is sought, if its policy is met; `next_hash` is the SHA-256 of the
/// token prepared to follow a refresh token.
pub fn switch(
    session: &Session,
    proof: SwitchProof,
    sought: Sought<'_>,
    next_hash: [u8; 32],
    policy: &SessionPolicy,
    now: Timestamp,
) -> Result<Decision<RefreshOutcome>, NotAdmitted> {
    if let Err(ended) = session.check_live(now) {
        return Ok(Decision::reply_only(RefreshOutcome::Ended(ended)));
    }
    let presentation = match proof {
        SwitchProof::AccessToken => None,
        SwitchProof::Refresh(presented) => match session.presentation(&presented, policy, now) {
            Presentation::Invalid => return Ok(Decision::reply_only(RefreshOutcome::Invalid)),
            Presentation::Reuse => return Ok(super::reuse(session, presented, now)),
            good => Some((good, presented)),
        },
    };
    let seat = sought.seat(session.proved(), policy, now)?;
    let is_so = session.organization.as_ref() == seat.as_ref().map(Seat::organization);
    match presentation {
        None if is_so => Ok(Decision::reply_only(RefreshOutcome::Repeated)),
        None => Ok(placed(session, kept(session, seat, policy, now))),
        // An honest retry of the very same: nothing rotates.
        Some((Presentation::Predecessor, _)) if is_so => Ok(super::repeat(session)),
        Some((_, presented)) => {
            let placement = Placement {
                generation: session.generation.saturating_add(1),
                token_hash: next_hash,
                idle_expires_at: idle_end(policy, seat.as_ref(), now),
                rotated_at: Some(now),
                client: presented.client,
                ..kept(session, seat, policy, now)
            };
            Ok(placed(session, placement))
        }
    }
}

/// The session in its place, with the refresh token it has. It does not live longer for it.
fn kept(session: &Session, seat: Option<Seat>, policy: &SessionPolicy, now: Timestamp) -> Placement {
    Placement {
        session: session.id,
        generation: session.generation,
        token_hash: session.refresh_hash,
        idle_expires_at: idle_end(policy, seat.as_ref(), now).min(session.idle_expires_at),
        rotated_at: session.rotated_at,
        client: session.refresh_client,
        authenticated_at: session.authenticated_at,
        at: now,
        seat,
        expected_version: session.version,
    }
}

fn placed(session: &Session, placement: Placement) -> Decision<RefreshOutcome> {
    let organization = placement.seat.as_ref().map(|seat| seat.organization().id);
    let event = match organization == session.organization.as_ref().map(|active| active.id) {
        true => Event::SessionRefreshed { session: session.id, generation: placement.generation },
        false => Event::Session(SessionEvent::OrganizationChanged {
            session: session.id,
            organization,
            why: OrganizationChange::Switched,
        }),
    };
    Decision {
        writes: vec![Write::Session(SessionWrite::Place(Box::new(placement)))],
        events: vec![event],
        reply: RefreshOutcome::Rotated,
    }
}

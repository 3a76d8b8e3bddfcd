//! Answers of those who were invited.

use super::{Ending, Invitation, InvitationEvent};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::id::UserId;
use crate::organization::{Membership, OrganizationEvent, OrganizationWrite};
use crate::time::Timestamp;

/// Makes whom an invitation is for a member. Whoever became one meanwhile stays what they are.
///
/// Of two answers at once one stands: the write that ends the invitation expects the version seen here.
pub fn accept(
    invitation: &Invitation,
    user: UserId,
    present: Option<&Membership>,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    invitation.require_open(now)?;
    let Invitation { id, organization, ref role, .. } = *invitation;
    let mut writes = vec![OrganizationWrite::Invitation(invitation.end(Ending::Accepted(user), now))];
    let accepted = InvitationEvent::Accepted { invitation: id, organization, user };
    let mut events = vec![OrganizationEvent::Invitation(accepted)];
    if present.is_none() {
        writes.push(OrganizationWrite::InsertMember { organization, user, role: role.clone(), at: now });
        events.push(OrganizationEvent::MemberAdded { organization, user, role: role.clone() });
    }
    Ok(Decision {
        writes: writes.into_iter().map(Write::Organization).collect(),
        events: events.into_iter().map(Event::Organization).collect(),
        reply: (),
    })
}

/// Ends an invitation whose receiver does not want to.
pub fn decline(invitation: &Invitation, now: Timestamp) -> Result<Decision<()>, Denial> {
    invitation.require_open(now)?;
    let Invitation { id, organization, .. } = *invitation;
    let end = OrganizationWrite::Invitation(invitation.end(Ending::Declined, now));
    let event = InvitationEvent::Declined { invitation: id, organization };
    Ok(Decision {
        writes: vec![Write::Organization(end)],
        events: vec![Event::Organization(OrganizationEvent::Invitation(event))],
        reply: (),
    })
}

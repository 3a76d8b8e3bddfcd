//! Inviting, sending once more, taking back.

use super::{
    Ending, INVITATION_ENDED, INVITATION_PENDING, Invitation, InvitationEvent, InvitationState,
    InvitationWrite, OrganizationSettings,
};
use crate::audit::{Actor, Event};
use crate::authorization::RoleKey;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::email::EmailAddress;
use crate::id::{InvitationId, OrganizationId};
use crate::input::InvalidInput;
use crate::mail::{Language, MailMessage, OutgoingMail};
use crate::organization::{ALREADY_MEMBER, OrganizationEvent, OrganizationWrite, Permission, Standing};
use crate::randomness::Randomness;
use crate::recovery::Fresh;
use crate::time::Timestamp;
use std::time::Duration;

/// Minutes of a day.
const DAY: u32 = 1_440;

/// A request to invite somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    /// Whom.
    pub email: EmailAddress,
    /// As what.
    pub role: RoleKey,
}

impl NewInvitation {
    /// Checks the fields, and tells everything that is wrong with them.
    pub fn parse(email: &str, role: &str) -> Result<Self, Vec<InvalidInput>> {
        match (EmailAddress::parse("email", email), RoleKey::parse("role", role)) {
            (Ok(email), Ok(role)) => Ok(Self { email, role }),
            (email, role) => Err([email.err(), role.err()].into_iter().flatten().collect()),
        }
    }
}

/// What a mail that invites is made of.
pub struct Letter<'a> {
    /// For its link.
    pub fresh: Fresh,
    /// The organization's name.
    pub organization_name: &'a str,
    /// In which language.
    pub language: Language,
    /// How long it is good.
    pub settings: &'a OrganizationSettings,
    /// For its id.
    pub randomness: &'a dyn Randomness,
}

impl Letter<'_> {
    fn life(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.invitation_days * DAY) * 60)
    }

    fn to(self, email: EmailAddress, now: Timestamp) -> Write {
        let life = self.life();
        let message = MailMessage::OrganizationInvitation {
            token: self.fresh.text,
            minutes: self.settings.invitation_days * DAY,
            organization: self.organization_name.to_owned(),
        };
        Write::Mail(OutgoingMail::new(email, self.language, message, life, now, self.randomness))
    }
}

/// What an address is to the organization. Whether it has an account is not among it: whoever invites must not find out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressed {
    /// A member has it.
    pub is_member: bool,
    /// The invitation that is pending, or stored as such.
    pub pending: Option<Invitation>,
}

fn decision<R>(writes: Vec<InvitationWrite>, event: InvitationEvent, reply: R) -> Decision<R> {
    let writes = writes.into_iter().map(OrganizationWrite::Invitation).map(Write::Organization).collect();
    let events = vec![Event::Organization(OrganizationEvent::Invitation(event))];
    Decision { writes, events, reply }
}

/// Invites somebody. Nobody invites into a role that permits more than their own.
pub fn invite(
    standing: &Standing,
    organization: OrganizationId,
    new: NewInvitation,
    known: &Addressed,
    by: Actor,
    letter: Letter<'_>,
    now: Timestamp,
) -> Result<Decision<InvitationId>, Denial> {
    standing.require(Permission::ManageMembers)?;
    standing.require_all_of(&new.role)?;
    if known.is_member {
        return Err(ALREADY_MEMBER);
    }
    let mut writes = Vec::new();
    if let Some(pending) = &known.pending {
        if pending.state(now) != InvitationState::Expired {
            return Err(INVITATION_PENDING);
        }
        writes.push(pending.end(Ending::Expired, now));
    }
    let invitation = InvitationId::generate(now, letter.randomness);
    let NewInvitation { email, role } = new;
    writes.push(InvitationWrite::Insert {
        invitation,
        organization,
        email: email.clone(),
        role: role.clone(),
        token: letter.fresh.hash,
        invited_by: by.label(),
        at: now,
        expires_at: now.plus(letter.life()),
    });
    let event = InvitationEvent::Created { invitation, organization, role };
    let mut decision = decision(writes, event, invitation);
    decision.writes.push(letter.to(email, now));
    Ok(decision)
}

/// Sends an invitation once more, with a new link and a new life; the old link is good for nothing any more. One that
/// has expired lives again.
pub fn resend(
    standing: &Standing,
    invitation: &Invitation,
    letter: Letter<'_>,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    standing.require(Permission::ManageMembers)?;
    standing.require_all_of(&invitation.role)?;
    require_unanswered(invitation)?;
    let Invitation { id, organization, ref email, version, .. } = *invitation;
    let renew = InvitationWrite::Renew {
        organization,
        invitation: id,
        token: letter.fresh.hash,
        at: now,
        expires_at: now.plus(letter.life()),
        expected_version: version,
    };
    let mut decision = decision(vec![renew], InvitationEvent::Resent { invitation: id, organization }, ());
    decision.writes.push(letter.to(email.clone(), now));
    Ok(decision)
}

/// Takes an invitation back.
pub fn revoke(standing: &Standing, invitation: &Invitation, now: Timestamp) -> Result<Decision<()>, Denial> {
    standing.require(Permission::ManageMembers)?;
    standing.require_all_of(&invitation.role)?;
    require_unanswered(invitation)?;
    let event = InvitationEvent::Revoked { invitation: invitation.id, organization: invitation.organization };
    Ok(decision(vec![invitation.end(Ending::Revoked, now)], event, ()))
}

/// Refuses one that was answered or taken back; whether its time has passed does not matter.
fn require_unanswered(invitation: &Invitation) -> Result<(), Denial> {
    (invitation.stored == InvitationState::Pending).then_some(()).ok_or(INVITATION_ENDED)
}

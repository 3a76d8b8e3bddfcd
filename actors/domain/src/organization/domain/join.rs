//! Becoming a member by an address.

use super::{ClaimedDomain, DomainEvent, DomainMode, DomainWrite};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::id::UserId;
use crate::organization::{OrganizationEvent, OrganizationWrite};
use crate::time::Timestamp;

/// Makes a user with a proved address in a domain a member, if the domain was proved and is to do that. The user must
/// neither be nor have been a member: whoever left, or was removed, is not brought back.
pub fn join(user: UserId, domain: ClaimedDomain, now: Timestamp) -> Decision<()> {
    if !domain.verified || domain.mode != DomainMode::Automatic || domain.role.is_owner() {
        return Decision::reply_only(());
    }
    let ClaimedDomain { id, organization, ref role, .. } = domain;
    let role = role.clone();
    let events = [
        OrganizationEvent::Domain(DomainEvent::Admitted { domain: id, organization, user }),
        OrganizationEvent::MemberAdded { organization, user, role: role.clone() },
    ];
    let writes = [
        // Not by a domain that went, or does something else, meanwhile.
        OrganizationWrite::Domain(DomainWrite::Stand { domain }),
        OrganizationWrite::InsertMember { organization, user, role, at: now },
    ];
    Decision {
        writes: writes.into_iter().map(Write::Organization).collect(),
        events: events.into_iter().map(Event::Organization).collect(),
        reply: (),
    }
}

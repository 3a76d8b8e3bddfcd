//! Claiming a domain, proving it, saying what it does, letting it go.

use super::{
    ClaimedDomain, DOMAIN_NOT_PROVED, DomainEvent, DomainMode, DomainName, DomainWrite, MOST_DOMAINS,
    TOO_MANY_DOMAINS,
};
use crate::audit::Event;
use crate::authorization::RoleKey;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::id::{DomainId, OrganizationId};
use crate::input::InvalidInput;
use crate::organization::{OrganizationEvent, OrganizationWrite, Permission, Standing};
use crate::precondition::Precondition;
use crate::randomness::Randomness;
use crate::time::Timestamp;

/// A request to claim a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDomain {
    /// Its name.
    pub name: DomainName,
    /// What it is to do.
    pub mode: DomainMode,
    /// The role of those who become members by it.
    pub role: RoleKey,
}

impl NewDomain {
    /// Checks the fields, and tells everything that is wrong with them.
    pub fn parse(name: &str, mode: &str, role: &str) -> Result<Self, Vec<InvalidInput>> {
        let name = DomainName::parse("domain", name);
        match (name, DomainMode::parse("mode", mode), parse_role(role)) {
            (Ok(name), Ok(mode), Ok(role)) => Ok(Self { name, mode, role }),
            (name, mode, role) => Err([name.err(), mode.err(), role.err()].into_iter().flatten().collect()),
        }
    }
}

/// Whoever has an address is not yet somebody to own an organization.
fn parse_role(role: &str) -> Result<RoleKey, InvalidInput> {
    let role = RoleKey::parse("role", role)?;
    if role.is_owner() {
        return Err(InvalidInput::new("role", "owner_by_domain", "nobody becomes an owner by an address"));
    }
    Ok(role)
}

/// A change of what a domain does: what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainChange {
    /// What it is to do.
    pub mode: Option<DomainMode>,
    /// The role of those who become members by it.
    pub role: Option<RoleKey>,
}

impl DomainChange {
    /// Checks the fields, and tells everything that is wrong with them.
    pub fn parse(mode: Option<&str>, role: Option<&str>) -> Result<Self, Vec<InvalidInput>> {
        let mode = mode.map(|mode| DomainMode::parse("mode", mode)).transpose();
        match (mode, role.map(parse_role).transpose()) {
            (Ok(mode), Ok(role)) => Ok(Self { mode, role }),
            (mode, role) => Err([mode.err(), role.err()].into_iter().flatten().collect()),
        }
    }
}

fn decision<R>(write: DomainWrite, event: DomainEvent, reply: R) -> Decision<R> {
    Decision {
        writes: vec![Write::Organization(OrganizationWrite::Domain(write))],
        events: vec![Event::Organization(OrganizationEvent::Domain(event))],
        reply,
    }
}

/// Refuses those who may not say who becomes a member as what.
fn require(standing: &Standing, role: &RoleKey) -> Result<(), Denial> {
    standing.require(Permission::ChangeOrganization)?;
    standing.require(Permission::ManageMembers)?;
    standing.require_all_of(role)
}

/// Claims a domain; it does nothing until it is proved. `there` are as many as the organization has.
pub fn claim(
    standing: &Standing,
    organization: OrganizationId,
    new: NewDomain,
    there: usize,
    challenge: String,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<Decision<DomainId>, Denial> {
    require(standing, &new.role)?;
    if there >= MOST_DOMAINS {
        return Err(TOO_MANY_DOMAINS);
    }
    let NewDomain { name, mode, role } = new;
    let id = DomainId::generate(now, randomness);
    let domain = ClaimedDomain { id, organization, name, challenge, mode, role, verified: false, version: 1 };
    let write = DomainWrite::Insert { domain, at: now };
    Ok(decision(write, DomainEvent::Claimed { domain: id, organization }, id))
}

/// Proves a domain by what the DNS says. One that is proved stays so.
pub fn verify(
    standing: &Standing,
    domain: ClaimedDomain,
    found: &[String],
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    require(standing, &domain.role)?;
    if domain.verified {
        return Ok(Decision::reply_only(()));
    }
    let wanted = domain.record_value();
    if !found.iter().any(|record| record.trim() == wanted) {
        return Err(DOMAIN_NOT_PROVED);
    }
    let event = DomainEvent::Verified { domain: domain.id, organization: domain.organization };
    Ok(decision(DomainWrite::Verify { domain, at: now }, event, ()))
}

/// Says what a domain does. What is already so is not written again.
pub fn change(
    standing: &Standing,
    domain: ClaimedDomain,
    wanted: DomainChange,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    let mode = wanted.mode.unwrap_or(domain.mode);
    let role = wanted.role.unwrap_or_else(|| domain.role.clone());
    require(standing, &domain.role)?;
    require(standing, &role)?;
    precondition.check(domain.version)?;
    let fields = [(mode != domain.mode, "mode"), (role != domain.role, "role")];
    let fields: Vec<_> = fields.into_iter().filter_map(|(differs, name)| differs.then_some(name)).collect();
    if fields.is_empty() {
        return Ok(Decision::reply_only(()));
    }
    let event = DomainEvent::Changed { domain: domain.id, organization: domain.organization, fields };
    Ok(decision(DomainWrite::Update { domain, mode, role, at: now }, event, ()))
}

/// Lets a domain go: nobody becomes a member by it any more; who did stays.
pub fn release(
    standing: &Standing,
    domain: ClaimedDomain,
    precondition: &Precondition,
) -> Result<Decision<()>, Denial> {
    require(standing, &domain.role)?;
    precondition.check(domain.version)?;
    let event = DomainEvent::Removed { domain: domain.id, organization: domain.organization };
    Ok(decision(DomainWrite::Remove { domain }, event, ()))
}

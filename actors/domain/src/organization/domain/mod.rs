//! Domains of organizations: claimed, proved by a record in the DNS, and what they do for users with an address in them.

mod claim;
mod event;
mod join;
mod name;

pub use claim::{DomainChange, NewDomain, change, claim, release, verify};
pub use event::DomainEvent;
pub use join::join;
pub use name::DomainName;

use crate::authorization::RoleKey;
use crate::denial::{Denial, DenialKind};
use crate::id::{DomainId, OrganizationId};
use crate::input::InvalidInput;
use crate::time::Timestamp;

/// There is no such domain.
pub const UNKNOWN_DOMAIN: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_domain",
    "Unknown domain",
    "the organization has no domain of this id",
);

/// The organization claims it already.
pub const DOMAIN_CLAIMED: Denial = Denial::new(
    DenialKind::Conflict,
    "domain_claimed",
    "Domain claimed",
    "the organization claims this domain already; verify that claim",
);

/// Another organization proved that it is its own.
pub const DOMAIN_TAKEN: Denial = Denial::new(
    DenialKind::Conflict,
    "domain_taken",
    "Domain taken",
    "another organization verified this domain; it must be removed there first",
);

/// The record is not there.
pub const DOMAIN_NOT_PROVED: Denial = Denial::new(
    DenialKind::Conflict,
    "domain_not_proved",
    "Domain not proved",
    "no TXT record with the expected value was found under the expected name; new records may take a while to be seen",
);

/// Nobody could be asked.
pub const DNS_UNAVAILABLE: Denial = Denial::new(
    DenialKind::Conflict,
    "dns_unavailable",
    "DNS unavailable",
    "the DNS gave no answer about this domain in time; try again later",
);

/// The organization has as many domains as it may have.
pub const TOO_MANY_DOMAINS: Denial = Denial::new(
    DenialKind::Conflict,
    "too_many_domains",
    "Too many domains",
    "an organization claims at most 50 domains; remove one first",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] =
    &[UNKNOWN_DOMAIN, DOMAIN_CLAIMED, DOMAIN_TAKEN, DOMAIN_NOT_PROVED, DNS_UNAVAILABLE, TOO_MANY_DOMAINS];

/// Most domains of one organization.
pub const MOST_DOMAINS: usize = 50;

/// What a verified domain does for users with a proved address in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DomainMode {
    /// They become members.
    Automatic,
    /// They are told of the organization.
    Suggested,
}

impl DomainMode {
    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        let found = [Self::Automatic, Self::Suggested].into_iter().find(|mode| mode.as_str() == text);
        found.ok_or_else(|| InvalidInput::new(field, "invalid_mode", "expected automatic or suggested"))
    }

    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Suggested => "suggested",
        }
    }
}

/// A domain an organization claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimedDomain {
    /// Which.
    pub id: DomainId,
    /// Whose.
    pub organization: OrganizationId,
    /// Its name.
    pub name: DomainName,
    /// What has to stand in the DNS.
    pub challenge: String,
    /// What it does once it is verified.
    pub mode: DomainMode,
    /// The role of those who become members by it.
    pub role: RoleKey,
    /// Whether it was proved.
    pub verified: bool,
    /// Grows by one with each change.
    pub version: i64,
}

impl ClaimedDomain {
    /// Under which name the record that proves it is looked for.
    pub fn record_name(&self) -> String {
        format!("_plinto-challenge.{}", self.name.as_str())
    }

    /// What the record has to say.
    pub fn record_value(&self) -> String {
        format!("plinto-domain-verification={}", self.challenge)
    }
}

/// What becomes of a domain.
#[derive(Debug)]
pub enum DomainWrite {
    /// A claim.
    Insert {
        /// The claim.
        domain: ClaimedDomain,
        /// When.
        at: Timestamp,
    },
    /// What it does.
    Update {
        /// The domain as the decision saw it.
        domain: ClaimedDomain,
        /// From now on.
        mode: DomainMode,
        /// From now on.
        role: RoleKey,
        /// When.
        at: Timestamp,
    },
    /// It is proved; refused where it is another organization's.
    Verify {
        /// The domain as the decision saw it.
        domain: ClaimedDomain,
        /// When.
        at: Timestamp,
    },
    /// The decision holds only if the domain is still as it was seen.
    Stand {
        /// The domain as the decision saw it.
        domain: ClaimedDomain,
    },
    /// It goes.
    Remove {
        /// The domain as the decision saw it.
        domain: ClaimedDomain,
    },
}

#[cfg(test)]
mod tests;

//! The organization a session is active in: whose policy it meets, and as what its user acts there.

use super::policy::SessionPolicy;
use crate::authorization::RoleKey;
use crate::id::OrganizationId;
use crate::organization::Candidate;
use crate::time::Timestamp;
use std::time::Duration;

/// What the authentication methods hold after a second factor (RFC 8176).
const MULTI_FACTOR: &str = "mfa";

/// The organization a session is active in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActiveOrganization {
    /// Which.
    pub id: OrganizationId,
    /// As what.
    pub role: RoleKey,
    /// When that ends unless the user authenticates again; none as long as the session lives.
    pub until: Option<Timestamp>,
}

impl ActiveOrganization {
    /// Whether it is still so.
    pub fn lasts_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What an access token says of an organization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedOrganization {
    /// Which.
    pub id: OrganizationId,
    /// As what.
    pub role: RoleKey,
    /// When the token was issued, Unix seconds.
    pub issued_at: i64,
}

impl NamedOrganization {
    /// Whether it says what is so.
    pub(super) fn is(&self, active: &ActiveOrganization) -> bool {
        self.id == active.id && self.role == active.role
    }
}

/// How the user of a session proved itself.
#[derive(Clone, Copy, Debug)]
pub struct Proved<'a> {
    /// Authentication methods (RFC 8176).
    pub amr: &'a [String],
    /// When it last did.
    pub at: Timestamp,
}

/// What a session lacks to be active in an organization.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unmet {
    /// A second factor.
    SecondFactor,
    /// A sign-in by one of the ways the organization allows.
    Method,
    /// A sign-in within this many seconds.
    Recent {
        /// How many.
        max_age: u32,
    },
}

impl Unmet {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactor => "organization_second_factor",
            Self::Method => "organization_method",
            Self::Recent { .. } => "organization_recent_sign_in",
        }
    }
}

/// The right of a session to be active in an organization. Only [`admit`] gives it, so whatever writes one met the
/// policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seat {
    organization: ActiveOrganization,
    idle_seconds: u32,
    policy_version: i64,
}

impl Seat {
    /// In which organization, as what, until when.
    pub fn organization(&self) -> &ActiveOrganization {
        &self.organization
    }

    /// Version of the policy that was met.
    pub fn policy_version(&self) -> i64 {
        self.policy_version
    }
}

/// Admits a session into an organization its user belongs to, if it meets the organization's policy. What the tenant
/// allows is never exceeded.
pub fn admit(
    candidate: &Candidate,
    proved: Proved<'_>,
    tenant: &SessionPolicy,
    now: Timestamp,
) -> Result<Seat, Unmet> {
    let policy = &candidate.policy;
    let allowed = &policy.allowed_methods;
    if !allowed.is_empty() && !allowed.iter().any(|method| method.is_among(proved.amr)) {
        return Err(Unmet::Method);
    }
    if policy.mfa_required && !proved.amr.iter().any(|method| method == MULTI_FACTOR) {
        return Err(Unmet::SecondFactor);
    }
    let max_age = policy.absolute_seconds.map(|seconds| seconds.min(tenant.absolute_seconds));
    let until = max_age.map(|seconds| proved.at.plus(Duration::from_secs(seconds.into())));
    if let (Some(max_age), Some(until)) = (max_age, until)
        && now >= until
    {
        return Err(Unmet::Recent { max_age });
    }
    Ok(Seat {
        organization: ActiveOrganization { id: candidate.id, role: candidate.role.clone(), until },
        idle_seconds: policy.idle_seconds.map_or(tenant.idle_seconds, |idle| idle.min(tenant.idle_seconds)),
        policy_version: candidate.policy_version,
    })
}

/// End by idleness of a session used now, in an organization or in none.
pub(crate) fn idle_end(tenant: &SessionPolicy, seat: Option<&Seat>, now: Timestamp) -> Timestamp {
    let end = tenant.idle_expires_at(now);
    seat.map_or(end, |seat| end.min(now.plus(Duration::from_secs(seat.idle_seconds.into()))))
}

/// The organization a sign-in or a switch asks for.
#[derive(Clone, Copy, Debug)]
pub enum Sought<'a> {
    /// None.
    Nothing,
    /// One the user does not belong to, or that does not exist: the two look the same.
    Unknown,
    /// One the user belongs to.
    Found(&'a Candidate),
}

/// Why a session is not active in the organization that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAdmitted {
    /// The user does not belong to it, or it does not exist.
    Unknown,
    /// Its policy is not met.
    Unmet(Unmet),
}

impl NotAdmitted {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_organization",
            Self::Unmet(unmet) => unmet.as_str(),
        }
    }
}

impl Sought<'_> {
    /// The seat in what was asked for, if anything was.
    pub fn seat(
        self,
        proved: Proved<'_>,
        tenant: &SessionPolicy,
        now: Timestamp,
    ) -> Result<Option<Seat>, NotAdmitted> {
        match self {
            Self::Nothing => Ok(None),
            Self::Unknown => Err(NotAdmitted::Unknown),
            Self::Found(candidate) => {
                admit(candidate, proved, tenant, now).map(Some).map_err(NotAdmitted::Unmet)
            }
        }
    }
}

#[cfg(test)]
mod tests;

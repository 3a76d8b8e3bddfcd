//! What an organization asks of the sessions that are active in it.

use super::{OrganizationEvent, OrganizationSlug, OrganizationWrite, Permission, Standing};
use crate::audit::Event;
use crate::authorization::RoleKey;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::id::OrganizationId;
use crate::input::InvalidInput;
use crate::precondition::Precondition;
use crate::session::{SessionPolicy, Unmet};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Fewest seconds a user may be asked to have authenticated within.
const SHORTEST: u32 = 60;

/// A way to sign in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// A password.
    Password,
    /// A link in a mail.
    MagicLink,
    /// A code in a mail.
    EmailCode,
    /// A passkey.
    Passkey,
}

impl SignInMethod {
    /// Whether it is among the ways by which a session's user proved itself (RFC 8176, and `email`, for which that has no
    /// word). After a second factor a link and a code look the same: `otp` may be of either step.
    pub fn is_among(self, amr: &[String]) -> bool {
        let has = |method: &str| amr.iter().any(|known| known == method);
        match self {
            Self::Password => has("pwd"),
            Self::MagicLink => has("email") && (!has("otp") || has("mfa")),
            Self::EmailCode => has("email") && has("otp"),
            Self::Passkey => has("hwk") || has("swk"),
        }
    }
}

/// What an organization asks of the sessions that are active in it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrganizationPolicy {
    /// Whether the user must have proved a second factor.
    pub mfa_required: bool,
    /// Ways to sign in of which one must have been used; any if there are none.
    pub allowed_methods: Vec<SignInMethod>,
    /// Seconds after which a session that is active in it ends if it is not refreshed; the tenant's if none.
    pub idle_seconds: Option<u32>,
    /// Seconds since the user authenticated for which a session may be active in it; no bound of its own if none.
    pub absolute_seconds: Option<u32>,
}

/// A change of a policy (RFC 7396): what is left out stays, and what is null goes back to the default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PolicyChange {
    /// Whether a second factor is asked for.
    pub mfa_required: Option<Option<bool>>,
    /// Ways to sign in.
    pub allowed_methods: Option<Option<Vec<SignInMethod>>>,
    /// Lifetime without a refresh.
    pub idle_seconds: Option<Option<u32>>,
    /// Lifetime since the user authenticated.
    pub absolute_seconds: Option<Option<u32>>,
}

impl OrganizationPolicy {
    /// This policy with a change.
    fn changed(&self, change: PolicyChange) -> Self {
        let mut methods = match change.allowed_methods {
            Some(methods) => methods.unwrap_or_default(),
            None => self.allowed_methods.clone(),
        };
        methods.sort_unstable();
        methods.dedup();
        Self {
            mfa_required: change.mfa_required.map_or(self.mfa_required, Option::unwrap_or_default),
            allowed_methods: methods,
            idle_seconds: change.idle_seconds.unwrap_or(self.idle_seconds),
            absolute_seconds: change.absolute_seconds.unwrap_or(self.absolute_seconds),
        }
    }

    /// Refuses lifetimes beyond the tenant's, and such as nobody could work with.
    fn check(&self, tenant: &SessionPolicy) -> Result<(), Vec<InvalidInput>> {
        let (shortest_idle, longest_idle) = (tenant.access_token_seconds, tenant.idle_seconds);
        let within = |seconds: Option<u32>, least: u32, most: u32| {
            seconds.is_none_or(|seconds| (least..=most).contains(&seconds))
        };
        let mut wrong = Vec::new();
        if !within(self.idle_seconds, shortest_idle, longest_idle) {
            let detail = format!(
                "choose {shortest_idle} to {longest_idle} seconds, which the tenant's settings allow"
            );
            wrong.push(InvalidInput::new("idle_seconds", "out_of_range", &detail));
        }
        let longest = tenant.absolute_seconds;
        if !within(self.absolute_seconds, SHORTEST, longest) {
            let detail = format!("choose {SHORTEST} to {longest} seconds, which the tenant's settings allow");
            wrong.push(InvalidInput::new("absolute_seconds", "out_of_range", &detail));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            (self.mfa_required != other.mfa_required, "policy.mfa_required"),
            (self.allowed_methods != other.allowed_methods, "policy.allowed_methods"),
            (self.idle_seconds != other.idle_seconds, "policy.idle_seconds"),
            (self.absolute_seconds != other.absolute_seconds, "policy.absolute_seconds"),
        ];
        differs.into_iter().filter_map(|(differs, field)| differs.then_some(field)).collect()
    }
}

/// An organization a user belongs to, as what, and what it asks: all that a decision has to know to make a session
/// active in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Which.
    pub id: OrganizationId,
    /// Its name in URLs.
    pub slug: OrganizationSlug,
    /// As what.
    pub role: RoleKey,
    /// What it asks.
    pub policy: OrganizationPolicy,
    /// Version of the policy.
    pub policy_version: i64,
}

/// A policy as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredPolicy {
    /// Whose.
    pub organization: OrganizationId,
    /// The policy.
    pub policy: OrganizationPolicy,
    /// Grows by one with each change.
    pub version: i64,
}

/// Why a policy was not changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PolicyRefused {
    /// By a rule.
    Denied(Denial),
    /// The new one makes no sense.
    Invalid(Vec<InvalidInput>),
    /// Whoever asks does not meet the present one.
    Unmet(Unmet),
}

impl From<Denial> for PolicyRefused {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// Changes a policy; what is already so is not written again. A member must meet the present one (`met`): whoever
/// has no more than a password cannot do away with the second factor.
pub fn change_policy(
    (standing, met): (&Standing, Result<(), Unmet>),
    stored: &StoredPolicy,
    change: PolicyChange,
    tenant: &SessionPolicy,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Decision<()>, PolicyRefused> {
    standing.require(Permission::ChangePolicy)?;
    met.map_err(PolicyRefused::Unmet)?;
    precondition.check(stored.version)?;
    let policy = stored.policy.changed(change);
    policy.check(tenant).map_err(PolicyRefused::Invalid)?;
    let fields = policy.differences(&stored.policy);
    if fields.is_empty() {
        return Ok(Decision::reply_only(()));
    }
    let (organization, expected_version) = (stored.organization, stored.version);
    let write = OrganizationWrite::SetPolicy { organization, policy, expected_version, at: now };
    Ok(Decision {
        writes: vec![Write::Organization(write)],
        events: vec![Event::Organization(OrganizationEvent::PolicyChanged { organization, fields })],
        reply: (),
    })
}

#[cfg(test)]
mod tests;

use crate::core::authorization::Reason;
use plinto_actors::{DecidedBy, Ruling};
use serde::Serialize;
use utoipa::ToSchema;

/// A decision and what made it.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct RulingBody {
    /// Whether the subject may.
    pub(in crate::core) decision: bool,
    /// What decided: `grant`, `membership`, `policy`, `policy_error` if a policy that forbids could not be evaluated or
    /// the question does not fit the schema of the policies, or `none` if nothing permits it.
    #[schema(example = "grant")]
    decided_by: &'static str,
    /// What is granted, if anything is: the reason, unless policies forbid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// What the policies say; absent where none were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<PoliciesBody>,
}

/// What policies say.
#[derive(Serialize, ToSchema)]
#[schema(as = PoliciesSaid)]
pub(crate) struct PoliciesBody {
    /// Number of the version; absent for a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Whether the schema knows such questions: subject, action and resource of these types.
    covered: bool,
    /// Those that decided: their `@id`, or `policy0` and so on in the order of the text.
    decided: Vec<String>,
    /// What could not be evaluated.
    errors: Vec<PolicyError>,
}

/// Something that could not be evaluated.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyError {
    /// The policy; absent if it is the question that does not fit the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// What happened.
    message: String,
}

impl From<Ruling> for RulingBody {
    fn from(ruling: Ruling) -> Self {
        let asked = ruling.policy_version.is_some();
        Self::of(ruling, asked)
    }
}

impl RulingBody {
    /// With what the policies say, also if they are a draft.
    pub(in crate::core) fn of(ruling: Ruling, asked: bool) -> Self {
        let reason = ruling.why.map(Reason::from);
        let decided_by = match ruling.decided_by {
            DecidedBy::Granted => reason.as_ref().map_or("grant", Reason::decided_by),
            DecidedBy::Policy => "policy",
            DecidedBy::PolicyError => "policy_error",
            DecidedBy::Nothing => "none",
        };
        let errors = ruling.failures.into_iter();
        let errors = errors.map(|failure| PolicyError { policy: failure.policy, message: failure.message });
        let said = || PoliciesBody {
            version: ruling.policy_version,
            covered: ruling.is_covered,
            decided: ruling.policies,
            errors: errors.collect(),
        };
        Self { decision: ruling.permitted, decided_by, reason, policies: asked.then(said) }
    }
}

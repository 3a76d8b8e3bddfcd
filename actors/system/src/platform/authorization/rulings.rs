//! Where grants and policies come together: what policies forbid is forbidden, what either permits is permitted otherwise.

use super::super::work::Work;
use super::checks::{Circumstances, Why};
use crate::error::ServiceError;
use crate::tenant::{SeenPrincipal, SubjectRights};
use plinto_domain::authorization::{Question, Subject};
use plinto_domain::policy::{Asked, Compiled, Failure, Outcome, PrincipalFacts, Verdict};
use std::sync::Arc;

/// What decided a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecidedBy {
    /// A grant or a membership.
    Granted,
    /// A policy.
    Policy,
    /// A policy that could not be evaluated, or a question that does not fit the schema.
    PolicyError,
    /// Nothing permits it.
    Nothing,
}

/// A decision, with all that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Whether the subject may.
    pub permitted: bool,
    /// What decided.
    pub decided_by: DecidedBy,
    /// What is granted, whatever the policies say.
    pub why: Option<Why>,
    /// Number of the active version of the policies.
    pub policy_version: Option<i64>,
    /// Names of the policies that decided, or would have if grants had not.
    pub policies: Vec<String>,
    /// What could not be evaluated.
    pub failures: Vec<Failure>,
    /// Whether the schema of the policies knows such questions.
    pub is_covered: bool,
}

impl Ruling {
    /// Nothing permits it.
    pub(super) fn nothing() -> Self {
        Self::of(None, None, Verdict::SILENT)
    }

    /// What grants and policies come to.
    pub(in crate::platform) fn of(why: Option<Why>, policy_version: Option<i64>, verdict: Verdict) -> Self {
        let (permitted, decided_by) = match verdict.outcome {
            Outcome::Forbidden => (false, DecidedBy::Policy),
            Outcome::Failed => (false, DecidedBy::PolicyError),
            Outcome::Permitted if why.is_none() => (true, DecidedBy::Policy),
            Outcome::Permitted | Outcome::Silent if why.is_some() => (true, DecidedBy::Granted),
            Outcome::Permitted | Outcome::Silent => (false, DecidedBy::Nothing),
        };
        let Verdict { policies, failures, is_covered, outcome: _ } = verdict;
        Self { permitted, decided_by, why, policy_version, policies, failures, is_covered }
    }
}

/// What is asked of policies.
fn asked<'q>(
    question: &Question<'q>,
    beside: &Circumstances<'q>,
    organization: Option<&'q str>,
) -> Asked<'q> {
    Asked {
        action: question.action,
        kind: question.kind,
        id: question.id,
        organization,
        resource: beside.resource,
        properties: beside.action,
        context: beside.context,
    }
}

impl Work {
    /// Whether the subject may. Without policies this is what is granted and nothing more.
    pub(super) async fn may(
        &self,
        subject: Subject,
        rights: &SubjectRights,
        question: &Question<'_>,
        beside: &Circumstances<'_>,
    ) -> Result<bool, ServiceError> {
        let is_granted = rights.access.check(&rights.roles.catalogue, question, self.now()).is_some();
        let Some(active) = rights.policies.as_ref().and_then(|policies| policies.active.as_ref()) else {
            return Ok(is_granted);
        };
        let Some(seen) = self.seen_now(subject, rights, &active.1).await? else { return Ok(is_granted) };
        let organization = question.organization.map(|id| id.to_string());
        let asked = asked(question, beside, organization.as_deref());
        Ok(match self.cell().outcomes.of(&active.1, &seen, &asked) {
            Outcome::Forbidden | Outcome::Failed => false,
            Outcome::Permitted => true,
            Outcome::Silent => is_granted,
        })
    }

    /// The same, with all that made the decision.
    pub(in crate::platform) async fn rule(
        &self,
        subject: Subject,
        rights: &SubjectRights,
        question: &Question<'_>,
        beside: &Circumstances<'_>,
    ) -> Result<Ruling, ServiceError> {
        let active = rights.policies.as_ref().and_then(|policies| policies.active.as_ref());
        match active {
            None => Ok(Ruling::of(self.why(rights, question), None, Verdict::SILENT)),
            Some((version, compiled)) => {
                let verdict = self.verdict(subject, rights, compiled, question, beside).await?;
                Ok(Ruling::of(self.why(rights, question), Some(*version), verdict))
            }
        }
    }

    /// What is granted.
    pub(in crate::platform) fn why(&self, rights: &SubjectRights, question: &Question<'_>) -> Option<Why> {
        rights.access.check(&rights.roles.catalogue, question, self.now()).map(Why::of)
    }

    /// What the active policies say, and why.
    async fn verdict(
        &self,
        subject: Subject,
        rights: &SubjectRights,
        compiled: &Compiled,
        question: &Question<'_>,
        beside: &Circumstances<'_>,
    ) -> Result<Verdict, ServiceError> {
        let Some(seen) = self.seen_now(subject, rights, compiled).await? else { return Ok(Verdict::SILENT) };
        let organization = question.organization.map(|id| id.to_string());
        Ok(compiled.evaluate(&seen.principal, &asked(question, beside, organization.as_deref())))
    }

    /// The subject as the active policies see it, from memory if it is there.
    async fn seen_now(
        &self,
        subject: Subject,
        rights: &SubjectRights,
        compiled: &Compiled,
    ) -> Result<Option<Arc<SeenPrincipal>>, ServiceError> {
        let now = self.now();
        let kept = rights.principal.load_full().filter(|seen| seen.until.is_none_or(|until| now < until));
        if kept.is_some() {
            return Ok(kept);
        }
        let seen = self.seen(subject, rights, compiled).await?.map(Arc::new);
        if let Some(seen) = &seen {
            rights.principal.store(Some(Arc::clone(seen)));
        }
        Ok(seen)
    }

    /// What any version of the policies says, of which nothing is kept.
    pub(in crate::platform) async fn verdict_of(
        &self,
        subject: Subject,
        rights: &SubjectRights,
        compiled: &Compiled,
        question: &Question<'_>,
        beside: &Circumstances<'_>,
    ) -> Result<Verdict, ServiceError> {
        let Some(seen) = self.seen(subject, rights, compiled).await? else { return Ok(Verdict::SILENT) };
        let organization = question.organization.map(|id| id.to_string());
        Ok(compiled.evaluate(&seen.principal, &asked(question, beside, organization.as_deref())))
    }

    /// The subject as policies see it; none for a user that is not there, of whom policies say nothing.
    async fn seen(
        &self,
        subject: Subject,
        rights: &SubjectRights,
        compiled: &Compiled,
    ) -> Result<Option<SeenPrincipal>, ServiceError> {
        let facts = self.facts(subject, rights).await?;
        if facts.is_none() && matches!(subject, Subject::User(_)) {
            return Ok(None);
        }
        let now = self.now();
        let held = rights.access.role_keys(&rights.roles.catalogue, now).into_iter();
        let named = rights.memberships.iter().map(|membership| &membership.role);
        let mut roles: Vec<String> = held.chain(named).map(ToString::to_string).collect();
        roles.sort_unstable();
        roles.dedup();
        let organizations: Vec<String> =
            rights.memberships.iter().map(|membership| membership.organization.to_string()).collect();
        let id = subject.id_text();
        let principal = compiled.principal(&PrincipalFacts {
            kind: subject.kind().as_str(),
            id: &id,
            roles: &roles,
            organizations: &organizations,
            metadata: facts.map(|facts| &facts.metadata),
            email_domain: facts.and_then(|facts| facts.email_domain.as_deref()),
        });
        let number = self.cell().outcomes.number();
        Ok(Some(SeenPrincipal { principal, until: rights.access.next_expiry(now), number }))
    }
}

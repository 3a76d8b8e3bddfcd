use super::super::authorization::{CheckRequest, Ruling};
use super::super::work::Work;
use super::Platform;
use crate::error::ServiceError;
use crate::persist;
use plinto_domain::TenantId;
use plinto_domain::policy::{Compiled, PolicySource, UNKNOWN_POLICY_VERSION, Verdict};
use plinto_runtime::Deadline;

/// Which policies are tried.
#[derive(Clone, Debug)]
pub enum DryRunSource {
    /// Some that are not stored.
    Draft(PolicySource),
    /// A stored version.
    Version(i64),
}

/// Questions to policies that are not, or need not be, the active ones.
pub struct DryRun<'q> {
    /// The policies.
    pub source: DryRunSource,
    /// The questions.
    pub questions: Vec<CheckRequest<'q>>,
}

/// What would be decided, and what is decided now.
#[derive(Clone, Debug)]
pub struct DryRunResult {
    /// With the policies that are tried.
    pub tried: Ruling,
    /// With the active ones.
    pub present: Ruling,
}

impl Platform {
    /// What would be decided with other policies; nothing is changed. Roles and grants are what they are.
    pub async fn dry_run_policies(
        &self,
        tenant: TenantId,
        run: DryRun<'_>,
        deadline: Deadline,
    ) -> Result<Vec<DryRunResult>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let (version, policies) = work.tried(run.source).await?;
        let mut results = Vec::with_capacity(run.questions.len());
        for request in run.questions {
            results.push(work.try_one(version, &policies, request).await?);
        }
        Ok(results)
    }
}

impl Work {
    async fn tried(&self, source: DryRunSource) -> Result<(Option<i64>, Compiled), ServiceError> {
        match source {
            DryRunSource::Draft(source) => Ok((None, self.compiled(source).await??)),
            DryRunSource::Version(version) => {
                let (_, source) = self.policy_row(version).await?.ok_or(UNKNOWN_POLICY_VERSION)?;
                let valid = self.compiled(persist::policies::source(&source)?).await?;
                let policies = valid.map_err(|_| ServiceError::Damaged("a policy version"))?;
                Ok((Some(version), policies))
            }
        }
    }

    async fn try_one(
        &self,
        version: Option<i64>,
        policies: &Compiled,
        request: CheckRequest<'_>,
    ) -> Result<DryRunResult, ServiceError> {
        let CheckRequest { subject, question, circumstances } = request;
        let Some(subject) = subject else {
            let nothing = |version| Ruling::of(None, version, Verdict::SILENT);
            return Ok(DryRunResult { tried: nothing(version), present: nothing(None) });
        };
        let rights = self.rights(subject).await?;
        let verdict = self.verdict_of(subject, &rights, policies, &question, &circumstances).await?;
        let tried = Ruling::of(self.why(&rights, &question), version, verdict);
        let present = self.rule(subject, &rights, &question, &circumstances).await?;
        Ok(DryRunResult { tried, present })
    }
}

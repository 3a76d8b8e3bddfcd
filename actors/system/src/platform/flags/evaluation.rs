use super::super::Platform;
use super::super::work::Work;
use crate::error::ServiceError;
use crate::tenant::{KeptFlag, SubjectRights};
use plinto_domain::TenantId;
use plinto_domain::authorization::Subject;
use plinto_domain::flag::{FlagKey, Reason, Who};
use plinto_runtime::Deadline;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is a flag for somebody?
#[derive(Clone, Copy)]
pub struct FlagQuestion<'q> {
    /// An id: of a user or a service account of the tenant, or whatever else the tenant counts subjects by.
    pub subject: Option<&'q str>,
    /// What the asking service knows.
    pub context: Option<&'q Map<String, Value>>,
    /// Keys of the flags; all without.
    pub flags: Option<&'q [String]>,
}

/// What a flag is for somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct FlagEvaluation {
    /// Key of the flag, as it was asked for.
    pub flag: String,
    /// None if there is no such flag.
    pub served: Option<Served>,
}

/// What is served.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// Name of the variant.
    pub variant: String,
    /// Its value.
    pub value: Value,
    /// Why.
    pub reason: Reason,
    /// Version of the flag.
    pub version: i64,
}

/// Somebody, with what is known of them.
struct Known {
    subject: Subject,
    rights: Arc<SubjectRights>,
    organizations: BTreeSet<String>,
    roles: BTreeSet<String>,
}

impl Platform {
    /// What flags are for somebody: those asked for, in their order, or all in order of key.
    pub async fn evaluate_flags(
        &self,
        tenant: TenantId,
        question: FlagQuestion<'_>,
        deadline: Deadline,
    ) -> Result<Vec<FlagEvaluation>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.evaluate_flags(question, false).await
    }

    /// What flags are for the user an access token speaks for, but for those that users are not told of.
    pub async fn my_flags(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<Vec<FlagEvaluation>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user.to_string();
        let question = FlagQuestion { subject: Some(&user), context: None, flags: None };
        work.evaluate_flags(question, true).await
    }
}

impl Work {
    async fn evaluate_flags(
        &self,
        question: FlagQuestion<'_>,
        for_user: bool,
    ) -> Result<Vec<FlagEvaluation>, ServiceError> {
        let set = self.flags().await?;
        let shown = |kept: &&KeptFlag| !(for_user && kept.flag.definition.server_only);
        let asked: Vec<(String, Option<&KeptFlag>)> = match question.flags {
            None => set
                .by_key
                .values()
                .filter(shown)
                .map(|kept| (kept.flag.key.to_string(), Some(kept)))
                .collect(),
            Some(keys) => {
                let find = |key: &String| set.by_key.get(&FlagKey::parse("key", key).ok()?).filter(shown);
                keys.iter().map(|key| (key.clone(), find(key))).collect()
            }
        };
        let known = match question.subject.and_then(Subject::parse_id) {
            Some(subject) if asked.iter().any(|(_, kept)| kept.is_some()) => Some(self.known(subject).await?),
            _ => None,
        };
        let facts = match &known {
            Some(known)
                if asked.iter().any(|(_, kept)| kept.is_some_and(|kept| kept.compiled.needs_facts())) =>
            {
                self.facts(known.subject, &known.rights).await?
            }
            _ => None,
        };
        let who = Who {
            subject: question.subject,
            organizations: known.as_ref().map(|known| &known.organizations),
            roles: known.as_ref().map(|known| &known.roles),
            email_domain: facts.and_then(|facts| facts.email_domain.as_deref()),
            metadata: facts.map(|facts| &facts.metadata),
            context: question.context,
        };
        let evaluated = asked
            .into_iter()
            .map(|(flag, kept)| FlagEvaluation { flag, served: kept.map(|kept| served(kept, &who)) });
        Ok(evaluated.collect())
    }

    async fn known(&self, subject: Subject) -> Result<Known, ServiceError> {
        let rights = self.rights(subject).await?;
        let held = rights.access.role_keys(&rights.roles.catalogue, self.now());
        let named = rights.memberships.iter().map(|membership| &membership.role);
        let roles = held.into_iter().chain(named).map(ToString::to_string).collect();
        let organizations =
            rights.memberships.iter().map(|membership| membership.organization.to_string()).collect();
        Ok(Known { subject, organizations, roles, rights })
    }
}

fn served(kept: &KeptFlag, who: &Who<'_>) -> Served {
    let flag = &kept.flag;
    let evaluated = kept.compiled.evaluate(&flag.key, &flag.definition, who);
    Served {
        variant: evaluated.variant.to_owned(),
        value: flag.definition.value(evaluated.variant).cloned().unwrap_or_default(),
        reason: evaluated.reason,
        version: flag.version,
    }
}

use super::compiled::{Compiled, KnownAction, KnownType};
use super::entities::{ORGANIZATION, Principal, context, of_type, told, uid};
use cedar_policy::{Authorizer, Context, Decision, Entities, PolicyId, Request, Response};
use serde_json::{Map, Value};

/// Stands for resources whose type no policy can name.
const UNNAMEABLE: &str = "unnameable";

/// A question, with what was sent beside it.
#[derive(Clone, Copy)]
pub struct Asked<'q> {
    /// Name of the action.
    pub action: &'q str,
    /// Type of the resource.
    pub kind: &'q str,
    /// Its id.
    pub id: &'q str,
    /// Id of the organization it belongs to.
    pub organization: Option<&'q str>,
    /// More about the resource.
    pub resource: Option<&'q Map<String, Value>>,
    /// More about the action.
    pub properties: Option<&'q Map<String, Value>>,
    /// The circumstances.
    pub context: Option<&'q Map<String, Value>>,
}

/// What policies say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Nothing.
    Silent,
    /// It is permitted.
    Permitted,
    /// It is forbidden.
    Forbidden,
    /// It is forbidden because something could not be evaluated.
    Failed,
}

/// Something that could not be evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The policy; none if it is the question that does not fit the schema.
    pub policy: Option<String>,
    /// What happened, in words.
    pub message: String,
}

/// What the policies say to a question, and which of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// What they say.
    pub outcome: Outcome,
    /// Names of those that decided, in order.
    pub policies: Vec<String>,
    /// What could not be evaluated.
    pub failures: Vec<Failure>,
    /// Whether the schema knows such questions.
    pub is_covered: bool,
}

impl Verdict {
    /// Nothing is said.
    pub const SILENT: Self =
        Self { outcome: Outcome::Silent, policies: Vec::new(), failures: Vec::new(), is_covered: false };

    fn unfit(what: &str, why: &str) -> Self {
        let message = format!("{what} does not fit the schema: {why}");
        let failures = vec![Failure { policy: None, message }];
        Self { outcome: Outcome::Failed, policies: Vec::new(), failures, is_covered: true }
    }
}

impl Compiled {
    /// What the policies say to a question about a subject.
    pub fn evaluate(&self, principal: &Principal, asked: &Asked<'_>) -> Verdict {
        let known = self.actions.get(asked.action).zip(self.types.get(asked.kind));
        let covering = known.filter(|(action, kind)| {
            let pair = (principal.kind.clone(), kind.name.to_string());
            action.between.contains(&pair)
        });
        match covering {
            Some((action, kind)) => self.covered(principal, asked, action, kind),
            None => self.uncovered(principal, asked),
        }
    }

    /// A question that the schema knows is held against it as a whole.
    fn covered(
        &self,
        principal: &Principal,
        asked: &Asked<'_>,
        action: &KnownAction,
        kind: &KnownType,
    ) -> Verdict {
        let known = match &principal.entities {
            Ok(known) => known,
            Err(why) => return Verdict::unfit("what is known of the subject", why),
        };
        let resource = of_type(kind, asked.id);
        let entities = match self.with_others(known, principal, asked, (action, kind)) {
            Ok(entities) => entities,
            Err(why) => return Verdict::unfit("the resource with its properties", &why),
        };
        let declared = context(&action.context, asked.context, asked.properties);
        let context = match declared.is_empty() {
            true => Ok(Context::empty()),
            false => {
                Context::from_json_value(declared.into(), Some((&self.schema, &action.uid))).map_err(told)
            }
        };
        let request = context.and_then(|context| {
            let principal = principal.uid.clone();
            Request::new(principal, action.uid.clone(), resource, context, Some(&self.schema)).map_err(told)
        });
        let request = match request {
            Ok(request) => request,
            Err(why) => return Verdict::unfit("the context", &why),
        };
        self.decide(&request, &entities)
    }

    /// The subject, the action if it belongs to groups, and the resource, which may be the subject.
    fn with_others(
        &self,
        known: &Entities,
        principal: &Principal,
        asked: &Asked<'_>,
        (action, kind): (&KnownAction, &KnownType),
    ) -> Result<Entities, String> {
        let is_subject = principal.kind == asked.kind && principal.uid.id().unescaped() == asked.id;
        let resource = (!is_subject).then(|| {
            let empty = Map::new();
            let parents = asked.organization.into_iter().map(|id| (ORGANIZATION, id));
            self.entity(kind, asked.id, asked.resource.unwrap_or(&empty), parents)
        });
        let others: Vec<_> = action.grouped.iter().cloned().chain(resource.transpose()?).collect();
        if others.is_empty() {
            return Ok(known.clone());
        }
        known.clone().add_entities(others, Some(&self.schema)).map_err(told)
    }

    fn decide(&self, request: &Request, entities: &Entities) -> Verdict {
        let response = Authorizer::new().is_authorized(request, &self.policies, entities);
        let failures = failures(&response);
        let failed: Vec<String> = self.failed_forbids(&response).map(ToString::to_string).collect();
        let mut policies = names(response.diagnostics().reason());
        let outcome = match response.decision() {
            Decision::Deny if !policies.is_empty() => Outcome::Forbidden,
            // Whether it forbids nobody knows, so it does.
            _ if !failed.is_empty() => {
                policies = failed;
                policies.sort_unstable();
                Outcome::Failed
            }
            Decision::Allow => Outcome::Permitted,
            Decision::Deny => Outcome::Silent,
        };
        Verdict { outcome, policies, failures, is_covered: true }
    }

    /// Of a question that the schema does not know only this is said: that it is forbidden, whatever it is about. What
    /// asks for more than the subject's own name, roles and attributes cannot hold then.
    fn uncovered(&self, principal: &Principal, asked: &Asked<'_>) -> Verdict {
        if self.forbids.is_empty() {
            return Verdict::SILENT;
        }
        let mut entities = principal.entities.as_ref().unwrap_or(&principal.bare).clone();
        if let Some(action) = self.actions.get(asked.action).and_then(|action| action.grouped.clone()) {
            entities = entities.add_entities([action], None).expect("no entity of a subject is an action");
        }
        let resource = uid(asked.kind, asked.id).or_else(|| uid(UNNAMEABLE, asked.id));
        let request = resource.zip(uid("Action", asked.action)).and_then(|(resource, action)| {
            Request::new(principal.uid.clone(), action, resource, Context::empty(), None).ok()
        });
        let Some(request) = request else { return Verdict::SILENT };
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        let forbidding = response.diagnostics().reason().filter(|id| self.forbids.contains(*id));
        let policies = names(forbidding);
        let outcome = if policies.is_empty() { Outcome::Silent } else { Outcome::Forbidden };
        Verdict { outcome, policies, failures: Vec::new(), is_covered: false }
    }

    fn failed_forbids<'r>(&'r self, response: &'r Response) -> impl Iterator<Item = &'r PolicyId> {
        let failed = response.diagnostics().errors().map(policy_of);
        failed.filter(|id| self.forbids.contains(*id))
    }
}

fn policy_of(error: &cedar_policy::AuthorizationError) -> &PolicyId {
    let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
    error.policy_id()
}

fn names<'p>(ids: impl Iterator<Item = &'p PolicyId>) -> Vec<String> {
    let mut names: Vec<String> = ids.map(ToString::to_string).collect();
    names.sort_unstable();
    names
}

fn failures(response: &Response) -> Vec<Failure> {
    let failure = |error: &cedar_policy::AuthorizationError| Failure {
        policy: Some(policy_of(error).to_string()),
        message: error.to_string(),
    };
    let mut failures: Vec<_> = response.diagnostics().errors().map(failure).collect();
    failures.sort_unstable_by(|a, b| a.policy.cmp(&b.policy));
    failures
}

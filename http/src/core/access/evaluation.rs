//! Access evaluation (§6) and access evaluations (§7).

use super::entities::{AccessBody, Action, Entity, check, invalid};
use crate::extract::ManagedTenant;
use crate::objects::{object, optional_object};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use plinto_actors::CheckRequest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Evaluations in one request.
const MOST: usize = 500;

/// May this subject do this to this resource?
#[derive(Deserialize, ToSchema)]
pub(crate) struct EvaluationBody {
    /// Who.
    #[serde(deserialize_with = "object")]
    subject: Entity,
    /// To do what.
    #[serde(deserialize_with = "object")]
    action: Action,
    /// To what.
    #[serde(deserialize_with = "object")]
    resource: Entity,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    pub(in crate::core) context: Option<Map<String, Value>>,
}

impl EvaluationBody {
    /// The question it makes.
    pub(in crate::core) fn request(&self) -> CheckRequest<'_> {
        check(&self.subject, &self.action, &self.resource, self.context.as_ref())
    }
}

/// A decision.
#[derive(Serialize, ToSchema)]
pub(crate) struct Decision {
    /// Whether it may.
    decision: bool,
    /// More about the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
}

impl Decision {
    fn plain(decision: bool) -> Self {
        Self { decision, context: None }
    }

    /// What could not be evaluated is denied (§7.2.1).
    fn failed(message: &'static str) -> Self {
        let context = json!({ "error": { "status": 400, "message": message } });
        Self { decision: false, context: Some(context) }
    }
}

/// May somebody do something?
///
/// The organization a resource belongs to is `resource.properties.organization`; grants in that organization apply then.
/// Policies see the properties of resource and action and the context, as far as their schema declares them.
/// An `X-Request-ID` comes back as it was sent.
#[utoipa::path(post, path = "/access/v1/evaluation", tag = "decisions", request_body = EvaluationBody,
    params(("X-Request-ID" = Option<String>, Header, description = "comes back with the answer")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Decision), (status = 400, body = Problem)))]
pub(crate) async fn evaluate(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    AccessBody(body): AccessBody<EvaluationBody>,
) -> Result<Json<Decision>, Problem> {
    let permitted = state.platform().check(tenant, body.request(), state.deadline()).await?;
    Ok(Json(Decision::plain(permitted)))
}

/// Several questions; what is given beside `evaluations` is the default for each of them, whole or in part.
#[derive(Deserialize, ToSchema)]
pub(crate) struct EvaluationsBody {
    /// Who.
    #[schema(value_type = Option<Object>)]
    subject: Option<Map<String, Value>>,
    /// To do what.
    #[schema(value_type = Option<Object>)]
    action: Option<Map<String, Value>>,
    /// To what.
    #[schema(value_type = Option<Object>)]
    resource: Option<Map<String, Value>>,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
    /// The questions, at most 500; without any the request is a single one.
    #[schema(value_type = Option<Vec<Object>>)]
    evaluations: Option<Vec<Map<String, Value>>>,
    /// How to go about it.
    #[serde(default, deserialize_with = "optional_object")]
    options: Option<EvaluationsOptions>,
}

/// How to go about several questions.
#[derive(Deserialize, ToSchema, Default)]
pub(crate) struct EvaluationsOptions {
    /// When to stop.
    #[serde(default)]
    evaluations_semantic: Semantic,
}

/// When to stop.
#[derive(Deserialize, ToSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[schema(as = EvaluationsSemantic)]
pub(crate) enum Semantic {
    /// Never.
    #[default]
    ExecuteAll,
    /// At the first denial, which is answered as well.
    DenyOnFirstDeny,
    /// At the first permit, which is answered as well.
    PermitOnFirstPermit,
}

impl Semantic {
    fn stops_at(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

/// The decisions, in the order of the questions; or the one, if there was a single question.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Decisions {
    /// Of several questions.
    Several {
        /// The decisions.
        evaluations: Vec<Decision>,
    },
    /// Of a single question.
    One(Decision),
}

/// May somebody do these things?
#[utoipa::path(post, path = "/access/v1/evaluations", tag = "decisions", request_body = EvaluationsBody,
    params(("X-Request-ID" = Option<String>, Header, description = "comes back with the answer")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Decisions), (status = 400, body = Problem)))]
pub(crate) async fn evaluate_all(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    AccessBody(body): AccessBody<EvaluationsBody>,
) -> Result<Json<Decisions>, Problem> {
    let questions = body.evaluations.as_deref().unwrap_or_default();
    if questions.len() > MOST {
        return Err(invalid("`evaluations` has at most 500 questions; send several requests"));
    }
    let deadline = state.deadline();
    if questions.is_empty() {
        let Some(one) = body.question(&Map::new()) else {
            return Err(invalid("`subject`, `action` and `resource` are needed, each with its members"));
        };
        let permitted = state.platform().check(tenant, one.request(), deadline).await?;
        return Ok(Json(Decisions::One(Decision::plain(permitted))));
    }
    let semantic = body.options.as_ref().map(|options| options.evaluations_semantic).unwrap_or_default();
    let mut evaluations = Vec::with_capacity(questions.len());
    for question in questions {
        let decision = match body.question(question) {
            None => Decision::failed("subject, action and resource are needed, each with its members"),
            Some(one) => Decision::plain(state.platform().check(tenant, one.request(), deadline).await?),
        };
        let stop = semantic.stops_at(decision.decision);
        evaluations.push(decision);
        if stop {
            break;
        }
    }
    Ok(Json(Decisions::Several { evaluations }))
}

impl EvaluationsBody {
    /// A question with the defaults where it has none of its own: an entity it has replaces the default, but for the
    /// required members it leaves out. None if something is missing then, or is no text.
    fn question(&self, own: &Map<String, Value>) -> Option<EvaluationBody> {
        let entity = |name: &str, default: &Option<Map<String, Value>>, required: &[&str]| {
            let own = own.get(name).map(Value::as_object);
            let mut entity = match own {
                Some(own) => own?.clone(),
                None => return default.clone(),
            };
            for member in required {
                if let Some(value) = default.as_ref().and_then(|default| default.get(*member)) {
                    entity.entry(*member).or_insert_with(|| value.clone());
                }
            }
            Some(entity)
        };
        let subject = entity("subject", &self.subject, &["type", "id"])?;
        let action = entity("action", &self.action, &["name"])?;
        let resource = entity("resource", &self.resource, &["type", "id"])?;
        let context = match own.get("context") {
            None => self.context.clone(),
            Some(own) => Some(own.as_object()?.clone()),
        };
        Some(EvaluationBody {
            subject: serde_json::from_value(subject.into()).ok()?,
            action: serde_json::from_value(action.into()).ok()?,
            resource: serde_json::from_value(resource.into()).ok()?,
            context,
        })
    }
}

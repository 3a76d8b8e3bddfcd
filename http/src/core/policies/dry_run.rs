use super::SourceBody;
use crate::core::access::EvaluationBody;
use crate::core::access::rulings::RulingBody;
use crate::extract::{JsonBody, ManagedTenant};
use crate::objects::optional_object;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use plinto_actors::{DryRun, DryRunSource, ServiceError};
use plinto_domain::InvalidInput;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Questions in one request.
const MOST: usize = 100;

/// Policies to be tried, and questions to them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunBody {
    /// Policies that are not stored. Give either these or `version`.
    #[serde(default, deserialize_with = "optional_object")]
    draft: Option<SourceBody>,
    /// Number of a stored version.
    version: Option<i64>,
    /// The questions, as in `POST /access/v1/evaluation`; at most 100. Without any the policies are only validated.
    #[serde(default)]
    #[schema(max_items = 100)]
    evaluations: Vec<EvaluationBody>,
}

/// What would be decided, and what is decided now.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRunEvaluation {
    /// With the policies that are tried.
    tried: RulingBody,
    /// With the active ones.
    active: RulingBody,
    /// Whether the two differ.
    changed: bool,
}

/// What trying policies came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRunAnswer {
    /// In the order of the questions.
    evaluations: Vec<DryRunEvaluation>,
    /// How many of them would be decided differently.
    changed: usize,
}

/// Try policies without activating them.
///
/// Answers the questions with these policies and, beside that, with the active ones, and says what would change. Roles and
/// grants are what they are. Nothing is stored.
#[utoipa::path(post, path = "/v1/policies/dry-run", tag = "policies", request_body = DryRunBody,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = DryRunAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn dry_run(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    JsonBody(body): JsonBody<DryRunBody>,
) -> Result<Json<DryRunAnswer>, Problem> {
    let source = match (body.draft, body.version) {
        (Some(draft), None) => draft.parse().map(DryRunSource::Draft),
        (None, Some(version)) => Ok(DryRunSource::Version(version)),
        _ => Err(vec![InvalidInput::new("draft", "one_needed", "give either `draft` or `version`")]),
    };
    let source = source.map_err(ServiceError::from)?;
    if body.evaluations.len() > MOST {
        let detail = "ask at most 100 questions at once";
        let error = InvalidInput::new("evaluations", "too_many_evaluations", detail);
        return Err(ServiceError::from(vec![error]).into());
    }
    let questions = body.evaluations.iter().map(EvaluationBody::request).collect();
    let run = DryRun { source, questions };
    let results = state.platform().dry_run_policies(tenant, run, state.deadline()).await?;
    let evaluations: Vec<_> = results
        .into_iter()
        .map(|result| DryRunEvaluation {
            changed: result.tried.permitted != result.present.permitted,
            tried: RulingBody::of(result.tried, true),
            active: RulingBody::from(result.present),
        })
        .collect();
    let changed = evaluations.iter().filter(|evaluation| evaluation.changed).count();
    Ok(Json(DryRunAnswer { evaluations, changed }))
}

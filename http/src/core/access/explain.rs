use crate::core::authorization::Reason;
use crate::extract::{ManagedTenant, QueryOf, invalid_query};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use plinto_actors::{CheckRequest, Checked};
use plinto_domain::authorization::{Question, ResourceRef, Subject};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The question.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainQuery {
    /// Id of the user or service account.
    #[param(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    subject: String,
    /// To do what.
    #[param(example = "read")]
    action: String,
    /// To which resource, `type:id`.
    #[param(example = "document:42")]
    resource: String,
    /// The organization the resource belongs to.
    organization: Option<String>,
}

/// The decision and what made it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Explanation {
    /// Whether the subject may.
    decision: bool,
    /// What decided: `grant`, `membership`, or `none` if nothing the subject holds permits it.
    decided_by: &'static str,
    /// Why it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

/// Why may somebody do something, or why not? Says which grant or membership decided, and through which roles.
#[utoipa::path(get, path = "/v1/authz/explain", tag = "decisions", params(ExplainQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Explanation), (status = 400, body = Problem)))]
pub(crate) async fn explain(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<ExplainQuery>,
) -> Result<Json<Explanation>, Problem> {
    let subject = Subject::parse_id(&query.subject)
        .ok_or_else(|| invalid_query("`subject` is the id of a user or service account"))?;
    let resource = ResourceRef::parse("resource", &query.resource)
        .map_err(|_| invalid_query("`resource` is `type:id`"))?;
    let organization = query.organization.as_deref().map(str::parse).transpose();
    let organization =
        organization.map_err(|_| invalid_query("`organization` is the id of an organization"))?;
    let question = Question { action: &query.action, kind: resource.kind(), id: resource.id(), organization };
    let request = CheckRequest { subject: Some(subject), question };
    let explanation = match state.platform().explain(tenant, request, state.deadline()).await? {
        Checked::Denied => Explanation { decision: false, decided_by: "none", reason: None },
        Checked::Permitted(why) => {
            let reason = Reason::from(why);
            Explanation { decision: true, decided_by: reason.decided_by(), reason: Some(reason) }
        }
    };
    Ok(Json(explanation))
}

use super::rulings::RulingBody;
use crate::extract::{ManagedTenant, QueryOf, invalid_query};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use plinto_actors::{CheckRequest, Circumstances};
use plinto_domain::authorization::{Question, ResourceRef, Subject};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::IntoParams;

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
    /// Properties of the resource, a JSON object, for policies.
    #[param(example = r#"{"public":true}"#)]
    properties: Option<String>,
    /// The circumstances, a JSON object, for policies.
    #[param(example = r#"{"mfa":true}"#)]
    context: Option<String>,
}

fn object(text: Option<&str>) -> Result<Option<Map<String, Value>>, Problem> {
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|_| invalid_query("`properties` and `context` are JSON objects"))
}

/// Why may somebody do something, or why not? Says which grant, membership or policies decided, and through which roles.
#[utoipa::path(get, path = "/v1/authz/explain", tag = "decisions", params(ExplainQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = RulingBody), (status = 400, body = Problem)))]
pub(crate) async fn explain(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<ExplainQuery>,
) -> Result<Json<RulingBody>, Problem> {
    let subject = Subject::parse_id(&query.subject)
        .ok_or_else(|| invalid_query("`subject` is the id of a user or service account"))?;
    let resource = ResourceRef::parse("resource", &query.resource)
        .map_err(|_| invalid_query("`resource` is `type:id`"))?;
    let organization = query.organization.as_deref().map(str::parse).transpose();
    let organization =
        organization.map_err(|_| invalid_query("`organization` is the id of an organization"))?;
    let (properties, context) = (object(query.properties.as_deref())?, object(query.context.as_deref())?);
    let question = Question { action: &query.action, kind: resource.kind(), id: resource.id(), organization };
    let circumstances =
        Circumstances { resource: properties.as_ref(), action: None, context: context.as_ref() };
    let request = CheckRequest { subject: Some(subject), question, circumstances };
    let ruling = state.platform().explain(tenant, request, state.deadline()).await?;
    Ok(Json(RulingBody::from(ruling)))
}

//! Metadata of the policy decision point (§9). A tenant's is `{base}/t/{tenant}`, so its document is where the well-known
//! text stands between host and path (§9.2), and, for those who append it, under the tenant as well.

use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use serde::Serialize;
use utoipa::ToSchema;

/// What a policy enforcement point has to know.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyDecisionPoint {
    /// Its identifier.
    #[schema(example = "https://id.example.com/t/acme")]
    policy_decision_point: String,
    /// Where single questions are answered.
    access_evaluation_endpoint: String,
    /// Where several are.
    access_evaluations_endpoint: String,
    /// Who may?
    search_subject_endpoint: String,
    /// To what?
    search_resource_endpoint: String,
    /// What?
    search_action_endpoint: String,
}

type Answer = ([(HeaderName, &'static str); 1], Json<PolicyDecisionPoint>);

async fn document(state: &AppState, slug: &str) -> Result<Answer, Problem> {
    // An unknown tenant has no decision point.
    state.platform().resolve(slug).await?;
    let point = format!("{}/t/{slug}", state.platform().config().base_url);
    let at = |path: &str| format!("{point}/access/v1/{path}");
    let document = PolicyDecisionPoint {
        access_evaluation_endpoint: at("evaluation"),
        access_evaluations_endpoint: at("evaluations"),
        search_subject_endpoint: at("search/subject"),
        search_resource_endpoint: at("search/resource"),
        search_action_endpoint: at("search/action"),
        policy_decision_point: point,
    };
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(document)))
}

/// Where a tenant's decisions are made.
#[utoipa::path(get, path = "/.well-known/authzen-configuration/t/{tenant}", tag = "decisions",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    responses((status = 200, body = PolicyDecisionPoint), (status = 404, body = Problem)))]
pub(crate) async fn by_inserted_path(
    State(state): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Answer, Problem> {
    document(&state, &slug).await
}

/// The same, for those who append the well-known path.
#[utoipa::path(get, path = "/t/{tenant}/.well-known/authzen-configuration", tag = "decisions",
    params(("tenant" = String, Path, description = "Slug of the tenant")),
    responses((status = 200, body = PolicyDecisionPoint), (status = 404, body = Problem)))]
pub(crate) async fn under_tenant(
    State(state): State<AppState>,
    Path(slug): Path<String>,
) -> Result<Answer, Problem> {
    document(&state, &slug).await
}

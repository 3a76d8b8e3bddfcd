//! How long a tenant's audit ledger is kept.

use crate::extract::{ManagedTenant, QueryOf, invalid_query};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use axum::http::Method;
use plinto_actors::{CheckpointView, Pruned};
use plinto_domain::Timestamp;
use plinto_domain::api_scope::{ApiScope, Resource};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(prune, checkpoints))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Audit));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Audit));
    vec![
        Route::new(Method::POST, "/v1/audit/prune", WRITE, prune).of_tenant(),
        Route::new(Method::GET, "/v1/audit/checkpoints", READ, checkpoints).of_tenant(),
    ]
}

/// Most checkpoints in an answer.
const LARGEST: u32 = 200;
const DEFAULT: u32 = 50;

/// Stands for entries that were removed: a signed note of the last of them, whose hash the next entry names.
#[derive(Serialize, ToSchema)]
pub(crate) struct Checkpoint {
    /// First entry that was removed with it.
    first_seq: i64,
    /// Last entry that was removed with it.
    seq: i64,
    /// SHA-256 of the last one, hexadecimal.
    hash: String,
    /// Time of the first one, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    oldest_at: Timestamp,
    /// Time of the last one, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    newest_at: Timestamp,
    /// When they were removed, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    pruned_at: Timestamp,
    /// All of this as a signed note (C2SP signed-note).
    note: String,
    /// Whether the tenant's own key signed it.
    is_ours: bool,
}

impl From<CheckpointView> for Checkpoint {
    fn from(view: CheckpointView) -> Self {
        Self {
            first_seq: view.first_seq,
            seq: view.seq,
            hash: hex::encode(view.hash),
            oldest_at: view.oldest_at,
            newest_at: view.newest_at,
            pruned_at: view.pruned_at,
            note: view.note,
            is_ours: view.is_ours,
        }
    }
}

/// What pruning did.
#[derive(Serialize, ToSchema)]
pub(crate) struct PrunedEntries {
    /// Entries removed by this request.
    entries: u64,
    /// Whether there is more to remove: send the request again.
    more: bool,
    /// Where the ledger begins now; absent if nothing was ever removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Checkpoint>,
}

impl From<Pruned> for PrunedEntries {
    fn from(pruned: Pruned) -> Self {
        let checkpoint = pruned.checkpoint.map(Checkpoint::from);
        Self { entries: pruned.entries, more: pruned.more, checkpoint }
    }
}

/// Remove the entries that are older than `settings.audit.retention_days`. A sweep does the same once a day.
///
/// What is left still verifies: it begins at a checkpoint that the tenant's key signed. Nothing is removed while
/// anything of the tenant is under a legal hold.
#[utoipa::path(post, path = "/v1/audit/prune", tag = "audit", security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = PrunedEntries), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn prune(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
) -> Result<Json<PrunedEntries>, Problem> {
    Ok(Json(state.platform().prune_audit(tenant, actor, state.deadline()).await?.into()))
}

/// How many.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointsQuery {
    /// The newest so many, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// Checkpoints of a pruned ledger, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Checkpoints {
    /// The key that signs them (C2SP verifier key). It never changes: keep it elsewhere, to hold the ledger to it.
    verifier: String,
    /// The checkpoints.
    items: Vec<Checkpoint>,
}

/// Checkpoints of the ledger, and the key to check them with.
#[utoipa::path(get, path = "/v1/audit/checkpoints", tag = "audit", params(CheckpointsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Checkpoints), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn checkpoints(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<CheckpointsQuery>,
) -> Result<Json<Checkpoints>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT);
    if !(1..=LARGEST).contains(&limit) {
        return Err(invalid_query("`limit` is 1 to 200"));
    }
    let (verifier, found) = state.platform().audit_checkpoints(tenant, limit, state.deadline()).await?;
    Ok(Json(Checkpoints { verifier, items: found.into_iter().map(Checkpoint::from).collect() }))
}

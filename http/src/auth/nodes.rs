//! The nodes of the installation, for operators.

use crate::problem::{Problem, nodes_unknown};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use plinto_actors::{NodeId, NodeInfo};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(nodes))]
pub(crate) struct Operations;

/// The nodes that are alive.
#[derive(Serialize, ToSchema)]
pub(crate) struct Nodes {
    /// In order of name.
    nodes: Vec<Node>,
}

/// One node.
#[derive(Serialize, ToSchema)]
pub(crate) struct Node {
    /// This start of it.
    #[schema(value_type = String, format = Uuid)]
    id: NodeId,
    /// Name given by the operator.
    name: String,
    /// Version of plinto.
    version: String,
    /// When it started, Unix milliseconds.
    started_at: i64,
    /// URL of each listener as other nodes and operators reach it, by name such as `auth`.
    urls: BTreeMap<String, String>,
    /// Whether this node answered the request.
    answered: bool,
}

/// The live nodes of the installation, and which of them answers.
///
/// Without the store that nodes share, no node knows of the others: 503.
#[utoipa::path(get, path = "/v1/runtime/nodes", tag = "runtime", security(("platform_key" = [])),
    responses((status = 200, body = Nodes), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn nodes(State(state): State<AppState>) -> Result<Json<Nodes>, Problem> {
    let platform = state.platform();
    let this = platform.this_node().id;
    let live = platform.nodes().await.map_err(|error| {
        tracing::warn!(%error, "the live nodes cannot be told");
        nodes_unknown()
    })?;
    let node = |NodeInfo { id, name, version, started_at, urls }| Node {
        answered: id == this,
        id,
        name,
        version,
        started_at,
        urls,
    };
    Ok(Json(Nodes { nodes: live.into_iter().map(node).collect() }))
}

//! The supervision tree, for operators.

use crate::extract::{JsonBody, invalid_query};
use crate::problem::{Problem, not_found};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt};
use plinto_actors::runtime::{TreeQuery, TreeSnapshot};
use serde::Deserialize;
use std::convert::Infallible;
use tokio::sync::broadcast::error::RecvError;
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(tree, events, reset, fault), tags((name = "runtime", description = "The supervision tree (port 8001)")))]
pub(crate) struct Operations;

/// Most nodes in one answer.
const LARGEST_TREE: usize = 10_000;
const DEFAULT_TREE: usize = 1_000;

/// Which part of the tree.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TreePart {
    /// Only nodes whose path starts with this.
    prefix: Option<String>,
    /// Most nodes in the answer, 1 to 10000; the totals per kind are always complete.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
}

/// The supervision tree.
#[utoipa::path(get, path = "/v1/runtime/tree", tag = "runtime", params(TreePart), security(("platform_key" = [])),
    responses((status = 200, body = Object), (status = 401, body = Problem)))]
pub(crate) async fn tree(
    State(state): State<AppState>,
    query: Result<Query<TreePart>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<TreeSnapshot>, Problem> {
    let invalid = || invalid_query("use `prefix` and `limit` (1 to 10000)");
    let Query(query) = query.map_err(|_| invalid())?;
    let limit = query.limit.unwrap_or(DEFAULT_TREE);
    if !(1..=LARGEST_TREE).contains(&limit) {
        return Err(invalid());
    }
    let prefix = query.prefix.unwrap_or_default();
    let part = TreeQuery { prefix, limit, ..Default::default() };
    Ok(Json(state.platform().system().tree_page(&part)))
}

/// What happens in the tree, as server-sent events. A slow reader is told how many events it missed.
#[utoipa::path(get, path = "/v1/runtime/events", tag = "runtime", security(("platform_key" = [])),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 401, body = Problem)))]
pub(crate) async fn events(
    State(state): State<AppState>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = state.platform().system().events();
    let stream = futures::stream::unfold(receiver, |mut receiver| async move {
        let event = match receiver.recv().await {
            Ok(event) => Event::default().event("change").json_data(event).ok()?,
            Err(RecvError::Lagged(missed)) => Event::default().event("missed").data(missed.to_string()),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), receiver))
    });
    let stream = stream.take_until(state.closing().clone().cancelled_owned());
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// Which actor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActorBody {
    /// Its path in the tree.
    #[schema(example = "/tenants/ten_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    path: String,
}

/// Let a quarantined actor be activated again at once.
#[utoipa::path(post, path = "/v1/runtime/reset", tag = "runtime", request_body = ActorBody, security(("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn reset(
    State(state): State<AppState>,
    JsonBody(body): JsonBody<ActorBody>,
) -> Result<StatusCode, Problem> {
    found(state.platform().system().reset(&body.path))
}

/// Make an actor panic. Exists only where the operator allowed fault injection.
#[utoipa::path(post, path = "/v1/runtime/fault", tag = "runtime", request_body = ActorBody, security(("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn fault(
    State(state): State<AppState>,
    JsonBody(body): JsonBody<ActorBody>,
) -> Result<StatusCode, Problem> {
    found(state.platform().system().inject_panic(&body.path))
}

fn found(found: bool) -> Result<StatusCode, Problem> {
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(not_found()) }
}

//! All users of a tenant, one a line.

use crate::extract::ManagedTenant;
use crate::problem::{self, Problem};
use crate::state::AppState;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use plinto_actors::UserExport;
use std::io;

/// Export all users as JSON Lines, in the form an import takes.
///
/// Each user comes once, in the order of ids. Users made after the export began and those that are being deleted are left
/// out, and so are hashes of passwords. The export is in the audit ledger. One that cannot be finished is broken off.
#[utoipa::path(get, path = "/v1/users/export", tag = "user imports", security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, content_type = "application/x-ndjson", body = String), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn export(
    State(state): State<AppState>,
    managed: ManagedTenant,
) -> Result<Response, Problem> {
    begin(state, managed, false).await
}

/// Export all users with the hashes of their passwords, for who leaves the platform.
///
/// The same lines with `password_hash`: argon2id as a PHC string, or what was imported and not used since. It needs the
/// scope `password_hashes:read`, which nothing else includes. Whoever has these lines can guess at passwords offline.
#[utoipa::path(get, path = "/v1/users/export/password-hashes", tag = "user imports", security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, content_type = "application/x-ndjson", body = String), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn export_with_password_hashes(
    State(state): State<AppState>,
    managed: ManagedTenant,
) -> Result<Response, Problem> {
    begin(state, managed, true).await
}

async fn begin(
    state: AppState,
    ManagedTenant { tenant, actor }: ManagedTenant,
    password_hashes: bool,
) -> Result<Response, Problem> {
    let export = state.platform().user_export(tenant, password_hashes, actor, state.deadline()).await?;
    let name = format!("attachment; filename=\"{tenant}.users.jsonl\"");
    let name = HeaderValue::from_str(&name).map_err(|_| problem::internal())?;
    let kind = HeaderValue::from_static("application/x-ndjson");
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines(export, state))).into_response())
}

/// The lines; the next ones are read when those before were sent, and none when the reader has gone.
fn lines(export: UserExport, state: AppState) -> impl Stream<Item = io::Result<Bytes>> {
    futures::stream::try_unfold((export, state), |(mut export, state)| async move {
        let next = tokio::select! {
            () = state.closing().cancelled() => return Err(io::Error::other("the node is stopping")),
            next = export.next() => next,
        };
        let lines = next.map_err(|error| {
            tracing::warn!(%error, "an export of users is broken off");
            io::Error::other(error)
        })?;
        Ok(lines.map(|lines| (Bytes::from(lines), (export, state))))
    })
}

//! The audit ledger of a tenant: asked, exported, followed.

use crate::extract::{ManagedTenant, QueryOf, invalid_query, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use plinto_actors::{AuditEntry, AuditExport, AuditQuery, AuditStream};
use plinto_domain::Timestamp;
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::audit_query::{AuditFilter, EventPattern, LedgerName};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::io;
use std::time::Duration;
use utoipa::{IntoParams, OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(events, event, export, stream), tags((name = "audit", description = "A tenant's audit ledger: who did what to whom, in a chain of hashes")))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Audit));
    vec![
        Route::new(Method::GET, "/v1/audit/events", READ, events).of_tenant(),
        Route::new(Method::GET, "/v1/audit/events/{seq}", READ, event).of_tenant(),
        Route::new(Method::GET, "/v1/audit/export", READ, export).of_tenant(),
        Route::new(Method::GET, "/v1/audit/stream", READ, stream).of_tenant(),
    ]
}

/// A stream ends after this time and is begun again by its reader, so that a key that was withdrawn reads no longer.
const STREAM_LIFE: Duration = Duration::from_secs(15 * 60);

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// An event, such as `user.created`, or all below a name, such as `user.*`.
    #[serde(rename = "type")]
    event: Option<String>,
    /// Who did it: an id, `system` or `anonymous`. Entries of `session.refreshed` are left out unless `type` names them.
    actor: Option<String>,
    /// What it was done to: an id. Entries of `session.refreshed` are left out unless `type` names them.
    subject: Option<String>,
    /// At this time or later, in milliseconds since the Unix epoch.
    from: Option<i64>,
    /// Before this time, in milliseconds since the Unix epoch.
    to: Option<i64>,
    /// `newest` first (the default) or `oldest` first.
    order: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Entries on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// An entry of the ledger.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEvent {
    /// Position in the ledger, from 1, without gaps.
    seq: i64,
    /// When it happened, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    at: Timestamp,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "user.created")]
    event: String,
    /// Who did it: an id, `system` or `anonymous`.
    actor: String,
    /// To what: an id, or `unknown`.
    subject: String,
    /// The facts; ids only, no personal data.
    #[schema(value_type = Object)]
    data: serde_json::Value,
    /// SHA-256 of the entry before, hexadecimal.
    prev_hash: String,
    /// SHA-256 of this entry's canonical bytes, hexadecimal.
    hash: String,
}

impl From<AuditEntry> for AuditEvent {
    fn from(entry: AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            event: entry.event,
            actor: entry.actor,
            subject: entry.subject,
            data: entry.data,
            prev_hash: hex::encode(entry.prev_hash),
            hash: hex::encode(entry.hash),
        }
    }
}

fn filter_of(
    event: Option<&str>,
    actor: Option<&str>,
    subject: Option<&str>,
) -> Result<AuditFilter, Problem> {
    let pattern = |text| {
        EventPattern::parse(text).ok_or_else(|| {
            invalid_query("`type` is an event such as `user.created`, or all below a name such as `user.*`")
        })
    };
    let name = |text| {
        LedgerName::parse(text)
            .ok_or_else(|| invalid_query("`actor` and `subject` are ids, `system`, `anonymous` or `unknown`"))
    };
    Ok(AuditFilter {
        event: event.map(pattern).transpose()?,
        actor: actor.map(name).transpose()?,
        subject: subject.map(name).transpose()?,
        from: None,
        to: None,
    })
}

/// List entries of the ledger.
///
/// A page may be short, even empty, and still have a `next`: one request examines ten thousand entries at most.
#[utoipa::path(get, path = "/v1/audit/events", tag = "audit", params(EventsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<AuditEvent>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn events(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<EventsQuery>,
) -> Result<Json<Page<AuditEvent>>, Problem> {
    let paging = Paging::<i64>::of(query.after.as_deref(), query.limit)?;
    let newest_first = match query.order.as_deref() {
        None | Some("newest") => true,
        Some("oldest") => false,
        Some(_) => return Err(invalid_query("`order` is `newest` or `oldest`")),
    };
    let filter = AuditFilter {
        from: query.from.map(Timestamp::from_millis),
        to: query.to.map(Timestamp::from_millis),
        ..filter_of(query.event.as_deref(), query.actor.as_deref(), query.subject.as_deref())?
    };
    let query = AuditQuery { filter, newest_first, after: paging.after, limit: paging.limit };
    let page = state.platform().audit_events(tenant, &query, state.deadline()).await?;
    let items = page.entries.into_iter().map(AuditEvent::from).collect();
    Ok(Json(Page { items, next: page.next.map(|seq| seq.to_string()) }))
}

/// The entry a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct EntryPath {
    seq: String,
}

/// One entry of the ledger.
#[utoipa::path(get, path = "/v1/audit/events/{seq}", tag = "audit", params(("seq" = i64, Path, example = 1)),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = AuditEvent), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn event(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<EntryPath>,
) -> Result<Json<AuditEvent>, Problem> {
    let entry = state.platform().audit_event(tenant, path_id(&path.seq)?, state.deadline()).await?;
    Ok(Json(entry.into()))
}

/// The whole ledger as JSON Lines: a header with the head, then one entry a line.
///
/// The file proves itself: `plinto audit verify ledger.jsonl` checks the chain of hashes from the first entry to the
/// head without a database, and names the first line that was altered, removed or cut off.
#[utoipa::path(get, path = "/v1/audit/export", tag = "audit", security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, content_type = "application/x-ndjson", body = String), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn export(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
) -> Result<Response, Problem> {
    let export = state.platform().audit_export(tenant, state.deadline()).await?;
    let name = format!("attachment; filename=\"{tenant}.ledger.jsonl\"");
    let name = HeaderValue::from_str(&name).map_err(|_| crate::problem::internal())?;
    let kind = HeaderValue::from_static("application/x-ndjson");
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines(export, state))).into_response())
}

/// The lines of an export. One that cannot be finished is broken off, so that nobody takes it for whole.
fn lines(export: AuditExport, state: AppState) -> impl Stream<Item = io::Result<Bytes>> {
    futures::stream::try_unfold((export, state), |(mut export, state)| async move {
        let next = tokio::select! {
            () = state.closing().cancelled() => return Err(io::Error::other("the node is stopping")),
            next = export.next() => next,
        };
        let lines = next.map_err(|error| {
            tracing::warn!(%error, "an export of a ledger is broken off");
            io::Error::other(error)
        })?;
        Ok(lines.map(|lines| (Bytes::from(lines), (export, state))))
    })
}

/// Which entries to follow.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamQuery {
    /// An event, such as `user.created`, or all below a name, such as `user.*`.
    #[serde(rename = "type")]
    event: Option<String>,
    /// Who did it.
    actor: Option<String>,
    /// What it was done to.
    subject: Option<String>,
    /// Begin behind this sequence; the header `Last-Event-ID` goes before it. Without either, begin with what comes.
    after: Option<i64>,
}

/// What is added to the ledger, as server-sent events whose `id` is the entry's sequence.
///
/// A reader that reconnects with `Last-Event-ID` misses nothing. The stream ends after a quarter of an hour, and when
/// the node stops; reconnect then.
#[utoipa::path(get, path = "/v1/audit/stream", tag = "audit",
    params(StreamQuery, ("Last-Event-ID" = Option<i64>, Header, description = "sequence of the last entry that was seen")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn stream(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<StreamQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let filter = filter_of(query.event.as_deref(), query.actor.as_deref(), query.subject.as_deref())?;
    let seen = match headers.get("last-event-id") {
        None => query.after,
        Some(value) => {
            let seen = value.to_str().ok().and_then(|text| text.parse().ok());
            Some(seen.ok_or_else(|| invalid_query("`Last-Event-ID` is the `id` of an event of this stream"))?)
        }
    };
    let stream = state.platform().audit_stream(tenant, filter, seen, state.deadline()).await?;
    let stream = server_sent(stream)
        .take_until(tokio::time::sleep(STREAM_LIFE))
        .take_until(state.closing().clone().cancelled_owned());
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

fn server_sent(stream: AuditStream) -> impl Stream<Item = Result<Event, Infallible>> {
    let batches = futures::stream::unfold(stream, |mut stream| async move {
        match stream.next().await {
            Ok(entries) => Some((entries, stream)),
            Err(error) => {
                tracing::debug!(%error, "a stream of a ledger ends");
                None
            }
        }
    });
    batches.flat_map(futures::stream::iter).filter_map(|entry| async move {
        let event = Event::default().id(entry.seq.to_string()).event("entry");
        event.json_data(AuditEvent::from(entry)).ok().map(Ok)
    })
}

//! Who may sign in: blocking, locking, deleting and restoring users.

use super::UserPath;
use super::body::User;
use crate::extract::{JsonBody, ManagedTenant, path_id};
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfMatch, Versioned};
use axum::extract::{Path, State};
use plinto_domain::Timestamp;
use plinto_domain::user::standing::StandingChange;
use serde::Deserialize;
use utoipa::ToSchema;

/// A change of one user's standing, with everything a route for it reads.
struct Change {
    state: AppState,
    managed: ManagedTenant,
    path: UserPath,
    precondition: IfMatch,
}

impl Change {
    async fn make(self, change: StandingChange) -> Result<Versioned<User>, Problem> {
        let Self { state, managed: ManagedTenant { tenant, actor }, path, precondition } = self;
        let (user, deadline) = (path_id(&path.user)?, state.deadline());
        let platform = state.platform();
        let view = platform.change_standing(tenant, user, change, precondition.0, actor, deadline).await?;
        Ok(Versioned { version: view.version, body: User::from(view) })
    }
}

/// Delete a user: its sessions end and it cannot sign in. It can be restored until `purge_at`, the end of the grace
/// period (`settings.users.deletion_grace_seconds`, 30 days by default); then it is purged with everything it had.
#[utoipa::path(delete, path = "/v1/users/{user}", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<UserPath>,
    precondition: IfMatch,
) -> Result<Versioned<User>, Problem> {
    Change { state, managed, path, precondition }.make(StandingChange::Delete).await
}

/// Restore a user that is being deleted. It is as blocked or locked as it was before.
#[utoipa::path(post, path = "/v1/users/{user}/restore", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn restore(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<UserPath>,
    precondition: IfMatch,
) -> Result<Versioned<User>, Problem> {
    Change { state, managed, path, precondition }.make(StandingChange::Restore).await
}

/// Block a user: its sessions end and it cannot sign in until it is unblocked.
#[utoipa::path(post, path = "/v1/users/{user}/block", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn block(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<UserPath>,
    precondition: IfMatch,
) -> Result<Versioned<User>, Problem> {
    Change { state, managed, path, precondition }.make(StandingChange::Block).await
}

/// Let a blocked user sign in again.
#[utoipa::path(post, path = "/v1/users/{user}/unblock", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn unblock(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<UserPath>,
    precondition: IfMatch,
) -> Result<Versioned<User>, Problem> {
    Change { state, managed, path, precondition }.make(StandingChange::Unblock).await
}

/// Until when a user is locked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockBody {
    /// In milliseconds since the Unix epoch; in the future, at most a year ahead.
    #[schema(value_type = i64, example = 1_893_456_000_000_i64)]
    until: Timestamp,
}

/// Lock a user for a time: it cannot sign in, but sessions go on.
#[utoipa::path(post, path = "/v1/users/{user}/lock", tag = "users", request_body = LockBody,
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn lock(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(body): JsonBody<LockBody>,
) -> Result<Versioned<User>, Problem> {
    let (user, deadline) = (path_id(&path.user)?, state.deadline());
    let view = state.platform().lock_user(tenant, user, body.until, precondition, actor, deadline).await?;
    Ok(Versioned { version: view.version, body: User::from(view) })
}

/// End a lock before its time.
#[utoipa::path(post, path = "/v1/users/{user}/unlock", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = User), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn unlock(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<UserPath>,
    precondition: IfMatch,
) -> Result<Versioned<User>, Problem> {
    Change { state, managed, path, precondition }.make(StandingChange::Unlock).await
}

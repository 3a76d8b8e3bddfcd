//! The addresses of a user.

use super::UserPath;
use crate::extract::{JsonBody, ManagedTenant, path_id};
use crate::pages::Page;
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use plinto_actors::EmailView;
use plinto_domain::user::emails::EmailChange;
use plinto_domain::{EmailId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An address of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserEmail {
    /// Its id; it tells nothing of the address.
    #[schema(value_type = String, example = "eml_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: EmailId,
    /// The address.
    email: String,
    /// When it was proved, in milliseconds since the Unix epoch.
    #[schema(value_type = Option<i64>)]
    verified_at: Option<Timestamp>,
    /// Whether mail to the user goes here.
    primary: bool,
    /// When it was added, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
}

impl From<EmailView> for UserEmail {
    fn from(view: EmailView) -> Self {
        Self {
            id: view.id,
            email: view.email,
            verified_at: view.verified_at,
            primary: view.is_primary,
            created_at: view.created_at,
        }
    }
}

fn page(emails: Vec<EmailView>) -> Json<Page<UserEmail>> {
    Json(Page { items: emails.into_iter().map(UserEmail::from).collect(), next: None })
}

/// The user and the address a path names.
#[derive(Deserialize)]
pub(crate) struct EmailPath {
    user: String,
    email: String,
}

/// One more address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEmailBody {
    /// The address; unique in the tenant.
    #[schema(example = "ada@work.example")]
    email: String,
    /// Whether it counts as proved.
    #[serde(default)]
    verified: bool,
}

/// The addresses of a user, at most ten, oldest first.
#[utoipa::path(get, path = "/v1/users/{user}/emails", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<UserEmail>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<UserPath>,
) -> Result<Json<Page<UserEmail>>, Problem> {
    let user = path_id(&path.user)?;
    Ok(page(state.platform().user_emails(tenant, user, state.deadline()).await?))
}

/// Add an address. Adding one the user has already changes nothing.
#[utoipa::path(post, path = "/v1/users/{user}/emails", tag = "users", request_body = NewEmailBody,
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = UserEmail), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn add(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
    JsonBody(body): JsonBody<NewEmailBody>,
) -> Result<(StatusCode, Json<UserEmail>), Problem> {
    let (user, deadline) = (path_id(&path.user)?, state.deadline());
    let platform = state.platform();
    let email = platform.add_user_email(tenant, user, &body.email, body.verified, actor, deadline).await?;
    Ok((StatusCode::CREATED, Json(email.into())))
}

async fn change(
    state: &AppState,
    ManagedTenant { tenant, actor }: ManagedTenant,
    path: &EmailPath,
    change: impl FnOnce(EmailId) -> EmailChange,
) -> Result<Vec<EmailView>, Problem> {
    let (user, email) = (path_id(&path.user)?, path_id(&path.email)?);
    let deadline = state.deadline();
    Ok(state.platform().change_user_emails(tenant, user, change(email), actor, deadline).await?)
}

/// Remove an address. The primary one stays: make another one primary first.
#[utoipa::path(delete, path = "/v1/users/{user}/emails/{email}", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("email" = String, Path, example = "eml_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn remove(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<EmailPath>,
) -> Result<StatusCode, Problem> {
    change(&state, managed, &path, EmailChange::Remove).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make an address the primary one; the answer lists all of them.
#[utoipa::path(post, path = "/v1/users/{user}/emails/{email}/make-primary", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("email" = String, Path, example = "eml_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<UserEmail>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn make_primary(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<EmailPath>,
) -> Result<Json<Page<UserEmail>>, Problem> {
    Ok(page(change(&state, managed, &path, EmailChange::MakePrimary).await?))
}

/// Say that an address was proved elsewhere; the answer lists all of them.
#[utoipa::path(post, path = "/v1/users/{user}/emails/{email}/mark-verified", tag = "users",
    params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("email" = String, Path, example = "eml_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<UserEmail>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn mark_verified(
    State(state): State<AppState>,
    managed: ManagedTenant,
    Path(path): Path<EmailPath>,
) -> Result<Json<Page<UserEmail>>, Problem> {
    Ok(page(change(&state, managed, &path, EmailChange::MarkVerified).await?))
}

//! Everything about one user: given out as JSON, or erased.

use crate::core::audit::AuditEvent;
use crate::core::consents::Consent;
use crate::core::oauth::applications::Application;
use crate::core::organizations::invitations::Invitation;
use crate::core::users::UserPath;
use crate::core::users::body::User;
use crate::extract::{ManagedTenant, Mine, path_id};
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plinto_actors::{AvatarView, SubjectData, SubjectEmail, SubjectMembership, SubjectSession};
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::{OrganizationId, SessionId, Timestamp};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(data, own_data, erase))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Privacy));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Privacy));
    vec![
        Route::new(Method::GET, "/v1/users/{user}/data", READ, data).of_tenant(),
        Route::new(Method::GET, "/v1/users/me/data", Access::AccessToken, own_data).of_tenant(),
        Route::new(Method::POST, "/v1/users/{user}/erase", WRITE, erase).of_tenant(),
    ]
}

/// Everything that is stored about a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserData {
    /// Form of this document.
    #[schema(value_type = String, example = "plinto-user-data/1")]
    format: &'static str,
    /// When it was put together, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    exported_at: Timestamp,
    /// The account.
    profile: User,
    /// The picture, if there is one.
    avatar: Option<OwnedAvatar>,
    /// Addresses, oldest first.
    emails: Vec<OwnedEmail>,
    /// Sessions, newest first, ended ones included.
    sessions: Vec<OwnedSession>,
    /// Consents, newest first.
    consents: Vec<Consent>,
    /// Applications the user lets have something.
    applications: Vec<Application>,
    /// Organizations the user belongs to.
    organizations: Vec<OwnedMembership>,
    /// Invitations to the user's addresses.
    invitations: Vec<Invitation>,
    /// What the audit ledger says by and about the user, oldest first; `session.refreshed` is left out.
    audit: Vec<AuditEvent>,
    /// Whether `audit` has all of it; if not, ask `GET /v1/audit/events` for the rest.
    audit_is_complete: bool,
}

/// A picture of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnedAvatar {
    #[schema(value_type = String, example = "image/jpeg")]
    media_type: &'static str,
    /// The file in Base64.
    #[schema(content_encoding = "base64")]
    data: String,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

/// An address of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnedEmail {
    email: String,
    is_primary: bool,
    /// Milliseconds since the Unix epoch; null if it was not verified.
    #[schema(value_type = Option<i64>)]
    verified_at: Option<Timestamp>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
}

/// A membership of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnedMembership {
    #[schema(value_type = String)]
    organization: OrganizationId,
    /// As what.
    role: String,
    /// Since when, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
}

impl From<SubjectMembership> for OwnedMembership {
    fn from(membership: SubjectMembership) -> Self {
        let SubjectMembership { organization, role, created_at } = membership;
        Self { organization, role, created_at }
    }
}

/// A session of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnedSession {
    #[schema(value_type = String)]
    id: SessionId,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    expires_at: Timestamp,
    /// How the user proved itself (RFC 8176).
    amr: Vec<String>,
    /// Network address it was begun from.
    address: Option<String>,
    /// Program it was begun with.
    user_agent: Option<String>,
    /// The organization it is active in.
    #[schema(value_type = Option<String>)]
    organization_id: Option<OrganizationId>,
    /// Milliseconds since the Unix epoch; null if it was not ended.
    #[schema(value_type = Option<i64>)]
    revoked_at: Option<Timestamp>,
    /// Why it was ended.
    revoked_reason: Option<String>,
}

impl From<AvatarView> for OwnedAvatar {
    fn from(view: AvatarView) -> Self {
        Self { media_type: "image/jpeg", data: STANDARD.encode(&view.image), updated_at: view.updated_at }
    }
}

impl From<SubjectEmail> for OwnedEmail {
    fn from(email: SubjectEmail) -> Self {
        let SubjectEmail { email, verified_at, is_primary, created_at } = email;
        Self { email, is_primary, verified_at, created_at }
    }
}

impl From<SubjectSession> for OwnedSession {
    fn from(session: SubjectSession) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            expires_at: session.expires_at,
            amr: session.amr,
            address: session.address,
            user_agent: session.user_agent,
            organization_id: session.organization,
            revoked_at: session.revoked_at,
            revoked_reason: session.revoked_reason,
        }
    }
}

impl From<SubjectData> for UserData {
    fn from(data: SubjectData) -> Self {
        Self {
            format: "plinto-user-data/1",
            exported_at: data.at,
            profile: data.profile.into(),
            avatar: data.avatar.map(OwnedAvatar::from),
            emails: data.emails.into_iter().map(OwnedEmail::from).collect(),
            sessions: data.sessions.into_iter().map(OwnedSession::from).collect(),
            consents: data.consents.into_iter().map(Consent::from).collect(),
            applications: data.applications.into_iter().map(Application::from).collect(),
            organizations: data.memberships.into_iter().map(OwnedMembership::from).collect(),
            invitations: data.invitations.into_iter().map(Invitation::from).collect(),
            audit: data.audit.into_iter().map(AuditEvent::from).collect(),
            audit_is_complete: data.audit_is_complete,
        }
    }
}

/// Everything that is stored about a user. That it was given out is audited.
#[utoipa::path(get, path = "/v1/users/{user}/data", tag = "privacy", params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = UserData), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn data(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
) -> Result<Json<UserData>, Problem> {
    let user = path_id(&path.user)?;
    Ok(Json(state.platform().subject_data(tenant, user, actor, state.deadline()).await?.into()))
}

/// Everything that is stored about the signed-in user.
#[utoipa::path(get, path = "/v1/users/me/data", tag = "privacy", security(("access_token" = [])),
    responses((status = 200, body = UserData), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn own_data(
    State(state): State<AppState>,
    Mine { tenant, token }: Mine,
) -> Result<Json<UserData>, Problem> {
    Ok(Json(state.platform().own_data(tenant, &token, state.deadline()).await?.into()))
}

/// Erase a user. Every row of it goes, its sessions end, its address is free. This cannot be undone.
///
/// The audit ledger keeps ids, and that the user was erased; nothing is left that says who it was. A user under a legal
/// hold is not erased.
#[utoipa::path(post, path = "/v1/users/{user}/erase", tag = "privacy", params(("user" = String, Path, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn erase(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<UserPath>,
) -> Result<StatusCode, Problem> {
    state.platform().erase_user(tenant, path_id(&path.user)?, actor, state.deadline()).await?;
    Ok(StatusCode::NO_CONTENT)
}

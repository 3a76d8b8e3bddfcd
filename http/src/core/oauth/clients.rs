//! OAuth clients of a tenant, administered by its services and by operators.

use crate::extract::{JsonBody, ManagedTenant, QueryOf, path_id};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::state::AppState;
use crate::versions::{IfMatch, IfNoneMatch, Versioned};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::{ClientView, NewClient, ServiceError};
use plinto_domain::api_key::parse_overlap;
use plinto_domain::oauth::{ClientChange, ClientDefinition};
use plinto_domain::{ClientId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A client.
#[derive(Serialize, ToSchema)]
pub(crate) struct OAuthClient {
    /// Its id, which everybody may know.
    #[schema(value_type = String, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    client_id: ClientId,
    #[serde(flatten)]
    definition: ClientDefinition,
    /// Its secrets, the present one first; a public client has none.
    secrets: Vec<OAuthClientSecret>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

/// What is told of a secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct OAuthClientSecret {
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// From when on it is good for nothing; none for the present one.
    #[schema(value_type = Option<i64>)]
    expires_at: Option<Timestamp>,
}

/// A client with a new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct OAuthClientWithSecret {
    #[serde(flatten)]
    client: OAuthClient,
    /// Its secret, shown this once: `plcs_` and 43 letters and digits. A public client has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    client_secret: Option<String>,
}

impl From<ClientView> for OAuthClient {
    fn from(view: ClientView) -> Self {
        let ClientView { client, created_at, updated_at } = view;
        let secret = |kept: &plinto_domain::oauth::ClientSecret| OAuthClientSecret {
            created_at: kept.created_at,
            expires_at: kept.until,
        };
        Self {
            client_id: client.id,
            secrets: client.secrets.iter().map(secret).collect(),
            definition: client.definition,
            created_at,
            updated_at,
        }
    }
}

fn versioned(view: ClientView) -> Versioned<OAuthClient> {
    Versioned { version: view.client.version, body: view.into() }
}

fn with_secret(new: NewClient) -> Versioned<OAuthClientWithSecret> {
    let (version, client_secret) = (new.view.client.version, new.secret.map(|secret| secret.to_string()));
    Versioned { version, body: OAuthClientWithSecret { client: new.view.into(), client_secret } }
}

/// Make a client. A name is needed; its secret is in this answer only.
#[utoipa::path(post, path = "/v1/clients", tag = "oauth clients", request_body = ClientChange,
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 201, body = OAuthClientWithSecret), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    JsonBody(wanted): JsonBody<ClientChange>,
) -> Result<Response, Problem> {
    let definition = ClientDefinition::of(wanted).map_err(ServiceError::from)?;
    let new = state.platform().create_client(tenant, definition, actor, state.deadline()).await?;
    let location = HeaderValue::from_str(&format!("/v1/clients/{}", new.view.client.id));
    let location = location.map_err(|_| crate::problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], with_secret(new)).into_response())
}

/// Which clients.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientsQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Clients on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
}

/// List clients.
#[utoipa::path(get, path = "/v1/clients", tag = "oauth clients", params(ClientsQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<OAuthClient>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<ClientsQuery>,
) -> Result<Json<Page<OAuthClient>>, Problem> {
    let paging = Paging::<ClientId>::of(query.after.as_deref(), query.limit)?;
    let (limit, deadline) = (paging.to_read(), state.deadline());
    let clients = state.platform().clients(tenant, paging.after, limit, deadline).await?;
    Ok(Json(paging.page(clients, |view| view.client.id.to_string(), OAuthClient::from)))
}

/// The client a path names.
#[derive(Deserialize)]
pub(crate) struct ClientPath {
    client: String,
}

/// One client. The answer's `ETag` is its version.
#[utoipa::path(get, path = "/v1/clients/{client}", tag = "oauth clients",
    params(("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-None-Match" = Option<String>, Header, description = "ETags already known")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = OAuthClient), (status = 304, description = "not changed"), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn get(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    Path(path): Path<ClientPath>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let client = path_id(&path.client)?;
    let view = state.platform().client(tenant, client, state.deadline()).await?;
    Ok(versioned(view).unless_known(&known))
}

/// Change a client (RFC 7396): what is left out stays. With `If-Match` only if nobody else changed it meanwhile.
#[utoipa::path(patch, path = "/v1/clients/{client}", tag = "oauth clients", request_body = ClientChange,
    params(("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to change")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = OAuthClient), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn change(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<ClientPath>,
    IfMatch(precondition): IfMatch,
    JsonBody(wanted): JsonBody<ClientChange>,
) -> Result<Versioned<OAuthClient>, Problem> {
    let (client, deadline) = (path_id(&path.client)?, state.deadline());
    let view = state.platform().change_client(tenant, client, wanted, precondition, actor, deadline).await?;
    Ok(versioned(view))
}

/// How a secret is rotated.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecretBody {
    /// For how many seconds the present secret still works: 0 (default) to 2592000, 30 days.
    #[serde(default)]
    #[schema(maximum = 2_592_000, example = 86_400)]
    overlap_seconds: u32,
}

/// Give a client a new secret. The present one works on for the overlap; the one before it, if any, stops at once.
#[utoipa::path(post, path = "/v1/clients/{client}/rotate-secret", tag = "oauth clients", request_body = Option<RotateSecretBody>,
    params(("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = OAuthClientWithSecret), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn rotate_secret(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<ClientPath>,
    body: Option<JsonBody<RotateSecretBody>>,
) -> Result<Versioned<OAuthClientWithSecret>, Problem> {
    let overlap = body.map(|JsonBody(body)| body.overlap_seconds).unwrap_or_default();
    let overlap = parse_overlap(overlap).map_err(ServiceError::from)?;
    let (client, deadline) = (path_id(&path.client)?, state.deadline());
    let new = state.platform().rotate_client_secret(tenant, client, overlap, actor, deadline).await?;
    Ok(with_secret(new))
}

/// Delete a client. What it was given is good no longer, as introspection says.
#[utoipa::path(delete, path = "/v1/clients/{client}", tag = "oauth clients",
    params(("client" = String, Path, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708"), ("If-Match" = Option<String>, Header, description = "ETag of the version to delete")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    ManagedTenant { tenant, actor }: ManagedTenant,
    Path(path): Path<ClientPath>,
    IfMatch(precondition): IfMatch,
) -> Result<StatusCode, Problem> {
    let (client, deadline) = (path_id(&path.client)?, state.deadline());
    state.platform().delete_client(tenant, client, precondition, actor, deadline).await?;
    Ok(StatusCode::NO_CONTENT)
}

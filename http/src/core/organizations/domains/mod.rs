//! Domains of organizations.

mod managed;
mod mine;

use super::bodies::PageQuery;
use super::{Asking, OrganizationPath};
use crate::extract::path_id;
use crate::pages::Page;
use crate::problem::{Problem, internal};
use crate::routes::{Access, Route};
use crate::state::AppState;
use crate::versions::{IfNoneMatch, Versioned};
use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plinto_actors::{AskedBy, DomainView, ServiceError};
use plinto_domain::api_scope::{ApiScope, Resource};
use plinto_domain::organization::domain::{DomainChange, NewDomain};
use plinto_domain::precondition::Precondition;
use plinto_domain::{DomainId, OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// The operations of this capability.
#[derive(OpenApi)]
#[openapi(paths(
    managed::list,
    managed::claim,
    managed::get,
    managed::change,
    managed::release,
    managed::verify,
    mine::list,
    mine::claim,
    mine::get,
    mine::change,
    mine::release,
    mine::verify
))]
pub(crate) struct Operations;

/// The rows of this capability in the authorization table.
pub(super) fn routes() -> Vec<Route> {
    const READ: Access = Access::Manage(ApiScope::read(Resource::Organizations));
    const WRITE: Access = Access::Manage(ApiScope::write(Resource::Organizations));
    const USER: Access = Access::AccessToken;
    let all = "/v1/organizations/{organization}/domains";
    let one = "/v1/organizations/{organization}/domains/{domain}";
    let verify = "/v1/organizations/{organization}/domains/{domain}/verify";
    let my_all = "/v1/users/me/organizations/{organization}/domains";
    let my_one = "/v1/users/me/organizations/{organization}/domains/{domain}";
    let my_verify = "/v1/users/me/organizations/{organization}/domains/{domain}/verify";
    vec![
        Route::new(Method::GET, all, READ, managed::list),
        Route::new(Method::POST, all, WRITE, managed::claim).once_by_key(),
        Route::new(Method::GET, one, READ, managed::get),
        Route::new(Method::PATCH, one, WRITE, managed::change),
        Route::new(Method::DELETE, one, WRITE, managed::release),
        Route::new(Method::POST, verify, WRITE, managed::verify),
        Route::new(Method::GET, my_all, USER, mine::list),
        Route::new(Method::POST, my_all, USER, mine::claim).once_by_key(),
        Route::new(Method::GET, my_one, USER, mine::get),
        Route::new(Method::PATCH, my_one, USER, mine::change),
        Route::new(Method::DELETE, my_one, USER, mine::release),
        Route::new(Method::POST, my_verify, USER, mine::verify),
    ]
}

/// A domain an organization claims.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationDomain)]
pub(crate) struct Domain {
    #[schema(value_type = String, example = "dom_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: DomainId,
    #[schema(value_type = String, example = "org_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    organization: OrganizationId,
    /// Its name.
    #[schema(example = "acme.example")]
    domain: String,
    /// What it does for users with a proved address in it once it is verified: they become members (`automatic`) at
    /// their next sign-in, or are told of the organization (`suggested`).
    #[schema(value_type = String, example = "automatic")]
    mode: &'static str,
    /// The role of those who become members by it.
    role: String,
    /// The TXT record that proves it.
    record: DnsRecord,
    /// When it was verified, in milliseconds since the Unix epoch; null if it was not.
    #[schema(value_type = Option<i64>)]
    verified_at: Option<Timestamp>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

/// A record to add to the DNS.
#[derive(Serialize, ToSchema)]
pub(crate) struct DnsRecord {
    /// Always `TXT`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "TXT")]
    kind: &'static str,
    #[schema(example = "_plinto-challenge.acme.example")]
    name: String,
    #[schema(example = "plinto-domain-verification=00112233445566778899aabbccddeeff")]
    value: String,
}

fn versioned(view: &DomainView) -> Versioned<Domain> {
    let claimed = &view.domain;
    let record = DnsRecord { kind: "TXT", name: claimed.record_name(), value: claimed.record_value() };
    let body = Domain {
        id: claimed.id,
        organization: claimed.organization,
        domain: claimed.name.as_str().to_owned(),
        mode: claimed.mode.as_str(),
        role: claimed.role.to_string(),
        record,
        verified_at: view.verified_at,
        created_at: view.created_at,
        updated_at: view.updated_at,
    };
    Versioned { version: claimed.version, body }
}

/// A domain to claim.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDomainBody {
    /// Its name. Those of public mail providers are refused.
    #[schema(example = "acme.example")]
    domain: String,
    /// `automatic` or `suggested` (the default).
    #[serde(default = "suggested")]
    #[schema(example = "suggested")]
    mode: String,
    /// `admin`, `member` (the default), or the key of a role of level `organization`; nobody becomes an owner by it.
    #[serde(default = "member")]
    #[schema(example = "member")]
    role: String,
}

fn suggested() -> String {
    "suggested".to_owned()
}

fn member() -> String {
    "member".to_owned()
}

/// What a domain is to do: what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DomainChangeBody {
    /// `automatic` or `suggested`.
    mode: Option<String>,
    /// The role of those who become members by it.
    role: Option<String>,
}

/// The domain a path names.
#[derive(Deserialize)]
pub(crate) struct DomainPath {
    organization: String,
    domain: String,
}

impl DomainPath {
    fn ids(&self) -> Result<(OrganizationId, DomainId), Problem> {
        Ok((path_id(&self.organization)?, path_id(&self.domain)?))
    }
}

async fn list(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    query: &PageQuery,
) -> Result<Json<Page<Domain>>, Problem> {
    let paging = query.paging::<DomainId>()?;
    let (id, after, limit) = (path_id(&path.organization)?, paging.after, paging.to_read());
    let found = state.platform().domains(tenant, id, after, limit, by, state.deadline()).await?;
    Ok(Json(paging.page(found, |one| one.domain.id.to_string(), |one| versioned(&one).body)))
}

async fn claim(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &OrganizationPath,
    body: &NewDomainBody,
) -> Result<Response, Problem> {
    let id: OrganizationId = path_id(&path.organization)?;
    let new = NewDomain::parse(&body.domain, &body.mode, &body.role).map_err(ServiceError::from)?;
    let mine = if matches!(by, AskedBy::User(_)) { "/users/me" } else { "" };
    let view = state.platform().claim_domain(tenant, id, new, by, state.deadline()).await?;
    let location = format!("/v1{mine}/organizations/{id}/domains/{}", view.domain.id);
    let location = HeaderValue::from_str(&location).map_err(|_| internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], versioned(&view)).into_response())
}

async fn get(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &DomainPath,
    known: &IfNoneMatch,
) -> Result<Response, Problem> {
    let (organization, id) = path.ids()?;
    let view = state.platform().domain(tenant, organization, id, by, state.deadline()).await?;
    Ok(versioned(&view).unless_known(known))
}

async fn change(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &DomainPath,
    precondition: Precondition,
    body: &DomainChangeBody,
) -> Result<Versioned<Domain>, Problem> {
    let (organization, id) = path.ids()?;
    let wanted = DomainChange::parse(body.mode.as_deref(), body.role.as_deref());
    let change = (id, wanted.map_err(ServiceError::from)?, precondition);
    let view = state.platform().change_domain(tenant, organization, change, by, state.deadline()).await?;
    Ok(versioned(&view))
}

async fn release(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &DomainPath,
    precondition: Precondition,
) -> Result<StatusCode, Problem> {
    let (organization, id) = path.ids()?;
    let deadline = state.deadline();
    state.platform().release_domain(tenant, organization, id, precondition, by, deadline).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn verify(
    state: &AppState,
    Asking { tenant, by }: Asking,
    path: &DomainPath,
) -> Result<Versioned<Domain>, Problem> {
    let (organization, id) = path.ids()?;
    let view = state.platform().verify_domain(tenant, organization, id, by, state.deadline()).await?;
    Ok(versioned(&view))
}

//! Search (§8): who may, on what, and what. Results come from what roles and grants name, but for what policies forbid;
//! what policies alone permit no list names.

use super::entities::{AccessBody, Action, Entity, EntityType, check, invalid};
use crate::extract::ManagedTenant;
use crate::objects::{object, optional_object};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use plinto_actors::{Circumstances, SubjectSearch};
use plinto_domain::authorization::{Question, Subject, SubjectKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::hash::{DefaultHasher, Hash, Hasher};
use utoipa::ToSchema;

/// Results on a page, unless the request says, and at most.
const PAGE: usize = 50;
const LARGEST: u32 = 100;

/// Which page.
#[derive(Serialize, Deserialize, ToSchema, Default)]
#[schema(as = SearchPageRequest)]
pub(crate) struct PageRequest {
    /// `next_token` of the page before; all else stays as it was.
    #[serde(skip_serializing)]
    token: Option<String>,
    /// Most results on the page, up to 100.
    #[schema(format = Int64)]
    limit: Option<u32>,
}

/// Whether there is more.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchPage)]
pub(crate) struct PageAnswer {
    /// `token` for the next page; empty on the last one.
    next_token: String,
    /// Results on this page.
    count: usize,
}

/// Results of a search.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchAnswer<T> {
    page: PageAnswer,
    results: Vec<T>,
}

/// A subject or a resource that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundEntity {
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// Its id.
    id: String,
}

/// An action that was found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundAction {
    /// Its name.
    name: String,
}

/// Tokens hold where to go on, and a fingerprint of the request they belong to.
struct Paging {
    after: Option<String>,
    limit: usize,
    fingerprint: u64,
}

impl Paging {
    fn of(page: Option<&PageRequest>, request: &impl Serialize) -> Result<Self, Problem> {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(request).unwrap_or_default().hash(&mut hasher);
        let fingerprint = hasher.finish();
        let limit = page.and_then(|page| page.limit).map_or(PAGE, |limit| limit.min(LARGEST) as usize);
        let token = page.and_then(|page| page.token.as_deref()).filter(|token| !token.is_empty());
        let Some(token) = token else { return Ok(Self { after: None, limit, fingerprint }) };
        let parts = token.split_once('.').filter(|(given, _)| *given == format!("{fingerprint:x}"));
        let Some((_, after)) = parts else {
            return Err(invalid(
                "`page.token` is the `next_token` of the same request; begin anew without it",
            ));
        };
        let after = (!after.is_empty()).then(|| after.to_owned());
        Ok(Self { after, limit, fingerprint })
    }

    fn answer<T>(&self, results: Vec<T>, next: Option<&str>) -> Json<SearchAnswer<T>> {
        let next_token = next.map(|next| format!("{:x}.{next}", self.fingerprint)).unwrap_or_default();
        Json(SearchAnswer { page: PageAnswer { next_token, count: results.len() }, results })
    }

    /// The page of a list in order of text.
    fn page<T>(&self, all: Vec<String>, show: impl Fn(String) -> T) -> Json<SearchAnswer<T>> {
        let mut rest: Vec<String> = all
            .into_iter()
            .filter(|one| self.after.as_ref().is_none_or(|after| one > after))
            .take(self.limit + 1)
            .collect();
        let more = rest.len() > self.limit;
        rest.truncate(self.limit);
        let next = more.then(|| rest.last().or(self.after.as_ref()).cloned().unwrap_or_default());
        self.answer(rest.into_iter().map(show).collect(), next.as_deref())
    }
}

/// Who may do this?
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct SubjectSearchBody {
    /// `user` or `service_account`; an id is ignored.
    #[serde(deserialize_with = "object")]
    subject: EntityType,
    /// To do what.
    #[serde(deserialize_with = "object")]
    action: Action,
    /// To what.
    #[serde(deserialize_with = "object")]
    resource: Entity,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
    /// Which page.
    #[serde(default, deserialize_with = "optional_object")]
    page: Option<PageRequest>,
}

/// Who may do something? A page may hold fewer than `limit`, or none, and still have a next one.
#[utoipa::path(post, path = "/access/v1/search/subject", tag = "decisions", request_body = SubjectSearchBody,
    params(("X-Request-ID" = Option<String>, Header, description = "comes back with the answer")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = SearchAnswer<FoundEntity>), (status = 400, body = Problem)))]
pub(crate) async fn subjects(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    AccessBody(body): AccessBody<SubjectSearchBody>,
) -> Result<Json<SearchAnswer<FoundEntity>>, Problem> {
    let paging = Paging::of(body.page.as_ref(), &body)?;
    let Some(kind) = SubjectKind::parse(&body.subject.kind) else {
        return Ok(paging.answer(Vec::new(), None));
    };
    let after = match paging.after.as_deref() {
        None => None,
        Some(text) => {
            Some(Subject::parse_id(text).ok_or_else(|| invalid("`page.token` is not one of ours"))?)
        }
    };
    let (name, resource) = (&body.action.name, &body.resource);
    let organization = resource.organization();
    let question = Question { action: name, kind: &resource.kind, id: &resource.id, organization };
    let circumstances = Circumstances {
        resource: resource.properties.as_ref(),
        action: body.action.properties.as_ref(),
        context: body.context.as_ref(),
    };
    let search = SubjectSearch { kind, question, circumstances, after, limit: paging.limit };
    let found = state.platform().subjects_who_may(tenant, search, state.deadline()).await?;
    let show =
        |subject: Subject| FoundEntity { kind: subject.kind().as_str().to_owned(), id: subject.id_text() };
    let next = found.more.then(|| found.next.map(Subject::id_text).unwrap_or_default());
    Ok(paging.answer(found.subjects.into_iter().map(show).collect(), next.as_deref()))
}

/// To what may somebody do this?
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct ResourceSearchBody {
    /// Who.
    #[serde(deserialize_with = "object")]
    subject: Entity,
    /// To do what.
    #[serde(deserialize_with = "object")]
    action: Action,
    /// Of which type; an id is ignored.
    #[serde(deserialize_with = "object")]
    resource: EntityType,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
    /// Which page.
    #[serde(default, deserialize_with = "optional_object")]
    page: Option<PageRequest>,
}

/// To what may somebody do something? Found are the resources that grants name, and organizations: what else there is of
/// a type only the tenant's application knows.
#[utoipa::path(post, path = "/access/v1/search/resource", tag = "decisions", request_body = ResourceSearchBody,
    params(("X-Request-ID" = Option<String>, Header, description = "comes back with the answer")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = SearchAnswer<FoundEntity>), (status = 400, body = Problem)))]
pub(crate) async fn resources(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    AccessBody(body): AccessBody<ResourceSearchBody>,
) -> Result<Json<SearchAnswer<FoundEntity>>, Problem> {
    let paging = Paging::of(body.page.as_ref(), &body)?;
    let Some(subject) = body.subject.subject() else { return Ok(paging.answer(Vec::new(), None)) };
    let (kind, action) = (body.resource.kind.as_str(), body.action.name.as_str());
    let (context, deadline) = (body.context.as_ref(), state.deadline());
    let ids = state.platform().resources_of(tenant, subject, kind, action, context, deadline).await?;
    Ok(paging.page(ids, |id| FoundEntity { kind: kind.to_owned(), id }))
}

/// What may somebody do to this?
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct ActionSearchBody {
    /// Who.
    #[serde(deserialize_with = "object")]
    subject: Entity,
    /// To what.
    #[serde(deserialize_with = "object")]
    resource: Entity,
    /// The circumstances.
    #[schema(value_type = Option<Object>)]
    context: Option<Map<String, Value>>,
    /// Which page.
    #[serde(default, deserialize_with = "optional_object")]
    page: Option<PageRequest>,
}

/// What may somebody do to something? Found are actions that a role or a grant names.
#[utoipa::path(post, path = "/access/v1/search/action", tag = "decisions", request_body = ActionSearchBody,
    params(("X-Request-ID" = Option<String>, Header, description = "comes back with the answer")),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = SearchAnswer<FoundAction>), (status = 400, body = Problem)))]
pub(crate) async fn actions(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    AccessBody(body): AccessBody<ActionSearchBody>,
) -> Result<Json<SearchAnswer<FoundAction>>, Problem> {
    let paging = Paging::of(body.page.as_ref(), &body)?;
    let any = Action { name: String::new(), properties: None };
    let request = check(&body.subject, &any, &body.resource, body.context.as_ref());
    let names = state.platform().actions_of(tenant, request, state.deadline()).await?;
    Ok(paging.page(names, |name| FoundAction { name }))
}

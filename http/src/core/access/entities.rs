//! The information model (§5): subject, resource, action, context. Members that are not known are ignored.

use crate::extract::JsonBody;
use crate::problem::{Problem, catalogue};
use crate::state::AppState;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use plinto_actors::{CheckRequest, Circumstances};
use plinto_domain::authorization::{Question, Subject};
use plinto_domain::id::OrganizationId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Type of the resources that are organizations of this tenant.
pub(super) const ORGANIZATION: &str = "organization";

/// A body of the Authorization API: whatever is wrong with it is answered 400 (§10.1.5), too large apart.
pub(super) struct AccessBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for AccessBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let JsonBody(body) =
            <JsonBody<T> as FromRequest<AppState>>::from_request(request, state).await.map_err(as_400)?;
        Ok(Self(body))
    }
}

fn as_400(problem: Problem) -> Problem {
    let standard = [StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::UNPROCESSABLE_ENTITY];
    if !standard.contains(&problem.status_code()) {
        return problem;
    }
    let mut refused = Problem::of(catalogue::INVALID_REQUEST).detailed(problem.detail);
    refused.errors = problem.errors;
    refused
}

/// A request that is wrong in a way the types do not say.
pub(super) fn invalid(detail: &'static str) -> Problem {
    Problem::of(catalogue::INVALID_REQUEST).detailed(detail)
}

/// Who, or what.
#[derive(Serialize, Deserialize, ToSchema, Clone)]
#[schema(as = AccessEntity)]
pub(crate) struct Entity {
    /// Subjects: `user` or `service_account`. Resources: any type; `organization` is an organization of the tenant.
    #[serde(rename = "type")]
    #[schema(example = "user")]
    pub(super) kind: String,
    /// Its id: of users and service accounts as Plinto names them.
    #[schema(example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    pub(super) id: String,
    /// More about it. `organization` of a resource is the id of the organization it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) properties: Option<Map<String, Value>>,
}

/// Of which type; an id is ignored.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = AccessEntityType)]
pub(crate) struct EntityType {
    /// The type.
    #[serde(rename = "type")]
    #[schema(example = "document")]
    pub(super) kind: String,
    /// More about it.
    #[schema(value_type = Option<Object>)]
    pub(super) properties: Option<Map<String, Value>>,
}

/// To do what.
#[derive(Serialize, Deserialize, ToSchema, Clone)]
#[schema(as = AccessAction)]
pub(crate) struct Action {
    /// Its name.
    #[schema(example = "read")]
    pub(super) name: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) properties: Option<Map<String, Value>>,
}

impl Entity {
    /// The subject it is in this tenant; none if it can be nobody.
    pub(super) fn subject(&self) -> Option<Subject> {
        Subject::parse_id(&self.id).filter(|subject| subject.kind().as_str() == self.kind)
    }

    /// The organization the resource is, or belongs to.
    pub(super) fn organization(&self) -> Option<OrganizationId> {
        let id = match self.kind.as_str() {
            ORGANIZATION => Some(self.id.as_str()),
            _ => self.properties.as_ref().and_then(|properties| properties.get(ORGANIZATION)?.as_str()),
        };
        id?.parse().ok()
    }
}

/// The question a subject, an action and a resource make.
pub(super) fn check<'r>(
    subject: &Entity,
    action: &'r Action,
    resource: &'r Entity,
    context: Option<&'r Map<String, Value>>,
) -> CheckRequest<'r> {
    let properties = action.properties.as_ref();
    let question = Question {
        action: &action.name,
        kind: &resource.kind,
        id: &resource.id,
        organization: resource.organization(),
    };
    let circumstances = Circumstances { resource: resource.properties.as_ref(), action: properties, context };
    CheckRequest { subject: subject.subject(), question, circumstances }
}

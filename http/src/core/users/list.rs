//! Which users are listed.

use super::body::User;
use crate::extract::{ManagedTenant, QueryOf, invalid_query};
use crate::pages::{Page, Paging};
use crate::problem::Problem;
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use plinto_actors::{ServiceError, Unique, UserFilter, UserList};
use plinto_domain::account::AccountState;
use plinto_domain::email::EmailAddress;
use plinto_domain::user::identifiers::{ExternalId, PhoneNumber, Username};
use plinto_domain::user::search::{SearchQuery, Searched};
use plinto_domain::{InvalidInput, Timestamp, UserId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// A state to filter by.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateFilter {
    /// Nothing keeps them from signing in.
    Active,
    /// Blocked.
    Blocked,
    /// Locked for a time.
    Locked,
    /// Being deleted.
    Deleted,
}

impl From<StateFilter> for AccountState {
    fn from(filter: StateFilter) -> Self {
        match filter {
            StateFilter::Active => Self::Active,
            StateFilter::Blocked => Self::Blocked,
            StateFilter::Locked => Self::Locked,
            StateFilter::Deleted => Self::Deleted,
        }
    }
}

/// Which users. At most one of `email`, `phone`, `external_id`, `username`, `name_prefix`, `email_prefix` and
/// `organization`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsersQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// Users on the page, 1 to 200; 50 if left out.
    limit: Option<u32>,
    /// Only users in this state.
    #[param(inline)]
    state: Option<StateFilter>,
    /// Only users created then or later, in milliseconds since the Unix epoch.
    created_after: Option<i64>,
    /// Only users created earlier, in milliseconds since the Unix epoch.
    created_before: Option<i64>,
    /// The user with this address, primary or not.
    email: Option<String>,
    /// The user with this phone number.
    phone: Option<String>,
    /// The user with this id in another system.
    external_id: Option<String>,
    /// The user with this username.
    username: Option<String>,
    /// Users whose name, or one of its first four words, begins like this: 3 to 64 characters, in whatever case. A page
    /// may hold fewer users than its limit and still have a `next`.
    name_prefix: Option<String>,
    /// Users whose primary address begins like this, in the same way.
    email_prefix: Option<String>,
    /// Members of the organization of this id. A page may hold fewer users than its limit and still have a `next`, where
    /// `state` leaves some out.
    organization: Option<String>,
}

impl UsersQuery {
    fn list(&self) -> Result<UserList, Problem> {
        let mut lists = Vec::new();
        let wrong = |error| Problem::from(ServiceError::from(error));
        if let Some(text) = &self.email {
            lists.push(EmailAddress::parse("email", text).map(Unique::Email).map(UserList::Having));
        }
        if let Some(text) = &self.phone {
            lists.push(PhoneNumber::parse("phone", text).map(Unique::Phone).map(UserList::Having));
        }
        if let Some(text) = &self.external_id {
            lists.push(ExternalId::parse("external_id", text).map(Unique::ExternalId).map(UserList::Having));
        }
        if let Some(text) = &self.username {
            lists.push(Username::parse("username", text).map(Unique::Username).map(UserList::Having));
        }
        if let Some(text) = &self.name_prefix {
            lists.push(SearchQuery::parse("name_prefix", Searched::Name, text).map(UserList::Beginning));
        }
        if let Some(text) = &self.email_prefix {
            lists.push(SearchQuery::parse("email_prefix", Searched::Email, text).map(UserList::Beginning));
        }
        if let Some(text) = &self.organization {
            let wrong = "expected the id of an organization: org_ and 32 hexadecimal digits";
            let id =
                text.parse().map_err(|_| InvalidInput::new("organization", "invalid_organization", wrong));
            lists.push(id.map(UserList::Members));
        }
        match (lists.pop(), lists.is_empty()) {
            (None, _) => Ok(UserList::All),
            (Some(list), true) => list.map_err(wrong),
            (Some(_), false) => Err(invalid_query("search by one value at a time")),
        }
    }
}

/// List users.
///
/// Without a search in the order of their ids, which is that of their creation. Searching by a beginning needs users
/// created or renamed since it exists.
#[utoipa::path(get, path = "/v1/users", tag = "users", params(UsersQuery),
    security(("service_key" = []), ("platform_key" = [])),
    responses((status = 200, body = Page<User>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    ManagedTenant { tenant, .. }: ManagedTenant,
    QueryOf(query): QueryOf<UsersQuery>,
) -> Result<Json<Page<User>>, Problem> {
    let paging = Paging::<UserId>::of(query.after.as_deref(), query.limit)?;
    let list = query.list()?;
    let filter = UserFilter {
        state: query.state.map(AccountState::from),
        created_after: query.created_after.map(Timestamp::from_millis),
        created_before: query.created_before.map(Timestamp::from_millis),
    };
    let (platform, deadline) = (state.platform(), state.deadline());
    let read = platform.users(tenant, &list, filter, paging.after, paging.limit(), deadline).await?;
    let items = read.users.into_iter().map(User::from).collect();
    Ok(Json(Page { items, next: read.next.map(|next| next.to_string()) }))
}

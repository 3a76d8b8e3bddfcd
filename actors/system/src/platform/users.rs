//! Users, as a tenant's services and operators administer them.

use super::Platform;
use super::work::Work;
use crate::error::ServiceError;
use crate::persist::users::searched;
use crate::tenant::CreateUserRequest;
use crate::user_view::{UserView, standing, user_metadata};
use plinto_domain::account::AccountState;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::id::OrganizationId;
use plinto_domain::name::DisplayName;
use plinto_domain::password::Password;
use plinto_domain::precondition::Precondition;
use plinto_domain::user::create::NewUser;
use plinto_domain::user::identifiers::{ExternalId, PhoneNumber, Username};
use plinto_domain::user::profile::{Profile, ProfileInput, UserChange};
use plinto_domain::user::search::SearchQuery;
use plinto_domain::user::{EXTERNAL_ID_TAKEN, PHONE_TAKEN, UNKNOWN_USER, USERNAME_TAKEN, User, change};
use plinto_domain::{InvalidInput, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::user_emails::{self, UserEmailRow};
use plinto_storage::repositories::user_views;
use plinto_storage::repositories::users::{self, Identifier, ListedState, Span, UserRow};
use plinto_storage::repositories::{constraint, user_search};
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A new user as it was sent. No `Debug`: it holds a password.
pub struct NewUserInput {
    /// Primary address.
    pub email: String,
    /// Whether the address counts as proved.
    pub email_verified: bool,
    /// The password; without one the user signs in by other means.
    pub password: Option<Zeroizing<String>>,
    /// What is known besides.
    pub profile: ProfileInput,
}

impl NewUserInput {
    /// Of whom nothing is known but an address and a password.
    pub fn with_password(email: &str, password: Zeroizing<String>) -> Self {
        Self {
            email: email.to_owned(),
            email_verified: false,
            password: Some(password),
            profile: ProfileInput::default(),
        }
    }
}

/// One of the lists of users.
#[derive(Clone, Debug)]
pub enum UserList {
    /// All of them.
    All,
    /// Members of an organization.
    Members(OrganizationId),
    /// The one who has something, if there is one.
    Having(Unique),
    /// Those whose name or primary address begins like this.
    Beginning(SearchQuery),
}

/// What only one user of a tenant has.
#[derive(Clone, Debug)]
pub enum Unique {
    /// An address, primary or not.
    Email(EmailAddress),
    /// A phone number.
    Phone(PhoneNumber),
    /// An id in another system.
    ExternalId(ExternalId),
    /// A username.
    Username(Username),
}

/// Which users of a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserFilter {
    /// In this state.
    pub state: Option<AccountState>,
    /// Created then or later.
    pub created_after: Option<Timestamp>,
    /// Created earlier.
    pub created_before: Option<Timestamp>,
}

impl UserFilter {
    /// The ids of users created in time, after `after`. Ids begin with the time of creation (UUIDv7).
    fn span(&self, after: Option<UserId>, limit: u32) -> Span {
        let first_at = |at: Timestamp| {
            let millis = u128::try_from(at.as_millis()).unwrap_or(0).min((1 << 48) - 1);
            Uuid::from_u128(millis << 80)
        };
        let after = after.map(UserId::uuid).into_iter().chain(self.created_after.map(first_at)).max();
        let before = self.created_before.map_or(Uuid::max(), first_at);
        Span { before, ..Span::after(after, limit) }
    }

    fn admits(&self, view: &UserView) -> bool {
        self.state.is_none_or(|state| view.state == state)
            && self.created_after.is_none_or(|at| view.created_at >= at)
            && self.created_before.is_none_or(|at| view.created_at < at)
    }
}

/// Users that were read, some of which a filter may have left out.
#[derive(Debug)]
pub struct ReadUsers {
    /// Those that are meant.
    pub users: Vec<UserView>,
    /// Where to read on: the last one read, unless there are no more.
    pub next: Option<UserId>,
}

impl Platform {
    /// Creates a user on the word of a service or an operator, who is told if an address or another identifier is taken.
    pub async fn create_user(
        &self,
        tenant: TenantId,
        input: NewUserInput,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let NewUserInput { email, email_verified, password, profile } = input;
        let password = password.map(|text| Password::entered("password", &text)).transpose();
        let (new, password) = match (NewUser::parse(&email, email_verified, profile), password) {
            (Ok(new), Ok(password)) => (new, password),
            (new, password) => {
                let wrong = new.err().into_iter().flatten().chain(password.err());
                return Err(wrong.collect::<Vec<InvalidInput>>().into());
            }
        };
        let request = CreateUserRequest { new, password };
        let user = self.0.tenants.create_user(tenant, request, actor, deadline).await?;
        self.user(tenant, user, deadline).await.map(Arc::unwrap_or_clone)
    }

    /// One user.
    pub async fn user(
        &self,
        tenant: TenantId,
        user: UserId,
        deadline: Deadline,
    ) -> Result<Arc<UserView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_view(user).await
    }

    /// Users in the order of their ids, after `after`, at most `limit`.
    pub async fn users(
        &self,
        tenant: TenantId,
        list: &UserList,
        filter: UserFilter,
        after: Option<UserId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<ReadUsers, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let found = match list {
            UserList::All => {
                let (state, now) = (filter.state.map(listed), work.now().as_millis());
                // One more than asked for tells whether there is a next page.
                let span = filter.span(after, limit + 1);
                let read = || users::list(work.engine(), work.vault(), span, state, now);
                work.read(read).await?
            }
            UserList::Beginning(query) => {
                let (term, span) = (query.term(), filter.span(after, limit + 1));
                let of = searched(term.of);
                let read = || user_search::find(work.engine(), work.vault(), of, &term.beginning, span);
                work.read(read).await?
            }
            UserList::Members(organization) => {
                work.organization_row(*organization).await?;
                let (id, span) = (organization.uuid(), filter.span(after, limit + 1));
                work.read(|| users::list_members(work.engine(), work.vault(), id, span)).await?
            }
            UserList::Having(unique) => return work.having(unique, &filter).await,
        };
        work.page(found, list, &filter, limit)
    }

    /// Changes a user, if its version is one the precondition admits.
    pub async fn change_user(
        &self,
        tenant: TenantId,
        user: UserId,
        wanted: &UserChange,
        precondition: &Precondition,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.change_user(user, wanted, precondition, actor).await
    }
}

impl Work {
    pub(super) async fn change_user(
        &self,
        user: UserId,
        wanted: &UserChange,
        precondition: &Precondition,
        actor: Actor,
    ) -> Result<UserView, ServiceError> {
        let known = to_domain(&self.user_row(user).await?)?;
        let now = self.now();
        let decision = change(&known, wanted, precondition, now)?;
        let after = wanted.apply_to(&known.profile)?;
        self.metadata().check(self.cell(), &known.profile, &after, self.deadline()).await?;
        self.carry_out_uniquely(decision, actor, now, taken).await?;
        self.user_view(user).await.map(Arc::unwrap_or_clone)
    }

    /// Who has something that only one user has.
    pub(super) async fn find_user(&self, unique: &Unique) -> Result<Option<UserId>, ServiceError> {
        let find = async |kind, value: &str| {
            self.read(|| users::find(self.engine(), self.vault(), kind, value)).await
        };
        let found = match unique {
            Unique::Phone(phone) => find(Identifier::Phone, phone.as_str()).await?,
            Unique::ExternalId(id) => find(Identifier::ExternalId, id.as_str()).await?,
            Unique::Username(name) => find(Identifier::Username, name.as_str()).await?,
            Unique::Email(email) => {
                let find = || user_emails::find_by_email(self.engine(), self.vault(), email.normalized());
                self.read(find).await?.map(|email| email.user_id)
            }
        };
        Ok(found.map(UserId::from_uuid))
    }

    /// The same as a list, of those the filter admits.
    async fn having(&self, unique: &Unique, filter: &UserFilter) -> Result<ReadUsers, ServiceError> {
        let users = match self.find_user(unique).await? {
            Some(user) => vec![Arc::unwrap_or_clone(self.user_view(user).await?)],
            None => Vec::new(),
        };
        Ok(ReadUsers { users: users.into_iter().filter(|user| filter.admits(user)).collect(), next: None })
    }

    fn page(
        &self,
        mut found: Vec<(UserRow, Option<UserEmailRow>)>,
        list: &UserList,
        filter: &UserFilter,
        limit: u32,
    ) -> Result<ReadUsers, ServiceError> {
        let now = self.now();
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|(row, _)| UserId::from_uuid(row.user_id));
        let views = found.into_iter().map(|(row, email)| UserView::of(row, email, now));
        let mut views = views.collect::<Result<Vec<_>, _>>()?;
        match list {
            UserList::Beginning(query) => views.retain(|view| {
                filter.admits(view) && query.matches(view.name.as_deref(), view.email.as_deref())
            }),
            UserList::Members(_) => views.retain(|view| filter.admits(view)),
            UserList::All | UserList::Having(_) => {}
        }
        Ok(ReadUsers { users: views, next })
    }

    pub(super) async fn user_row(&self, user: UserId) -> Result<UserRow, ServiceError> {
        let row = self.read(|| users::get(self.engine(), self.vault(), user.uuid())).await?;
        Ok(row.ok_or(UNKNOWN_USER)?)
    }

    pub(super) async fn user_view(&self, user: UserId) -> Result<Arc<UserView>, ServiceError> {
        Ok(self.find_user_view(user).await?.ok_or(UNKNOWN_USER)?)
    }

    /// A user as it is now; from memory, if it was read there since the last change.
    pub(super) async fn find_user_view(&self, user: UserId) -> Result<Option<Arc<UserView>>, ServiceError> {
        let known = &self.cell().users;
        if let Some(found) = known.find(user) {
            return Ok(Some(found.at(self.now())));
        }
        let stamp = known.stamp(user);
        let read = self.read(|| user_views::get(self.engine(), self.vault(), user.uuid())).await?;
        let view = read.map(|(row, primary)| UserView::of(row, primary, self.now()));
        let view = view.transpose()?.map(Arc::new);
        if let (Some(stamp), Some(view)) = (stamp, &view) {
            known.keep(stamp, user, view);
        }
        Ok(view)
    }
}

fn listed(state: AccountState) -> ListedState {
    match state {
        AccountState::Active => ListedState::Active,
        AccountState::Blocked => ListedState::Blocked,
        AccountState::Locked => ListedState::Locked,
        AccountState::Deleted => ListedState::Deleted,
    }
}

/// The refusal for a value that somebody else has.
pub(crate) fn taken(rule: &str) -> Option<ServiceError> {
    match rule {
        constraint::USER_EMAIL => Some(ServiceError::EmailTaken),
        constraint::USER_NAME => Some(USERNAME_TAKEN.into()),
        constraint::USER_EXTERNAL_ID => Some(EXTERNAL_ID_TAKEN.into()),
        constraint::USER_PHONE => Some(PHONE_TAKEN.into()),
        _ => None,
    }
}

/// A stored user as rules see it.
pub(super) fn to_domain(row: &UserRow) -> Result<User, ServiceError> {
    let damaged = |_| ServiceError::Damaged("a field of a user");
    let stored = &row.profile;
    let name = stored.name.as_deref().map(|name| DisplayName::parse("name", name));
    let username = stored.username.as_deref().map(|name| Username::parse("username", name));
    let external_id = stored.external_id.as_deref().map(|id| ExternalId::parse("external_id", id));
    let phone = stored.phone.as_deref().map(|phone| PhoneNumber::parse("phone", phone));
    let profile = Profile {
        name: name.transpose().map_err(damaged)?,
        username: username.transpose().map_err(damaged)?,
        external_id: external_id.transpose().map_err(damaged)?,
        phone: phone.transpose().map_err(damaged)?,
        public_metadata: user_metadata(stored.public_metadata.as_deref())?,
        private_metadata: user_metadata(stored.private_metadata.as_deref())?,
        unsafe_metadata: user_metadata(stored.unsafe_metadata.as_deref())?,
    };
    let id = UserId::from_uuid(row.user_id);
    Ok(User { id, standing: standing(row.standing), profile, version: row.version })
}

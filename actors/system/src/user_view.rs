//! A user as it is shown, and how rows of users are read.

use crate::error::ServiceError;
use bytes::Bytes;
use plinto_domain::account::{AccountState, Standing};
use plinto_domain::metadata::Metadata;
use plinto_domain::{Timestamp, UserId};
use plinto_storage::repositories::user_emails::UserEmailRow;
use plinto_storage::repositories::users::{UserProfile, UserRow, UserStanding, UserState};
use serde_json::{Map, Value};
use std::sync::{Arc, OnceLock};

/// A user as the user and those who administer it see it.
#[derive(Clone)]
pub struct UserView {
    /// The user.
    pub id: UserId,
    /// Whether it may sign in.
    pub state: AccountState,
    /// Until when it is or was locked.
    pub locked_until: Option<Timestamp>,
    /// When it will be purged, if it is being deleted.
    pub purge_at: Option<Timestamp>,
    /// Primary address.
    pub email: Option<String>,
    /// Whether the address was verified.
    pub email_verified: bool,
    /// What to call them.
    pub name: Option<String>,
    /// A name to sign in with.
    pub username: Option<String>,
    /// Their id in another system.
    pub external_id: Option<String>,
    /// Their phone number.
    pub phone: Option<String>,
    /// What the tenant lets them read.
    pub public_metadata: Map<String, Value>,
    /// What the tenant keeps to itself.
    pub private_metadata: Map<String, Value>,
    /// What they may write themselves.
    pub unsafe_metadata: Map<String, Value>,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
    standing: Standing,
    rendered: Rendered,
}

impl std::fmt::Debug for UserView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserView").field("id", &self.id).finish_non_exhaustive()
    }
}

impl UserView {
    pub(crate) fn of(
        row: UserRow,
        primary: Option<UserEmailRow>,
        now: Timestamp,
    ) -> Result<Self, ServiceError> {
        let standing = standing(row.standing);
        let UserProfile { name, username, external_id, phone, .. } = row.profile;
        Ok(Self {
            id: UserId::from_uuid(row.user_id),
            state: standing.state(now),
            locked_until: standing.locked_until,
            purge_at: standing.purge_at,
            email_verified: primary.as_ref().is_some_and(|email| email.verified_at.is_some()),
            email: primary.map(|email| email.email),
            name,
            username,
            external_id,
            phone,
            public_metadata: user_metadata(row.profile.public_metadata.as_deref())?.into_object(),
            private_metadata: user_metadata(row.profile.private_metadata.as_deref())?.into_object(),
            unsafe_metadata: user_metadata(row.profile.unsafe_metadata.as_deref())?.into_object(),
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            version: row.version,
            standing,
            rendered: Rendered::default(),
        })
    }

    /// The same user at another time: a lock may be over.
    pub(crate) fn at(self: Arc<Self>, now: Timestamp) -> Arc<Self> {
        let state = self.standing.state(now);
        if state == self.state { self } else { Arc::new(Self { state, ..Self::clone(&self) }) }
    }

    /// What a listener shows of the user to somebody, made once while the user is remembered and unchanged.
    pub fn rendered(&self, reader: Reader, render: impl FnOnce(&Self) -> Bytes) -> Bytes {
        let Rendered { administrator, user } = &self.rendered;
        let place = match reader {
            Reader::Administrator => administrator,
            Reader::User => user,
        };
        place.get_or_init(|| render(self)).clone()
    }
}

/// Who reads about a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Those who administer it.
    Administrator,
    /// The user.
    User,
}

/// Answers that were made already.
#[derive(Default)]
struct Rendered {
    administrator: OnceLock<Bytes>,
    user: OnceLock<Bytes>,
}

/// Of a copy that may be changed none is made yet.
impl Clone for Rendered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A stored standing as rules see it.
pub(crate) fn standing(row: UserStanding) -> Standing {
    Standing {
        blocked: row.state == UserState::Blocked,
        locked_until: row.locked_until.map(Timestamp::from_millis),
        purge_at: row.purge_at.map(Timestamp::from_millis),
    }
}

pub(crate) fn user_metadata(stored: Option<&str>) -> Result<Metadata, ServiceError> {
    let read = stored.map_or(Some(Metadata::default()), Metadata::from_json);
    read.ok_or(ServiceError::Damaged("metadata of a user"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_lock_is_over_in_time_and_what_was_made_before_is_made_anew() {
        let mut row = UserRow::new(Uuid::from_u128(7), 1);
        row.standing.locked_until = Some(1_000);
        let view = Arc::new(UserView::of(row, None, Timestamp::from_millis(10)).expect("a good row"));
        let render = |view: &UserView| Bytes::from(view.state.as_str());
        assert_eq!(view.rendered(Reader::Administrator, render), "locked");
        let later = Arc::clone(&view).at(Timestamp::from_millis(999));
        assert!(Arc::ptr_eq(&view, &later));
        assert_eq!(later.rendered(Reader::Administrator, |_| Bytes::from("made again")), "locked");
        assert_eq!(later.rendered(Reader::User, |_| Bytes::from("for another")), "for another");
        let free = view.at(Timestamp::from_millis(1_000));
        assert_eq!(free.rendered(Reader::Administrator, render), "active");
    }
}

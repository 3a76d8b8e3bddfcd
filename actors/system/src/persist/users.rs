//! What decisions about users write.

use super::FIRST_VERSION;
use plinto_domain::account::Standing;
use plinto_domain::user::profile::Profile;
use plinto_domain::user::search::{SearchTerm, Searched};
use plinto_domain::user::write::UserWrite;
use plinto_domain::{Timestamp, UserId};
use plinto_storage::repositories::purge;
use plinto_storage::repositories::user_avatars::{self, AvatarRow};
use plinto_storage::repositories::user_emails::{self, UserEmailRow};
use plinto_storage::repositories::user_search;
use plinto_storage::repositories::users::{self, UserProfile, UserRow, UserStanding, UserState};
use plinto_storage::{Statement, TenantVault};
use zeroize::Zeroizing;

pub(super) fn statements(vault: &TenantVault, write: UserWrite) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        UserWrite::Insert { user, profile, at } => vec![insert(vault, user, *profile, at)],
        UserWrite::SetProfile { user, profile, expected_version, at } => {
            let profile = to_row(*profile);
            vec![users::update_profile(vault, user.uuid(), &profile, at.as_millis(), expected_version)]
        }
        UserWrite::SetStanding { user, standing, expected_version, at } => {
            let standing = standing_row(standing);
            vec![users::update_standing(vault, user.uuid(), standing, at.as_millis(), expected_version)]
        }
        UserWrite::Touch { user, expected_version, at } => {
            vec![users::touch(tenant, user.uuid(), at.as_millis(), expected_version)]
        }
        UserWrite::InsertEmail { user, email, verified_at, is_primary, at } => {
            let row = UserEmailRow {
                user_id: user.uuid(),
                email: email.as_entered().to_owned(),
                verified_at: verified_at.map(Timestamp::as_millis),
                is_primary,
                created_at: at.as_millis(),
            };
            vec![user_emails::insert(vault, email.normalized(), &row)]
        }
        UserWrite::RemoveEmail { user, email } => {
            vec![user_emails::remove(vault, email.normalized(), user.uuid())]
        }
        UserWrite::SetPrimary { user, email, is_primary } => {
            vec![user_emails::set_primary(vault, email.normalized(), user.uuid(), is_primary)]
        }
        UserWrite::VerifyEmail { user, email, at } => {
            vec![user_emails::verify(vault, email.normalized(), user.uuid(), at.as_millis())]
        }
        UserWrite::AddTerm { user, term: SearchTerm { of, beginning } } => {
            vec![user_search::insert(vault, searched(of), &beginning, user.uuid())]
        }
        UserWrite::RemoveTerm { user, term: SearchTerm { of, beginning } } => {
            vec![user_search::remove(vault, searched(of), &beginning, user.uuid())]
        }
        UserWrite::SetAvatar { user, picture, version, at } => {
            let image = Zeroizing::new(picture.into_bytes());
            let row = AvatarRow { version, image, updated_at: at.as_millis() };
            vec![user_avatars::put(vault, user.uuid(), &row)]
        }
        UserWrite::RemoveAvatar { user } => vec![user_avatars::remove(tenant, user.uuid())],
        UserWrite::Purge { user, expected_version } => purge::purge(tenant, user.uuid(), expected_version),
    }
}

fn insert(vault: &TenantVault, user: UserId, profile: Profile, at: Timestamp) -> Statement {
    let at = at.as_millis();
    let row = UserRow {
        user_id: user.uuid(),
        standing: UserStanding::default(),
        profile: to_row(profile),
        created_at: at,
        updated_at: at,
        version: FIRST_VERSION,
    };
    users::insert(vault, &row)
}

pub(super) fn to_row(profile: Profile) -> UserProfile {
    UserProfile {
        name: profile.name.map(|name| name.as_str().to_owned()),
        username: profile.username.map(|name| name.as_str().to_owned()),
        external_id: profile.external_id.map(|id| id.as_str().to_owned()),
        phone: profile.phone.map(|phone| phone.as_str().to_owned()),
        public_metadata: profile.public_metadata.to_json(),
        private_metadata: profile.private_metadata.to_json(),
        unsafe_metadata: profile.unsafe_metadata.to_json(),
    }
}

pub(super) fn standing_row(standing: Standing) -> UserStanding {
    UserStanding {
        state: if standing.blocked { UserState::Blocked } else { UserState::Active },
        locked_until: standing.locked_until.map(Timestamp::as_millis),
        purge_at: standing.purge_at.map(Timestamp::as_millis),
    }
}

/// The kind of search a term is of, as storage names it.
pub(crate) fn searched(of: Searched) -> user_search::Searched {
    match of {
        Searched::Name => user_search::Searched::Name,
        Searched::Email => user_search::Searched::Email,
    }
}

//! Users: what may be changed of them, and by which rules.

pub mod avatar;
pub mod create;
pub mod emails;
pub mod event;
pub mod identifiers;
pub mod import;
pub mod invitation;
pub mod profile;
pub mod search;
pub mod standing;
pub mod write;

use crate::account::Standing;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::UserId;
use crate::precondition::Precondition;
use crate::time::Timestamp;
use profile::{Profile, UserChange};
use write::UserWrite;

/// There is no such user in the tenant.
pub const UNKNOWN_USER: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_user",
    "Unknown user",
    "there is no user of this id in the tenant",
);

/// The user is being deleted.
pub const USER_DELETED: Denial = Denial::new(
    DenialKind::Conflict,
    "user_deleted",
    "User being deleted",
    "this user is being deleted; restore it first",
);

/// Somebody else in the tenant has the username.
pub const USERNAME_TAKEN: Denial = Denial::new(
    DenialKind::Conflict,
    "username_taken",
    "Username taken",
    "another user of the tenant has this username; choose another",
);

/// Somebody else in the tenant has the external id.
pub const EXTERNAL_ID_TAKEN: Denial = Denial::new(
    DenialKind::Conflict,
    "external_id_taken",
    "External id taken",
    "another user of the tenant has this external id",
);

/// Somebody else in the tenant has the phone number.
pub const PHONE_TAKEN: Denial = Denial::new(
    DenialKind::Conflict,
    "phone_taken",
    "Phone number taken",
    "another user of the tenant has this phone number",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[
    UNKNOWN_USER,
    USER_DELETED,
    USERNAME_TAKEN,
    EXTERNAL_ID_TAKEN,
    PHONE_TAKEN,
    crate::metadata::METADATA_TOO_LARGE,
    avatar::NO_AVATAR,
    emails::UNKNOWN_EMAIL,
    emails::PRIMARY_EMAIL,
    emails::TOO_MANY_EMAILS,
    import::UNKNOWN_IMPORT,
    import::IMPORT_ENDED,
    import::LINES_MISSING,
    import::IMPORT_BUSY,
    invitation::UNKNOWN_INVITATION,
];

/// What a decision has to know of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Whether it may sign in.
    pub standing: Standing,
    /// What is known of it.
    pub profile: Profile,
    /// Grows by one with each change.
    pub version: i64,
}

impl User {
    /// Refuses to change a user that is being deleted.
    fn check_kept(&self) -> Result<(), Denial> {
        if self.standing.purge_at.is_some() { Err(USER_DELETED) } else { Ok(()) }
    }
}

/// Changes a user. What is already so is not written again.
pub fn change(
    user: &User,
    change: &UserChange,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    precondition.check(user.version)?;
    user.check_kept()?;
    let profile = change.apply_to(&user.profile)?;
    let fields = user.profile.difference(&profile);
    if fields.is_empty() {
        return Ok(Decision::reply_only(()));
    }
    let mut writes = search::moved(user.id, user.profile.name.as_ref(), profile.name.as_ref());
    let profile = Box::new(profile);
    writes.insert(
        0,
        Write::User(UserWrite::SetProfile {
            user: user.id,
            profile,
            expected_version: user.version,
            at: now,
        }),
    );
    Ok(Decision { writes, events: vec![Event::UserChanged { user: user.id, fields }], reply: () })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::name::DisplayName;
    use uuid::Uuid;

    pub(crate) fn ada() -> User {
        let name = DisplayName::parse("name", "Ada").expect("valid");
        User {
            id: UserId::from_uuid(Uuid::from_u128(7)),
            standing: Standing::default(),
            profile: Profile { name: Some(name), ..Profile::default() },
            version: 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::profile::ProfileInput;
    use super::testing::ada;
    use super::*;
    use crate::denial::STALE_VERSION;

    fn named(name: Option<&str>) -> UserChange {
        let input = ProfileInput { name: Some(name.map(str::to_owned)), ..ProfileInput::default() };
        UserChange::parse(input).expect("valid")
    }

    fn run(change_: &UserChange, precondition: &Precondition) -> Result<Decision<()>, Denial> {
        change(&ada(), change_, precondition, Timestamp::from_millis(9))
    }

    #[test]
    fn a_change_says_which_fields_it_is_about_and_never_what_they_hold() {
        let decision = run(&named(Some("Ada King")), &Precondition::None).expect("allowed");
        assert!(matches!(decision.writes[0], Write::User(UserWrite::SetProfile { expected_version: 3, .. })));
        assert!(decision.writes.len() > 1, "its beginnings are found from now on");
        assert_eq!(decision.events[0].data(), serde_json::json!({ "fields": ["name"] }));
    }

    #[test]
    fn what_is_already_so_is_not_written() {
        for unchanged in [UserChange::default(), named(Some(" Ada "))] {
            assert!(run(&unchanged, &Precondition::None).expect("allowed").writes.is_empty());
        }
    }

    #[test]
    fn a_change_of_another_version_or_of_a_user_being_deleted_is_refused() {
        let stale = Precondition::OneOf(vec![2]);
        assert_eq!(run(&UserChange::default(), &stale).expect_err("stale"), STALE_VERSION);
        let mut gone = ada();
        gone.standing.purge_at = Some(Timestamp::from_millis(99));
        let refused = change(&gone, &named(None), &Precondition::None, Timestamp::from_millis(9));
        assert_eq!(refused.expect_err("deleted"), USER_DELETED);
    }
}

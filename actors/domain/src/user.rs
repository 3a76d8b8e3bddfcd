//! Users: what may be changed of them, and by which rules.

use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::UserId;
use crate::input::InvalidInput;
use crate::name::DisplayName;
use crate::precondition::Precondition;
use crate::time::Timestamp;

/// There is no such user in the tenant.
pub const UNKNOWN_USER: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_user",
    "Unknown user",
    "there is no user of this id in the tenant",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNKNOWN_USER];

/// What a decision has to know of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// What to call them.
    pub name: Option<DisplayName>,
    /// Grows by one with each change.
    pub version: i64,
}

/// A change of a user (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    /// The name, or none.
    pub name: Option<Option<DisplayName>>,
}

impl UserChange {
    /// Checks a change.
    pub fn parse(name: Option<Option<&str>>) -> Result<Self, InvalidInput> {
        let name =
            name.map(|name| name.map(|name| DisplayName::parse("name", name)).transpose()).transpose()?;
        Ok(Self { name })
    }
}

/// Changes a user. What is already so is not written again.
pub fn change(
    user: &User,
    change: UserChange,
    precondition: &Precondition,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    precondition.check(user.version)?;
    let Some(name) = change.name.filter(|name| *name != user.name) else {
        return Ok(Decision::reply_only(()));
    };
    let write = Write::SetUserName { user: user.id, name, expected_version: user.version, at: now };
    Ok(Decision {
        writes: vec![write],
        events: vec![Event::UserChanged { user: user.id, fields: vec!["name"] }],
        reply: (),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::STALE_VERSION;
    use uuid::Uuid;

    fn ada() -> User {
        let name = DisplayName::parse("name", "Ada").expect("valid");
        User { id: UserId::from_uuid(Uuid::from_u128(7)), name: Some(name), version: 3 }
    }

    #[test]
    fn a_change_says_which_fields_it_is_about_and_never_what_they_hold() {
        let renamed = UserChange::parse(Some(Some("Ada King"))).expect("valid");
        let decision =
            change(&ada(), renamed, &Precondition::None, Timestamp::from_millis(9)).expect("allowed");
        assert!(matches!(
            decision.writes[..],
            [Write::SetUserName { name: Some(_), expected_version: 3, .. }]
        ));
        assert_eq!(decision.events[0].data(), serde_json::json!({ "fields": ["name"] }));
    }

    #[test]
    fn what_is_already_so_is_not_written() {
        for unchanged in [UserChange::default(), UserChange::parse(Some(Some(" Ada "))).expect("valid")] {
            let decision = change(&ada(), unchanged, &Precondition::None, Timestamp::from_millis(9));
            assert!(decision.expect("allowed").writes.is_empty());
        }
    }

    #[test]
    fn a_change_of_another_version_is_refused() {
        let stale = Precondition::OneOf(vec![2]);
        let refused = change(&ada(), UserChange::default(), &stale, Timestamp::from_millis(9));
        assert_eq!(refused.expect_err("stale"), STALE_VERSION);
    }
}

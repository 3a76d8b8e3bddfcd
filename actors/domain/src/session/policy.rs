//! How long sessions live, how many there may be, and for how long they may do what is sensitive.

use crate::input::InvalidInput;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Seconds a replaced refresh token may be good for at most: long enough for any retry, short for a thief.
const LONGEST_REFRESH_GRACE: u32 = 60;
/// Most sessions a limit may allow: each sign-in at the limit reads them.
const MOST_CONCURRENT: u32 = 1_000;

/// How long sessions live.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionPolicy {
    /// Seconds an access token is good for.
    pub access_token_seconds: u32,
    /// Seconds after which a session ends if it is not refreshed.
    pub idle_seconds: u32,
    /// Seconds after which a session ends whatever happens.
    pub absolute_seconds: u32,
    /// Seconds in which the client that had its refresh token replaced may present the replaced one again; 0 is never.
    /// They count from the rotation. If a node or the database stops between the commit and the answer, the client can
    /// only retry once another takes over: a grace shorter than the longest fail-over turns that honest retry into
    /// reuse, which ends the session. A longer one is as much longer for a thief who also appears as the same client.
    pub refresh_grace_seconds: u32,
    /// Live sessions a user may have; 0 is any number.
    pub max_concurrent: u32,
    /// What becomes of a sign-in of a user who has that many.
    pub at_limit: AtLimit,
    /// Seconds since a user authenticated within which a session may do what is sensitive; 0 is always.
    pub step_up_max_age_seconds: u32,
}

/// What becomes of a sign-in of a user who has as many sessions as may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtLimit {
    /// The sessions that began first end.
    #[default]
    EndOldest,
    /// It is refused.
    RefuseNew,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            access_token_seconds: 600,
            idle_seconds: 14 * 86_400,
            absolute_seconds: 90 * 86_400,
            refresh_grace_seconds: 10,
            max_concurrent: 0,
            at_limit: AtLimit::EndOldest,
            step_up_max_age_seconds: 900,
        }
    }
}

impl SessionPolicy {
    /// Absolute end of a session that begins now.
    pub fn expires_at(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.absolute_seconds.into()))
    }

    /// End by idleness of a session used now.
    pub fn idle_expires_at(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.idle_seconds.into()))
    }

    /// Whether who authenticated at that second has done so recently enough for what is sensitive.
    pub fn is_recent(&self, authenticated_at: i64, now: Timestamp) -> bool {
        let age = now.as_seconds().saturating_sub(authenticated_at);
        self.step_up_max_age_seconds == 0 || age <= i64::from(self.step_up_max_age_seconds)
    }

    /// How long a replaced refresh token may come again.
    pub(super) fn refresh_grace(&self) -> Duration {
        Duration::from_secs(self.refresh_grace_seconds.into())
    }

    /// Refuses values no operator should want.
    pub fn check(&self) -> Result<(), InvalidInput> {
        let refuse = |field, detail: &str| Err(InvalidInput::new(field, "out_of_range", detail));
        if !(60..=3_600).contains(&self.access_token_seconds) {
            return refuse("settings.session.access_token_seconds", "choose 60 to 3600 seconds");
        }
        if self.idle_seconds < self.access_token_seconds || self.absolute_seconds < self.idle_seconds {
            return refuse(
                "settings.session",
                "access token, idle and absolute lifetime must grow in this order",
            );
        }
        if self.absolute_seconds > 366 * 86_400 {
            return refuse("settings.session.absolute_seconds", "choose at most 366 days");
        }
        if self.refresh_grace_seconds > LONGEST_REFRESH_GRACE {
            return refuse("settings.session.refresh_grace_seconds", "choose at most 60 seconds, 0 for none");
        }
        if self.max_concurrent > MOST_CONCURRENT {
            return refuse(
                "settings.session.max_concurrent",
                "choose at most 1000 sessions, 0 for any number",
            );
        }
        let step_up = self.step_up_max_age_seconds;
        if step_up != 0 && !(60..=86_400).contains(&step_up) {
            return refuse(
                "settings.session.step_up_max_age_seconds",
                "choose 60 to 86400 seconds, 0 for always",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_ages_have_bounds() {
        let check = |change: fn(&mut SessionPolicy)| {
            let mut policy = SessionPolicy::default();
            change(&mut policy);
            policy.check().map_err(|refused| refused.field)
        };
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(check(|policy| policy.max_concurrent = 1_000), Ok(()));
        let field = "settings.session.max_concurrent";
        assert_eq!(check(|policy| policy.max_concurrent = 1_001), Err(field));
        assert_eq!(check(|policy| policy.step_up_max_age_seconds = 0), Ok(()));
        let field = "settings.session.step_up_max_age_seconds";
        for seconds in [59_u32, 86_401] {
            let policy = SessionPolicy { step_up_max_age_seconds: seconds, ..SessionPolicy::default() };
            assert_eq!(policy.check().expect_err("out of range").field, field);
        }
    }

    #[test]
    fn who_authenticated_too_long_ago_is_asked_again() {
        let policy = SessionPolicy { step_up_max_age_seconds: 60, ..SessionPolicy::default() };
        let now = Timestamp::from_millis(1_000_000);
        assert!(policy.is_recent(1_000, now) && policy.is_recent(940, now) && policy.is_recent(1_001, now));
        assert!(!policy.is_recent(939, now));
        assert!(SessionPolicy { step_up_max_age_seconds: 0, ..policy }.is_recent(0, now));
    }
}

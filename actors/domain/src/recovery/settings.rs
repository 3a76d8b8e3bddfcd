use crate::input::InvalidInput;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest life of a link that proves an address, in minutes.
const LONGEST_VERIFICATION: u32 = 7 * 1_440;
/// Longest life of a link that lets somebody in, in minutes.
const LONGEST_ENTRY: u32 = 60;
/// Longest life of an invitation, in minutes.
const LONGEST_INVITATION: u32 = 30 * 1_440;

/// What a tenant wants of mails that prove or let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecoverySettings {
    /// Whether signing in needs a proved address. Only then nobody can find out by signing up and in again whether an
    /// address has an account; without a route for mail nobody could sign in.
    pub verified_sign_in: bool,
    /// Minutes for which an address may be proved.
    pub verify_email_minutes: u32,
    /// Minutes for which a new password may be chosen.
    pub reset_minutes: u32,
    /// Whether a new password chosen by mail ends all sessions.
    pub reset_ends_sessions: bool,
    /// Whether changing the password ends all other sessions.
    pub change_ends_sessions: bool,
    /// Minutes for which a link or code to sign in is good.
    pub passwordless_minutes: u32,
    /// Whether users may sign in by a link in a mail.
    pub sign_in_link: bool,
    /// Whether users may sign in by a code in a mail.
    pub sign_in_code: bool,
    /// Minutes for which somebody who is invited may choose a first password.
    pub invitation_minutes: u32,
}

impl Default for RecoverySettings {
    fn default() -> Self {
        Self {
            verified_sign_in: false,
            verify_email_minutes: 1_440,
            reset_minutes: 20,
            reset_ends_sessions: true,
            change_ends_sessions: true,
            passwordless_minutes: 10,
            sign_in_link: true,
            sign_in_code: true,
            invitation_minutes: 7 * 1_440,
        }
    }
}

impl RecoverySettings {
    /// Refuses values no operator should want.
    pub fn check(&self) -> Result<(), InvalidInput> {
        for (field, minutes, longest) in [
            ("settings.recovery.verify_email_minutes", self.verify_email_minutes, LONGEST_VERIFICATION),
            ("settings.recovery.reset_minutes", self.reset_minutes, LONGEST_ENTRY),
            ("settings.recovery.passwordless_minutes", self.passwordless_minutes, LONGEST_ENTRY),
            ("settings.recovery.invitation_minutes", self.invitation_minutes, LONGEST_INVITATION),
        ] {
            if !(5..=longest).contains(&minutes) {
                let detail = format!("choose 5 to {longest} minutes");
                return Err(InvalidInput::new(field, "out_of_range", detail));
            }
        }
        Ok(())
    }
}

/// Minutes as a duration.
pub(crate) fn minutes(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_bounded() {
        let standard = RecoverySettings::default();
        assert_eq!(standard.check(), Ok(()));
        let long = RecoverySettings { reset_minutes: 61, ..standard };
        assert_eq!(long.check().expect_err("too long").field, "settings.recovery.reset_minutes");
        let short = RecoverySettings { passwordless_minutes: 0, ..standard };
        assert_eq!(short.check().expect_err("too short").field, "settings.recovery.passwordless_minutes");
        let endless = RecoverySettings { invitation_minutes: 43_201, ..standard };
        assert_eq!(endless.check().expect_err("too long").field, "settings.recovery.invitation_minutes");
    }
}

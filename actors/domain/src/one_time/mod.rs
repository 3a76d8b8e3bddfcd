//! Secrets that are good once: links and codes in mails.
//!
//! A secret is known by its keyed hash only. It is used up by a write that expects the version the decision saw, together
//! with what it is good for, so that of two who present it at once exactly one is served.

use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::email::EmailAddress;
use crate::id::UserId;
use crate::time::Timestamp;
use subtle::ConstantTimeEq;

/// Wrong, used and expired ones look the same, so that trying them teaches nothing.
pub const UNUSABLE: Denial = Denial::new(
    DenialKind::Gone,
    "link_or_code_unusable",
    "Link or code unusable",
    "this link or code is wrong, was used, or has expired; ask for a new one",
);

/// The link was not opened yet.
pub const NOT_CONFIRMED: Denial = Denial::new(
    DenialKind::Conflict,
    "not_confirmed",
    "Not confirmed yet",
    "open the link in the mail in this browser and confirm it, then try again",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNUSABLE, NOT_CONFIRMED];

/// Wrong codes until a challenge is used up.
const MOST_ATTEMPTS: u32 = 5;

/// What a secret is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To prove an address.
    VerifyEmail,
    /// To choose a new password.
    ResetPassword,
    /// To sign in by a link.
    SignInLink,
    /// To sign in by a code.
    SignInCode,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::VerifyEmail, Self::ResetPassword, Self::SignInLink, Self::SignInCode];

    /// Stable text, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::SignInLink => "sign_in_link",
            Self::SignInCode => "sign_in_code",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A keyed hash of a secret.
pub type SecretHash = [u8; 32];

/// A secret to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSecret {
    /// Of the token itself, or, where a browser asked, of the challenge it was given.
    pub id: SecretHash,
    /// What it is good for.
    pub purpose: Purpose,
    /// For whom; nobody where there is no such account, which must not be noticed.
    pub user: Option<UserId>,
    /// The address it is sent to.
    pub email: EmailAddress,
    /// Of what is sent, where the challenge alone is not enough.
    pub sent: Option<SecretHash>,
    /// When.
    pub at: Timestamp,
    /// End of its life.
    pub expires_at: Timestamp,
}

/// A stored secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSecret {
    /// As in [`NewSecret`].
    pub id: SecretHash,
    /// What it is good for.
    pub purpose: Purpose,
    /// For whom.
    pub user: Option<UserId>,
    /// The address it was sent to.
    pub email: EmailAddress,
    /// As in [`NewSecret`]; gone once it was confirmed.
    pub sent: Option<SecretHash>,
    /// Wrong ones presented so far.
    pub attempts: u32,
    /// End of its life.
    pub expires_at: Timestamp,
    /// Whether it was used or withdrawn.
    pub used: bool,
    /// Grows by one with each change.
    pub version: i64,
}

/// What becomes of a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OneTimeWrite {
    /// It is good from now on.
    Issue(Box<NewSecret>),
    /// It was used.
    Use {
        /// Which.
        id: SecretHash,
        /// When.
        at: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// A wrong one was presented.
    Miss {
        /// Which.
        id: SecretHash,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// What was sent was presented; the challenge alone is enough now.
    Confirm {
        /// Which.
        id: SecretHash,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// Those of a user that are left are used up.
    Withdraw {
        /// Whose.
        user: UserId,
        /// What they are good for.
        purpose: Purpose,
        /// When.
        at: Timestamp,
    },
}

/// What presenting a secret came to.
#[derive(Debug)]
pub enum Presented<'s> {
    /// It is good.
    Good {
        /// The secret.
        secret: &'s StoredSecret,
        /// For whom.
        user: UserId,
    },
    /// It is not; the writes count the attempt.
    Refused(Decision<Denial>),
}

/// Checks a secret that was presented; `sent` is the hash of what was sent with it, where something was.
pub fn present<'s>(
    stored: Option<&'s StoredSecret>,
    purposes: &[Purpose],
    sent: Option<&SecretHash>,
    now: Timestamp,
) -> Presented<'s> {
    let refused = |writes, why| Presented::Refused(Decision { writes, events: Vec::new(), reply: why });
    let Some(secret) = stored.filter(|secret| secret.is_open(purposes, now)) else {
        return refused(Vec::new(), UNUSABLE);
    };
    let matches = match (&secret.sent, sent) {
        (None, _) => true,
        (Some(_), None) => return refused(Vec::new(), NOT_CONFIRMED),
        (Some(stored), Some(presented)) => bool::from(stored.ct_eq(presented)),
    };
    match secret.user.filter(|_| matches) {
        Some(user) => Presented::Good { secret, user },
        None => {
            let miss = OneTimeWrite::Miss { id: secret.id, expected_version: secret.version };
            refused(vec![Write::OneTime(miss)], UNUSABLE)
        }
    }
}

impl StoredSecret {
    fn is_open(&self, purposes: &[Purpose], now: Timestamp) -> bool {
        purposes.contains(&self.purpose)
            && !self.used
            && self.expires_at > now
            && self.attempts < MOST_ATTEMPTS
    }

    /// Uses it up.
    pub fn used(&self, now: Timestamp) -> Write {
        Write::OneTime(OneTimeWrite::Use { id: self.id, at: now, expected_version: self.version })
    }

    /// Makes the challenge enough.
    pub fn confirmed(&self) -> Write {
        Write::OneTime(OneTimeWrite::Confirm { id: self.id, expected_version: self.version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn stored(sent: Option<u8>) -> StoredSecret {
        StoredSecret {
            id: [1; 32],
            purpose: Purpose::SignInCode,
            user: Some(UserId::from_uuid(Uuid::from_u128(7))),
            email: EmailAddress::parse("email", "ada@example.com").expect("valid"),
            sent: sent.map(|byte| [byte; 32]),
            attempts: 0,
            expires_at: Timestamp::from_millis(2_000),
            used: false,
            version: 4,
        }
    }

    fn refusal(secret: &StoredSecret, sent: Option<u8>) -> Option<(&'static str, usize)> {
        let sent = sent.map(|byte| [byte; 32]);
        match present(Some(secret), &[Purpose::SignInCode], sent.as_ref(), NOW) {
            Presented::Good { .. } => None,
            Presented::Refused(decision) => Some((decision.reply.code, decision.writes.len())),
        }
    }

    #[test]
    fn only_what_was_sent_opens_it_and_a_wrong_one_is_counted() {
        assert_eq!(refusal(&stored(Some(9)), Some(9)), None);
        assert_eq!(refusal(&stored(Some(9)), Some(8)), Some((UNUSABLE.code, 1)));
        assert_eq!(refusal(&stored(Some(9)), None), Some((NOT_CONFIRMED.code, 0)));
        assert_eq!(refusal(&stored(None), None), None, "it was confirmed, or the token is all there is");
    }

    #[test]
    fn what_is_used_expired_tried_too_often_for_nobody_or_for_something_else_is_refused_alike() {
        for spoil in [
            |secret: &mut StoredSecret| secret.used = true,
            |secret: &mut StoredSecret| secret.expires_at = NOW,
            |secret: &mut StoredSecret| secret.attempts = MOST_ATTEMPTS,
            |secret: &mut StoredSecret| secret.purpose = Purpose::ResetPassword,
            |secret: &mut StoredSecret| secret.user = None,
        ] {
            let mut secret = stored(Some(9));
            spoil(&mut secret);
            assert_eq!(refusal(&secret, Some(9)).map(|(code, _)| code), Some(UNUSABLE.code));
        }
        let nothing = present(None, &Purpose::ALL, None, NOW);
        assert!(matches!(nothing, Presented::Refused(decision) if decision.reply == UNUSABLE));
    }

    #[test]
    fn purposes_are_written_as_they_are_read() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::parse(purpose.as_str()), Some(purpose));
        }
    }
}

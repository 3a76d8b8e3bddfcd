//! The addresses of a user: one is primary, always; others are optional.

use super::event::{Happening, UserEvent};
use super::write::UserWrite;
use super::{User, search};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::email::EmailAddress;
use crate::id::EmailId;
use crate::time::Timestamp;

/// Most addresses of one user.
pub(super) const MOST: usize = 10;

/// The user has no such address.
pub const UNKNOWN_EMAIL: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_email",
    "Unknown e-mail address",
    "the user has no e-mail address of this id",
);

/// The primary address stays.
pub const PRIMARY_EMAIL: Denial = Denial::new(
    DenialKind::Conflict,
    "primary_email",
    "Primary e-mail address",
    "a user is never without a primary address; make another one primary first",
);

/// The user has as many addresses as a user may have.
pub const TOO_MANY_EMAILS: Denial = Denial::new(
    DenialKind::Conflict,
    "too_many_emails",
    "Too many e-mail addresses",
    "a user has at most ten addresses; remove one first",
);

/// One address of a user.
#[derive(Clone, Debug)]
pub struct Email {
    /// Its id.
    pub id: EmailId,
    /// The address.
    pub address: EmailAddress,
    /// Whether its owner proved it.
    pub verified: bool,
    /// Whether mail to the user goes here.
    pub is_primary: bool,
}

/// A change of a user's addresses.
#[derive(Debug)]
pub enum EmailChange {
    /// One more.
    Add {
        /// The address.
        address: EmailAddress,
        /// Whether it counts as proved.
        verified: bool,
    },
    /// One less.
    Remove(EmailId),
    /// Mail goes to this one from now on.
    MakePrimary(EmailId),
    /// It counts as proved.
    MarkVerified(EmailId),
}

/// Changes a user's addresses. What is already so is not written again.
pub fn change_emails(
    user: &User,
    emails: &[Email],
    change: EmailChange,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    user.check_kept()?;
    let find = |id: EmailId| emails.iter().find(|email| email.id == id).ok_or(UNKNOWN_EMAIL);
    let id = user.id;
    let (what, changes) = match change {
        EmailChange::Add { address, verified } => {
            if emails.iter().any(|known| known.address.normalized() == address.normalized()) {
                return Ok(Decision::reply_only(()));
            }
            if emails.len() >= MOST {
                return Err(TOO_MANY_EMAILS);
            }
            let verified_at = verified.then_some(now);
            let insert =
                UserWrite::InsertEmail { user: id, email: address, verified_at, is_primary: false, at: now };
            (Happening::EmailAdded, vec![Write::User(insert)])
        }
        EmailChange::Remove(wanted) => {
            let email = find(wanted)?;
            if email.is_primary {
                return Err(PRIMARY_EMAIL);
            }
            let remove = UserWrite::RemoveEmail { user: id, email: email.address.clone() };
            (Happening::EmailRemoved, vec![Write::User(remove)])
        }
        EmailChange::MakePrimary(wanted) => {
            let new = find(wanted)?;
            if new.is_primary {
                return Ok(Decision::reply_only(()));
            }
            (Happening::PrimaryEmailChanged, make_primary(user, emails, new))
        }
        EmailChange::MarkVerified(wanted) => {
            let email = find(wanted)?;
            if email.verified {
                return Ok(Decision::reply_only(()));
            }
            let verify = UserWrite::VerifyEmail { user: id, email: email.address.clone(), at: now };
            (Happening::EmailVerified, vec![Write::User(verify)])
        }
    };
    let mut writes =
        vec![Write::User(UserWrite::Touch { user: id, expected_version: user.version, at: now })];
    writes.extend(changes);
    Ok(Decision { writes, events: vec![Event::User(UserEvent { user: id, what })], reply: () })
}

fn make_primary(user: &User, emails: &[Email], new: &Email) -> Vec<Write> {
    let set = |email: &Email, is_primary| {
        Write::User(UserWrite::SetPrimary { user: user.id, email: email.address.clone(), is_primary })
    };
    let old = emails.iter().find(|email| email.is_primary);
    let mut writes: Vec<Write> = old.into_iter().map(|old| set(old, false)).collect();
    writes.push(set(new, true));
    writes.extend(search::moved_email(user.id, old.map(|old| &old.address), &new.address));
    writes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::testing::ada;
    use uuid::Uuid;

    fn email(number: u128, is_primary: bool) -> Email {
        Email {
            id: EmailId::from_uuid(Uuid::from_u128(number)),
            address: EmailAddress::parse("email", &format!("ada{number}@example.com")).expect("valid"),
            verified: is_primary,
            is_primary,
        }
    }

    fn run(emails: &[Email], change: EmailChange) -> Result<Decision<()>, Denial> {
        change_emails(&ada(), emails, change, Timestamp::from_millis(9))
    }

    #[test]
    fn a_user_always_keeps_a_primary_address() {
        let emails = [email(1, true), email(2, false)];
        let (first, second) = (emails[0].id, emails[1].id);
        assert_eq!(run(&emails, EmailChange::Remove(first)).expect_err("primary"), PRIMARY_EMAIL);
        let moved = run(&emails, EmailChange::MakePrimary(second)).expect("allowed");
        let set: Vec<bool> = moved
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::User(UserWrite::SetPrimary { is_primary, .. }) => Some(*is_primary),
                _ => None,
            })
            .collect();
        assert_eq!(set, [false, true]);
        assert!(run(&emails, EmailChange::Remove(second)).is_ok());
        let unknown = EmailId::from_uuid(Uuid::from_u128(9));
        assert_eq!(run(&emails, EmailChange::Remove(unknown)).expect_err("unknown"), UNKNOWN_EMAIL);
    }

    #[test]
    fn every_change_moves_the_version_and_what_is_so_already_does_not() {
        let emails = [email(1, true), email(2, false)];
        let changes = [
            EmailChange::Add { address: email(3, false).address, verified: false },
            EmailChange::MarkVerified(emails[1].id),
            EmailChange::MakePrimary(emails[1].id),
            EmailChange::Remove(emails[1].id),
        ];
        for change in changes {
            let decision = run(&emails, change).expect("allowed");
            assert!(matches!(decision.writes[0], Write::User(UserWrite::Touch { expected_version: 3, .. })));
            assert_eq!(decision.events.len(), 1);
        }
        for idle in [
            EmailChange::Add { address: emails[1].address.clone(), verified: true },
            EmailChange::MarkVerified(emails[0].id),
            EmailChange::MakePrimary(emails[0].id),
        ] {
            assert!(run(&emails, idle).expect("allowed").writes.is_empty());
        }
        let many: Vec<Email> = (0..10).map(|number| email(number, number == 0)).collect();
        let add = EmailChange::Add { address: email(99, false).address, verified: false };
        assert_eq!(run(&many, add).expect_err("ten"), TOO_MANY_EMAILS);
    }
}

//! New users, made by a tenant's services, by operators, by signing up and by imports.

use super::profile::{Profile, ProfileInput, UserChange};
use super::search;
use super::write::UserWrite;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::email::EmailAddress;
use crate::id::UserId;
use crate::input::InvalidInput;
use crate::password::PasswordHash;
use crate::randomness::Randomness;
use crate::time::Timestamp;

/// A checked request for a new user.
#[derive(Debug)]
pub struct NewUser {
    /// Primary address.
    pub email: EmailAddress,
    /// Whether the address counts as proved.
    pub email_verified: bool,
    /// What is known besides.
    pub profile: Profile,
}

impl NewUser {
    /// Checks every field and reports all that is wrong at once.
    pub fn parse(email: &str, email_verified: bool, input: ProfileInput) -> Result<Self, Vec<InvalidInput>> {
        match (EmailAddress::parse("email", email), UserChange::parse(input)) {
            (Ok(email), Ok(change)) => {
                let profile = change.apply_to(&Profile::default());
                let profile = profile.expect("what was checked to be small is not larger without its nulls");
                Ok(Self { email, email_verified, profile })
            }
            (email, change) => {
                Err(email.err().into_iter().chain(change.err().into_iter().flatten()).collect())
            }
        }
    }
}

/// Decides on a new user. Whether an address or another identifier is taken shows when the decision is committed: they
/// are unique in the tenant.
pub fn decide(
    new: NewUser,
    password: Option<PasswordHash>,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<UserId> {
    let user = UserId::generate(now, randomness);
    let NewUser { email, email_verified, profile } = new;
    let mut terms = search::moved(user, None, profile.name.as_ref());
    terms.extend(search::moved_email(user, None, &email));
    let verified_at = email_verified.then_some(now);
    let mut writes = vec![
        Write::User(UserWrite::Insert { user, profile: Box::new(profile), at: now }),
        Write::User(UserWrite::InsertEmail { user, email, verified_at, is_primary: true, at: now }),
    ];
    writes.extend(password.map(|hash| Write::InsertPassword { user, hash, at: now }));
    writes.extend(terms);
    Decision { writes, events: vec![Event::UserCreated { user }], reply: user }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::testing::Counting;

    #[test]
    fn a_user_needs_an_address_and_nothing_else() {
        let wrong = NewUser::parse("nobody", false, ProfileInput::default()).expect_err("no address");
        assert_eq!(wrong[0].field, "email");
        let new = NewUser::parse("ada@example.com", true, ProfileInput::default()).expect("good");
        let now = Timestamp::from_millis(5);
        let decision = decide(new, None, now, &Counting::default());
        let [
            Write::User(UserWrite::Insert { .. }),
            Write::User(UserWrite::InsertEmail { verified_at, .. }),
            terms @ ..,
        ] = &decision.writes[..]
        else {
            panic!("{:?}", decision.writes)
        };
        assert_eq!((*verified_at, terms.len()), (Some(now), 6), "found by three to eight characters");
        assert!(terms.iter().all(|write| matches!(write, Write::User(UserWrite::AddTerm { .. }))));
    }
}

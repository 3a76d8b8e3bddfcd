//! Signing in with an e-mail address and a password.

use crate::account::{Account, AccountState};
use crate::audit::Event;
use crate::decision::{Decision, NewSession, Write};
use crate::email::EmailAddress;
use crate::id::{SessionId, UserId};
use crate::input::InvalidInput;
use crate::organization::OrganizationName;
use crate::password::{Password, PasswordHash};
use crate::recovery::RecoverySettings;
use crate::session::{ClientDescription, NotAdmitted, Proved, SessionPolicy, Sought, begin, idle_end};
use crate::time::Timestamp;
use crate::user::identifiers::Username;

/// A well-formed request to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// By what the account is named.
    pub name: SignInName,
    /// The password as entered.
    pub password: Password,
    /// The organization the session is to be active in.
    pub organization: Option<OrganizationName>,
}

impl SignIn {
    /// Checks the form of the fields; says nothing about the account or the organization.
    pub fn parse(
        name: EnteredName<'_>,
        password: &str,
        organization: Option<&str>,
    ) -> Result<Self, Vec<InvalidInput>> {
        let name = match name {
            EnteredName::Email(email) => EmailAddress::parse("email", email).map(SignInName::Email),
            EnteredName::Username(name) => Username::parse("username", name).map(SignInName::Username),
        };
        let parse = |text| OrganizationName::parse("organization", text);
        let organization = organization.map(parse).transpose();
        match (name, Password::entered("password", password), organization) {
            (Ok(name), Ok(password), Ok(organization)) => Ok(Self { name, password, organization }),
            (name, password, organization) => {
                Err([name.err(), password.err(), organization.err()].into_iter().flatten().collect())
            }
        }
    }
}

/// By what an account is named, as entered. No `Debug`: it is personal.
#[derive(Clone, Copy)]
pub enum EnteredName<'t> {
    /// One of its addresses.
    Email(&'t str),
    /// Its username.
    Username(&'t str),
}

/// A text that is not said to be anything else is an address.
impl<'t> From<&'t str> for EnteredName<'t> {
    fn from(email: &'t str) -> Self {
        Self::Email(email)
    }
}

/// By what an account is named.
#[derive(Debug)]
pub enum SignInName {
    /// One of its addresses.
    Email(EmailAddress),
    /// Its username.
    Username(Username),
}

impl SignInName {
    /// The form in which it is looked up. An address has an `@` and a username has none, so the two never meet.
    pub fn normalized(&self) -> &str {
        match self {
            Self::Email(email) => email.normalized(),
            Self::Username(name) => name.as_str(),
        }
    }
}

/// What the hasher found, always after the same amount of work.
#[derive(Debug, Clone)]
pub struct PasswordCheck {
    /// The password is the stored one.
    pub matches: bool,
    /// The same password under current parameters, if the stored hash used older ones.
    pub upgraded: Option<PasswordHash>,
}

/// Facts the session starts with, prepared before the decision.
#[derive(Debug, Clone)]
pub struct SessionSeed {
    /// The new session's id.
    pub session: SessionId,
    /// SHA-256 of its first refresh token.
    pub refresh_hash: [u8; 32],
    /// Data-key version the token is authenticated under.
    pub key_version: u32,
    /// Where the sign-in came from.
    pub client: ClientDescription,
}

/// A session that exists after the commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// Whose.
    pub user: UserId,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// The user's sessions that end for it.
    pub ended: Vec<SessionId>,
    /// When it ends unless it is refreshed.
    pub ends_at: Timestamp,
    /// Until when it is active in the organization that was named, if that has an end of its own.
    pub organization_until: Option<Timestamp>,
}

/// What the caller hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignInOutcome {
    /// A session exists after the commit.
    SignedIn(Begun),
    /// The user has as many sessions as may be; heard only by who knows the password, or read the mail.
    TooManySessions,
    /// The session may not be active in the organization that was named; heard only by who knows the password, or read the
    /// mail.
    NotAdmitted(NotAdmitted),
    /// One answer for an unknown account, a wrong password and an account that may not be used.
    Refused,
}

/// Decides on a sign-in, perhaps into an organization; `live` are the user's sessions, where their number is limited.
pub fn decide(
    account: Option<&Account>,
    check: PasswordCheck,
    seed: SessionSeed,
    sought: Sought<'_>,
    live: &[SessionId],
    (policy, recovery): (&SessionPolicy, &RecoverySettings),
    now: Timestamp,
) -> Decision<SignInOutcome> {
    let (account, stored) = match account {
        None => return refused(None, "unknown_account"),
        Some(account) => match &account.password {
            None => return refused(Some(account.user), "no_password"),
            Some(stored) => (account, stored),
        },
    };
    if !check.matches {
        return refused(Some(account.user), "wrong_password");
    }
    // Heard as any other refusal: whoever signs up and then in must not learn whether the address was free.
    if recovery.verified_sign_in && !account.any_proved {
        return refused(Some(account.user), "unproved_address");
    }
    let Decision { mut writes, mut events, reply } =
        admit((account.user, account.state), &["pwd"], seed, sought, live, policy, now);
    if let (SignInOutcome::SignedIn(Begun { user, .. }), Some(hash)) = (&reply, check.upgraded) {
        let user = *user;
        writes.push(Write::ReplacePasswordHash { user, hash, expected_version: stored.version, at: now });
        events.push(Event::PasswordHashUpgraded { user });
    }
    Decision { writes, events, reply }
}

/// Begins a session for somebody who has proved who they are, if the account may be used, perhaps in an organization.
pub(crate) fn admit(
    (user, state): (UserId, AccountState),
    amr: &[&str],
    seed: SessionSeed,
    sought: Sought<'_>,
    live: &[SessionId],
    policy: &SessionPolicy,
    now: Timestamp,
) -> Decision<SignInOutcome> {
    if state != AccountState::Active {
        return refused(Some(user), state.as_str());
    }
    let amr: Vec<String> = amr.iter().map(|&method| method.to_owned()).collect();
    let seat = match sought.seat(Proved { amr: &amr, at: now }, policy, now) {
        Ok(seat) => seat,
        Err(why) => {
            return Decision { reply: SignInOutcome::NotAdmitted(why), ..refused(Some(user), why.as_str()) };
        }
    };
    let new = NewSession {
        session: seed.session,
        user,
        at: now,
        expires_at: policy.expires_at(now),
        idle_expires_at: idle_end(policy, seat.as_ref(), now),
        amr: amr.clone(),
        client: seed.client,
        refresh_hash: seed.refresh_hash,
        key_version: seed.key_version,
        seat,
    };
    let ends_at = new.expires_at.min(new.idle_expires_at);
    let organization_until = new.seat.as_ref().and_then(|seat| seat.organization().until);
    match begin(new, live, policy) {
        Ok(Decision { writes, events, reply: ended }) => {
            let begun = Begun { user, amr, ended, ends_at, organization_until };
            Decision { writes, events, reply: SignInOutcome::SignedIn(begun) }
        }
        Err(_) => Decision { reply: SignInOutcome::TooManySessions, ..refused(Some(user), "session_limit") },
    }
}

pub(crate) fn refused(user: Option<UserId>, reason: &'static str) -> Decision<SignInOutcome> {
    Decision {
        writes: Vec::new(),
        events: vec![Event::SignInRefused { user, reason }],
        reply: SignInOutcome::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::StoredPassword;
    use crate::authorization::RoleKey;
    use crate::id::OrganizationId;
    use crate::organization::{Candidate, OrganizationPolicy, OrganizationSlug};
    use crate::session::Unmet;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn account(state: AccountState) -> Account {
        let hash = PasswordHash::from_phc("$argon2id$".into());
        Account {
            user: UserId::from_uuid(Uuid::from_u128(1)),
            state,
            any_proved: false,
            password: Some(StoredPassword { hash, version: 1 }),
        }
    }

    fn seed() -> SessionSeed {
        SessionSeed {
            session: SessionId::from_uuid(Uuid::from_u128(9)),
            refresh_hash: [0; 32],
            key_version: 1,
            client: ClientDescription::default(),
        }
    }

    fn run(
        account: Option<&Account>,
        matches: bool,
        upgraded: Option<PasswordHash>,
    ) -> Decision<SignInOutcome> {
        let (check, sought) = (PasswordCheck { matches, upgraded }, Sought::Nothing);
        let policies = (&SessionPolicy::default(), &RecoverySettings::default());
        decide(account, check, seed(), sought, &[], policies, NOW)
    }

    #[test]
    fn a_tenant_may_want_a_proved_address() {
        let strict = RecoverySettings { verified_sign_in: true, ..RecoverySettings::default() };
        let check = PasswordCheck { matches: true, upgraded: None };
        for (any_proved, refused) in [(true, false), (false, true)] {
            let account = Account { any_proved, ..account(AccountState::Active) };
            let policies = (&SessionPolicy::default(), &strict);
            let (check, sought) = (check.clone(), Sought::Nothing);
            let decision = decide(Some(&account), check, seed(), sought, &[], policies, NOW);
            assert_eq!(decision.reply == SignInOutcome::Refused, refused);
        }
    }

    #[test]
    fn every_refusal_sounds_the_same_and_is_audited_with_its_reason() {
        let without = Account { password: None, ..account(AccountState::Active) };
        for (account, matches, reason) in [
            (None, true, "unknown_account"),
            (Some(&without), true, "no_password"),
            (Some(&account(AccountState::Active)), false, "wrong_password"),
            (Some(&account(AccountState::Blocked)), true, "blocked"),
            (Some(&account(AccountState::Locked)), true, "locked"),
            (Some(&account(AccountState::Deleted)), true, "deleted"),
        ] {
            let decision = run(account, matches, None);
            assert_eq!(decision.reply, SignInOutcome::Refused);
            assert!(decision.writes.is_empty());
            assert!(matches!(decision.events[..], [Event::SignInRefused { reason: r, .. }] if r == reason));
        }
    }

    #[test]
    fn a_session_begins_in_an_organization_only_if_its_policy_is_met() {
        let organization = |policy| Candidate {
            id: OrganizationId::from_uuid(Uuid::from_u128(5)),
            slug: OrganizationSlug::parse("slug", "acme").expect("valid"),
            role: RoleKey::member(),
            policy,
            policy_version: 1,
        };
        let run = |matches, sought: Sought<'_>| {
            let check = PasswordCheck { matches, upgraded: None };
            let account = account(AccountState::Active);
            let policies = (&SessionPolicy::default(), &RecoverySettings::default());
            decide(Some(&account), check, seed(), sought, &[], policies, NOW)
        };
        let usual =
            organization(OrganizationPolicy { idle_seconds: Some(900), ..OrganizationPolicy::default() });
        let decision = run(true, Sought::Found(&usual));
        let [Write::InsertSession(new)] = &decision.writes[..] else { panic!("{:?}", decision.writes) };
        assert_eq!(new.seat.as_ref().map(|seat| seat.organization().id), Some(usual.id));
        assert_eq!(new.idle_expires_at, Timestamp::from_millis(901_000));
        assert_eq!(decision.events[1].name(), "session.organization_changed");

        let strict = organization(OrganizationPolicy { mfa_required: true, ..OrganizationPolicy::default() });
        for (sought, why) in [
            (Sought::Unknown, NotAdmitted::Unknown),
            (Sought::Found(&strict), NotAdmitted::Unmet(Unmet::SecondFactor)),
        ] {
            let decision = run(true, sought);
            assert_eq!(decision.reply, SignInOutcome::NotAdmitted(why));
            assert!(decision.writes.is_empty(), "no session at all");
            assert!(
                matches!(decision.events[..], [Event::SignInRefused { reason, .. }] if reason == why.as_str())
            );
            assert_eq!(
                run(false, sought).reply,
                SignInOutcome::Refused,
                "who knows no password hears nothing"
            );
        }
    }

    #[test]
    fn an_old_hash_is_replaced_together_with_the_session() {
        let upgraded = Some(PasswordHash::from_phc("$argon2id$new".into()));
        let decision = run(Some(&account(AccountState::Active)), true, upgraded);
        assert!(matches!(
            decision.writes[..],
            [Write::InsertSession(_), Write::ReplacePasswordHash { expected_version: 1, .. }]
        ));
        assert_eq!(decision.events.len(), 2);
    }
}

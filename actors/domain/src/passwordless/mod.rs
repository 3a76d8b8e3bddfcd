//! Signing in by mail, with a link or a code.
//!
//! Whoever asks is given a challenge, and what is mailed is good only together with it. So a session goes to the browser
//! that asked and to no other: somebody who is talked into opening a link, or into pressing its button, in another
//! browser lets nobody in, and neither does a scanner of mail.

use crate::account::AccountState;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::email::EmailAddress;
use crate::id::{SessionId, UserId};
use crate::mail::{Language, MailMessage, OutgoingMail};
use crate::one_time::{NewSecret, OneTimeWrite, Presented, Purpose, SecretHash, StoredSecret, present};
use crate::randomness::Randomness;
use crate::recovery::{Fresh, Recipient, RecoveryEvent, RecoverySettings, RecoveryWrite, minutes, proved};
use crate::session::{RevocationReason, SessionPolicy, Sought, revoke_all};
use crate::sign_in::{Begun, SessionSeed, SignInOutcome, admit, refused};
use crate::time::Timestamp;
use std::time::Duration;

/// The tenant has switched this way of signing in off.
pub const METHOD_OFF: Denial = Denial::new(
    DenialKind::Forbidden,
    "sign_in_method_off",
    "Way of signing in switched off",
    "this tenant does not let users sign in this way; use another one",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[METHOD_OFF];

/// Digits of a code. Five guesses at each, and no more codes than mails to one address are allowed (2 880 a day by
/// default, which its owner sees): a day of guessing finds one account of seven thousand.
const DIGITS: usize = 8;
/// For how long it helps to hear that the password is gone.
const NEWS: Duration = Duration::from_secs(3 * 86_400);

/// What is mailed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailMethod {
    /// A link, to be opened in the browser that asked.
    Link,
    /// A code, to be typed where it was asked for.
    Code,
}

impl MailMethod {
    /// Stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Code => "code",
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::Link => Purpose::SignInLink,
            Self::Code => Purpose::SignInCode,
        }
    }

    /// Which one a stored secret is of.
    pub const fn of(purpose: Purpose) -> Option<Self> {
        match purpose {
            Purpose::SignInLink => Some(Self::Link),
            Purpose::SignInCode => Some(Self::Code),
            Purpose::VerifyEmail | Purpose::ResetPassword => None,
        }
    }

    /// Authentication methods. RFC 8176 names `otp`; it has no name for reading mail, and `otp` alone would pass for the
    /// code of a device.
    const fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Link => &["email"],
            Self::Code => &["email", "otp"],
        }
    }

    /// Refuses what the tenant has switched off.
    pub const fn check(self, settings: &RecoverySettings) -> Result<(), Denial> {
        let is_on = match self {
            Self::Link => settings.sign_in_link,
            Self::Code => settings.sign_in_code,
        };
        if is_on { Ok(()) } else { Err(METHOD_OFF) }
    }
}

/// A fresh code.
pub fn code(randomness: &dyn Randomness) -> String {
    let mut random = [0; 16];
    randomness.fill(&mut random);
    // So many bits that no code is noticeably more likely than another.
    let number = u128::from_be_bytes(random) % 10_u128.pow(DIGITS as u32);
    format!("{number:0DIGITS$}")
}

/// A request for a mail.
pub struct Ask {
    /// The address that was entered.
    pub email: EmailAddress,
    /// Who reads it, if there is such an account.
    pub recipient: Option<Recipient>,
    /// What is mailed.
    pub method: MailMethod,
    /// Keyed hash of the challenge the asking browser is given.
    pub challenge: SecretHash,
    /// What is mailed, and its keyed hash.
    pub sent: Fresh,
}

/// Sends a link or a code. Where there is nobody to send it to, the same is stored and nothing sent.
pub fn start(
    ask: Ask,
    (settings, language): (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let Ask { email, recipient, method, challenge, sent } = ask;
    let user = recipient.as_ref().map(|recipient| recipient.user);
    let life = minutes(settings.passwordless_minutes);
    let secret = NewSecret {
        id: challenge,
        purpose: method.purpose(),
        user,
        // As its owner wrote it, where it has one.
        email: recipient.as_ref().map_or(email, |recipient| recipient.email.clone()),
        sent: Some(sent.hash),
        at: now,
        expires_at: now.plus(life),
    };
    let mut writes = vec![Write::OneTime(OneTimeWrite::Issue(Box::new(secret)))];
    writes.extend(recipient.map(|recipient| {
        let (text, minutes) = (sent.text, settings.passwordless_minutes);
        let message = match method {
            MailMethod::Link => MailMessage::SignInLink { token: text, minutes },
            MailMethod::Code => MailMessage::SignInCode { code: text, minutes },
        };
        Write::Mail(OutgoingMail::new(recipient.email, language, message, life, now, randomness))
    }));
    let event = RecoveryEvent::SignInAsked { user, method: method.as_str() };
    Decision { writes, events: vec![Event::Recovery(event)], reply: () }
}

/// Checks a challenge and what was sent for it. A wrong one is counted and put on record, whether or not there is such
/// an account.
pub fn check<'s>(
    stored: Option<&'s StoredSecret>,
    sent: Option<&SecretHash>,
    now: Timestamp,
) -> Result<(&'s StoredSecret, UserId), Decision<Denial>> {
    match present(stored, &[Purpose::SignInLink, Purpose::SignInCode], sent, now) {
        Presented::Good { secret, user } => Ok((secret, user)),
        Presented::Refused(mut decision) => {
            if !decision.writes.is_empty() {
                let user = stored.and_then(|secret| secret.user);
                decision.events.extend(refused(user, "wrong_link_or_code").events);
            }
            Err(decision)
        }
    }
}

/// Makes the challenge enough, after the link's button was pressed in the browser that asked.
pub fn confirm(secret: &StoredSecret, user: UserId) -> Decision<()> {
    let event = Event::Recovery(RecoveryEvent::SignInConfirmed { user });
    Decision { writes: vec![secret.confirmed()], events: vec![event], reply: () }
}

/// The account a mail was sent to, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct MailAccount {
    /// Whether it may be used.
    pub state: AccountState,
    /// Whether the address is still one mail to the account goes to.
    pub has_address: bool,
    /// Whether the address was proved before.
    pub address_proved: bool,
    /// Whether any address of the account was.
    pub any_proved: bool,
    /// Whether it has a password.
    pub has_password: bool,
}

/// Begins a session for whoever read the mail, which proves the address.
///
/// Where no address was proved before, whoever made the account need not be who reads the mail: the password and the
/// sessions there are may be somebody's who waits for the owner of the address, and end.
#[derive(Clone, Copy, Debug)]
pub struct SignInByMail<'s> {
    /// What was presented, and found good.
    pub secret: &'s StoredSecret,
    /// For whom.
    pub user: UserId,
    /// What the account is like; nothing where it is gone.
    pub account: Option<MailAccount>,
    /// In which language mails are.
    pub language: Language,
}

impl SignInByMail<'_> {
    /// Whether sessions there are end for it.
    pub fn is_first_proof(&self) -> bool {
        self.account.is_some_and(|account| !account.any_proved)
    }

    /// Decides, perhaps on a session in an organization; `live` are the user's sessions, where their number is limited or
    /// they end for it.
    pub fn decide(
        &self,
        seed: SessionSeed,
        sought: Sought<'_>,
        live: &[SessionId],
        policy: &SessionPolicy,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Decision<SignInOutcome> {
        let (user, method) = (self.user, MailMethod::of(self.secret.purpose));
        let (Some(account), Some(method)) = (self.account.filter(|account| account.has_address), method)
        else {
            return refused(Some(user), "unknown_address");
        };
        let beside = if self.is_first_proof() { &[] } else { live };
        let mut begun = admit((user, account.state), method.amr(), seed, sought, beside, policy, now);
        let SignInOutcome::SignedIn(Begun { ended, .. }) = &mut begun.reply else { return begun };
        // First, so that of two who use one link or code the second hears that it was used.
        let mut before = Decision {
            writes: vec![self.secret.used(now), proved(user, &self.secret.email, now)],
            events: Vec::new(),
            reply: (),
        };
        if !account.address_proved {
            before.events.push(Event::Recovery(RecoveryEvent::EmailVerified { user }));
        }
        if self.is_first_proof() {
            *ended = live.to_vec();
            before.and(revoke_all(user, None, RevocationReason::PasswordChanged, now));
            if account.has_password {
                before.and(self.without_password(now, randomness));
            }
        }
        before.writes.append(&mut begun.writes);
        before.events.append(&mut begun.events);
        Decision { writes: before.writes, events: before.events, reply: begun.reply }
    }

    fn without_password(&self, now: Timestamp, randomness: &dyn Randomness) -> Decision<()> {
        let (user, to) = (self.user, self.secret.email.clone());
        let news = OutgoingMail::new(to, self.language, MailMessage::PasswordRemoved, NEWS, now, randomness);
        Decision {
            writes: vec![Write::Recovery(RecoveryWrite::RemovePassword { user }), Write::Mail(news)],
            events: vec![Event::Recovery(RecoveryEvent::PasswordRemoved { user })],
            reply: (),
        }
    }
}

#[cfg(test)]
mod tests;

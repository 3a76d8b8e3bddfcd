//! Mail to people: what is said, to whom, in which language, and how long it is worth saying.
//!
//! A mail is queued by a [`Write`](crate::decision::Write) in the decision that causes it, so that it is committed with
//! its cause or not at all. How it is delivered is decided by [`delivery`].

pub mod delivery;
mod message;
mod settings;

pub use message::{Language, MailMessage};
pub use settings::MailSettings;

use crate::email::EmailAddress;
use crate::id::MailId;
use crate::randomness::Randomness;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// A mail to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutgoingMail {
    /// Names it for ever; its `Message-ID` is made of it.
    pub mail: MailId,
    /// To whom.
    pub to: EmailAddress,
    /// In which language.
    pub language: Language,
    /// What it says.
    pub message: MailMessage,
    /// When it was queued.
    pub at: Timestamp,
    /// Later than this nobody is helped by it, and it is given up.
    pub useful_until: Timestamp,
    /// Two mails of one tenant with the same text are one: the second is refused with its whole decision. Ids only.
    pub once: Option<String>,
}

impl OutgoingMail {
    /// A mail that is queued now and is of use for a time.
    pub fn new(
        to: EmailAddress,
        language: Language,
        message: MailMessage,
        useful_for: Duration,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Self {
        Self {
            mail: MailId::generate(now, randomness),
            to,
            language,
            message,
            at: now,
            useful_until: now.plus(useful_for),
            once: None,
        }
    }
}

/// What becomes of a mail that was queued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryWrite {
    /// One node takes it for one attempt. Until `until` nobody else does.
    Claim {
        /// Which.
        mail: MailId,
        /// End of the claim.
        until: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// It is tried again later.
    Postpone {
        /// Which.
        mail: MailId,
        /// When.
        until: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// It was sent, or given up; what it said is forgotten.
    Finish {
        /// Which.
        mail: MailId,
        /// Whether it was sent.
        sent: bool,
        /// When the row may go, too.
        keep_until: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
}

/// What happened to a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailEvent {
    /// The next server took it.
    Sent {
        /// Which.
        mail: MailId,
        /// What kind of mail.
        kind: &'static str,
        /// At which attempt.
        attempt: u32,
    },
    /// It was given up.
    GivenUp {
        /// Which.
        mail: MailId,
        /// What kind of mail.
        kind: &'static str,
        /// Attempts made.
        attempts: u32,
        /// Why.
        reason: &'static str,
    },
}

impl MailEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "mail.sent",
            Self::GivenUp { .. } => "mail.given_up",
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Sent { mail, .. } | Self::GivenUp { mail, .. } => mail.to_string(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Sent { kind, attempt, .. } => json!({ "kind": kind, "attempt": attempt }),
            Self::GivenUp { kind, attempts, reason, .. } => {
                json!({ "kind": kind, "attempts": attempts, "reason": reason })
            }
        }
    }
}

//! When a mail is tried again, and when it is given up.

use super::{DeliveryWrite, MailEvent};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::id::MailId;
use crate::time::Timestamp;
use std::time::Duration;

/// Attempts before a mail is given up.
const MOST_ATTEMPTS: u32 = 10;
/// Pause after the first attempt; each further one is three times as long.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 3_600);
/// How long an attempt may take until another node may make one. Longer than a transport waits.
pub const CLAIM: Duration = Duration::from_secs(120);
/// How long it is kept that a mail was sent or given up, for those who look and so that it is not queued twice.
pub const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// A mail that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitingMail {
    /// Which.
    pub mail: MailId,
    /// What kind.
    pub kind: &'static str,
    /// Attempts begun so far.
    pub attempts: u32,
    /// When it becomes useless.
    pub useful_until: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

/// What came of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The next server took it.
    Sent,
    /// It may work later.
    NotNow,
    /// It will never work, such as an address that does not exist.
    Never(&'static str),
}

/// Whether to attempt it: the reply says so, and the decision claims it. One that is too old, or was attempted too often
/// without anybody knowing the outcome, is given up.
pub fn attempt(mail: &WaitingMail, now: Timestamp) -> Decision<bool> {
    if mail.useful_until <= now {
        return given_up(mail, "expired", now, false);
    }
    if mail.attempts >= MOST_ATTEMPTS {
        return given_up(mail, "too_many_attempts", now, false);
    }
    let claim =
        DeliveryWrite::Claim { mail: mail.mail, until: now.plus(CLAIM), expected_version: mail.version };
    Decision { writes: vec![Write::MailDelivery(claim)], events: Vec::new(), reply: true }
}

/// Decides after an attempt. `mail` is as it was claimed; `jitter` is any random number.
pub fn conclude(mail: &WaitingMail, outcome: Outcome, now: Timestamp, jitter: u32) -> Decision<()> {
    match outcome {
        Outcome::Sent => {
            let event = MailEvent::Sent { mail: mail.mail, kind: mail.kind, attempt: mail.attempts };
            finished(mail, true, event, now, ())
        }
        Outcome::Never(reason) => given_up(mail, reason, now, ()),
        Outcome::NotNow if mail.attempts >= MOST_ATTEMPTS => given_up(mail, "too_many_attempts", now, ()),
        Outcome::NotNow => {
            let until = now.plus(pause(mail.attempts, jitter));
            if until >= mail.useful_until {
                return given_up(mail, "expired", now, ());
            }
            let postpone = DeliveryWrite::Postpone { mail: mail.mail, until, expected_version: mail.version };
            Decision { writes: vec![Write::MailDelivery(postpone)], events: Vec::new(), reply: () }
        }
    }
}

/// Between a half and the whole of what backing off asks for, so that what failed together does not come together.
fn pause(attempts: u32, jitter: u32) -> Duration {
    let whole =
        FIRST_PAUSE.saturating_mul(3_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE);
    let half = whole / 2;
    half + half.mul_f64(f64::from(jitter) / f64::from(u32::MAX))
}

fn given_up<R>(mail: &WaitingMail, reason: &'static str, now: Timestamp, reply: R) -> Decision<R> {
    let event = MailEvent::GivenUp { mail: mail.mail, kind: mail.kind, attempts: mail.attempts, reason };
    finished(mail, false, event, now, reply)
}

fn finished<R>(mail: &WaitingMail, sent: bool, event: MailEvent, now: Timestamp, reply: R) -> Decision<R> {
    let finish = DeliveryWrite::Finish {
        mail: mail.mail,
        sent,
        keep_until: now.plus(KEPT),
        expected_version: mail.version,
    };
    Decision { writes: vec![Write::MailDelivery(finish)], events: vec![Event::Mail(event)], reply }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn waiting(attempts: u32, useful_seconds: u64) -> WaitingMail {
        WaitingMail {
            mail: MailId::from_uuid(Uuid::from_u128(1)),
            kind: "verify_email",
            attempts,
            useful_until: NOW.plus(Duration::from_secs(useful_seconds)),
            version: 3,
        }
    }

    fn reason(decision: &Decision<impl Sized>) -> Option<&'static str> {
        match decision.events[..] {
            [Event::Mail(MailEvent::GivenUp { reason, .. })] => Some(reason),
            _ => None,
        }
    }

    #[test]
    fn an_attempt_claims_first_and_what_is_too_old_is_given_up() {
        let decision = attempt(&waiting(0, 60), NOW);
        assert!(decision.reply);
        let until = NOW.plus(CLAIM);
        let claim = DeliveryWrite::Claim { mail: waiting(0, 0).mail, until, expected_version: 3 };
        assert!(matches!(&decision.writes[..], [Write::MailDelivery(write)] if *write == claim));
        let late = attempt(&waiting(0, 0), NOW);
        assert!(!late.reply);
        assert_eq!(reason(&late), Some("expired"));
        assert_eq!(reason(&attempt(&waiting(MOST_ATTEMPTS, 60), NOW)), Some("too_many_attempts"));
    }

    #[test]
    fn a_mail_ends_sent_or_given_up_and_says_so() {
        let sent = conclude(&waiting(1, 60), Outcome::Sent, NOW, 0);
        assert_eq!(sent.events[0].name(), "mail.sent");
        assert!(matches!(sent.writes[..], [Write::MailDelivery(DeliveryWrite::Finish { sent: true, .. })]));
        let never = conclude(&waiting(1, 60), Outcome::Never("refused"), NOW, 0);
        assert_eq!(reason(&never), Some("refused"));
        let last = conclude(&waiting(MOST_ATTEMPTS, 1 << 30), Outcome::NotNow, NOW, 0);
        assert_eq!(reason(&last), Some("too_many_attempts"));
        assert_eq!(reason(&conclude(&waiting(5, 10), Outcome::NotNow, NOW, 0)), Some("expired"));
    }

    proptest! {
        #[test]
        fn pauses_grow_and_stay_bounded(attempts in 1_u32..50, jitter: u32) {
            let pause = pause(attempts, jitter);
            prop_assert!(pause <= LONGEST_PAUSE && pause >= FIRST_PAUSE / 2);
            prop_assert!(super::pause(attempts + 1, jitter) >= pause);
        }
    }
}

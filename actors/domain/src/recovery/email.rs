use super::settings::minutes;
use super::{Fresh, Recipient, RecoveryEvent, RecoverySettings, RecoveryWrite};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::email::EmailAddress;
use crate::id::UserId;
use crate::mail::{Language, MailMessage, OutgoingMail};
use crate::one_time::{NewSecret, OneTimeWrite, Presented, Purpose, StoredSecret, present};
use crate::randomness::Randomness;
use crate::time::Timestamp;

/// Sends a link that proves an address. Where there is nobody to send it to, the same is stored and nothing sent.
pub fn ask_to_verify(
    asked: EmailAddress,
    recipient: Option<Recipient>,
    fresh: Fresh,
    (settings, language): (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let user = recipient.as_ref().map(|recipient| recipient.user);
    let life = minutes(settings.verify_email_minutes);
    let secret = NewSecret {
        id: fresh.hash,
        purpose: Purpose::VerifyEmail,
        user,
        // As its owner wrote it, where it has one.
        email: recipient.as_ref().map_or(asked, |recipient| recipient.email.clone()),
        sent: None,
        at: now,
        expires_at: now.plus(life),
    };
    let mut writes = vec![Write::OneTime(OneTimeWrite::Issue(Box::new(secret)))];
    writes.extend(recipient.map(|recipient| {
        let message = MailMessage::VerifyEmail { token: fresh.text, minutes: settings.verify_email_minutes };
        Write::Mail(OutgoingMail::new(recipient.email, language, message, life, now, randomness))
    }));
    let event = RecoveryEvent::VerificationAsked { user };
    Decision { writes, events: vec![Event::Recovery(event)], reply: () }
}

/// Proves an address by the link that was sent to it.
pub fn verify(stored: Option<&StoredSecret>, now: Timestamp) -> Result<Decision<UserId>, Decision<Denial>> {
    match present(stored, &[Purpose::VerifyEmail], None, now) {
        Presented::Refused(refused) => Err(refused),
        Presented::Good { secret, user } => Ok(Decision {
            writes: vec![secret.used(now), proved(user, &secret.email, now)],
            events: vec![Event::Recovery(RecoveryEvent::EmailVerified { user })],
            reply: user,
        }),
    }
}

/// Whoever used a secret that was sent to an address reads its mail.
pub(crate) fn proved(user: UserId, email: &EmailAddress, at: Timestamp) -> Write {
    Write::Recovery(RecoveryWrite::EmailVerified { user, email: email.clone(), at })
}

use super::email::proved;
use super::settings::minutes;
use super::{Fresh, Recipient, RecoveryEvent, RecoverySettings, RecoveryWrite};
use crate::account::StoredPassword;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::email::EmailAddress;
use crate::id::{SessionId, UserId};
use crate::mail::{Language, MailMessage, OutgoingMail};
use crate::one_time::{NewSecret, OneTimeWrite, Purpose, StoredSecret};
use crate::password::PasswordHash;
use crate::randomness::Randomness;
use crate::session::{RevocationReason, revoke_all};
use crate::time::Timestamp;
use std::time::Duration;

/// For how long it helps to hear that the password was changed.
const NEWS: Duration = Duration::from_secs(3 * 86_400);

/// Sends a link to choose a new password. Where there is nobody to send it to, the same is stored and nothing sent.
pub fn forgot(
    asked: EmailAddress,
    recipient: Option<Recipient>,
    fresh: Fresh,
    (settings, language): (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let user = recipient.as_ref().map(|recipient| recipient.user);
    let life = minutes(settings.reset_minutes);
    let secret = NewSecret {
        id: fresh.hash,
        purpose: Purpose::ResetPassword,
        user,
        // As its owner wrote it, where it has one.
        email: recipient.as_ref().map_or(asked, |recipient| recipient.email.clone()),
        sent: None,
        at: now,
        expires_at: now.plus(life),
    };
    let mut writes = vec![Write::OneTime(OneTimeWrite::Issue(Box::new(secret)))];
    writes.extend(recipient.map(|recipient| {
        let message = MailMessage::ResetPassword { token: fresh.text, minutes: settings.reset_minutes };
        Write::Mail(OutgoingMail::new(recipient.email, language, message, life, now, randomness))
    }));
    Decision { writes, events: vec![Event::Recovery(RecoveryEvent::ResetAsked { user })], reply: () }
}

/// A password somebody chose.
#[derive(Debug)]
pub struct NewPassword {
    /// Its hash.
    pub hash: PasswordHash,
    /// The one it replaces; none if there was none.
    pub replaces: Option<StoredPassword>,
    /// How many replaced ones the tenant's policy remembers.
    pub kept: u32,
}

/// Sets the password a link was good for, and ends the user's sessions if the tenant wants that.
pub fn reset(
    secret: &StoredSecret,
    user: UserId,
    password: NewPassword,
    (settings, language): (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let news = Some((secret.email.clone(), language));
    let mut decision = changed(user, password, "reset", news, now, randomness);
    // First, so that of two who use one link the second hears that it was used.
    decision.writes.insert(0, secret.used(now));
    decision.writes.push(proved(user, &secret.email, now));
    if settings.reset_ends_sessions {
        decision.and(revoke_all(user, None, RevocationReason::PasswordChanged, now));
    }
    decision
}

/// A change of the password by its owner.
#[derive(Debug)]
pub struct Change {
    /// Whose.
    pub user: UserId,
    /// The session in which it is changed; it goes on.
    pub session: SessionId,
    /// Where they are told of it.
    pub email: Option<EmailAddress>,
    /// The new one.
    pub password: NewPassword,
}

/// Changes a password, and ends the user's other sessions if the tenant wants that.
pub fn change(
    change: Change,
    (settings, language): (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let Change { user, session, email, password } = change;
    let news = email.map(|email| (email, language));
    let mut decision = changed(user, password, "change", news, now, randomness);
    if settings.change_ends_sessions {
        decision.and(revoke_all(user, Some(session), RevocationReason::PasswordChanged, now));
    }
    decision
}

fn changed(
    user: UserId,
    password: NewPassword,
    by: &'static str,
    news: Option<(EmailAddress, Language)>,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let mut writes = set(user, password, now);
    // Links that were asked for with the old password in mind must not undo the new one.
    let withdraw = OneTimeWrite::Withdraw { user, purpose: Purpose::ResetPassword, at: now };
    writes.push(Write::OneTime(withdraw));
    writes.extend(news.map(|(email, language)| {
        Write::Mail(OutgoingMail::new(email, language, MailMessage::PasswordChanged, NEWS, now, randomness))
    }));
    let events = vec![Event::Recovery(RecoveryEvent::PasswordChanged { user, by })];
    Decision { writes, events, reply: () }
}

/// The new password in place of the present one, which is remembered as far as the policy wants. What is remembered
/// beyond that goes, also where the policy remembers none any more.
fn set(user: UserId, NewPassword { hash, replaces, kept }: NewPassword, at: Timestamp) -> Vec<Write> {
    let Some(former) = replaces else { return vec![Write::InsertPassword { user, hash, at }] };
    let expected_version = former.version;
    let set = RecoveryWrite::SetPassword { user, hash, expected_version, at };
    let remember = (kept > 0).then_some(RecoveryWrite::RememberPassword { user, former, at });
    let forget = RecoveryWrite::ForgetPasswords { user, kept };
    [Some(set), remember, Some(forget)].into_iter().flatten().map(Write::Recovery).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::testing::Counting;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn user() -> UserId {
        UserId::from_uuid(Uuid::from_u128(7))
    }

    fn email() -> EmailAddress {
        EmailAddress::parse("email", "ada@example.com").expect("valid")
    }

    fn password(replaces: Option<i64>) -> NewPassword {
        let hash = |text: &str| PasswordHash::from_phc(text.to_owned());
        let replaces = replaces.map(|version| StoredPassword { hash: hash("$argon2id$former"), version });
        NewPassword { hash: hash("$argon2id$new"), replaces, kept: 0 }
    }

    fn kinds(writes: &[Write]) -> Vec<&'static str> {
        let kind = |write: &Write| match write {
            Write::OneTime(OneTimeWrite::Issue(_)) => "issue",
            Write::OneTime(OneTimeWrite::Use { .. }) => "use",
            Write::OneTime(OneTimeWrite::Withdraw { .. }) => "withdraw",
            Write::Recovery(RecoveryWrite::SetPassword { .. }) => "set",
            Write::Recovery(RecoveryWrite::RememberPassword { .. }) => "remember",
            Write::Recovery(RecoveryWrite::ForgetPasswords { .. }) => "forget",
            Write::Recovery(RecoveryWrite::EmailVerified { .. }) => "verified",
            Write::InsertPassword { .. } => "insert",
            Write::Mail(_) => "mail",
            Write::RevokeUserSessions { .. } => "revoke",
            _ => "other",
        };
        writes.iter().map(kind).collect()
    }

    #[test]
    fn asking_stores_the_same_for_everybody_and_writes_to_owners_only() {
        let settings = RecoverySettings::default();
        let ask = |recipient| {
            let fresh = Fresh { text: "secret".into(), hash: [1; 32] };
            forgot(email(), recipient, fresh, (&settings, Language::En), NOW, &Counting::default())
        };
        assert_eq!(kinds(&ask(None).writes), ["issue"]);
        let known = ask(Some(Recipient { user: user(), email: email() }));
        assert_eq!(kinds(&known.writes), ["issue", "mail"]);
        assert_eq!(known.events.len(), ask(None).events.len());
    }

    #[test]
    fn a_reset_uses_the_link_proves_the_address_tells_the_owner_and_ends_sessions() {
        let secret = StoredSecret {
            id: [1; 32],
            purpose: Purpose::ResetPassword,
            user: Some(user()),
            email: email(),
            sent: None,
            attempts: 0,
            expires_at: NOW,
            used: false,
            version: 1,
        };
        let run = |reset_ends_sessions, replaces| {
            let settings = RecoverySettings { reset_ends_sessions, ..RecoverySettings::default() };
            let wanted = (&settings, Language::En);
            kinds(&reset(&secret, user(), password(replaces), wanted, NOW, &Counting::default()).writes)
        };
        assert_eq!(run(true, Some(1)), ["use", "set", "forget", "withdraw", "mail", "verified", "revoke"]);
        assert_eq!(run(false, None), ["use", "insert", "withdraw", "mail", "verified"]);
    }

    #[test]
    fn a_change_keeps_the_session_it_is_made_in() {
        let settings = RecoverySettings::default();
        let session = SessionId::from_uuid(Uuid::from_u128(9));
        let wanted = Change { user: user(), session, email: None, password: password(Some(2)) };
        let decision = change(wanted, (&settings, Language::En), NOW, &Counting::default());
        assert_eq!(kinds(&decision.writes), ["set", "forget", "withdraw", "revoke"]);
        let kept = decision.writes.iter().find_map(|write| match write {
            Write::RevokeUserSessions { kept, .. } => *kept,
            _ => None,
        });
        assert_eq!(kept, Some(session));
    }

    #[test]
    fn what_is_replaced_is_remembered_as_the_policy_wants_and_the_rest_forgotten() {
        let former = |writes: Vec<Write>| {
            let found = writes.into_iter().filter_map(|write| match write {
                Write::Recovery(RecoveryWrite::RememberPassword { former, .. }) => Some(former),
                _ => None,
            });
            found.collect::<Vec<_>>()
        };
        let chosen = |replaces, kept| NewPassword { kept, ..password(replaces) };
        assert_eq!(kinds(&set(user(), chosen(Some(4), 2), NOW)), ["set", "remember", "forget"]);
        let remembered = former(set(user(), chosen(Some(4), 2), NOW));
        assert_eq!(remembered, [password(Some(4)).replaces.expect("given")], "at the version it had");
        assert_eq!(kinds(&set(user(), chosen(Some(4), 0), NOW)), ["set", "forget"]);
        assert_eq!(
            kinds(&set(user(), chosen(None, 2), NOW)),
            ["insert"],
            "a first password replaces nothing"
        );
        let policy = |history| crate::password::PasswordPolicy { history, ..Default::default() }.kept();
        assert_eq!([0, 1, 2, 24].map(policy), [0, 0, 1, 23], "the present one is among those remembered");
    }
}

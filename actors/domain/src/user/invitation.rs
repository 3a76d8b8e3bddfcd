//! Invitations to become a user of a tenant.
//!
//! There is no user before somebody accepts: until then the invitation is all there is, and without it nothing is left.
//! So an invitation that was revoked or has expired lets nobody in, neither by itself nor by a forgotten password.

use super::create::{self, NewUser};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{UserId, UserInvitationId};
use crate::mail::{Language, MailMessage, OutgoingMail};
use crate::one_time::SecretHash;
use crate::password::PasswordHash;
use crate::randomness::Randomness;
use crate::recovery::{Fresh, RecoverySettings, minutes};
use crate::time::Timestamp;
use serde_json::{Value, json};

/// There is no such invitation in the tenant.
pub const UNKNOWN_INVITATION: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_user_invitation",
    "Unknown invitation",
    "there is no invitation of this id in the tenant; it was accepted, revoked or replaced by another one",
);

/// What decisions about invitations write.
#[derive(Debug)]
pub enum UserInvitationWrite {
    /// A new one; others to the same address go.
    Invite {
        /// Its id.
        invitation: UserInvitationId,
        /// Who will come of it, with the address it is sent to.
        new: Box<NewUser>,
        /// Keyed hash of the token in the link.
        token: SecretHash,
        /// When.
        at: Timestamp,
        /// End of its life.
        expires_at: Timestamp,
    },
    /// Another link in place of the one of this version.
    Renew {
        /// Which.
        invitation: UserInvitationId,
        /// Keyed hash of the new token.
        token: SecretHash,
        /// End of its life.
        expires_at: Timestamp,
        /// Version the decision saw.
        expected_version: i64,
    },
    /// It was accepted or revoked.
    Remove {
        /// Which.
        invitation: UserInvitationId,
        /// Version the decision saw.
        expected_version: i64,
    },
}

/// What happened to an invitation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserInvitationEvent {
    /// To which.
    pub invitation: UserInvitationId,
    /// What.
    pub what: UserInvitationHappening,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserInvitationHappening {
    /// It was sent.
    Sent,
    /// It was sent once more, with another link.
    Resent,
    /// It is void.
    Revoked,
    /// Somebody became a user by it.
    Accepted(UserId),
}

impl UserInvitationEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self.what {
            UserInvitationHappening::Sent => "user_invitation.sent",
            UserInvitationHappening::Resent => "user_invitation.resent",
            UserInvitationHappening::Revoked => "user_invitation.revoked",
            UserInvitationHappening::Accepted(_) => "user_invitation.accepted",
        }
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        self.invitation.to_string()
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self.what {
            UserInvitationHappening::Accepted(user) => json!({ "user": user }),
            UserInvitationHappening::Sent
            | UserInvitationHappening::Resent
            | UserInvitationHappening::Revoked => {
                json!({})
            }
        }
    }
}

/// A stored invitation.
#[derive(Debug)]
pub struct Invitation {
    /// Its id.
    pub id: UserInvitationId,
    /// Who will come of it, with the address it was sent to.
    pub new: NewUser,
    /// When it was made.
    pub created_at: Timestamp,
    /// End of its life.
    pub expires_at: Timestamp,
    /// Grows by one with each change.
    pub version: i64,
}

impl Invitation {
    /// Whether it can be accepted.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.expires_at > now
    }

    fn happened(&self, what: UserInvitationHappening) -> Vec<Event> {
        vec![Event::UserInvitation(UserInvitationEvent { invitation: self.id, what })]
    }
}

fn mail(
    new: &NewUser,
    token: String,
    (settings, language): (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Write {
    let (to, life) = (new.email.clone(), settings.invitation_minutes);
    let message = MailMessage::UserInvitation { token, minutes: life };
    Write::Mail(OutgoingMail::new(to, language, message, minutes(life), now, randomness))
}

/// Invites somebody. A link of an older invitation to the address is void from now on.
pub fn invite(
    new: NewUser,
    fresh: Fresh,
    wanted: (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<UserInvitationId> {
    let invitation = UserInvitationId::generate(now, randomness);
    let expires_at = now.plus(minutes(wanted.0.invitation_minutes));
    let mail = mail(&new, fresh.text, wanted, now, randomness);
    let (new, token) = (Box::new(new), fresh.hash);
    let write = UserInvitationWrite::Invite { invitation, new, token, at: now, expires_at };
    let event = UserInvitationEvent { invitation, what: UserInvitationHappening::Sent };
    Decision {
        writes: vec![Write::UserInvitation(write), mail],
        events: vec![Event::UserInvitation(event)],
        reply: invitation,
    }
}

/// Sends another link in place of the last one, which is void from now on; also where that one has expired.
pub fn resend(
    invitation: &Invitation,
    fresh: Fresh,
    wanted: (&RecoverySettings, Language),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<()> {
    let mail = mail(&invitation.new, fresh.text, wanted, now, randomness);
    let renew = UserInvitationWrite::Renew {
        invitation: invitation.id,
        token: fresh.hash,
        expires_at: now.plus(minutes(wanted.0.invitation_minutes)),
        expected_version: invitation.version,
    };
    let events = invitation.happened(UserInvitationHappening::Resent);
    Decision { writes: vec![Write::UserInvitation(renew), mail], events, reply: () }
}

/// Makes an invitation void.
pub fn revoke(invitation: &Invitation) -> Decision<()> {
    Decision {
        writes: vec![invitation.removed()],
        events: invitation.happened(UserInvitationHappening::Revoked),
        reply: (),
    }
}

/// Makes a user of whoever has the link, which proves the address.
pub fn accept(
    invitation: Invitation,
    password: PasswordHash,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<UserId> {
    // First, so that of two who accept at once the second hears that the link was used.
    let removed = invitation.removed();
    let id = invitation.id;
    let new = NewUser { email_verified: true, ..invitation.new };
    let Decision { mut writes, mut events, reply: user } =
        create::decide(new, Some(password), now, randomness);
    writes.insert(0, removed);
    let what = UserInvitationHappening::Accepted(user);
    events.push(Event::UserInvitation(UserInvitationEvent { invitation: id, what }));
    Decision { writes, events, reply: user }
}

impl Invitation {
    fn removed(&self) -> Write {
        Write::UserInvitation(UserInvitationWrite::Remove {
            invitation: self.id,
            expected_version: self.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::testing::Counting;
    use crate::user::profile::ProfileInput;
    use crate::user::write::UserWrite;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn new() -> NewUser {
        NewUser::parse("ada@example.com", false, ProfileInput::default()).expect("good")
    }

    fn fresh() -> Fresh {
        Fresh { text: "token".into(), hash: [3; 32] }
    }

    fn stored(expires_at: Timestamp) -> Invitation {
        let id = UserInvitationId::from_uuid(Uuid::from_u128(7));
        Invitation { id, new: new(), created_at: NOW, expires_at, version: 4 }
    }

    #[test]
    fn an_invitation_is_mailed_and_lives_as_long_as_the_tenant_says() {
        let settings = RecoverySettings { invitation_minutes: 60, ..RecoverySettings::default() };
        let decision = invite(new(), fresh(), (&settings, Language::En), NOW, &Counting::default());
        let [Write::UserInvitation(UserInvitationWrite::Invite { token, expires_at, .. }), Write::Mail(mail)] =
            &decision.writes[..]
        else {
            panic!("{:?}", decision.writes)
        };
        assert_eq!((*token, *expires_at), ([3; 32], Timestamp::from_millis(3_601_000)));
        assert_eq!(mail.useful_until, *expires_at);
        assert_eq!(mail.message, MailMessage::UserInvitation { token: "token".into(), minutes: 60 });
        assert_eq!(decision.events[0].subject(), decision.reply.to_string());
    }

    #[test]
    fn another_link_replaces_the_one_the_decision_saw() {
        let settings = RecoverySettings::default();
        let expired = stored(NOW);
        assert!(!expired.is_open(NOW));
        let decision = resend(&expired, fresh(), (&settings, Language::En), NOW, &Counting::default());
        let Write::UserInvitation(UserInvitationWrite::Renew { expires_at, expected_version: 4, .. }) =
            &decision.writes[0]
        else {
            panic!("{:?}", decision.writes)
        };
        assert!(stored(*expires_at).is_open(NOW));
    }

    #[test]
    fn whoever_accepts_becomes_a_user_with_a_proved_address() {
        let hash = PasswordHash::from_phc("$argon2id$".into());
        let decision = accept(stored(Timestamp::from_millis(2_000)), hash, NOW, &Counting::default());
        let [
            Write::UserInvitation(UserInvitationWrite::Remove { expected_version: 4, .. }),
            Write::User(UserWrite::Insert { user, .. }),
            Write::User(UserWrite::InsertEmail { verified_at: Some(NOW), .. }),
            Write::InsertPassword { .. },
            ..,
        ] = &decision.writes[..]
        else {
            panic!("{:?}", decision.writes)
        };
        assert_eq!(*user, decision.reply);
        let names: Vec<_> = decision.events.iter().map(Event::name).collect();
        assert_eq!(names, ["user.created", "user_invitation.accepted"]);
    }

    #[test]
    fn a_revoked_one_is_gone() {
        let decision = revoke(&stored(NOW));
        assert!(matches!(decision.writes[..], [Write::UserInvitation(UserInvitationWrite::Remove { .. })]));
        assert_eq!(decision.events[0].name(), "user_invitation.revoked");
    }
}

//! Privacy: what must be kept, what must go, and what users consented to.

use crate::audit::{Actor, Event};
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{ConsentId, SessionId, TenantId, UserId};
use crate::input::InvalidInput;
use crate::name::DisplayName;
use crate::randomness::Randomness;
use crate::session::RevocationReason;
use crate::time::Timestamp;
use serde_json::{Value, json};

/// Something is under a legal hold.
pub const LEGAL_HOLD: Denial = Denial::new(
    DenialKind::Conflict,
    "legal_hold",
    "Under legal hold",
    "a legal hold keeps this from being erased, deleted or pruned; lift the hold first",
);

/// A hold stands already.
pub const HOLD_STANDS: Denial = Denial::new(
    DenialKind::Conflict,
    "legal_hold_stands",
    "Legal hold stands",
    "there is a legal hold already; lift it first to place another one",
);

/// There is no hold.
pub const NO_HOLD: Denial =
    Denial::new(DenialKind::Unknown, "no_legal_hold", "No legal hold", "there is no legal hold here");

/// The tenant keeps its ledger for ever.
pub const NO_RETENTION: Denial = Denial::new(
    DenialKind::Conflict,
    "no_retention",
    "No retention",
    "the tenant keeps its ledger for ever; set settings.audit.retention_days first",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[LEGAL_HOLD, HOLD_STANDS, NO_HOLD, NO_RETENTION];

/// Whose data a hold keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// One user's.
    User(UserId),
    /// Everybody's in the tenant.
    Tenant(TenantId),
}

impl Held {
    fn label(self) -> String {
        match self {
            Self::User(user) => user.to_string(),
            Self::Tenant(tenant) => tenant.to_string(),
        }
    }
}

/// What a user consents to, and which version of its text was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentTerms {
    purpose: String,
    document: String,
}

impl ConsentTerms {
    /// Checks purpose and version.
    pub fn parse(purpose: &str, version: &str) -> Result<Self, Vec<InvalidInput>> {
        let mut wrong = Vec::new();
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
        if !(1..=64).contains(&purpose.len()) || !purpose.bytes().all(is_name) {
            let detail = "a purpose has 1 to 64 of a-z, 0-9, hyphens, underscores and dots";
            wrong.push(InvalidInput::new("purpose", "invalid_purpose", detail));
        }
        if !(1..=64).contains(&version.len()) || !version.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = "a version has 1 to 64 visible ASCII characters, such as 2027-01-15";
            wrong.push(InvalidInput::new("version", "invalid_version", detail));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self { purpose: purpose.to_owned(), document: version.to_owned() })
    }

    /// What for.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// Which version of the text.
    pub fn version(&self) -> &str {
        &self.document
    }
}

/// A record of a consent: it stands as it was made, and the newest of a purpose counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// What for.
    pub terms: ConsentTerms,
    /// Given, or withdrawn.
    pub granted: bool,
    /// When.
    pub at: Timestamp,
}

/// Changes of this capability.
#[derive(Debug)]
pub enum PrivacyWrite {
    /// A new hold.
    PlaceHold {
        /// On what.
        held: Held,
        /// Why.
        reason: DisplayName,
        /// By whom.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// The hold ends.
    LiftHold {
        /// On what.
        held: Held,
    },
    /// A record is added.
    RecordConsent {
        /// Whose.
        user: UserId,
        /// What.
        consent: Consent,
        /// By whom.
        by: Actor,
    },
    /// Everything of a user goes, unless a hold keeps it.
    EraseUser {
        /// Whose.
        user: UserId,
        /// Sessions the decision saw, ended ones included.
        sessions: u64,
    },
}

/// Events of this capability.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrivacyEvent {
    /// The oldest entries of the ledger were removed; a signed checkpoint stands for them.
    Pruned {
        /// Whose ledger.
        tenant: TenantId,
        /// The last entry that was removed.
        through: i64,
        /// How many were removed.
        entries: u64,
    },
    /// A hold was placed.
    HoldPlaced(Held),
    /// A hold was lifted.
    HoldLifted(Held),
    /// A consent was given or withdrawn.
    ConsentRecorded {
        /// Whose.
        user: UserId,
        /// Which record.
        consent: ConsentId,
        /// Given, or withdrawn.
        granted: bool,
    },
    /// Somebody was given everything about a user.
    SubjectExported {
        /// About whom.
        user: UserId,
    },
    /// Everything of a user was erased: this is what is left.
    SubjectErased {
        /// Whose.
        user: UserId,
    },
}

impl PrivacyEvent {
    /// Stable dotted name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pruned { .. } => "audit.pruned",
            Self::HoldPlaced(_) => "legal_hold.placed",
            Self::HoldLifted(_) => "legal_hold.lifted",
            Self::ConsentRecorded { .. } => "user.consent_recorded",
            Self::SubjectExported { .. } => "user.data_exported",
            Self::SubjectErased { .. } => "user.erased",
        }
    }

    /// Whether other nodes may have in memory what it changed: attributes of users are kept for flags.
    pub const fn concerns_other_nodes(&self) -> bool {
        matches!(self, Self::SubjectErased { .. })
    }

    /// What the event is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Pruned { tenant, .. } => tenant.to_string(),
            Self::HoldPlaced(held) | Self::HoldLifted(held) => held.label(),
            Self::ConsentRecorded { user, .. }
            | Self::SubjectExported { user }
            | Self::SubjectErased { user } => user.to_string(),
        }
    }

    /// The facts, as JSON.
    pub fn data(&self) -> Value {
        match self {
            Self::Pruned { through, entries, .. } => json!({ "through": through, "entries": entries }),
            Self::ConsentRecorded { consent, granted, .. } => {
                json!({ "consent": consent, "granted": granted })
            }
            Self::HoldPlaced(_)
            | Self::HoldLifted(_)
            | Self::SubjectExported { .. }
            | Self::SubjectErased { .. } => json!({}),
        }
    }
}

fn one<R>(write: PrivacyWrite, event: PrivacyEvent, reply: R) -> Decision<R> {
    Decision { writes: vec![Write::Privacy(write)], events: vec![Event::Privacy(event)], reply }
}

/// Places a hold where none stands.
pub fn place_hold(
    held: Held,
    stands: bool,
    reason: DisplayName,
    by: Actor,
    now: Timestamp,
) -> Result<Decision<()>, Denial> {
    if stands {
        return Err(HOLD_STANDS);
    }
    Ok(one(PrivacyWrite::PlaceHold { held, reason, by, at: now }, PrivacyEvent::HoldPlaced(held), ()))
}

/// Lifts a hold.
pub fn lift_hold(held: Held, stands: bool) -> Result<Decision<()>, Denial> {
    if !stands {
        return Err(NO_HOLD);
    }
    Ok(one(PrivacyWrite::LiftHold { held }, PrivacyEvent::HoldLifted(held), ()))
}

/// Records that a user gave or withdrew a consent.
pub fn record_consent(
    user: UserId,
    terms: ConsentTerms,
    granted: bool,
    by: Actor,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Decision<Consent> {
    let consent = Consent { id: ConsentId::generate(now, randomness), terms, granted, at: now };
    let event = PrivacyEvent::ConsentRecorded { user, consent: consent.id, granted };
    one(PrivacyWrite::RecordConsent { user, consent: consent.clone(), by }, event, consent)
}

/// What erasing has to know of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErasedSession {
    /// Which.
    pub session: SessionId,
    /// Whether it was ended before.
    pub ended: bool,
}

/// Erases a user: nothing of it stays but the event. Live sessions end by it.
pub fn erase(user: UserId, held: bool, sessions: &[ErasedSession]) -> Result<Decision<()>, Denial> {
    if held {
        return Err(LEGAL_HOLD);
    }
    let reason = RevocationReason::UserErased;
    let live = sessions.iter().filter(|session| !session.ended);
    let mut events: Vec<Event> =
        live.map(|session| Event::SessionRevoked { session: session.session, user, reason }).collect();
    events.push(Event::Privacy(PrivacyEvent::SubjectErased { user }));
    let write = PrivacyWrite::EraseUser { user, sessions: sessions.len() as u64 };
    Ok(Decision { writes: vec![Write::Privacy(write)], events, reply: () })
}

/// Before which instant entries of the ledger may go.
pub fn cutoff(retention_days: Option<u32>, held: bool, now: Timestamp) -> Result<Timestamp, Denial> {
    const DAY: i64 = 86_400_000;
    let days = retention_days.ok_or(NO_RETENTION)?;
    if held {
        return Err(LEGAL_HOLD);
    }
    Ok(Timestamp::from_millis(now.as_millis().saturating_sub(i64::from(days) * DAY)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::testing::Counting;
    use uuid::Uuid;

    fn ada() -> UserId {
        UserId::from_uuid(Uuid::from_u128(7))
    }

    #[test]
    fn erasing_ends_live_sessions_and_leaves_one_event_without_facts() {
        let session = |id, ended| ErasedSession { session: SessionId::from_uuid(Uuid::from_u128(id)), ended };
        let decision = erase(ada(), false, &[session(1, false), session(2, true)]).expect("allowed");
        let names: Vec<_> = decision.events.iter().map(Event::name).collect();
        assert_eq!(names, ["session.revoked", "user.erased"]);
        assert_eq!(decision.events[1].data(), json!({}));
        assert!(matches!(decision.writes[..], [Write::Privacy(PrivacyWrite::EraseUser { sessions: 2, .. })]));
        assert_eq!(erase(ada(), true, &[]).expect_err("held"), LEGAL_HOLD);
    }

    #[test]
    fn holds_are_placed_once_and_lifted_once() {
        let reason = || DisplayName::parse("reason", "case 12").expect("valid");
        let (held, now) = (Held::User(ada()), Timestamp::from_millis(9));
        assert_eq!(
            place_hold(held, false, reason(), Actor::System, now).expect("allowed").events[0].data(),
            json!({})
        );
        assert_eq!(place_hold(held, true, reason(), Actor::System, now).expect_err("stands"), HOLD_STANDS);
        assert!(lift_hold(held, true).is_ok());
        assert_eq!(lift_hold(held, false).expect_err("none"), NO_HOLD);
    }

    #[test]
    fn entries_go_only_where_a_retention_is_set_and_nothing_is_held() {
        let now = Timestamp::from_millis(10 * 86_400_000);
        assert_eq!(cutoff(Some(3), false, now), Ok(Timestamp::from_millis(7 * 86_400_000)));
        assert_eq!(cutoff(Some(3), true, now), Err(LEGAL_HOLD));
        assert_eq!(cutoff(None, false, now), Err(NO_RETENTION));
    }

    #[test]
    fn consents_name_a_purpose_and_a_version_and_their_event_neither() {
        for (purpose, version, wrong) in
            [("", "1", 1), ("A", "1", 1), ("a b", "", 2), ("news", "a b", 1), (&"x".repeat(65), "1", 1)]
        {
            assert_eq!(ConsentTerms::parse(purpose, version).expect_err("wrong").len(), wrong, "{purpose}");
        }
        let terms = ConsentTerms::parse("news.weekly", "2027-01").expect("valid");
        let decision = record_consent(
            ada(),
            terms,
            true,
            Actor::System,
            Timestamp::from_millis(9),
            &Counting::default(),
        );
        let data = decision.events[0].data().to_string();
        assert!(data.contains("con_") && !data.contains("news"), "{data}");
    }
}

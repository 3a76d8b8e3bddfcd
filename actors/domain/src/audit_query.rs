//! Asking the audit ledger: which entries are wanted.

use crate::denial::{Denial, DenialKind};
use crate::time::Timestamp;

/// There is no such entry in the tenant's ledger.
pub const UNKNOWN_ENTRY: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_audit_event",
    "Unknown audit event",
    "there is no entry of this sequence in the ledger, or it was pruned",
);

/// Refusals of this capability.
pub const DENIALS: &[Denial] = &[UNKNOWN_ENTRY];

/// Longest name of an event, an actor or a subject.
const LONGEST: usize = 128;

/// One event by its name, or all below a name: `user.created`, `user.*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventPattern {
    /// Exactly this one.
    Exactly(String),
    /// Those whose name begins with this, which ends with a dot.
    Below(String),
}

impl EventPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, below) = match text.strip_suffix(".*") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_'));
        if name.len() > LONGEST || !name.split('.').all(is_part) {
            return None;
        }
        Some(if below { Self::Below(format!("{name}.")) } else { Self::Exactly(name.to_owned()) })
    }

    /// Whether an event is meant.
    pub fn admits(&self, event: &str) -> bool {
        match self {
            Self::Exactly(name) => event == name,
            Self::Below(start) => event.starts_with(start.as_str()),
        }
    }
}

/// Name of an actor or a subject as it stands in the ledger: an id, `system`, `anonymous`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerName(String);

impl LedgerName {
    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        ((1..=LONGEST).contains(&text.len()) && plain).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which entries are wanted: those that meet everything that is given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// What happened.
    pub event: Option<EventPattern>,
    /// Who did it.
    pub actor: Option<LedgerName>,
    /// To what.
    pub subject: Option<LedgerName>,
    /// At this instant or later.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

impl AuditFilter {
    /// Whether an entry is wanted.
    pub fn admits(&self, event: &str, actor: &str, subject: &str, at: Timestamp) -> bool {
        self.event.as_ref().is_none_or(|pattern| pattern.admits(event))
            && self.actor.as_ref().is_none_or(|name| name.as_str() == actor)
            && self.subject.as_ref().is_none_or(|name| name.as_str() == subject)
            && self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_one_event_or_all_below_a_name() {
        let user = EventPattern::parse("user.*").expect("valid");
        assert!(user.admits("user.created") && user.admits("user.password_hash.upgraded"));
        assert!(!user.admits("user") && !user.admits("users.created") && !user.admits("session.created"));
        let one = EventPattern::parse("user.created").expect("valid");
        assert!(one.admits("user.created") && !one.admits("user.created_twice"));
        for bad in ["", "*", ".*", "user.", "user.*.created", "User.created", "user created", "u\0"] {
            assert_eq!(EventPattern::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_entry_must_meet_everything_that_is_given() {
        let at = Timestamp::from_millis;
        let filter = AuditFilter {
            event: EventPattern::parse("user.created"),
            actor: LedgerName::parse("system"),
            subject: LedgerName::parse("usr_1"),
            from: Some(at(10)),
            to: Some(at(20)),
        };
        assert!(filter.admits("user.created", "system", "usr_1", at(10)));
        assert!(!filter.admits("user.changed", "system", "usr_1", at(10)));
        assert!(!filter.admits("user.created", "anonymous", "usr_1", at(10)));
        assert!(!filter.admits("user.created", "system", "usr_2", at(10)));
        assert!(!filter.admits("user.created", "system", "usr_1", at(9)));
        assert!(!filter.admits("user.created", "system", "usr_1", at(20)), "the end is exclusive");
        assert!(AuditFilter::default().admits("any", "any", "any", at(0)));
        for bad in ["", "a b", "é", "a\0", &"x".repeat(129)] {
            assert_eq!(LedgerName::parse(bad), None, "{bad}");
        }
    }
}

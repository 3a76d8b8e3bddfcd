//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request sent again with its key is answered as the
//! first time and takes effect once.

use crate::Timestamp;
use crate::denial::{Denial, DenialKind};

/// How long an answer is kept, in milliseconds: a day.
pub const KEPT_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// How long a request may be under way, in milliseconds. One that was interrupted is done anew after that, unless it
/// took effect.
pub const UNDER_WAY_MILLIS: i64 = 60 * 1_000;

/// Another request with this key is under way.
pub const IN_PROGRESS: Denial = Denial::new(
    DenialKind::Conflict,
    "idempotency_in_progress",
    "Request under way",
    "a request with this Idempotency-Key is under way; repeat it in a moment",
);
/// The key came with another request before.
pub const KEY_REUSED: Denial = Denial::new(
    DenialKind::Contradiction,
    "idempotency_key_reused",
    "Idempotency key reused",
    "this Idempotency-Key was sent with another request; every new request needs a new key",
);
/// The effect stands, the answer is lost.
pub const ANSWER_LOST: Denial = Denial::new(
    DenialKind::Conflict,
    "idempotency_answer_lost",
    "Answer lost",
    "the request with this Idempotency-Key took effect, but its answer was not kept; look for its effect",
);

/// Refusals of this module.
pub const DENIALS: &[Denial] = &[IN_PROGRESS, KEY_REUSED, ANSWER_LOST];

/// What is known of the first request with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// Whether it was the same request, body included.
    pub is_same: bool,
    /// Whether its effect was committed.
    pub took_effect: bool,
    /// Whether its answer was kept.
    pub has_answer: bool,
    /// When it came.
    pub reserved_at: Timestamp,
    /// Until when it is remembered.
    pub expires_at: Timestamp,
}

/// What to do with a request whose key is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Answer as the first time.
    Replay,
    /// The first request came to nothing: carry this one out in its place.
    TakeOver,
}

/// Decides about a request whose key is known.
pub fn decide(first: First, now: Timestamp) -> Result<Next, Denial> {
    if first.expires_at <= now {
        return Ok(Next::TakeOver);
    }
    if !first.is_same {
        return Err(KEY_REUSED);
    }
    if first.has_answer {
        return Ok(Next::Replay);
    }
    let since = now.as_millis().saturating_sub(first.reserved_at.as_millis());
    match (since < UNDER_WAY_MILLIS, first.took_effect) {
        (true, _) => Err(IN_PROGRESS),
        (false, true) => Err(ANSWER_LOST),
        (false, false) => Ok(Next::TakeOver),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: First = First {
        is_same: true,
        took_effect: false,
        has_answer: false,
        reserved_at: Timestamp::from_millis(1_000),
        expires_at: Timestamp::from_millis(1_000 + KEPT_MILLIS),
    };

    fn at(first: First, millis: i64) -> Result<Next, Denial> {
        decide(first, Timestamp::from_millis(1_000 + millis))
    }

    #[test]
    fn a_kept_answer_is_repeated_for_the_same_request_only_and_for_a_day() {
        let answered = First { has_answer: true, took_effect: true, ..FIRST };
        assert_eq!(at(answered, 0), Ok(Next::Replay));
        assert_eq!(at(answered, KEPT_MILLIS - 1), Ok(Next::Replay));
        assert_eq!(at(answered, KEPT_MILLIS), Ok(Next::TakeOver));
        assert_eq!(at(First { is_same: false, ..answered }, 0), Err(KEY_REUSED));
        assert_eq!(at(First { is_same: false, ..answered }, KEPT_MILLIS), Ok(Next::TakeOver));
    }

    #[test]
    fn an_interrupted_request_is_done_anew_unless_it_took_effect() {
        let took_effect = First { took_effect: true, ..FIRST };
        assert_eq!(at(FIRST, UNDER_WAY_MILLIS - 1), Err(IN_PROGRESS));
        assert_eq!(at(took_effect, UNDER_WAY_MILLIS - 1), Err(IN_PROGRESS));
        assert_eq!(at(FIRST, UNDER_WAY_MILLIS), Ok(Next::TakeOver));
        assert_eq!(at(took_effect, UNDER_WAY_MILLIS), Err(ANSWER_LOST));
    }
}

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// What is limited. The id is opaque: callers hash what is personal under a key of theirs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LimitKey {
    /// Which limit, such as `attempts.account`.
    pub name: &'static str,
    /// Whose.
    pub id: [u8; 32],
}

impl fmt::Debug for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LimitKey({})", self.name)
    }
}

/// A rate: `burst` cells at once after a pause, then one each `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Time until one more cell is granted; at least a microsecond.
    pub period: Duration,
    /// Most cells at once.
    pub burst: NonZeroU32,
}

/// What a limit granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Cells granted, from none to as many as were asked for.
    pub cells: u32,
    /// Time until one more would be granted; zero when more are left.
    pub retry_after: Duration,
}

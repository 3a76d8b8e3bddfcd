use std::time::Duration;

/// The second stage of a rate limit: what several processes share. Asked after the key's own limiter has let a request
/// through, in the caller's task, so it must decide at once and without a lock that is held for long.
pub trait Allowance: Send + Sync + 'static {
    /// Takes one.
    ///
    /// # Errors
    /// How long until the next.
    fn take(&self) -> Result<(), Duration>;
}

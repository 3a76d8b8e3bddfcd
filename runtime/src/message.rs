//! What travels to an actor, and the way back.

use crate::admission::Permit;
use crate::{Deadline, Refusal};
use tokio::sync::oneshot;

/// Implemented by the message type of every actor.
///
/// The runtime owns a message until a handler takes it; should that never happen, it says so with
/// [`Message::refuse`], so that no work vanishes without a word. Neither method may panic.
pub trait Message: Send + 'static {
    /// Whether nobody waits for this message's effect any more, so that it may be dropped unhandled. For a
    /// message with a [`Reply`]: [`Reply::is_abandoned`]. For one without: `false`.
    fn is_abandoned(&self) -> bool;

    /// Told when the message will not be handled. For a message with a [`Reply`]: [`Reply::refuse`].
    fn refuse(self, why: Refusal);
}

/// The way back to a caller. Holds the caller's admission permit, which is released just before the answer
/// goes out. Dropped unsent, the caller gets [`Refusal::Crashed`] ([`Refusal::Stopped`] once the
/// directory has been cut off at shutdown).
pub struct Reply<T> {
    caller: Option<oneshot::Sender<Result<T, Refusal>>>,
    permit: Option<Permit>,
    deadline: Deadline,
}

/// The caller's end of a [`Reply`].
pub struct Answer<T> {
    receiver: oneshot::Receiver<Result<T, Refusal>>,
    deadline: Deadline,
}

impl<T> Reply<T> {
    /// A reply that belongs to no admission: for actors' unit tests and for messages to oneself.
    #[must_use]
    pub fn channel(deadline: Deadline) -> (Self, Answer<T>) {
        Self::admitted(None, deadline)
    }

    pub(crate) fn admitted(permit: Option<Permit>, deadline: Deadline) -> (Self, Answer<T>) {
        let (caller, receiver) = oneshot::channel();
        (Self { caller: Some(caller), permit, deadline }, Answer { receiver, deadline })
    }

    /// Answers. Nothing happens if the caller has gone.
    pub fn send(mut self, value: T) {
        self.finish(Ok(value));
    }

    /// Answers with a refusal.
    pub fn refuse(mut self, why: Refusal) {
        self.finish(Err(why));
    }

    /// Whether the caller has gone.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.caller.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// Until when the caller waits.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Resolves when the caller no longer waits: slow work on its behalf may be given up then.
    pub async fn closed(&mut self) {
        match &mut self.caller {
            Some(caller) => caller.closed().await,
            None => std::future::pending().await,
        }
    }

    fn finish(&mut self, answer: Result<T, Refusal>) {
        // The permit goes first: a caller that calls again at once must not meet its own permit.
        let permit = self.permit.take();
        let cut = permit.as_ref().is_some_and(Permit::is_cut);
        drop(permit);
        if let Some(caller) = self.caller.take() {
            let answer = match answer {
                Err(Refusal::Crashed) if cut => Err(Refusal::Stopped),
                other => other,
            };
            // A caller that has gone does not want the answer: nothing is lost.
            drop(caller.send(answer));
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if self.caller.is_some() {
            self.finish(Err(Refusal::Crashed));
        }
    }
}

impl<T> std::fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("abandoned", &self.is_abandoned()).finish_non_exhaustive()
    }
}

impl<T> Answer<T> {
    /// Waits for the answer, at most until the deadline.
    ///
    /// # Errors
    /// The refusal that came instead of an answer, [`Refusal::DeadlineExceeded`] if none came in time.
    pub async fn wait(self) -> Result<T, Refusal> {
        match tokio::time::timeout_at(self.deadline.instant(), self.receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_closed)) => Err(Refusal::Crashed),
            Err(_elapsed) => Err(Refusal::DeadlineExceeded),
        }
    }
}

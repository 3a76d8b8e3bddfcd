//! What the author of an actor writes.

use crate::admission::{Admission, Allowance};
use crate::directory::Context;
use crate::message::Message;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::sync::Arc;

/// A typed name of an actor within its directory. Implemented for everything that fits.
pub trait ActorKey: Clone + Eq + Hash + Debug + Display + Send + Sync + 'static {}
impl<K: Clone + Eq + Hash + Debug + Display + Send + Sync + 'static> ActorKey for K {}

/// What an activation yields.
pub struct Activated<V: VirtualActor> {
    /// Owned by the actor alone; only its handlers touch it.
    pub state: V::State,
    /// Read by callers without a mailbox hop ([`crate::Directory::enter`], [`crate::Directory::shared`]).
    pub shared: Arc<V::Shared>,
}

/// Why an activation yielded nothing. The texts are shown to operators: the author redacts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActivationError {
    /// The key names nothing. Not a failure: it does not count against the restart budget.
    NotFound,
    /// Something the actor needs is down. Waiters get [`crate::Refusal::Unavailable`]; as the key itself is
    /// sound, it does not count against the restart budget: an outage must not quarantine every key in turn.
    Dependency(String),
    /// This key cannot be activated (its stored state is damaged, say). Counts against the restart budget.
    Failed(String),
}

/// The actor's state can no longer be trusted: the actor dies and is activated anew from what is stored. The
/// text is shown to operators: the author redacts it. Expected errors travel in replies instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

/// An actor that exists as long as its key does, and is resident only while it is in use.
///
/// One value of the implementing type serves a whole directory: it holds what every activation needs
/// (repositories, clocks, handles of other directories).
pub trait VirtualActor: Send + Sync + Sized + 'static {
    /// Names one actor within the directory.
    type Key: ActorKey;
    /// What its handlers understand.
    type Message: Message;
    /// Owned by one live actor.
    type State: Send + 'static;
    /// The part of the state that callers may read without a mailbox hop. `()` if there is none.
    type Shared: Send + Sync + 'static;

    /// Name of the kind, for metrics and the tree: constant, low cardinality.
    const KIND: &'static str;

    /// The actor's place in the supervision tree, such as `/tenants/7/sessions/42`. Computed on demand.
    fn path(&self, key: &Self::Key) -> String;

    /// The span its handlers run in, made only where DEBUG is enabled. Override it to add fields of the key, such
    /// as the tenant.
    fn span(&self, key: &Self::Key) -> tracing::Span {
        tracing::debug_span!("handle", actor = %self.path(key), kind = Self::KIND)
    }

    /// Loads the actor. Runs in a task of the directory under the activation timeout; at most one per key.
    fn activate(
        &self,
        key: &Self::Key,
    ) -> impl Future<Output = Result<Activated<Self>, ActivationError>> + Send;

    /// Handles one message. Slow work belongs into [`Context::spawn_then`]: a handler holds up its mailbox.
    fn handle(
        &self,
        cx: &mut Context<Self>,
        state: &mut Self::State,
        message: Self::Message,
    ) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Runs after the last message of an incarnation that ends in good order. A crash skips it, so
    /// whatever was acknowledged must have been stored before.
    fn passivate(&self, key: &Self::Key, state: Self::State) -> impl Future<Output = ()> + Send {
        let _ = (key, state);
        async {}
    }

    /// How much this key may ask for. Read when the key is first used and kept while it is known.
    fn admission(&self, key: &Self::Key) -> Admission;

    /// A second stage of the key's rate limit, for what several processes share; none unless overridden. Read and kept
    /// like [`Self::admission`], and unused where that sets no rate.
    fn allowance(&self, key: &Self::Key) -> Option<Arc<dyn Allowance>> {
        let _ = key;
        None
    }

    /// Bytes the state holds, for the cap by bytes. Read after every message, so it must be cheap.
    fn weight(&self, state: &Self::State) -> usize {
        let _ = state;
        size_of::<Self::State>()
    }
}

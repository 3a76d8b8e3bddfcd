//! Supervised virtual actors over [ractor](https://docs.rs/ractor).
//!
//! A **virtual actor** exists as long as its key does and is resident only while it is used: the first request
//! activates it, a sweeper passivates it when it is idle or room is needed. At most one instance per key is live
//! in a [`Directory`]; several processes may each hold one, so correctness across processes must come from
//! what is stored (versions in rows), never from the actor being unique.
//!
//! What the crate promises:
//! - **Admission before the queue.** A request takes a permit and a token of its key's rate limiter in the
//!   caller's task. Refused means refused at once, with a typed [`Refusal`], at no cost to neighbours.
//! - **Deadlines travel.** Every call has an absolute [`Deadline`]; work that is expired or whose caller has
//!   gone is dropped before a handler sees it.
//! - **Nothing vanishes.** An accepted message is handled exactly once, in its sender's order, across passivation
//!   and activation, or it is refused with a word ([`Message::refuse`]). What is queued in an actor that dies is
//!   refused with [`Refusal::Crashed`].
//! - **One-for-one.** A panic or a [`Fault`] concerns one key: it is restarted with backoff within its
//!   [`RestartPolicy`], then quarantined until it has cooled down or an operator resets it.
//! - **Bounded.** Resident actors never exceed [`DirectoryConfig::max_live`]; waiting messages never exceed
//!   the permits.
//! - **Visible.** [`ActorSystem::tree`], [`ActorSystem::events`], [`ActorSystem::metrics`]. Panic texts are
//!   shown only if they are literals of the program; a formatted one may carry personal data.
//! - **Orderly shutdown.** [`ActorSystem::shutdown`] drains callers before callees, within a soft and a hard
//!   deadline, and reports what it had to cut.
//!
//! Slow work does not belong into a handler: it runs in a task the actor owns ([`Context::spawn_then`]), in a
//! key's fair share of a [`FairPool`] (blocking work) or of [`FairSlots`] (asynchronous work), and comes back
//! as a message.
//!
//! Time is tokio's, so tests pause it; the only randomness is the restarts' jitter, from
//! [`SystemConfig::seed`].
//!
//! Deliberately absent: names that are global to the process, process groups, remote actors, and any
//! knowledge of what the actors are for.
//!
//! ```
//! use plinto_runtime::{
//!     Activated, ActivationError, ActorSystem, Admission, Context, Deadline, DirectoryConfig, Fault, Message,
//!     Refusal, Reply, SystemConfig, VirtualActor,
//! };
//! use std::{sync::Arc, time::Duration};
//!
//! struct Greeter;
//!
//! struct Greet(Reply<String>);
//!
//! impl Message for Greet {
//!     fn is_abandoned(&self) -> bool {
//!         self.0.is_abandoned()
//!     }
//!     fn refuse(self, why: Refusal) {
//!         self.0.refuse(why);
//!     }
//! }
//!
//! impl VirtualActor for Greeter {
//!     type Key = String;
//!     type Message = Greet;
//!     type State = u32;
//!     type Shared = ();
//!     const KIND: &'static str = "greeter";
//!
//!     fn path(&self, name: &String) -> String {
//!         format!("/greeters/{name}")
//!     }
//!     async fn activate(&self, _name: &String) -> Result<Activated<Self>, ActivationError> {
//!         Ok(Activated { state: 0, shared: Arc::new(()) })
//!     }
//!     async fn handle(&self, cx: &mut Context<Self>, greeted: &mut u32, greet: Greet) -> Result<(), Fault> {
//!         *greeted += 1;
//!         greet.0.send(format!("hello {}, for the {greeted}. time", cx.key()));
//!         Ok(())
//!     }
//!     fn admission(&self, _name: &String) -> Admission {
//!         Admission::concurrent(16)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Refusal> {
//! let system = ActorSystem::start(SystemConfig::default());
//! let greeters = system.directory(Greeter, DirectoryConfig::default()).await;
//! let deadline = Deadline::after(Duration::from_secs(1));
//! let greeting = greeters.call(&"ada".to_owned(), deadline, Greet).await?;
//! assert_eq!(greeting, "hello ada, for the 1. time");
//! let report = system.shutdown(Duration::from_secs(1), Duration::from_secs(2)).await;
//! assert!(report.was_graceful());
//! # Ok(())
//! # }
//! ```

mod actor;
mod admission;
mod deadline;
mod directory;
mod message;
mod observe;
mod passivation;
mod pool;
mod refusal;
mod service;
mod shutdown;
mod supervision;
mod system;

pub use actor::{Activated, ActivationError, ActorKey, Fault, VirtualActor};
pub use admission::{Admission, Allowance, Budget, Moment, Permit, Pin, Rate, TokioClock};
pub use deadline::Deadline;
pub use directory::{Context, Directory, DirectoryConfig, Entered, SelfRef};
pub use message::{Answer, Message, Reply};
pub use observe::{
    Activity, Change, KindSummary, LimiterView, NodeCounter, NodeState, PassivationCause, RuntimeEvent,
    TreeNode, TreeQuery, TreeSnapshot,
};
pub use pool::{FairPool, FairQueue, FairSlots, Full, GivingWay, PoolConfig, SlotGuard, Weight};
pub use refusal::Refusal;
pub use shutdown::{Cut, ShutdownReport};
pub use supervision::{RestartBudget, RestartPolicy, Verdict};
pub use system::{ActorSystem, SystemConfig};

//! Supervised virtual actors over ractor: directory, admission, supervision, fair pools.

mod actor;
mod admission;
mod deadline;
mod directory;
mod message;
mod observe;
mod passivation;
mod pool;
mod refusal;
mod shutdown;
mod supervision;
mod system;

pub use actor::{Activated, ActivationError, ActorKey, Fault, VirtualActor};
pub use admission::{Admission, Moment, Permit, Pin, Rate, TokioClock};
pub use deadline::Deadline;
pub use directory::{Context, Directory, DirectoryConfig, Entered, SelfRef};
pub use message::{Answer, Message, Reply};
pub use observe::{
    Activity, Change, KindSummary, LimiterView, NodeCounter, NodeState, PassivationCause, RuntimeEvent,
    TreeNode, TreeQuery, TreeSnapshot,
};
pub use pool::{FairPool, FairQueue, FairSlots, Full, PoolConfig, SlotGuard, Weight};
pub use refusal::Refusal;
pub use shutdown::{Cut, ShutdownReport};
pub use supervision::{RestartBudget, RestartPolicy, Verdict};
pub use system::{ActorSystem, SystemConfig};

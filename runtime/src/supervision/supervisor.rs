//! The ractor actors that live actors are linked to.

use crate::actor::VirtualActor;
use crate::directory::Core;
use crate::supervision::{Exit, redact_panic};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;

/// Parent of every supervisor. Outlives their failures.
pub(crate) struct Root;

impl Actor for Root {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<()>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(who, _) = event {
            tracing::error!(supervisor = %who.get_id(), "a supervisor failed, its actors were killed");
        }
        Ok(())
    }
}

/// One shard of a directory's actors. ractor's default would stop the parent on any child's exit, ordinary
/// passivation included; here an exit is only reported.
pub(crate) struct Supervisor<V: VirtualActor>(pub(crate) Weak<Core<V>>);

impl<V: VirtualActor> Actor for Supervisor<V> {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<()>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let Some(core) = self.0.upgrade() else { return Ok(()) };
        // Names and refusals are the actors' own code: a panic there must not take the shard with it.
        let noted = catch_unwind(AssertUnwindSafe(|| match event {
            SupervisionEvent::ActorFailed(who, error) => match error.downcast::<Exit<V>>() {
                Ok(exit) => core.crashed(&exit.slot, exit.incarnation, exit.reason),
                Err(_foreign) => core.vanished(who.get_id()),
            },
            // An ordinary end hands its state over; a killed or cancelled actor has none to hand.
            SupervisionEvent::ActorTerminated(who, None, _) => core.vanished(who.get_id()),
            _ => {}
        }));
        if let Err(panic) = noted {
            tracing::error!(kind = V::KIND, reason = %redact_panic(&*panic), "an actor's path or refusal panicked");
        }
        Ok(())
    }
}

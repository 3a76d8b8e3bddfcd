//! Hashing gives way: a thread that hashes keeps a core busy for ten milliseconds and more, and the requests of every
//! other tenant would wait for its time slice to end.

/// Makes this thread run only while no other wants the core, and give it back at once, from now on. The pool's threads
/// do nothing that anybody waits for except slow work.
#[cfg(target_os = "linux")]
pub(crate) fn give_way() {
    use thread_priority::ThreadPriority;
    use thread_priority::unix::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
    };
    // A lower niceness is not enough: the scheduler lets a thread end its slice of some milliseconds before a waking
    // one gets the core, whatever their niceness. Only idle threads are preempted at once.
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
        tracing::debug!(error = ?error, "hashing threads keep their priority");
    }
}

/// Elsewhere hashing threads keep their priority.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_way() {}

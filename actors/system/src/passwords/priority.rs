//! Hashing gives way: a thread that hashes keeps a core busy for ten milliseconds and more, and the requests of every
//! other tenant would wait for its time slice to end.

/// How much a hashing thread gives way: about a tenth of a normal thread's share when both want the core, all of it when
/// nobody else does.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the scheduling priority of this thread, once. The pool's threads do nothing that anybody waits for except
/// slow work, so it is never raised again.
#[cfg(target_os = "linux")]
pub(super) fn give_way() {
    use std::cell::Cell;
    thread_local!(static GIVES_WAY: Cell<bool> = const { Cell::new(false) });
    if GIVES_WAY.replace(true) {
        return;
    }
    // Linux schedules threads: their ids are taken where process ids are.
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), NICENESS) {
        tracing::debug!(error = %error, "hashing threads keep their priority");
    }
}

/// Elsewhere threads have no priority of their own to lower.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() {}

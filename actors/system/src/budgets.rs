//! Whose rate limiter a request passes, so that the answer can say what is left of it.

use crate::session::SessionKey;
use plinto_domain::TenantId;
use std::cell::Cell;

/// Whose limiters a request passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charged {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) session: Option<SessionKey>,
}

tokio::task_local! {
    static CHARGED: Cell<Charged>;
}

/// Carries a request out and says whose limiters it passed.
pub async fn noting_charges<F: Future>(request: F) -> (F::Output, Charged) {
    let noted = async { (request.await, CHARGED.get().get()) };
    CHARGED.scope(Cell::default(), noted).await
}

/// The request under way is charged to a tenant.
pub(crate) fn charge_tenant(tenant: TenantId) {
    note(|charged| charged.tenant = Some(tenant));
}

/// The request under way is its session's own.
pub(crate) fn charge_session(session: SessionKey) {
    note(|charged| charged.session = Some(session));
}

/// Where nobody asked to hear of it there is nothing to note.
fn note(change: impl FnOnce(&mut Charged)) {
    let noted = |cell: &Cell<Charged>| {
        let mut charged = cell.get();
        change(&mut charged);
        cell.set(charged);
    };
    CHARGED.try_with(noted).unwrap_or_default();
}

//! What is left of rate limits.

use super::Platform;
use crate::budgets::Charged;
use plinto_runtime::Budget;

impl Platform {
    /// What this node has left of the limit of the tenant a request was charged to.
    pub fn tenant_budget(&self, charged: Charged) -> Option<Budget> {
        self.0.tenants.budget(&charged.tenant?)
    }

    /// What this node has left of the limit of the session a request was charged to.
    pub fn session_budget(&self, charged: Charged) -> Option<Budget> {
        self.0.sessions.budget(&charged.session?)
    }
}

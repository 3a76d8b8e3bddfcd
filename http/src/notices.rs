//! Listeners that do not serve their purpose yet say so.

use crate::problem::{Problem, catalogue};

/// Answer of the mock API.
pub(crate) fn mock() -> Problem {
    not_yet(
        "the Mock API will serve every Core API endpoint on throw-away sandboxes with realistic data; use the Core API with a tenant of your own until then",
    )
}

/// Answer of the webhook service.
pub(crate) fn webhooks() -> Problem {
    not_yet(
        "the Webhook service will serve subscriptions with signed, retried delivery; nothing is delivered yet, but every event is in the tenant's ledger already",
    )
}

fn not_yet(detail: &'static str) -> Problem {
    Problem::of(catalogue::NOT_YET_SERVED).detailed(detail)
}

//! The four listeners of Plinto: extract, call the platform, map the reply.
//!
//! | port | module | what |
//! |---|---|---|
//! | 8000 | [`core`] | Core API: accounts, sessions, tenants, keys, documentation |
//! | 8001 | [`auth`] | Auth service: introspection, the supervision tree |
//! | 8002 | `notices` | Mock API: says what it will serve |
//! | 8003 | `notices` | Webhook service: says what it will serve |
//!
//! Architecture invariants: no business rule lives here. Every route stands in the table of its listener
//! ([`routes`]) with the access it asks for; the routers are made from the tables, so that a route outside them
//! cannot exist. Errors become problem details (RFC 9457) in [`problem`] and nowhere else.

pub mod auth;
pub mod config;
mod cookies;
pub mod core;
mod dependencies;
mod extract;
mod guard;
mod health;
mod hosted;
mod installation_metrics;
mod listener;
mod metrics;
mod notices;
mod objects;
mod openapi;
mod pages;
pub mod problem;
pub mod routes;
mod secret;
mod state;
mod versions;

pub use config::{HttpConfig, ListenerName};
pub use listener::{BindError, BoundListeners, Listeners};
pub use state::AppState;

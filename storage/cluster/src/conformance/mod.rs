//! The suite every implementation of [`Cluster`] must pass, the same assertions for each.
//!
//! [`conformance!`](crate::conformance!) makes one `#[tokio::test]` of every function here:
//!
//! ```ignore
//! plinto_cluster::conformance!(in_process, make_installation);
//! ```
//!
//! `make_installation` is an `async fn() -> impl Installation` that gives a new one, of which nobody knows.

#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod limits;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod notices;
#[expect(missing_docs, reason = "the names of the tests say what they hold")]
pub mod presence;
mod subject;

use crate::{Cluster, NodeInfo};
use async_trait::async_trait;
use std::sync::Arc;

pub use subject::{eventually, limit, next, node, quota, wake};

/// Some nodes and what they share.
#[async_trait]
pub trait Installation: Send + Sync {
    /// Starts a node, and waits until it is one.
    async fn join(&self, this: NodeInfo) -> Arc<dyn Cluster>;
}

/// Instantiates every test of the suite, in a module of the given name.
#[macro_export]
macro_rules! conformance {
    ($name:ident, $make:path) => {
        mod $name {
            use super::*;
            $crate::conformance!(@test $make,
                limits: a_burst_is_granted_and_then_refused, cells_come_back_with_time, nodes_share_one_limit,
                    part_of_what_is_asked_is_granted, limits_are_apart_by_name_and_id, long_and_short_periods_are_exact,
                    many_takers_at_once_get_no_more_than_there_is;
                notices: others_hear_in_order_and_the_announcer_does_not, every_reader_of_a_node_hears,
                    a_slow_reader_hears_a_gap_and_then_what_is_new, every_kind_arrives_as_it_was,
                    what_was_announced_before_is_not_heard, announcing_never_waits;
                presence: nodes_are_listed_by_name, a_closed_node_is_forgotten, closing_ends_the_readers,
                    a_living_one_is_healthy;
            );
        }
    };
    (@test $make:path, $($group:ident: $($test:ident),+;)+) => {
        $(mod $group {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let installation = $make().await;
                $crate::conformance::$group::$test(&installation).await;
            })+
        })+
    };
}

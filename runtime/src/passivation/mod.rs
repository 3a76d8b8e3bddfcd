//! Passivation: who has been idle longest, found without a timer per actor and without looking at all.
//!
//! Live actors stand in buckets by the time of their last use. A request only stores that time in the actor's
//! gate; the bucket is corrected lazily, when the sweeper or an eviction comes by and finds that the actor has been
//! used since. So the order is least-recently-used to within one bucket's width.

mod residents;
mod sweep;

pub(crate) use residents::Residents;

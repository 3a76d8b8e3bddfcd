mod cluster;
mod server;

pub use cluster::RedisCluster;
pub use server::{RedisConfig, RedisServer};

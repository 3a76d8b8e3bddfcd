use super::{RedisConfig, RedisServer};
use crate::ServerError;
use crate::machine::run;
use crate::wait::{PATIENCE, until};

/// Three Redis that share the slots of one cluster.
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// A new, empty one, ready when this returns.
    pub fn start() -> Result<Self, ServerError> {
        let config = RedisConfig::default();
        let nodes = (0..3).map(|_| RedisServer::start_as(&config, true)).collect::<Result<Vec<_>, _>>()?;
        let mut create = nodes[0].client(30);
        create.args(["--cluster", "create"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())));
        create.arg("--cluster-yes");
        run(create, "redis-cli --cluster create")?;
        let agrees = |node: &RedisServer| {
            node.ask(&["cluster", "info"]).is_ok_and(|said| said.contains("cluster_state:ok"))
                && node.ask(&["cluster", "nodes"]).is_ok_and(|said| said.matches("connected").count() >= 3)
        };
        let ready = until(PATIENCE, || nodes.iter().all(agrees).then_some(()));
        let not_ready = || ServerError::NotReady {
            server: "redis cluster",
            what: "does not come to agree on its slots",
            log: nodes[0].ask(&["cluster", "nodes"]).unwrap_or_default(),
        };
        ready.ok_or_else(not_ready)?;
        Ok(Self { nodes })
    }

    /// Its nodes; any one leads to the others.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// Its nodes, to stop or freeze one.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }
}

use super::connector::Connection;
use redis::{Cmd, FromRedisValue, RedisResult, Script};
use std::sync::LazyLock;

/// What runs inside Redis, as one step there.
pub(super) static TAKE: LazyLock<Atomic> = LazyLock::new(|| Atomic::new(include_str!("scripts/take.lua")));
pub(super) static POSITION: LazyLock<Atomic> =
    LazyLock::new(|| Atomic::new(include_str!("scripts/position.lua")));
pub(super) static BEAT: LazyLock<Atomic> = LazyLock::new(|| Atomic::new(include_str!("scripts/beat.lua")));
pub(super) static LIST: LazyLock<Atomic> = LazyLock::new(|| Atomic::new(include_str!("scripts/list.lua")));
pub(super) static LEAVE: LazyLock<Atomic> = LazyLock::new(|| Atomic::new(include_str!("scripts/leave.lua")));

/// A script with its hash.
pub(super) struct Atomic {
    text: &'static str,
    hash: String,
}

impl Atomic {
    fn new(text: &'static str) -> Self {
        Self { text, hash: Script::new(text).get_hash().to_owned() }
    }

    /// Runs it by its hash; where it is not known yet, by its text, which makes it known.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        keys: &[&str],
        arguments: &[&str],
    ) -> RedisResult<T> {
        let command = |name: &str, script: &str| -> Cmd {
            let mut command = redis::cmd(name);
            command.arg(script).arg(keys.len()).arg(keys).arg(arguments);
            command
        };
        match command("EVALSHA", &self.hash).query_async(connection).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                command("EVAL", self.text).query_async(connection).await
            }
            outcome => outcome,
        }
    }
}

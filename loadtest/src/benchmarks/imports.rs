//! (l.7): users imported over HTTP into a tenant that has many, with hashes made elsewhere, against the same rows put
//! straight into storage.

use super::users::Scene;
use crate::rig::accounts::{add_accounts, email, password_hash};
use crate::rig::client::Client;
use crate::rig::instance::now;
use crate::rig::numbers::Round;
use crate::rig::report::Measurement;
use crate::rig::requests::{begin_import, import_lines};
use crate::rig::{BenchError, Settings};
use serde_json::{Value, json};
use std::fmt::Write;
use tokio::time::Instant;

/// Users of a round.
const USERS: u64 = 20_000;
/// Lines of a request.
const AT_ONCE: u64 = 5_000;
/// Numbers of users nobody else has: those of others are below.
const FREE: u64 = 1_000_000_000;

pub(super) async fn measure(scene: &Scene, settings: &Settings) -> Result<Measurement, BenchError> {
    let users = if settings.quick { AT_ONCE } else { USERS };
    let hash = password_hash();
    let mut rounds = Vec::new();
    for round in 0..settings.rounds as u64 {
        let (stored, imported) = (FREE + 2 * round * USERS, FREE + (2 * round + 1) * USERS);
        let begun = Instant::now();
        for first in (stored..stored + users).step_by(AT_ONCE as usize) {
            let (engine, vault) = (scene.instance.store.engine(), &scene.tenant.vault);
            add_accounts(&**engine, vault, first..first + AT_ONCE, now()).await?;
        }
        let baseline = users as f64 / begun.elapsed().as_secs_f64();
        let mut client = Client::connect(scene.address()).await?;
        let begun = Instant::now();
        import(&mut client, &scene.key, imported..imported + users, hash.as_phc()).await?;
        rounds.push(Round { baseline, ours: users as f64 / begun.elapsed().as_secs_f64() });
    }
    let name = "users imported over HTTP / the same rows straight into storage";
    Ok(Measurement::ratio("l.7", name, "1/s", rounds, None))
}

async fn import(
    client: &mut Client,
    key: &str,
    numbers: std::ops::Range<u64>,
    hash: &str,
) -> Result<(), BenchError> {
    let id = parsed(client.demand("the beginning of an import", &begin_import(key)).await?)?;
    let id = id["id"].as_str().ok_or_else(|| BenchError::Invalid("an import without an id".to_owned()))?;
    let (mut first, mut numbers) = (1, numbers.peekable());
    while numbers.peek().is_some() {
        let mut lines = String::new();
        for number in numbers.by_ref().take(AT_ONCE as usize) {
            let line = json!({ "email": email(number), "name": "Ada Lovelace", "password_hash": hash });
            writeln!(lines, "{line}").expect("writing to a string does not fail");
        }
        let sent = lines.lines().count() as u64;
        let answer = parsed(client.demand("lines", &import_lines(key, id, first, &lines)).await?)?;
        first += sent;
        if answer["imported"] != first - 1 {
            return Err(BenchError::Invalid(format!("{sent} lines were answered with {answer}")));
        }
    }
    Ok(())
}

fn parsed(body: &[u8]) -> Result<Value, BenchError> {
    serde_json::from_slice(body).map_err(|error| BenchError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use tokio_postgres::{Client, NoTls};

use super::{Findings, Invariant};
use crate::HarnessError;
use crate::journal::Account;

/// Every ledger whose sequences are not 1, 2, 3, ... up to its head.
const SEQUENCES: &str = "SELECT tenant_id::text, coalesce(h.seq, 0), count(e.seq), coalesce(min(e.seq), 0), \
     coalesce(max(e.seq), 0), count(DISTINCT e.seq) \
     FROM ledger_heads h FULL JOIN ledger_entries e USING (tenant_id) GROUP BY tenant_id, h.seq";
/// What can happen to one session once only, as often as it is written.
const CHANGES: &str = "SELECT event, subject, (data::json ->> 'generation')::bigint, count(*) FROM ledger_entries \
     WHERE event IN ('user.created', 'session.created', 'session.refreshed', 'session.revoked') GROUP BY 1, 2, 3";

/// What a shared database's ledgers hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    /// Ledgers, the platform's included.
    pub ledgers: usize,
    /// Entries of all of them.
    pub entries: i64,
    /// Changes of users and sessions that were looked for and found.
    pub expected: usize,
}

/// [`Invariant::OneChain`] and [`Invariant::LedgerRecords`] in a database several nodes wrote to: every sequence once,
/// and every change that was acknowledged once. It is read as a superuser, beside Plinto.
pub async fn one_chain(url: &str, accounts: &[Account]) -> Result<(Written, Findings), HarnessError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let mut findings = Findings::default();
    let mut written = sequences(&client, &mut findings).await?;
    let mut found = HashMap::new();
    for row in client.query(CHANGES, &[]).await? {
        let (event, subject, generation): (String, String, Option<i64>) =
            (row.get(0), row.get(1), row.get(2));
        let times: i64 = row.get(3);
        findings.hold(Invariant::OneChain, times == 1, || {
            format!("{event} of {subject}, generation {generation:?}, was written {times} times")
        });
        found.insert((event, subject, generation), times);
    }
    // `user.sessions_revoked` may happen to one user again and again, and is not looked for here.
    for expected in accounts.iter().flat_map(|account| &account.expected) {
        let generation = expected.generation.map(i64::from);
        let wanted = (expected.event.to_owned(), expected.subject.clone(), generation);
        let counted = ["user.created", "session.created", "session.refreshed", "session.revoked"];
        if counted.contains(&expected.event) {
            written.expected += 1;
            findings.hold(Invariant::LedgerRecords, found.contains_key(&wanted), || {
                format!("no ledger has an entry {expected:?}")
            });
        }
    }
    drop(client);
    // The connection ends with its client; how does not matter any more.
    let _ = connection.await;
    Ok((written, findings))
}

async fn sequences(client: &Client, findings: &mut Findings) -> Result<Written, HarnessError> {
    let mut written = Written::default();
    for row in client.query(SEQUENCES, &[]).await? {
        let tenant: String = row.get(0);
        let numbers: [i64; 5] = std::array::from_fn(|index| row.get(index + 1));
        let [head, count, first, last, distinct] = numbers;
        let whole =
            count == 0 && head == 0 || first == 1 && [count, last, distinct].iter().all(|it| *it == head);
        findings.hold(Invariant::OneChain, whole, || {
            format!(
                "the ledger of {tenant} has head {head} and {count} entries, {distinct} different, {first} to {last}"
            )
        });
        written.ledgers += 1;
        written.entries += count;
    }
    Ok(written)
}

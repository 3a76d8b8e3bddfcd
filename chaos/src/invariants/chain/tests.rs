use plinto_servers::{Database, PostgresServer};
use tokio_postgres::NoTls;

use super::{Written, one_chain};
use crate::invariants::Invariant;
use crate::journal::{Account, Expected, Standing};

/// The columns that are read, as Plinto's migrations make them, without the key that forbids duplicates.
const TABLES: &str = "
    CREATE TABLE ledger_heads (tenant_id uuid, seq bigint);
    CREATE TABLE ledger_entries (tenant_id uuid, seq bigint, event text, subject text, data text);
    INSERT INTO ledger_heads VALUES ('00000000-0000-0000-0000-000000000001', 3);
    INSERT INTO ledger_entries VALUES
        ('00000000-0000-0000-0000-000000000001', 1, 'session.created', 'ses_1', '{}'),
        ('00000000-0000-0000-0000-000000000001', 2, 'session.refreshed', 'ses_1', '{\"generation\":2}'),
        ('00000000-0000-0000-0000-000000000001', 3, 'session.revoked', 'ses_1', '{}');";

/// A database with three good entries, and what somebody did to them.
async fn ledger(spoiled: &str) -> Database {
    let database = tokio::task::block_in_place(|| PostgresServer::shared().database());
    let (client, connection) = tokio_postgres::connect(&database.superuser_url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(TABLES).await.unwrap();
    client.batch_execute(spoiled).await.unwrap();
    database
}

async fn found(spoiled: &str) -> (Written, Vec<Invariant>) {
    let database = ledger(spoiled).await;
    let expect = |event, generation| Expected { event, subject: "ses_1".to_owned(), generation };
    let account = Account {
        tenant: "users".to_owned(),
        email: "one@chaos.example".to_owned(),
        password: "secret".to_owned(),
        standing: Standing::Acknowledged,
        sessions: Vec::new(),
        expected: vec![
            expect("session.created", None),
            expect("session.refreshed", Some(2)),
            expect("session.revoked", None),
        ],
    };
    let (written, findings) = one_chain(&database.superuser_url, &[account]).await.unwrap();
    (written, findings.into_violations().into_iter().map(|violation| violation.invariant).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_chain_is_noticed() {
    let (written, violations) = found("").await;
    assert_eq!((written.ledgers, written.entries, written.expected), (1, 3, 3));
    assert_eq!(violations, []);

    let (_, gap) = found("DELETE FROM ledger_entries WHERE seq = 2").await;
    assert_eq!(gap, [Invariant::OneChain, Invariant::LedgerRecords]);
    let (_, behind) = found("UPDATE ledger_heads SET seq = 4").await;
    assert_eq!(behind, [Invariant::OneChain]);
    let (_, forked) =
        found("INSERT INTO ledger_entries SELECT tenant_id, 3, 'x', 'y', '{}' FROM ledger_heads").await;
    assert_eq!(forked, [Invariant::OneChain]);
    let twice = "INSERT INTO ledger_entries SELECT tenant_id, 4, event, subject, data FROM ledger_entries WHERE seq = 2;
        UPDATE ledger_heads SET seq = 4";
    assert_eq!(found(twice).await.1, [Invariant::OneChain]);
    let (_, headless) = found("DELETE FROM ledger_heads").await;
    assert_eq!(headless, [Invariant::OneChain]);
}

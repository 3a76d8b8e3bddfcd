//! Reading transactions: one round trip each.

use futures::future::join3;
use tokio_postgres::types::{ToSql, Type};

use super::PostgresOptions;
use super::failure::Fault;
use super::pool::Lease;
use super::value::{Param, row};
use crate::engine::{Row, Scope, Statement};

/// The beginning of every transaction: whose rows it is about, and how long it may take.
pub(super) struct Beginning {
    timeouts: String,
}

impl Beginning {
    pub(super) fn new(options: &PostgresOptions) -> Self {
        // Zero would mean for ever.
        let millis = |timeout: std::time::Duration| timeout.as_millis().max(1);
        let statement = millis(options.statement_timeout);
        let (lock, idle) = (millis(options.lock_timeout), millis(options.idle_timeout));
        Self {
            timeouts: format!(
                "SET LOCAL statement_timeout = {statement}; SET LOCAL lock_timeout = {lock}; \
                 SET LOCAL idle_in_transaction_session_timeout = {idle}"
            ),
        }
    }

    pub(super) fn read(&self, scope: Scope) -> String {
        let Self { timeouts } = self;
        let scope = scope.id();
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL plinto.scope = '{scope}'; {timeouts}"
        )
    }

    pub(super) fn write(&self, scope: Scope) -> String {
        let Self { timeouts } = self;
        let scope = scope.id();
        // Every write knows its rows by key; reading a whole table only looks cheap where statistics are old.
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL plinto.scope = '{scope}'; {timeouts}; \
             SET LOCAL enable_seqscan = off"
        )
    }
}

/// Runs one query in a transaction of its own.
pub(super) async fn query(lease: &mut Lease, begin: &str, statement: &Statement) -> Result<Vec<Row>, Fault> {
    lease.begin();
    let client = lease.client();
    let params: Vec<_> = statement.params.iter().map(Param).collect();
    let typed = typed(&params);
    // The server runs the three in order, whatever becomes of each.
    let all = join3(
        client.batch_execute(begin),
        client.query_typed(statement.sql, &typed),
        client.batch_execute("COMMIT"),
    );
    let (begun, rows, ended) = lease.answer(all).await?;
    if !lease.client().is_closed() && begun.is_ok() && ended.is_ok() {
        lease.settle();
    }
    begun?;
    let rows = rows?;
    ended?;
    Ok(rows.iter().map(row).collect::<Result<_, _>>()?)
}

/// Parameters with the types to announce.
pub(super) fn typed<'a>(params: &'a [Param<'a>]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    params.iter().map(|param| (param as &(dyn ToSql + Sync), param.announced())).collect()
}

//! One transaction of many units, each in its savepoint and chained into the ledger.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection};
use uuid::Uuid;

use super::failure::{Failure, of_statement, storage_error};
use crate::engine::{Expect, Receipt, Row, Scope, Statement, Unit, Value, guard};
use crate::error::{StorageError, UnitError};
use crate::ledger::chain::{self, Entry, Head};
use crate::ledger::decode_head;
use crate::repositories::ledger;

type Answers = Vec<Result<Receipt, UnitError>>;

/// Runs the units and returns once the transaction is on stable storage.
pub(super) fn commit(
    connection: &Connection,
    file: &str,
    scope: Scope,
    units: &[Unit],
) -> Result<Answers, StorageError> {
    let failed = |error: rusqlite::Error| storage_error(&error, file);
    control(connection, "BEGIN IMMEDIATE").map_err(failed)?;
    let done = run_units(connection, file, scope, units)
        .and_then(|answers| control(connection, "COMMIT").map(|()| answers).map_err(failed));
    // Some errors make SQLite roll back by itself.
    if done.is_err() && !connection.is_autocommit() {
        control(connection, "ROLLBACK").map_err(failed)?;
    }
    done
}

fn run_units(
    connection: &Connection,
    file: &str,
    scope: Scope,
    units: &[Unit],
) -> Result<Answers, StorageError> {
    let failed = |error: rusqlite::Error| storage_error(&error, file);
    let before = head(connection, file, scope)?;
    let mut head = before;
    let mut answers = Vec::with_capacity(units.len());
    for unit in units {
        control(connection, "SAVEPOINT unit").map_err(failed)?;
        match run_unit(connection, file, scope, unit, head) {
            Ok(after) => {
                answers.push(Ok(Receipt { first_seq: head.seq + 1, last_seq: after.seq }));
                head = after;
            }
            Err(Failure::Unit(refused)) => {
                control(connection, "ROLLBACK TO unit").map_err(failed)?;
                answers.push(Err(refused));
            }
            Err(Failure::Batch(error)) => return Err(error),
        }
        control(connection, "RELEASE unit").map_err(failed)?;
    }
    if head != before {
        set_head(connection, file, scope.id(), &head)?;
    }
    Ok(answers)
}

fn run_unit(
    connection: &Connection,
    file: &str,
    scope: Scope,
    unit: &Unit,
    mut head: Head,
) -> Result<Head, Failure> {
    let failed = |error: rusqlite::Error| of_statement(&error, file);
    for statement in &unit.statements {
        guard(scope, statement).map_err(|broken| Failure::Unit(UnitError::Invalid(broken.to_owned())))?;
        let mut prepared = bind(connection, statement.sql, &statement.params).map_err(failed)?;
        let affected = prepared.raw_execute().map_err(failed)? as u64;
        if let Expect::Rows(expected) = statement.expect
            && affected != expected
        {
            return Err(Failure::Unit(UnitError::Conflict(statement.otherwise)));
        }
    }
    for new in &unit.entries {
        if [new.event.as_ref(), &new.actor, &new.subject].iter().any(|text| text.contains('\0')) {
            let what = "an audit entry must not contain a nul byte".to_owned();
            return Err(Failure::Unit(UnitError::Invalid(what)));
        }
        let entry = chain::append(scope.id(), &head, new);
        append(connection, scope.id(), &entry).map_err(failed)?;
        head = Head { seq: entry.seq, hash: entry.hash };
    }
    Ok(head)
}

fn head(connection: &Connection, file: &str, scope: Scope) -> Result<Head, StorageError> {
    let row = query(connection, file, &ledger::head(scope.id()))?.into_iter().next();
    row.map(decode_head)
        .transpose()?
        .ok_or_else(|| StorageError::corrupt(format!("the ledger head in {file}")))
}

fn set_head(connection: &Connection, file: &str, id: Uuid, head: &Head) -> Result<(), StorageError> {
    let statement = ledger::set_head(id, head);
    bind(connection, statement.sql, &statement.params)
        .and_then(|mut prepared| prepared.raw_execute())
        .map_err(|error| storage_error(&error, file))?;
    Ok(())
}

fn append(connection: &Connection, id: Uuid, entry: &Entry) -> rusqlite::Result<()> {
    connection.prepare_cached(ledger::APPEND)?.execute((
        id.as_bytes(),
        entry.seq,
        entry.at,
        &entry.event,
        &entry.actor,
        &entry.subject,
        &entry.data,
        entry.prev_hash,
        entry.hash,
    ))?;
    Ok(())
}

fn control(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(|_| ())
}

/// Runs a query. Refuses a text that would write.
pub(super) fn query(
    connection: &Connection,
    file: &str,
    statement: &Statement,
) -> Result<Vec<Row>, StorageError> {
    let failed = |error: rusqlite::Error| match of_statement(&error, file) {
        Failure::Unit(_) => StorageError::Misuse { what: "the query is not valid in this scope" },
        Failure::Batch(error) => error,
    };
    let mut prepared = bind(connection, statement.sql, &statement.params).map_err(failed)?;
    if !prepared.readonly() {
        return Err(StorageError::Misuse { what: "a write was given to read" });
    }
    let columns = prepared.column_count();
    let mut rows = prepared.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let values = (0..columns).map(|index| value(row.get_ref(index).map_err(failed)?));
        found.push(Row { values: values.collect::<Result<_, _>>()? });
    }
    Ok(found)
}

fn value(column: ValueRef<'_>) -> Result<Value, StorageError> {
    match column {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => String::from_utf8(text.to_vec())
            .map(Value::Text)
            .map_err(|_| StorageError::decode("a text column")),
        ValueRef::Blob(bytes) => Ok(Value::Blob(bytes.to_vec())),
        ValueRef::Real(_) => Err(StorageError::decode("a column of a type no table has")),
    }
}

fn bind<'a>(
    connection: &'a Connection,
    sql: &'static str,
    params: &[Value],
) -> rusqlite::Result<CachedStatement<'a>> {
    let mut prepared = connection.prepare_cached(sql)?;
    if prepared.parameter_count() != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), prepared.parameter_count()));
    }
    for index in 1..=params.len() {
        let param = number(&prepared, index).and_then(|number| params.get(number - 1));
        let param = param.ok_or_else(|| rusqlite::Error::InvalidParameterCount(params.len(), index))?;
        prepared.raw_bind_parameter(index, Param(param))?;
    }
    Ok(prepared)
}

/// To SQLite `$7` is a name, and its place is that of its first appearance; to PostgreSQL it is the
/// seventh parameter. The latter is meant.
fn number(prepared: &CachedStatement<'_>, index: usize) -> Option<usize> {
    prepared.parameter_name(index)?.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

struct Param<'a>(&'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Uuid(id) => ValueRef::Blob(id.as_bytes()),
        }))
    }
}

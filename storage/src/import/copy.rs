//! Rows of one scope from one engine into another, in batches.

use uuid::Uuid;

use super::ImportError;
use crate::engine::{Engine, NewEntry, Row, Scope, Statement, Unit, Value};
use crate::error::{StorageError, UnitError};
use crate::ledger;
use crate::repositories::ledger as texts;
use crate::repositories::whole_rows::{CATALOGUE, Table};

/// Rows read and written at a time.
const BATCH: u32 = 256;

/// Reads a table page by page, in the order of its keys.
pub(super) struct Pages<'a> {
    engine: &'a dyn Engine,
    scope: Scope,
    table: &'a Table,
    after: Option<Vec<Value>>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn of(engine: &'a dyn Engine, scope: Scope, table: &'a Table) -> Self {
        Self { engine, scope, table, after: None, ended: false }
    }

    /// Begins after a key.
    pub(super) fn after(mut self, key: Vec<Value>) -> Self {
        self.after = Some(key);
        self
    }

    /// The next rows; none at the end.
    pub(super) async fn next(&mut self) -> Result<Vec<Row>, StorageError> {
        if self.ended {
            return Ok(Vec::new());
        }
        let statement = self.table.page(self.scope, self.after.as_deref(), BATCH);
        let rows = self.engine.read(self.scope, statement).await?;
        self.ended = rows.len() < BATCH as usize;
        let rows: Vec<Row> =
            rows.into_iter().map(|row| self.table.portable(row)).collect::<Result<_, _>>()?;
        self.after = rows.last().map(|row| self.table.key(row).to_vec());
        Ok(rows)
    }
}

/// Copies the rows of a table; they must not be there yet.
pub(super) async fn table(mut pages: Pages<'_>, target: &dyn Engine) -> Result<(), ImportError> {
    loop {
        let rows = pages.next().await?;
        if rows.is_empty() {
            return Ok(());
        }
        let (scope, table) = (pages.scope, pages.table);
        commit(target, scope, rows.into_iter().map(|row| table.insert(row)).collect()).await?;
    }
}

/// The wrapped keys of one tenant, or of the platform, as whole rows.
pub(super) async fn keys_of(engine: &dyn Engine, owner: Uuid) -> Result<Vec<Row>, StorageError> {
    let before_all = vec![owner.into(), "".into(), Value::Int(0)];
    let mut pages = Pages::of(engine, Scope::Platform, &CATALOGUE.tenant_keys).after(before_all);
    let mut keys = Vec::new();
    loop {
        let rows = pages.next().await?;
        let is_theirs = |row: &Row| row.values.first() == Some(&Value::Uuid(owner));
        let ended = !rows.last().is_some_and(is_theirs);
        keys.extend(rows.into_iter().filter(is_theirs));
        if ended {
            return Ok(keys);
        }
    }
}

/// Copies the ledger's head; returns an error when the source has none.
pub(super) async fn head(source: &dyn Engine, target: &dyn Engine, scope: Scope) -> Result<(), ImportError> {
    let head = ledger::head(source, scope).await?.ok_or(StorageError::UnknownTenant)?;
    let statement = texts::set_head(scope.id(), &head).expecting(1, "imported_head");
    commit(target, scope, vec![statement]).await
}

/// Copies everything of a tenant into storage made anew; what an interrupted attempt left there goes first.
pub(super) async fn tenant(
    source: &dyn Engine,
    target: &dyn Engine,
    scope: Scope,
) -> Result<(), ImportError> {
    target.destroy_tenant(scope.id()).await?;
    target.create_tenant(scope.id()).await?;
    for each in &CATALOGUE.of_a_tenant {
        table(Pages::of(source, scope, each), target).await?;
    }
    head(source, target, scope).await
}

/// Writes statements in one transaction, all of them or none.
pub(super) async fn commit(
    target: &dyn Engine,
    scope: Scope,
    statements: Vec<Statement>,
) -> Result<(), ImportError> {
    Ok(attempt(target, scope, statements, Vec::new()).await??)
}

/// Likewise, with entries of the ledger, for who looks at why it was refused.
pub(super) async fn attempt(
    target: &dyn Engine,
    scope: Scope,
    statements: Vec<Statement>,
    entries: Vec<NewEntry>,
) -> Result<Result<(), UnitError>, StorageError> {
    let answers = target.commit(scope, "import", vec![Unit { statements, entries }]).await?;
    Ok(answers.into_iter().try_for_each(|answer| answer.map(drop)))
}

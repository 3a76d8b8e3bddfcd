//! One transaction of many units.
//!
//! First all units together, in two round trips: begin, lock the head and run every statement; then entries, head and
//! commit. When a unit fails, the transaction is rolled back and run again in halves, each in a savepoint, until
//! those that fail are found.

use futures::future::{join, join3};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::chain_writer::{Chain, lock_head, stands};
use super::failure::{Fault, Kind};
use super::merging::{Merged, Step, one_by_one, steps};
use super::pipeline::pipelined;
use super::pool::Lease;
use super::read::typed;
use super::value::Param;
use crate::engine::{Expect, Receipt, Scope, Statement, Unit, guard};
use crate::error::UnitError;
use crate::ledger::Head;

pub(super) type Answers = Vec<Result<Receipt, UnitError>>;

/// The units of one transaction, those that no engine accepts already sorted out.
pub(super) struct Batch<'a> {
    scope: Scope,
    begin: String,
    units: Vec<Result<&'a Unit, UnitError>>,
    merging: bool,
}

/// What is known of a commit whose answer was lost.
pub(super) enum Doubt {
    /// It stands if this is in the ledger, and these are its answers.
    Entry(Head, Answers),
    /// It left nothing by which it could be recognized.
    Unrecognizable,
}

/// What became of the statements of a unit.
type Verdict = Result<(), UnitError>;

impl<'a> Batch<'a> {
    pub(super) fn new(scope: Scope, begin: String, units: &'a [Unit]) -> Self {
        let units = units.iter().map(|unit| acceptable(scope, unit).map(|()| unit)).collect();
        Self { scope, begin, units, merging: true }
    }

    /// From now on every statement by itself; `false` if that was so before.
    pub(super) fn stop_merging(&mut self) -> bool {
        std::mem::replace(&mut self.merging, false)
    }

    fn steps<'u>(&self, units: &[&'u Unit]) -> Vec<Step<'u>> {
        if self.merging { steps(units) } else { one_by_one(units) }
    }

    /// Runs the transaction once. When the answer to the commit is lost, `doubt` says what may have happened; given
    /// to the next attempt, that one finds out first.
    pub(super) async fn attempt(
        &self,
        lease: &mut Lease,
        doubt: &mut Option<Doubt>,
    ) -> Result<Answers, Fault> {
        let done = self.run(lease, doubt).await.map_err(Fault::of_write);
        if let Err(fault) = &done
            && fault.kind() != Kind::Lost
            && !matches!(fault, Fault::Away(_))
        {
            // The fault is the news; a connection that does not roll back is cut.
            let _ = lease.roll_back().await;
        }
        done
    }

    async fn run(&self, lease: &mut Lease, doubt: &mut Option<Doubt>) -> Result<Answers, Fault> {
        if let Some(Doubt::Entry(last, _)) = doubt {
            // Having got the lock, the transaction in doubt has ended.
            let (_, _) = self.open(lease, &[]).await?;
            let found = lease.answer(stands(lease.client(), self.scope.id(), last)).await??;
            // It changed nothing; a connection that does not roll back is cut.
            let _ = lease.roll_back().await;
            if let Some(Doubt::Entry(_, answers)) = doubt.take()
                && found
            {
                return Ok(answers);
            }
        }
        let units: Vec<_> = self.units.iter().flatten().copied().collect();
        let (head, verdict) = self.open(lease, &units).await?;
        if verdict.is_ok() {
            return self.commit(lease, head, vec![Ok(()); units.len()], doubt).await;
        }
        lease.roll_back().await?;
        let (head, _) = self.open(lease, &[]).await?;
        let verdicts = self.halved(lease, &units, verdict).await?;
        self.commit(lease, head, verdicts, doubt).await
    }

    /// Begins, locks the head and runs the statements of `units`, in one round trip.
    async fn open(&self, lease: &mut Lease, units: &[&Unit]) -> Result<(Head, Verdict), Fault> {
        lease.begin();
        let client = lease.client();
        let steps = self.steps(units);
        let requests = pipelined(steps.iter().map(|step| execute(client, step)));
        let all = join3(client.batch_execute(&self.begin), lock_head(client, self.scope.id()), requests);
        let (begun, head, done) = lease.answer(all).await?;
        begun?;
        Ok((head?, judged(&steps, done)?))
    }

    /// Finds out which of `units` fail, of which it is known that one does: parts of them in savepoints, a part that
    /// fails again in halves. The end of one savepoint travels with the beginning of the next.
    async fn halved(&self, lease: &Lease, units: &[&Unit], verdict: Verdict) -> Result<Vec<Verdict>, Fault> {
        if units.len() == 1 {
            return Ok(vec![verdict]);
        }
        let mut verdicts = Vec::with_capacity(units.len());
        let middle = units.len() / 2;
        let mut left = vec![&units[middle..], &units[..middle]];
        let mut before = "";
        let client = lease.client();
        while let Some(part) = left.pop() {
            let steps = self.steps(part);
            let savepoint = format!("{before}SAVEPOINT unit");
            let requests = pipelined(steps.iter().map(|step| execute(client, step)));
            let (begun, done) = lease.answer(join(client.batch_execute(&savepoint), requests)).await?;
            begun?;
            let verdict = judged(&steps, done)?;
            before = if verdict.is_ok() { "RELEASE unit; " } else { "ROLLBACK TO unit; RELEASE unit; " };
            match verdict {
                Ok(()) => verdicts.extend(part.iter().map(|_| Ok(()))),
                Err(refused) if part.len() == 1 => verdicts.push(Err(refused)),
                Err(_) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    left.extend([second, first]);
                }
            }
        }
        lease.answer(client.batch_execute(before)).await??;
        Ok(verdicts)
    }

    /// Writes the entries of the units that stand, moves the head and commits, in one round trip.
    async fn commit(
        &self,
        lease: &mut Lease,
        head: Head,
        verdicts: Vec<Verdict>,
        doubt: &mut Option<Doubt>,
    ) -> Result<Answers, Fault> {
        let mut chain = Chain::behind(self.scope.id(), head);
        let mut verdicts = verdicts.into_iter();
        let answer = |unit: &Result<&Unit, UnitError>| {
            let unit = unit.clone()?;
            // One verdict for each unit that was run.
            verdicts.next().unwrap_or(Ok(()))?;
            let first_seq = chain.head().seq + 1;
            unit.entries.iter().for_each(|entry| chain.append(entry));
            Ok(Receipt { first_seq, last_seq: chain.head().seq })
        };
        let answers: Answers = self.units.iter().map(answer).collect();
        if answers.iter().all(Result::is_err) {
            lease.roll_back().await?;
            return Ok(answers);
        }
        *doubt = Some(match chain.is_empty() {
            true => Doubt::Unrecognizable,
            false => Doubt::Entry(chain.head(), answers.clone()),
        });
        let client = lease.client();
        // Should entries or head fail, the server answers the commit with a rollback.
        let (written, committed) =
            lease.answer(join(write(&chain, client), client.batch_execute("COMMIT"))).await?;
        let done = written.and(committed.map_err(Fault::from));
        if done.as_ref().map_or_else(Fault::is_refusal, |()| true) {
            *doubt = None;
            lease.settle();
        }
        done.map(|()| answers)
    }
}

/// What no engine accepts is found before anything is sent.
fn acceptable(scope: Scope, unit: &Unit) -> Result<(), UnitError> {
    let invalid = |what: &str| Err(UnitError::Invalid(what.to_owned()));
    for statement in &unit.statements {
        if let Err(broken) = guard(scope, statement) {
            return invalid(broken);
        }
        if statement.sql.starts_with("SELECT") {
            return invalid("a query among writes");
        }
    }
    for new in &unit.entries {
        if [new.event.as_ref(), &new.actor, &new.subject].iter().any(|text| text.contains('\0')) {
            return invalid("an audit entry must not contain a nul byte");
        }
    }
    Ok(())
}

async fn execute(client: &Client, step: &Step<'_>) -> Result<u64, Fault> {
    Ok(match step {
        Step::Alone(Statement { sql, params, .. }) => {
            let params: Vec<_> = params.iter().map(Param).collect();
            client.execute_typed(sql, &typed(&params)).await?
        }
        Step::Merged(Merged { text, params, .. }) => {
            let typed: Vec<_> =
                params.iter().map(|param| (param as &(dyn ToSql + Sync), param.announced())).collect();
            client.execute_typed(text, &typed).await?
        }
    })
}

/// Whether every step did what it was expected to do. An `Err` inside is the fault of a unit, outside of the whole.
fn judged(steps: &[Step<'_>], done: Vec<Result<u64, Fault>>) -> Result<Verdict, Fault> {
    for (step, done) in steps.iter().zip(done) {
        let affected = match done {
            Ok(affected) => affected,
            Err(fault) if fault.kind() == Kind::Statement => return Ok(Err(fault.unit())),
            Err(fault) => return Err(fault),
        };
        let (met, otherwise) = match step {
            Step::Alone(Statement { expect: Expect::Any, otherwise, .. }) => (true, *otherwise),
            Step::Alone(Statement { expect: Expect::Rows(rows), otherwise, .. }) => {
                (*rows == affected, *otherwise)
            }
            Step::Merged(Merged { expected, otherwise, .. }) => {
                (expected.is_none_or(|rows| rows == affected), *otherwise)
            }
        };
        if !met {
            return Ok(Err(UnitError::Conflict(otherwise)));
        }
    }
    Ok(Ok(()))
}

/// Writes entries and head, if there are entries.
async fn write(chain: &Chain, client: &Client) -> Result<(), Fault> {
    if chain.is_empty() {
        return Ok(());
    }
    let (entries, head) = join(chain.write_entries(client), chain.write_head(client)).await;
    entries?;
    Ok(head?)
}

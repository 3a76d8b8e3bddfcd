//! One transaction of many units.
//!
//! First all units together, in three round trips: begin, lock the head and prepare; everything; commit. When a unit
//! fails, the transaction is rolled back and run again unit by unit, each in its savepoint.

use std::collections::HashMap;

use futures::future::{Either, join, join3};
use tokio_postgres::{Client, Statement as Prepared};

use super::chain_writer::{Chain, lock_head, stands};
use super::failure::{Fault, Kind};
use super::pipeline::pipelined;
use super::pool::Lease;
use super::read::typed;
use super::value::Param;
use crate::engine::{Expect, Receipt, Scope, Statement, Unit, guard};
use crate::error::{StorageError, UnitError};
use crate::ledger::Head;

pub(super) type Answers = Vec<Result<Receipt, UnitError>>;

/// The units of one transaction, those that no engine accepts already sorted out.
pub(super) struct Batch<'a> {
    scope: Scope,
    begin: String,
    units: Vec<Result<&'a Unit, UnitError>>,
}

/// What is known of a commit whose answer was lost.
pub(super) enum Doubt {
    /// It stands if this is in the ledger, and these are its answers.
    Entry(Head, Answers),
    /// It left nothing by which it could be recognized.
    Unrecognizable,
}

/// How a run of the units ended before its commit.
struct Run {
    answers: Answers,
    chain: Chain,
}

impl<'a> Batch<'a> {
    pub(super) fn new(scope: Scope, begin: String, units: &'a [Unit]) -> Self {
        let units = units.iter().map(|unit| acceptable(scope, unit).map(|()| unit)).collect();
        Self { scope, begin, units }
    }

    /// Runs the transaction once. When the answer to the commit is lost, `doubt` says what may have happened; given
    /// to the next attempt, that one finds out first.
    pub(super) async fn attempt(
        &self,
        lease: &mut Lease,
        doubt: &mut Option<Doubt>,
    ) -> Result<Answers, Fault> {
        let done = self.run(lease, doubt).await;
        if let Err(fault) = &done
            && matches!(fault.kind(), Kind::Contention | Kind::Locked | Kind::Final | Kind::Statement)
            && !matches!(fault, Fault::Away(_))
        {
            // The fault is the news; a connection that does not roll back is cut.
            let _ = lease.roll_back().await;
        }
        done
    }

    async fn run(&self, lease: &mut Lease, doubt: &mut Option<Doubt>) -> Result<Answers, Fault> {
        let (head, prepared) = self.open(lease, self.repeated()).await?;
        if let Some(Doubt::Entry(last, answers)) = doubt {
            // Having got the lock, the transaction in doubt has ended.
            if lease.answer(stands(lease.client(), self.scope.id(), last)).await?? {
                let answers = std::mem::take(answers);
                *doubt = None;
                // It stands; a connection that does not roll back is cut.
                let _ = lease.roll_back().await;
                return Ok(answers);
            }
            *doubt = None;
        }
        let together = match prepared {
            Some(prepared) => self.together(lease, head, &prepared).await?,
            None => None,
        };
        let run = match together {
            Some(run) => run,
            None => {
                lease.roll_back().await?;
                let (head, _) = self.open(lease, Vec::new()).await?;
                self.one_by_one(lease, head).await?
            }
        };
        self.commit(lease, run, doubt).await
    }

    /// Begins, locks the head and prepares, in one round trip. `None` for the prepared when a text is not valid.
    async fn open(
        &self,
        lease: &mut Lease,
        texts: Vec<&'static str>,
    ) -> Result<(Head, Option<HashMap<&'static str, Prepared>>), Fault> {
        lease.begin();
        let client = lease.client();
        let prepares = pipelined(texts.iter().map(|text| client.prepare(text)));
        let all = join3(client.batch_execute(&self.begin), lock_head(client, self.scope.id()), prepares);
        let (begun, head, prepared) = lease.answer(all).await?;
        begun?;
        let head = head?;
        let mut ready = HashMap::with_capacity(texts.len());
        for (text, prepared) in texts.into_iter().zip(prepared) {
            match prepared.map_err(Fault::from) {
                Ok(prepared) => ready.insert(text, prepared),
                Err(fault) if fault.kind() == Kind::Statement => return Ok((head, None)),
                Err(fault) => return Err(fault),
            };
        }
        Ok((head, Some(ready)))
    }

    /// Texts that are worth preparing: those used more than once. They are closed before the transaction ends, so
    /// that the connection may be another one afterwards.
    fn repeated(&self) -> Vec<&'static str> {
        let mut uses = HashMap::new();
        for unit in self.units.iter().flatten() {
            unit.statements.iter().for_each(|statement| *uses.entry(statement.sql).or_insert(0) += 1);
        }
        uses.into_iter().filter(|(_, times)| *times > 1).map(|(text, _)| text).collect()
    }

    /// All units at once. `None` when one of them failed, and nobody knows yet which others did.
    async fn together(
        &self,
        lease: &Lease,
        head: Head,
        prepared: &HashMap<&'static str, Prepared>,
    ) -> Result<Option<Run>, Fault> {
        let mut chain = Chain::behind(self.scope.id(), head);
        let answers = self.units.iter().map(|unit| chained(&mut chain, unit.as_ref())).collect();
        let client = lease.client();
        let statements: Vec<_> = self.units.iter().flatten().flat_map(|unit| &unit.statements).collect();
        let requests =
            statements.iter().map(|statement| execute(client, prepared.get(statement.sql), statement));
        let work = join(pipelined(requests), write(&chain, client));
        let (done, written) = lease.answer(work).await?;
        for (statement, done) in statements.into_iter().zip(done) {
            match met(statement, done) {
                Ok(()) => {}
                Err(Broken::Unit(_)) => return Ok(None),
                Err(Broken::Batch(fault)) => return Err(fault),
            }
        }
        written?;
        Ok(Some(Run { answers, chain }))
    }

    /// Each unit in its savepoint, whose end travels with the beginning of the next.
    async fn one_by_one(&self, lease: &Lease, head: Head) -> Result<Run, Fault> {
        let mut chain = Chain::behind(self.scope.id(), head);
        let mut answers = Vec::with_capacity(self.units.len());
        let client = lease.client();
        let mut before = "";
        for unit in &self.units {
            let unit = match unit {
                Ok(unit) => unit,
                Err(refused) => {
                    answers.push(Err(refused.clone()));
                    continue;
                }
            };
            let savepoint = format!("{before}SAVEPOINT unit");
            let requests = unit.statements.iter().map(|statement| execute(client, None, statement));
            let work = join(client.batch_execute(&savepoint), pipelined(requests));
            let (begun, done) = lease.answer(work).await?;
            begun?;
            let met = unit.statements.iter().zip(done).try_for_each(|(statement, done)| met(statement, done));
            match met {
                Ok(()) => {
                    answers.push(chained(&mut chain, Ok(unit)));
                    before = "RELEASE unit;";
                }
                Err(Broken::Unit(refused)) => {
                    answers.push(Err(refused));
                    before = "ROLLBACK TO unit; RELEASE unit;";
                }
                Err(Broken::Batch(fault)) => return Err(fault),
            }
        }
        let (ended, written) =
            lease.answer(join(client.batch_execute(before), write(&chain, client))).await?;
        ended?;
        written?;
        Ok(Run { answers, chain })
    }

    async fn commit(&self, lease: &mut Lease, run: Run, doubt: &mut Option<Doubt>) -> Result<Answers, Fault> {
        let Run { answers, chain } = run;
        if answers.iter().all(Result::is_err) {
            lease.roll_back().await?;
            return Ok(answers);
        }
        *doubt = Some(if chain.is_empty() {
            Doubt::Unrecognizable
        } else {
            Doubt::Entry(chain.head(), answers.clone())
        });
        let committed = match lease.answer(lease.client().batch_execute("COMMIT")).await {
            Ok(committed) => committed.map_err(Fault::from),
            Err(fault) => Err(fault),
        };
        match committed {
            Ok(()) => {
                lease.settle();
                *doubt = None;
                Ok(answers)
            }
            Err(fault) => {
                let refused = matches!(&fault, Fault::Postgres(error) if error.as_db_error().is_some());
                if refused && fault.kind() != Kind::Lost {
                    *doubt = None;
                }
                Err(fault)
            }
        }
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

/// Chains the entries of a unit that stands.
fn chained(chain: &mut Chain, unit: Result<&&Unit, &UnitError>) -> Result<Receipt, UnitError> {
    let unit = unit.map_err(UnitError::clone)?;
    let first_seq = chain.head().seq + 1;
    unit.entries.iter().for_each(|entry| chain.append(entry));
    Ok(Receipt { first_seq, last_seq: chain.head().seq })
}

/// Sends one statement, with a plan made before or with the types of its parameters.
fn execute<'a>(
    client: &'a Client,
    prepared: Option<&'a Prepared>,
    statement: &'a Statement,
) -> impl Future<Output = Result<u64, Fault>> + 'a {
    let params = &statement.params;
    match prepared {
        Some(prepared) => Either::Left(async move {
            if prepared.params().len() != params.len() {
                return Err(Fault::Parameters);
            }
            Ok(client.execute_raw(prepared, params.iter().map(Param)).await?)
        }),
        None => Either::Right(async move {
            let params: Vec<_> = params.iter().map(Param).collect();
            Ok(client.execute_typed(statement.sql, &typed(&params)).await?)
        }),
    }
}

/// Writes entries and head, if there are entries.
async fn write(chain: &Chain, client: &Client) -> Result<(), Fault> {
    if chain.is_empty() {
        return Ok(());
    }
    let (entries, head) = join(chain.write_entries(client), chain.write_head(client)).await;
    entries?;
    if head? == 1 {
        Ok(())
    } else {
        Err(StorageError::corrupt("the ledger head in the PostgreSQL database").into())
    }
}

enum Broken {
    Unit(UnitError),
    Batch(Fault),
}

/// Whether a statement did what it was expected to do.
fn met(statement: &Statement, done: Result<u64, Fault>) -> Result<(), Broken> {
    match (done, statement.expect) {
        (Ok(affected), Expect::Rows(expected)) if affected != expected => {
            Err(Broken::Unit(UnitError::Conflict(statement.otherwise)))
        }
        (Ok(_), _) => Ok(()),
        (Err(fault), _) if fault.kind() == Kind::Statement || fault.is_echo() => {
            Err(Broken::Unit(fault.unit()))
        }
        (Err(fault), _) => Err(Broken::Batch(fault)),
    }
}

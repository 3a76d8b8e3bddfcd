//! The experiment on the experiments: are broken promises noticed?

use std::fs;
use std::path::Path;

use super::Progress;
use super::kill::{everything_is_there, work_until_killed};
use crate::bench::{Bench, copy_folder};
use crate::invariants::{Invariant, Witness, ledger_verifies};
use crate::journal::Standing;
use crate::process::Installation;
use crate::seed::Seed;
use crate::verification::Depth;
use crate::{Failure, HarnessError};

const TENANTS: usize = 2;
const USERS_PER_TENANT: usize = 6;
/// What must be found broken after acknowledged writes were taken away.
const LOST: [Invariant; 4] = [
    Invariant::AccountSurvives,
    Invariant::SessionSurvives,
    Invariant::RevocationSurvives,
    Invariant::LedgerRecords,
];

/// Takes acknowledged writes away behind the server's back, by bringing back an older copy of the data, and alters an
/// entry of a ledger. Fails if the checks of the other experiments do not notice.
pub async fn control(program: &Path, seed: Seed, say: Progress<'_>) -> Result<(), Failure> {
    let bench = Bench::new(program, seed)?;
    let installation = &bench.installation;
    let server = installation.start().await?;
    bench.furnish(server.api(), TENANTS, USERS_PER_TENANT).await?;
    server.stop().await?;
    let older = bench.path("older");
    copy_folder(installation.data_dir(), &older)?;
    let server = installation.start().await?;
    let platform_key = installation.platform_key()?;
    work_until_killed(&bench, server, &platform_key, std::time::Duration::from_millis(1_500), 1).await?;

    fs::remove_dir_all(installation.data_dir()).map_err(HarnessError::io("take the data away"))?;
    copy_folder(&older, installation.data_dir())?;
    let server = installation.start().await?;
    let witness = Witness::new(server.api(), &platform_key);
    let found = everything_is_there(&bench, &witness, Depth::EVERYTHING, 1).await?;
    server.stop().await?;
    for invariant in LOST {
        let times = found.iter().filter(|violation| violation.invariant == invariant).count();
        say(format!("{invariant}: noticed {times} times"));
        noticed(times > 0, invariant)?;
    }
    alter_a_ledger(installation)?;
    let known =
        bench.journal.tenants().iter().filter(|known| known.standing == Standing::Acknowledged).count();
    let found = ledger_verifies(installation, known).await?.into_violations();
    noticed(!found.is_empty(), Invariant::LedgerVerifies)?;
    say(format!("{}: noticed", Invariant::LedgerVerifies));
    Ok(())
}

fn noticed(noticed: bool, invariant: Invariant) -> Result<(), HarnessError> {
    if noticed { Ok(()) } else { Err(HarnessError::NotNoticed { invariant }) }
}

/// Changes who did something, in one entry of the platform's ledger.
fn alter_a_ledger(installation: &Installation) -> Result<(), HarnessError> {
    let connection = rusqlite::Connection::open(installation.data_dir().join("platform.db"))?;
    // Entries are guarded by triggers, against mistakes; whoever alters a file on purpose gets round them.
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")?;
    let triggers: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    drop(statement);
    for trigger in triggers {
        connection.execute(&format!("DROP TRIGGER \"{trigger}\""), [])?;
    }
    connection.execute("UPDATE ledger_entries SET actor = 'nobody' WHERE seq = 1", [])?;
    connection.close().map_err(|(_, error)| error.into())
}

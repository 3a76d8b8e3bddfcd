//! Some lines of an import at once.

use super::{IMPORT_BUSY, LINES_MISSING, Tally};
use super::{Import, ImportWrite, ImportedUser, LineError, MOST_ERRORS, OnConflict};
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::Denial;
use crate::id::UserId;
use crate::input::InvalidInput;
use crate::randomness::Randomness;
use crate::time::Timestamp;
use crate::user::identifiers::{ExternalId, PhoneNumber, Username};
use crate::user::search;
use std::collections::HashSet;
use std::sync::Arc;

/// What comes of a line.
#[derive(Debug)]
pub enum ImportOutcome {
    /// It is about a new user.
    Imported(Arc<ImportedUser>),
    /// It is about somebody who is there.
    Skipped,
    /// It cannot be imported.
    Failed(Vec<InvalidInput>),
}

/// Values of a batch that users of the tenant have. They are compared in their normalized form.
#[derive(Default)]
pub struct Taken {
    /// Addresses.
    pub emails: HashSet<String>,
    /// Usernames.
    pub usernames: HashSet<String>,
    /// Ids in another system.
    pub external_ids: HashSet<String>,
    /// Phone numbers.
    pub phones: HashSet<String>,
}

/// Values of lines before.
#[derive(Default)]
pub struct Seen(Taken);

impl Seen {
    /// Whether none of the user's values was seen before; if so, they are from now on.
    fn admits(&mut self, user: &ImportedUser) -> Result<(), Vec<InvalidInput>> {
        let detail = "an earlier line has this value";
        let errors = conflicts(user, &self.0, [detail; 4]);
        if !errors.is_empty() {
            return Err(errors);
        }
        let Taken { emails, usernames, external_ids, phones } = &mut self.0;
        emails.extend(user.emails.iter().map(|email| email.address.normalized().to_owned()));
        usernames.extend(user.profile.username.as_ref().map(|name| name.as_str().to_owned()));
        external_ids.extend(user.profile.external_id.as_ref().map(|id| id.as_str().to_owned()));
        phones.extend(user.profile.phone.as_ref().map(|phone| phone.as_str().to_owned()));
        Ok(())
    }
}

fn conflicts(user: &ImportedUser, taken: &Taken, details: [&'static str; 4]) -> Vec<InvalidInput> {
    let profile = &user.profile;
    let has = |set: &HashSet<String>, value: Option<&str>| value.is_some_and(|value| set.contains(value));
    let email = user.emails.iter().any(|email| taken.emails.contains(email.address.normalized()));
    let username = has(&taken.usernames, profile.username.as_ref().map(Username::as_str));
    let external_id = has(&taken.external_ids, profile.external_id.as_ref().map(ExternalId::as_str));
    let phone = has(&taken.phones, profile.phone.as_ref().map(PhoneNumber::as_str));
    let [emails, usernames, external_ids, phones] = details;
    let found = [
        (email, "email", "email_taken", emails),
        (username, "username", "username_taken", usernames),
        (external_id, "external_id", "external_id_taken", external_ids),
        (phone, "phone", "phone_taken", phones),
    ];
    let wrong = found.into_iter().filter(|(found, ..)| *found);
    wrong.map(|(_, field, code, detail)| InvalidInput::new(field, code, detail)).collect()
}

/// What comes of a line, given what users of the tenant and earlier lines have.
pub fn examine(
    parsed: Result<Arc<ImportedUser>, Vec<InvalidInput>>,
    on_conflict: OnConflict,
    taken: &Taken,
    seen: &mut Seen,
) -> ImportOutcome {
    let user = match parsed {
        Ok(user) => user,
        Err(errors) => return ImportOutcome::Failed(errors),
    };
    let mut errors = conflicts(&user, taken, ["another user of the tenant has this value"; 4]);
    if errors.is_empty() {
        match seen.admits(&user) {
            Ok(()) => return ImportOutcome::Imported(user),
            Err(repeated) => errors = repeated,
        }
    }
    match on_conflict {
        OnConflict::Skip => ImportOutcome::Skipped,
        OnConflict::Fail => ImportOutcome::Failed(errors),
    }
}

/// Imports the lines from `first` on. Users, errors and the place up to which the import came are written together.
pub fn advance(
    import: &Import,
    first: u64,
    outcomes: Vec<ImportOutcome>,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<Decision<Import>, Denial> {
    import.check_open()?;
    match first.cmp(&(import.tally.lines + 1)) {
        std::cmp::Ordering::Equal => {}
        std::cmp::Ordering::Greater => return Err(LINES_MISSING),
        std::cmp::Ordering::Less => return Err(IMPORT_BUSY),
    }
    let (mut writes, mut events) = (Vec::new(), Vec::new());
    let mut tally = import.tally;
    for outcome in outcomes {
        tally.lines += 1;
        match outcome {
            ImportOutcome::Imported(user) => {
                tally.imported += 1;
                if !import.dry_run {
                    new_user(user, now, randomness, &mut writes, &mut events);
                }
            }
            ImportOutcome::Skipped => tally.skipped += 1,
            ImportOutcome::Failed(errors) => fail(import, errors, &mut tally, &mut writes),
        }
    }
    let advanced = Import { tally, updated_at: now, version: import.version + 1, ..import.clone() };
    let update = ImportWrite::Update { import: Box::new(advanced.clone()), expected_version: import.version };
    writes.push(Write::UserImport(update));
    Ok(Decision { writes, events, reply: advanced })
}

fn fail(import: &Import, errors: Vec<InvalidInput>, tally: &mut Tally, writes: &mut Vec<Write>) {
    tally.failed += 1;
    for (ordinal, error) in (0..).zip(errors) {
        if tally.errors == MOST_ERRORS {
            return;
        }
        tally.errors += 1;
        let error = LineError { line: tally.lines, ordinal, error };
        writes.push(Write::UserImport(ImportWrite::InsertError { import: import.id, error }));
    }
}

/// Each user has an entry of its own in the ledger, like one that is created singly: whoever asks how a user came to be,
/// or follows what is created, need not know of imports. It is one row beside some thirty.
fn new_user(
    imported: Arc<ImportedUser>,
    now: Timestamp,
    randomness: &dyn Randomness,
    writes: &mut Vec<Write>,
    events: &mut Vec<Event>,
) {
    let created_at = imported.created_at.unwrap_or(now);
    // Lists are in the order of ids, which is that of creation, so an id is as old as its user.
    let user = UserId::generate(created_at, randomness);
    let mut terms = search::moved(user, None, imported.profile.name.as_ref());
    let primary = imported.emails.first().expect("a line without an address is refused");
    terms.extend(search::moved_email(user, None, &primary.address));
    writes.push(Write::UserImport(ImportWrite::InsertUser { user, imported, created_at, at: now }));
    writes.extend(terms);
    events.push(Event::UserCreated { user });
}

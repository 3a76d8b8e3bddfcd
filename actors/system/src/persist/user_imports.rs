//! Imports of users: to rows and back.

use super::FIRST_VERSION;
use super::users::{standing_row, to_row};
use crate::error::ServiceError;
use plinto_domain::id::ImportId;
use plinto_domain::user::import::{
    Import, ImportSource, ImportState, ImportWrite, ImportedUser, LineError, OnConflict, Tally,
};
use plinto_domain::{Timestamp, UserId};
use plinto_storage::repositories::credentials::{self, CredentialKind, CredentialRow};
use plinto_storage::repositories::user_emails::{self, UserEmailRow};
use plinto_storage::repositories::user_imports::{self, ErrorPlace, UserImportErrorRow, UserImportRow};
use plinto_storage::repositories::users::{self, UserRow};
use plinto_storage::{Statement, TenantVault};
use zeroize::Zeroizing;

pub(super) fn statements(vault: &TenantVault, write: ImportWrite) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        ImportWrite::Insert(import) => vec![user_imports::insert(tenant, &row(&import))],
        ImportWrite::Update { import, expected_version } => {
            vec![user_imports::update(tenant, &row(&import), expected_version)]
        }
        ImportWrite::InsertError { import, error } => {
            vec![user_imports::insert_error(tenant, import.uuid(), &error_row(error))]
        }
        ImportWrite::InsertUser { user, imported, created_at, at } => {
            insert_user(vault, user, &imported, created_at, at)
        }
        ImportWrite::Forget { unchanged_since } => user_imports::forget(tenant, unchanged_since.as_millis()),
    }
}

fn insert_user(
    vault: &TenantVault,
    user: UserId,
    imported: &ImportedUser,
    created_at: Timestamp,
    at: Timestamp,
) -> Vec<Statement> {
    let (user_id, created_at, at) = (user.uuid(), created_at.as_millis(), at.as_millis());
    let row = UserRow {
        user_id,
        standing: standing_row(imported.standing),
        profile: to_row(imported.profile.clone()),
        created_at,
        updated_at: at,
        version: FIRST_VERSION,
    };
    // Addresses are listed the oldest first: those of a line stay in its order.
    let emails = (0..).zip(&imported.emails).map(|(index, email)| {
        let row = UserEmailRow {
            user_id,
            email: email.address.as_entered().to_owned(),
            verified_at: email.verified.then_some(at),
            is_primary: index == 0,
            created_at: created_at + index,
        };
        user_emails::insert(vault, email.address.normalized(), &row)
    });
    let password = imported.password.as_ref().map(|hash| {
        let row = CredentialRow {
            user_id,
            kind: CredentialKind::Password,
            secret: Zeroizing::new(hash.to_text()),
            created_at,
            updated_at: at,
            version: FIRST_VERSION,
        };
        credentials::insert(vault, &row)
    });
    std::iter::once(users::insert(vault, &row)).chain(emails).chain(password).collect()
}

fn row(import: &Import) -> UserImportRow {
    let Tally { lines, imported, skipped, failed, errors } = import.tally;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    UserImportRow {
        import_id: import.id.uuid(),
        dry_run: import.dry_run,
        on_conflict: import.on_conflict.as_str().to_owned(),
        source: import.source.as_ref().map(|source| source.as_str().to_owned()),
        state: import.state.as_str().to_owned(),
        lines: count(lines),
        imported: count(imported),
        skipped: count(skipped),
        failed: count(failed),
        errors: errors.into(),
        created_at: import.created_at.as_millis(),
        updated_at: import.updated_at.as_millis(),
        version: import.version,
    }
}

fn error_row(LineError { line, ordinal, error }: LineError) -> UserImportErrorRow {
    UserImportErrorRow {
        place: ErrorPlace { line, ordinal },
        field: error.field.to_owned(),
        code: error.code.to_owned(),
        detail: error.detail,
    }
}

/// A stored import as rules see it.
pub(crate) fn to_domain(row: UserImportRow) -> Result<Import, ServiceError> {
    let damaged = || ServiceError::Damaged("an import of users");
    let count = |count: i64| u64::try_from(count).map_err(|_| damaged());
    let source = row.source.map(|source| ImportSource::parse("source", &source)).transpose();
    Ok(Import {
        id: ImportId::from_uuid(row.import_id),
        dry_run: row.dry_run,
        on_conflict: OnConflict::parse(&row.on_conflict).ok_or_else(damaged)?,
        source: source.map_err(|_| damaged())?,
        state: ImportState::parse(&row.state).ok_or_else(damaged)?,
        tally: Tally {
            lines: count(row.lines)?,
            imported: count(row.imported)?,
            skipped: count(row.skipped)?,
            failed: count(row.failed)?,
            errors: u32::try_from(row.errors).map_err(|_| damaged())?,
        },
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
        version: row.version,
    })
}

//! How imports are shown and sent.

use plinto_actors::ImportError;
use plinto_domain::id::ImportId;
use plinto_domain::user::import::{Import, ImportSource, NewImport, OnConflict, Tally};
use plinto_domain::{InvalidInput, Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::ToSchema;

/// What becomes of a line about somebody who is there.
#[derive(Deserialize, ToSchema, Clone, Copy, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConflictRule {
    /// It is an error of that line.
    #[default]
    Fail,
    /// The line is passed over and counted.
    Skip,
}

/// A new import.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewImportBody {
    /// Whether lines are only checked: against each other within one request, and against the users there are.
    #[serde(default)]
    dry_run: bool,
    /// What becomes of a line with an address, username, phone number or external id that somebody has.
    #[serde(default)]
    #[schema(inline)]
    on_conflict: ConflictRule,
    /// By what you know the file again, such as its SHA-256: 1 to 128 of letters, digits and `. _ - : = +`.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015")]
    source: Option<String>,
}

impl NewImportBody {
    pub(super) fn checked(self) -> Result<NewImport, InvalidInput> {
        let source = self.source.map(|source| ImportSource::parse("source", &source)).transpose()?;
        let on_conflict = match self.on_conflict {
            ConflictRule::Fail => OnConflict::Fail,
            ConflictRule::Skip => OnConflict::Skip,
        };
        Ok(NewImport { dry_run: self.dry_run, on_conflict, source })
    }
}

/// An import of users.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserImport {
    /// Its id.
    #[schema(value_type = String, example = "imp_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    id: ImportId,
    /// `open`, `completed` or `cancelled`.
    #[schema(value_type = String, example = "open")]
    state: &'static str,
    /// Whether lines are only checked.
    dry_run: bool,
    /// `fail` or `skip`.
    #[schema(value_type = String, example = "fail")]
    on_conflict: &'static str,
    /// By what its sender knows the file again.
    source: Option<String>,
    /// Lines so far: go on with the one behind.
    lines: u64,
    /// Users that were imported, or would have been.
    imported: u64,
    /// Lines about users that were there.
    skipped: u64,
    /// Lines with errors.
    failed: u64,
    /// When it began, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When it was last changed, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<Import> for UserImport {
    fn from(import: Import) -> Self {
        let Tally { lines, imported, skipped, failed, errors: _ } = import.tally;
        Self {
            id: import.id,
            state: import.state.as_str(),
            dry_run: import.dry_run,
            on_conflict: import.on_conflict.as_str(),
            source: import.source.map(|source| source.as_str().to_owned()),
            lines,
            imported,
            skipped,
            failed,
            created_at: import.created_at,
            updated_at: import.updated_at,
        }
    }
}

/// What was wrong with a line.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportLineError {
    /// Number of the line, from 1.
    line: u64,
    /// Name of the member, or `line`.
    #[schema(example = "email")]
    field: String,
    /// Stable code.
    #[schema(example = "email_taken")]
    code: String,
    /// What to do about it.
    detail: String,
}

impl From<ImportError> for ImportLineError {
    fn from(error: ImportError) -> Self {
        let ImportError { line, ordinal: _, field, code, detail } = error;
        Self { line, field, code, detail }
    }
}

/// The place of an error in the list of an import's errors.
pub(crate) struct ErrorCursor(pub(super) (u64, u16));

impl FromStr for ErrorCursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (line, ordinal) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self((line.parse()?, ordinal.parse()?)))
    }
}

/// A line of an import: a user. Needed is an address: `email`, or `emails` with exactly one that is `primary`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes lines, which the platform reads itself")]
pub(crate) struct UserLine {
    /// The one address.
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// Whether the one address counts as proved.
    email_verified: Option<bool>,
    /// Several addresses, at most ten.
    #[schema(inline)]
    emails: Option<Vec<UserLineEmail>>,
    /// What to call them.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    /// A name to sign in with; unique in the tenant.
    username: Option<String>,
    /// Their phone number in E.164 form; unique in the tenant.
    #[schema(example = "+41791234567")]
    phone: Option<String>,
    /// Their id in another system; unique in the tenant.
    external_id: Option<String>,
    /// Metadata they may read.
    #[schema(value_type = Option<Object>)]
    public_metadata: Option<serde_json::Value>,
    /// Metadata they never see.
    #[schema(value_type = Option<Object>)]
    private_metadata: Option<serde_json::Value>,
    /// Metadata they may write.
    #[schema(value_type = Option<Object>)]
    unsafe_metadata: Option<serde_json::Value>,
    /// `active` (the default), `blocked` or `locked`.
    #[schema(example = "active")]
    state: Option<String>,
    /// Until when it is locked, in milliseconds since the Unix epoch.
    locked_until: Option<i64>,
    /// When the account was created where it comes from, in milliseconds since the Unix epoch.
    #[schema(example = 1_700_000_000_000_i64)]
    created_at: Option<i64>,
    /// A hash made elsewhere: a string (bcrypt, PHC strings of argon2, scrypt and PBKDF2, passlib's and Django's PBKDF2),
    /// or an object with `algorithm` `scrypt` (`n`, `r`, `p`), `pbkdf2-sha1`, `pbkdf2-sha256`, `pbkdf2-sha512`
    /// (`iterations`) or `firebase-scrypt` (`signer_key`, `salt_separator`, `rounds`, `mem_cost`), and base64 `salt` and
    /// `hash`. It is replaced by ours at the first sign-in.
    #[schema(value_type = Option<String>, example = "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m")]
    password_hash: Option<String>,
    /// Id in an export; a new one is made.
    id: Option<String>,
}

/// An address of a line.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes lines, which the platform reads itself")]
pub(crate) struct UserLineEmail {
    /// The address.
    email: String,
    /// Whether it counts as proved.
    verified: Option<bool>,
    /// Whether mail to the user goes here.
    primary: Option<bool>,
}

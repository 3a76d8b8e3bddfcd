//! A line of an import: a JSON object about one user.

use crate::account::Standing;
use crate::email::EmailAddress;
use crate::foreign_hash::{ForeignHash, HashProblem};
use crate::input::InvalidInput;
use crate::time::Timestamp;
use crate::user::emails::MOST as MOST_EMAILS;
use crate::user::profile::{Member, Profile, ProfileInput, UserChange};
use serde_json::{Map, Value};

/// Longest line in bytes: three kinds of metadata at their largest, and everything else.
pub const LONGEST_LINE: usize = 64 * 1024;

/// An address of a line.
#[derive(Clone, Debug)]
pub struct ImportedEmail {
    /// The address.
    pub address: EmailAddress,
    /// Whether it counts as proved.
    pub verified: bool,
}

/// A user as a line describes it.
#[derive(Debug)]
pub struct ImportedUser {
    /// The primary address, and then the others.
    pub emails: Vec<ImportedEmail>,
    /// What is known besides.
    pub profile: Profile,
    /// Whether it may sign in.
    pub standing: Standing,
    /// When it was created where it comes from.
    pub created_at: Option<Timestamp>,
    /// The hash of its password.
    pub password: Option<ForeignHash>,
}

impl ImportedUser {
    /// Reads and checks a line, and reports all that is wrong at once. Nothing of the line is repeated.
    pub fn parse(line: &[u8], now: Timestamp) -> Result<Self, Vec<InvalidInput>> {
        if line.len() > LONGEST_LINE {
            return Err(vec![wrong("line", "line_too_long", "a line has at most 64 KiB")]);
        }
        let members = serde_json::from_slice(line).map_err(|error| {
            let detail = format!("the line is not a JSON object (column {})", error.column());
            vec![wrong("line", "malformed_json", detail)]
        })?;
        LineMembers::of(members).user(now)
    }
}

fn wrong(field: &'static str, code: &'static str, detail: impl Into<String>) -> InvalidInput {
    InvalidInput::new(field, code, detail)
}

/// The members of a line that were not taken yet, and what was wrong with those that were.
struct LineMembers {
    members: Map<String, Value>,
    errors: Vec<InvalidInput>,
}

impl LineMembers {
    fn of(members: Map<String, Value>) -> Self {
        Self { members, errors: Vec::new() }
    }

    /// The user, if all is well.
    fn user(mut self, now: Timestamp) -> Result<ImportedUser, Vec<InvalidInput>> {
        let emails = self.emails();
        let input = ProfileInput {
            name: self.text("name"),
            username: self.text("username"),
            external_id: self.text("external_id"),
            phone: self.text("phone"),
            public_metadata: self.object("public_metadata"),
            private_metadata: self.object("private_metadata"),
            unsafe_metadata: self.object("unsafe_metadata"),
        };
        let standing = self.standing();
        let created_at = self.created_at(now);
        let password = self.password();
        // The id an export says. A new one is made here: ids of users that are gone must not come back.
        self.members.remove("id");
        if !self.members.is_empty() {
            let detail = "the line has members that are not known; README.md lists those there are";
            self.errors.push(wrong("line", "unknown_member", detail));
        }
        let profile = UserChange::parse(input).map_err(|errors| self.errors.extend(errors));
        let Ok(change) = profile else { return Err(self.errors) };
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let profile = change.apply_to(&Profile::default());
        let profile = profile.expect("what was checked to be small is not larger without its nulls");
        Ok(ImportedUser { emails, profile, standing, created_at, password })
    }

    /// A member that is neither left out nor null, as `read` takes it.
    fn take<T>(
        &mut self,
        name: &'static str,
        kind: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.remove(name).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.errors.push(wrong(name, "wrong_type", format!("expected {kind}")));
        }
        read
    }

    fn text(&mut self, name: &'static str) -> Member<String> {
        let text = self.take(name, "a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        });
        text.map(Some)
    }

    fn object(&mut self, name: &'static str) -> Member<Map<String, Value>> {
        let object = self.take(name, "an object", |value| match value {
            Value::Object(object) => Some(object),
            _ => None,
        });
        object.map(Some)
    }

    /// `email` and `email_verified`, or `emails` with each address's `email`, `verified` and `primary`.
    fn emails(&mut self) -> Vec<ImportedEmail> {
        let single = self.text("email").flatten();
        let verified = self.take("email_verified", "true or false", |value| value.as_bool());
        let several = self.take("emails", "an array", |value| match value {
            Value::Array(emails) => Some(emails),
            _ => None,
        });
        let emails = match (single, several) {
            (Some(_), Some(_)) => {
                self.errors.push(wrong("emails", "ambiguous_emails", "give `email` or `emails`, not both"));
                Vec::new()
            }
            (Some(email), None) => match EmailAddress::parse("email", &email) {
                Ok(address) => vec![ImportedEmail { address, verified: verified.unwrap_or(false) }],
                Err(error) => {
                    self.errors.push(error);
                    Vec::new()
                }
            },
            (None, Some(emails)) => self.several(emails),
            (None, None) => Vec::new(),
        };
        let said = ["email", "emails"];
        if emails.is_empty() && !self.errors.iter().any(|error| said.contains(&error.field)) {
            self.errors.push(wrong("email", "email_missing", "a user has an e-mail address"));
        }
        emails
    }

    fn several(&mut self, given: Vec<Value>) -> Vec<ImportedEmail> {
        if given.len() > MOST_EMAILS {
            self.errors.push(wrong("emails", "too_many_emails", "a user has at most ten addresses"));
            return Vec::new();
        }
        let mut emails: Vec<(ImportedEmail, bool)> = Vec::new();
        for value in given {
            match one_of_several(value) {
                Ok((email, _)) if emails.iter().any(|(other, _)| is_same(other, &email)) => {
                    self.errors.push(wrong("emails", "repeated_email", "an address stands there twice"));
                }
                Ok(email) => emails.push(email),
                Err(error) => self.errors.push(error),
            }
        }
        let primary = emails.iter().filter(|(_, primary)| *primary).count();
        match (primary, emails.len()) {
            // A single address is the primary one, said or not.
            (1, _) | (0, 0 | 1) => {}
            _ => self.errors.push(wrong("emails", "primary_email", "exactly one address is primary")),
        }
        emails.sort_by_key(|(_, primary)| !primary);
        emails.into_iter().map(|(email, _)| email).collect()
    }

    fn standing(&mut self) -> Standing {
        let state = self.text("state").flatten();
        let locked_until = self.take("locked_until", "milliseconds since the Unix epoch", |at| at.as_i64());
        let locked_until = locked_until.map(Timestamp::from_millis);
        let blocked = match (state.as_deref(), locked_until) {
            (None | Some("active"), _) | (Some("locked"), Some(_)) => false,
            (Some("blocked"), _) => true,
            (Some("locked"), None) => {
                self.errors.push(wrong(
                    "locked_until",
                    "locked_until_missing",
                    "say until when it is locked",
                ));
                false
            }
            (Some(_), _) => {
                let detail = "a state is active, blocked or locked; who is being deleted is not imported";
                self.errors.push(wrong("state", "invalid_state", detail));
                false
            }
        };
        Standing { blocked, locked_until, purge_at: None }
    }

    fn created_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let at = self.take("created_at", "milliseconds since the Unix epoch", |at| at.as_i64())?;
        if (0..=now.as_millis()).contains(&at) {
            return Some(Timestamp::from_millis(at));
        }
        let detail = "a time in milliseconds since the Unix epoch that is not to come";
        self.errors.push(wrong("created_at", "invalid_time", detail));
        None
    }

    fn password(&mut self) -> Option<ForeignHash> {
        let hash = self.take("password_hash", "a string or an object", |value| match value {
            Value::String(text) => Some(ForeignHash::parse(&text)),
            Value::Object(members) => Some(ForeignHash::of_members(members)),
            _ => None,
        })?;
        let code = match hash {
            Ok(hash) => return Some(hash),
            Err(HashProblem::UnknownForm) => "unknown_password_hash",
            Err(HashProblem::TooCostly) => "costly_password_hash",
        };
        self.errors.push(wrong("password_hash", code, hash.expect_err("not good").to_string()));
        None
    }
}

fn is_same(one: &ImportedEmail, other: &ImportedEmail) -> bool {
    one.address.normalized() == other.address.normalized()
}

/// One element of `emails`, and whether it is primary.
fn one_of_several(value: Value) -> Result<(ImportedEmail, bool), InvalidInput> {
    let mistyped = || {
        let detail = "each address is an object with `email` and, if need be, `verified` and `primary`";
        wrong("emails", "wrong_type", detail)
    };
    let Value::Object(mut members) = value else { return Err(mistyped()) };
    let Some(Value::String(email)) = members.remove("email") else { return Err(mistyped()) };
    let mut flag = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(_) => Err(mistyped()),
    };
    let (verified, primary) = (flag("verified")?, flag("primary")?);
    if !members.is_empty() {
        return Err(mistyped());
    }
    Ok((ImportedEmail { address: EmailAddress::parse("emails", &email)?, verified }, primary))
}

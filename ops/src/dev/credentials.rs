//! What the demo tenant is entered with, kept in the data directory so that a restart prints the same.

use std::path::{Path, PathBuf};

use plinto_domain::randomness::Randomness;
use serde::{Deserialize, Serialize};

use crate::private_file::{self, FileError};

const FILE: &str = "dev-credentials.json";
const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 4] = b"aeiu";

/// Credentials of the demo tenant. No `Debug`: they are secrets.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct DevCredentials {
    /// Slug of the tenant.
    pub(crate) tenant: String,
    /// Its id, once it was created.
    pub(crate) tenant_id: Option<String>,
    /// Address of its user.
    pub(crate) email: String,
    /// The user's password.
    pub(crate) password: String,
    /// Key for the auth service, once it was made.
    pub(crate) service_key: Option<String>,
}

/// Where they are kept.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

impl DevCredentials {
    pub(super) fn generate(randomness: &dyn Randomness) -> Self {
        Self {
            tenant: "demo".to_owned(),
            tenant_id: None,
            email: "demo@example.com".to_owned(),
            password: passphrase(randomness),
            service_key: None,
        }
    }

    /// Those of an earlier start, if there are any that can be read.
    pub(super) fn load(data_dir: &Path) -> Result<Option<Self>, FileError> {
        let path = path(data_dir);
        let Some(text) = private_file::read(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|error| FileError::new("read", &path, error.into()))
    }

    pub(super) fn store(&self, data_dir: &Path) -> Result<(), FileError> {
        let text = serde_json::to_string_pretty(self).expect("texts always serialize");
        private_file::write_secret(&path(data_dir), &format!("{text}\n"))
    }
}

/// Five words of four letters that can be said: 60 bits.
pub(super) fn passphrase(randomness: &dyn Randomness) -> String {
    let mut random = [0_u8; 20];
    randomness.fill(&mut random);
    let words = random.chunks_exact(4).map(|bytes| {
        let letter = |index: usize| {
            let alphabet: &[u8] = if usize::is_multiple_of(index, 2) { CONSONANTS } else { VOWELS };
            char::from(alphabet[usize::from(bytes[index]) % alphabet.len()])
        };
        (0..4).map(letter).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::passphrase;
    use crate::composition::SystemRandomness;
    use plinto_domain::email::EmailAddress;
    use plinto_domain::password::{Password, PasswordPolicy};

    #[test]
    fn passphrases_pass_the_policy_for_new_passwords() {
        let email = EmailAddress::parse("email", "demo@example.com").expect("valid");
        for _ in 0..200 {
            let text = passphrase(&SystemRandomness);
            let password = Password::entered("password", &text).expect("not empty");
            assert_eq!(
                PasswordPolicy::default().check(&password, Some(&email), Some("Demo")),
                Ok(()),
                "{text}"
            );
        }
    }
}

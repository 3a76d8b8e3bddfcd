//! Passwords: NIST SP 800-63B rules (length, no composition rules, blocklist, no truncation, NFKC).

use crate::email::EmailAddress;
use crate::input::InvalidInput;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

/// Longest password in bytes after normalization. It bounds the work of hashing; nothing is ever truncated.
pub const LONGEST: usize = 1024;

/// A password as entered, normalized to NFKC (SP 800-63B-4 §3.1.1.2). Zeroized on drop; `Debug` shows nothing.
pub struct Password {
    normalized: Zeroizing<String>,
    /// What was entered, where that is another text.
    entered: Option<Zeroizing<String>>,
}

impl Password {
    /// Normalizes what was entered. For sign-in: only the length is bounded, so that an old password is still
    /// recognized after the policy for new ones became stricter.
    pub fn entered(field: &'static str, text: &str) -> Result<Self, InvalidInput> {
        if text.is_empty() {
            return Err(InvalidInput::new(field, "password_missing", "enter the password"));
        }
        let too_long = || InvalidInput::new(field, "password_too_long", "a password has at most 1024 bytes");
        if text.len() > LONGEST {
            return Err(too_long());
        }
        let normalized = Zeroizing::new(text.nfkc().collect::<String>());
        if normalized.len() > LONGEST {
            return Err(too_long());
        }
        let entered = (*normalized != text).then(|| Zeroizing::new(text.to_owned()));
        Ok(Self { normalized, entered })
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.normalized.as_bytes()
    }

    /// What was entered, byte for byte: hashes made elsewhere are of that.
    pub fn as_entered(&self) -> &[u8] {
        self.entered.as_ref().unwrap_or(&self.normalized).as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// Most passwords a policy may remember: each costs a verification when a new one is chosen.
pub const MOST_REMEMBERED: u8 = 24;

/// The refusal of a password that is the present one or was used before.
pub fn reused(field: &'static str) -> InvalidInput {
    let detail = "you have used this password before; choose one that is new";
    InvalidInput::new(field, "password_reused", detail)
}

/// The refusal of a password that is known from breaches.
pub fn breached(field: &'static str) -> InvalidInput {
    let detail =
        "this password is known from breaches of other services, so attackers try it; choose another";
    InvalidInput::new(field, "password_breached", detail)
}

/// What a tenant asks of new passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordPolicy {
    /// Fewest characters. 8 is the floor of ASVS 5 (6.2.1); SP 800-63B-4 asks 15 where it is the only factor.
    pub min_length: u16,
    /// Lowest zxcvbn score, 0 to 4.
    pub min_score: u8,
    /// Whether a password known from breaches is refused.
    pub refuse_breached: bool,
    /// From how many of the user's last passwords, the present one included, a new one must differ: 0 to 24.
    pub history: u8,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: 8, min_score: 3, refuse_breached: true, history: 0 }
    }
}

impl PasswordPolicy {
    /// How many passwords are kept after they were replaced: the present one is remembered without that.
    pub fn kept(&self) -> u32 {
        u32::from(self.history.saturating_sub(1))
    }

    /// Checks a new password against length, the list of common passwords, the person's own data and guessability.
    pub fn check(
        &self,
        password: &Password,
        email: Option<&EmailAddress>,
        name: Option<&str>,
    ) -> Result<(), InvalidInput> {
        let refuse = |code, detail: String| Err(InvalidInput::new("password", code, detail));
        let text: &str = &password.normalized;
        if text.chars().count() < usize::from(self.min_length) {
            return refuse(
                "password_too_short",
                format!("use at least {} characters; a few unrelated words work well", self.min_length),
            );
        }
        let mut own: Vec<&str> = vec!["plinto"];
        own.extend(email.into_iter().flat_map(|email| [email.normalized(), email.local_part()]));
        own.extend(name.unwrap_or_default().split_whitespace());
        let entropy = zxcvbn(text, &own);
        if is_listed_word(&entropy) && entropy.score() < Score::Three {
            return refuse(
                "password_common",
                "this password is on the lists attackers try first, or is your own name or address; choose another".into(),
            );
        }
        if u8::from(entropy.score()) < self.min_score {
            return refuse("password_guessable", advice(&entropy));
        }
        Ok(())
    }
}

/// The whole password is one entry of a dictionary (zxcvbn carries 30 000 leaked passwords and common words).
fn is_listed_word(entropy: &zxcvbn::Entropy) -> bool {
    use zxcvbn::matching::patterns::MatchPattern;
    matches!(entropy.sequence(), [only] if matches!(only.pattern, MatchPattern::Dictionary(_)))
}

fn advice(entropy: &zxcvbn::Entropy) -> String {
    let feedback = entropy.feedback();
    let warning = feedback.and_then(zxcvbn::feedback::Feedback::warning).map(|w| w.to_string());
    let hints =
        feedback.into_iter().flat_map(zxcvbn::feedback::Feedback::suggestions).map(ToString::to_string);
    let advice: Vec<String> = warning.into_iter().chain(hints).collect();
    if advice.is_empty() {
        "this password is easy to guess; add unrelated words".into()
    } else {
        advice.join(" ")
    }
}

/// A PHC string such as `$argon2id$v=19$m=19456,t=2,p=1$…`. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a PHC string made by the hasher or read from storage.
    pub fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), InvalidInput> {
        let email = EmailAddress::parse("email", "margaret.hamilton@example.com").expect("valid");
        let password = Password::entered("password", password)?;
        PasswordPolicy::default().check(&password, Some(&email), Some("Margaret Hamilton"))
    }

    #[test]
    fn policy_refuses_with_the_right_reason() {
        for (password, code) in [
            ("", "password_missing"),
            ("short", "password_too_short"),
            ("password123", "password_common"),
            ("trustno1", "password_common"),
            ("hamilton", "password_common"),
            ("aaaaaaaaaaaa", "password_guessable"),
            ("abcdefghijkl", "password_guessable"),
            (&"x".repeat(10_000), "password_too_long"),
        ] {
            assert_eq!(check(password).expect_err(password).code, code, "{password:.20}");
        }
    }

    #[test]
    fn long_phrases_any_script_and_spaces_are_welcome() {
        for password in
            ["correct horse battery staple", "плоский кит летает", "tr0ub4dor&3 x9!", &"k9 Zq ".repeat(20)]
        {
            assert_eq!(check(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn width_variants_are_one_password() {
        let plain = Password::entered("password", "horse").expect("valid");
        let wide = Password::entered("password", "ｈｏｒｓｅ").expect("valid");
        assert_eq!(plain.as_bytes(), wide.as_bytes());
        assert_eq!((plain.as_entered(), wide.as_entered()), ("horse".as_bytes(), "ｈｏｒｓｅ".as_bytes()));
        assert_eq!(format!("{plain:?}"), "Password(redacted)");
    }
}

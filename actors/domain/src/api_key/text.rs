//! The text of an API key: what it is for, its id, its secret and a checksum.

use super::ApiKeyKind;
use crate::id::ApiKeyId;
use crate::randomness::{Randomness, base_62};
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What every key looks like, for secret scanners: `plk_`, `ops` (an operator's), `sec` (secret) or `pub` (publishable),
/// 32 hexadecimal digits of the id, 43 characters of secret, and the CRC-32 of all before as six base-62 digits. Keys
/// made before they had a kind are `plk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}`.
pub const PATTERN: &str = "plk_(ops|sec|pub)_[0-9a-f]{32}_[0-9A-Za-z]{49}";

const PREFIX: &str = "plk_";
const ID_DIGITS: usize = 32;
/// 43 characters of 62 are 256 bits.
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const BASE_62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A key as it was presented. `Debug` does not show the secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyText<'t> {
    /// Which key it says it is.
    pub id: ApiKeyId,
    /// What it says it is for; keys made before they had kinds do not say.
    pub kind: Option<ApiKeyKind>,
    /// What proves it.
    pub secret: &'t str,
}

impl fmt::Debug for ApiKeyText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyText({})", self.id)
    }
}

impl<'t> ApiKeyText<'t> {
    /// Reads a key. One with a typing error is none, which its checksum tells without a look-up.
    pub fn parse(text: &'t str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let Some((kind, rest)) = rest.split_at_checked(3).and_then(|(tag, rest)| Some((of_tag(tag)?, rest)))
        else {
            let (id, secret) = id_and_rest(rest)?;
            return Some(Self { id, kind: None, secret });
        };
        let (id, rest) = id_and_rest(rest.strip_prefix('_')?)?;
        if rest.len() != SECRET_LENGTH + CHECKSUM_LENGTH
            || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return None;
        }
        let (body, sum) = text.split_at_checked(text.len() - CHECKSUM_LENGTH)?;
        let secret = &rest[..SECRET_LENGTH];
        (checksum(body) == sum).then_some(Self { id, kind: Some(kind), secret })
    }

    /// A new secret, and the text of the key that holds it.
    pub fn make(kind: ApiKeyKind, id: ApiKeyId, randomness: &dyn Randomness) -> NewKeyText {
        let secret = base_62(SECRET_LENGTH, randomness);
        let mut text = Zeroizing::new(format!("{PREFIX}{}_{}_{}", tag(kind), id.uuid().simple(), *secret));
        let sum = checksum(&text);
        text.push_str(&sum);
        NewKeyText { text, secret }
    }
}

/// The text of a new key. No `Debug`.
pub struct NewKeyText {
    /// The whole, to be shown once.
    pub text: Zeroizing<String>,
    /// What of it is the secret.
    pub secret: Zeroizing<String>,
}

const fn tag(kind: ApiKeyKind) -> &'static str {
    match kind {
        ApiKeyKind::Platform => "ops",
        ApiKeyKind::Secret => "sec",
        ApiKeyKind::Publishable => "pub",
    }
}

fn of_tag(text: &str) -> Option<ApiKeyKind> {
    ApiKeyKind::ALL.into_iter().find(|kind| tag(*kind) == text)
}

fn id_and_rest(text: &str) -> Option<(ApiKeyId, &str)> {
    let (id, rest) = text.split_at_checked(ID_DIGITS)?;
    if !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    Some((ApiKeyId::from_uuid(Uuid::try_parse(id).ok()?), rest.strip_prefix('_')?))
}

/// CRC-32 (IEEE) as six base-62 digits.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE_62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::testing::Counting;
    use proptest::prelude::*;

    fn id() -> ApiKeyId {
        ApiKeyId::from_uuid(Uuid::from_u128(7))
    }

    #[test]
    fn keys_are_read_as_they_were_made() {
        for kind in ApiKeyKind::ALL {
            let made = ApiKeyText::make(kind, id(), &Counting::default());
            let read = ApiKeyText::parse(&made.text).expect("well formed");
            assert_eq!((read.id, read.kind, read.secret), (id(), Some(kind), made.secret.as_str()));
            assert_eq!(made.text.len(), 8 + 32 + 1 + 49, "as the published pattern says");
            assert!(!format!("{read:?}").contains(made.secret.as_str()));
        }
    }

    #[test]
    fn the_checksum_is_the_one_scanners_compute() {
        // CRC-32 of "123456789" is 0xcbf43926.
        let mut expected = 0xcbf4_3926_u32;
        let mut digits = Vec::new();
        while expected > 0 {
            digits.insert(0, BASE_62[(expected % 62) as usize]);
            expected /= 62;
        }
        assert_eq!(checksum("123456789").as_bytes(), digits);
    }

    #[test]
    fn keys_without_a_kind_are_read_strictly() {
        let text = format!("plk_{}_secret", id().uuid().simple());
        assert_eq!(ApiKeyText::parse(&text), Some(ApiKeyText { id: id(), kind: None, secret: "secret" }));
        for bad in [
            "",
            "plk_",
            "plk_xyz",
            "plk_00000000000000000000000000000007secret",
            "pls_0",
            "plk_ä",
            "plk_sec",
            "plk_sec_",
        ] {
            assert_eq!(ApiKeyText::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_told_by_the_checksum(place in 8_usize..90, wrong in 0_usize..62) {
            let made = ApiKeyText::make(ApiKeyKind::Secret, id(), &Counting::default());
            let mut bytes = made.text.as_bytes().to_vec();
            prop_assume!(bytes[place] != BASE_62[wrong]);
            bytes[place] = BASE_62[wrong];
            let text = String::from_utf8(bytes).expect("ASCII");
            prop_assert_eq!(ApiKeyText::parse(&text), None);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(plk_)?(sec_|pub_|ops_)?.{0,100}") {
            let _ = ApiKeyText::parse(&text);
        }
    }
}

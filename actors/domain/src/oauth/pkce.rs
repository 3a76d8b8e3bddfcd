//! Proof Key for Code Exchange (RFC 7636), with SHA-256 only: `plain` protects from nothing (RFC 9700 §2.1.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The only method there is.
pub const S256: &str = "S256";

/// SHA-256 of the verifier only the client knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CodeChallenge(#[serde(with = "hex::serde")] [u8; 32]);

impl CodeChallenge {
    /// Reads `code_challenge` (§4.2).
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Whether a `code_verifier` is the one (§4.6).
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(allowed);
        let hash: [u8; 32] = Sha256::digest(verifier.as_bytes()).into();
        well_formed && bool::from(hash.ct_eq(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_example_of_the_standard_is_met() {
        let challenge =
            CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").expect("well formed");
        assert!(challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        for other in
            ["dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", "", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
        {
            assert!(!challenge.is_met_by(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_challenge_or_verifier_is_refused() {
        for bad in [
            "",
            "abc",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        ] {
            assert!(CodeChallenge::parse(bad).is_none(), "{bad}");
        }
        let of = |verifier: &str| CodeChallenge(Sha256::digest(verifier.as_bytes()).into());
        for short_or_strange in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(43))] {
            assert!(!of(&short_or_strange).is_met_by(&short_or_strange));
        }
        assert!(of(&"a".repeat(128)).is_met_by(&"a".repeat(128)));
    }
}

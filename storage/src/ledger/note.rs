//! Signed notes (C2SP signed-note): a text that proves by an Ed25519 signature who wrote it.
//!
//! A note is its text, an empty line, and `— <name> <base64 of key id and signature>`. A verifier, the public half, is
//! written `<name>+<key id>+<base64 of 1 and the public key>`. The key id is the first four bytes of SHA-256 over name,
//! line feed, 1 and the public key.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::vault::TenantVault;

/// The kind of signature, as the specification numbers them.
const ED25519_KIND: u8 = 1;
const KEY_ID: usize = 4;

/// Signs notes in the name of a tenant, or of the platform. The key is derived from one that never rotates, so whoever
/// keeps the verifier may check every note there will be.
pub struct NoteSigner {
    name: String,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for NoteSigner {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("NoteSigner").field("name", &self.name).finish_non_exhaustive()
    }
}

impl NoteSigner {
    /// The signer of the vault's owner.
    pub fn of(vault: &TenantVault) -> Self {
        let seed = vault.lasting("signed-note/ed25519");
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("any 32 bytes are a seed");
        Self { name: format!("plinto/{}", vault.tenant().simple()), pair }
    }

    /// Who signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half, to check notes with.
    pub fn verifier(&self) -> String {
        let key = self.pair.public_key().as_ref();
        let typed = [&[ED25519_KIND], key].concat();
        format!("{}+{}+{}", self.name, hex::encode(key_id(&self.name, key)), STANDARD.encode(typed))
    }

    /// Signs lines of text, each of which ends with a line feed.
    pub fn sign(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let id = key_id(&self.name, self.pair.public_key().as_ref());
        let signed = STANDARD.encode([&id, signature.as_ref()].concat());
        format!("{text}\n\u{2014} {} {signed}\n", self.name)
    }
}

/// The text of a note, if the owner of the verifier signed it.
pub fn open_note<'n>(note: &'n str, verifier: &str) -> Option<&'n str> {
    let (name, rest) = verifier.split_once('+')?;
    let (id, typed) = rest.split_once('+')?;
    let typed = STANDARD.decode(typed).ok()?;
    let (kind, key) = typed.split_first()?;
    let expected = key_id(name, key);
    if *kind != ED25519_KIND || id != hex::encode(expected) {
        return None;
    }
    let (text, signatures) = note.rsplit_once("\n\n")?;
    let text = note.get(..=text.len())?;
    let start = format!("\u{2014} {name} ");
    let mut signed = signatures.lines().filter_map(|line| STANDARD.decode(line.strip_prefix(&start)?).ok());
    let verified = |signed: Vec<u8>| {
        let (id, signature) = signed.split_first_chunk::<KEY_ID>()?;
        (*id == expected).then_some(())?;
        UnparsedPublicKey::new(&ED25519, key).verify(text.as_bytes(), signature).ok()
    };
    signed.any(|signed| verified(signed).is_some()).then_some(text)
}

fn key_id(name: &str, key: &[u8]) -> [u8; KEY_ID] {
    let mut sum = Sha256::new();
    sum.update(name.as_bytes());
    sum.update([b'\n', ED25519_KIND]);
    sum.update(key);
    let digest: [u8; 32] = sum.finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

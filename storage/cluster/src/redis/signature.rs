use crate::NodeInfo;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the signed bytes start with, so that the secret signs nothing else that looks alike.
const CONTEXT: &[u8] = b"plinto/presence/v1\0";

/// Signs what a node says of itself, and drops what no node said.
///
/// Operators send their key to the URLs found there, so a URL must come from a node and not from whoever can write to
/// Redis. An entry of a node that is gone can still be put back: its URL was a node's all the same.
pub(super) struct Signature {
    secret: Zeroizing<[u8; 32]>,
}

impl Signature {
    pub(super) fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self { secret }
    }

    /// The entry for a node: signature and text.
    pub(super) fn sign(&self, node: &NodeInfo) -> String {
        let text = serde_json::to_string(node).expect("what a node says of itself is plain data");
        let code = hex::encode(self.over(&text).finalize().into_bytes());
        format!("{code} {text}")
    }

    /// What a node said of itself; nothing if it was not signed with this secret.
    pub(super) fn open<'a>(&self, entry: &'a str) -> Option<&'a str> {
        let (code, text) = entry.split_once(' ')?;
        let code = hex::decode(code).ok()?;
        self.over(text).verify_slice(&code).is_ok().then_some(text)
    }

    fn over(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(self.secret.as_slice()).expect("HMAC takes keys of any length");
        mac.update(CONTEXT);
        mac.update(text.as_bytes());
        mac
    }
}

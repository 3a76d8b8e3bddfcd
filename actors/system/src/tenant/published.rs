use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A document of a tenant that everybody may read, made once for each activation.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its text.
    pub json: Bytes,
    /// Names the text: the same on every node, another for another text.
    pub version: i64,
}

impl Published {
    /// Of this text.
    pub fn of(json: Bytes) -> Self {
        let hash = Sha256::digest(&json);
        let (leading, _) = hash.split_first_chunk().expect("a hash is longer");
        Self { version: i64::from_be_bytes(*leading) & i64::MAX, json }
    }
}

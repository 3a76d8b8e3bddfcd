//! What the DNS says.

use async_trait::async_trait;

/// Nobody answered, or not in time, or what came was no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the DNS gave no answer")]
pub struct DnsFailure;

/// Reads TXT records. Whoever implements it bounds its time and what it gives back.
#[async_trait]
pub trait TxtRecords: Send + Sync {
    /// The texts under a name, each in one piece; none where there is no such name or no such record.
    async fn txt(&self, name: &str) -> Result<Vec<String>, DnsFailure>;
}

/// Asks nobody.
pub(crate) struct NoDns;

#[async_trait]
impl TxtRecords for NoDns {
    async fn txt(&self, _: &str) -> Result<Vec<String>, DnsFailure> {
        Err(DnsFailure)
    }
}

use super::definition::ClientDefinition;
use super::registered::AuthMethod;
use super::secret::ClientSecret;
use crate::id::ClientId;
use crate::time::Timestamp;

/// A client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Which.
    pub id: ClientId,
    /// What it is.
    pub definition: ClientDefinition,
    /// The present one first; a public client has none.
    pub secrets: Vec<ClientSecret>,
    /// Grows by one with each change.
    pub version: i64,
}

impl Client {
    /// Whether a hash proves who presented its secret to be this client.
    pub fn is_proved_by(&self, hash: &[u8; 32], now: Timestamp) -> bool {
        // Every secret is looked at, whichever it is.
        let proved =
            self.secrets.iter().fold(false, |proved, secret| proved | secret.is_proved_by(hash, now));
        proved && self.definition.token_endpoint_auth_method.has_secret()
    }

    /// Whether it can keep no secret (RFC 6749 §2.1): all that is known of it is its id.
    pub fn is_public(&self) -> bool {
        self.definition.token_endpoint_auth_method == AuthMethod::None
    }
}

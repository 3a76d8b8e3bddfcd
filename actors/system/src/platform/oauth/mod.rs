//! OAuth 2: clients, as a tenant's services administer them, and what they are given.

mod clients;
mod tokens;

pub use clients::{ClientView, NewClient};
pub use tokens::{ClientAuthentication, IssuedClientToken};

use super::work::Work;
use crate::error::ServiceError;
use crate::persist;
use plinto_domain::ClientId;
use plinto_domain::oauth::{Client, NewClientSecret, UNKNOWN_CLIENT};
use plinto_storage::repositories::clients::{self as rows, ClientRow};

/// Purpose of the keyed hash of clients' secrets.
const SECRET: &str = "client-secret";

impl Work {
    /// A client as it is stored now.
    async fn client_row(&self, client: ClientId) -> Result<Option<ClientRow>, ServiceError> {
        self.read(|| rows::get(self.engine(), self.vault(), client.uuid())).await
    }

    async fn client(&self, client: ClientId) -> Result<Client, ServiceError> {
        persist::clients::client(&self.client_row(client).await?.ok_or(UNKNOWN_CLIENT)?)
    }

    /// What is kept of a client's secret.
    fn secret_hash(&self, client: ClientId, secret: &str) -> [u8; 32] {
        self.vault().blind_index(SECRET, &NewClientSecret::hashed_text(client, secret))
    }
}

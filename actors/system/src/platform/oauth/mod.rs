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
use std::sync::Arc;

/// Purpose of the keyed hash of clients' secrets.
const SECRET: &str = "client-secret";

impl Work {
    /// A client as it is stored now.
    async fn client_row(&self, client: ClientId) -> Result<Option<ClientRow>, ServiceError> {
        self.read(|| rows::get(self.engine(), self.vault(), client.uuid())).await
    }

    /// A client, from memory where no other node could have changed it.
    async fn known_client(&self, client: ClientId) -> Result<Option<Arc<Client>>, ServiceError> {
        let known = &self.cell().clients;
        if let Some(client) = known.find(client) {
            return Ok(Some(client));
        }
        let stamp = known.stamp();
        let Some(row) = self.client_row(client).await? else { return Ok(None) };
        let client = Arc::new(persist::clients::client(&row)?);
        if self.is_alone() {
            known.keep(stamp, &client);
        }
        Ok(Some(client))
    }

    async fn client(&self, client: ClientId) -> Result<Client, ServiceError> {
        persist::clients::client(&self.client_row(client).await?.ok_or(UNKNOWN_CLIENT)?)
    }

    /// What is kept of a client's secret.
    fn secret_hash(&self, client: ClientId, secret: &str) -> [u8; 32] {
        self.vault().blind_index(SECRET, &NewClientSecret::hashed_text(client, secret))
    }
}

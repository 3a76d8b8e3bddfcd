//! OAuth 2: clients, as a tenant's services administer them, and what they are given.

mod applications;
mod authentication;
mod browser;
mod client_tokens;
mod clients;
mod end_session;
mod interactions;
mod introspection;
mod opaque;
mod registration;
mod user_tokens;

pub use applications::ApplicationView;
pub use authentication::{ClientAuthentication, ClientProof, Possession};
pub use browser::{Account, Browser};
pub use client_tokens::IssuedClientToken;
pub use clients::{ClientView, NewClient};
pub use end_session::{EndSessionRequest, LogoutPlan};
pub use interactions::{AuthorizationAnswer, Begun, Next, PushedRequest};
pub use registration::RegisteredClient;
pub use user_tokens::IssuedTokens;
pub(in crate::platform) use user_tokens::algorithm;

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

    /// The same, unless it is disabled.
    pub(in crate::platform) async fn usable_client(
        &self,
        client: ClientId,
    ) -> Result<Option<Arc<Client>>, ServiceError> {
        Ok(self.known_client(client).await?.filter(|client| !client.definition.disabled))
    }

    async fn client(&self, client: ClientId) -> Result<Client, ServiceError> {
        persist::clients::client(&self.client_row(client).await?.ok_or(UNKNOWN_CLIENT)?)
    }

    /// What is kept of a client's secret.
    fn secret_hash(&self, client: ClientId, secret: &str) -> [u8; 32] {
        self.vault().blind_index(SECRET, &NewClientSecret::hashed_text(client, secret))
    }
}

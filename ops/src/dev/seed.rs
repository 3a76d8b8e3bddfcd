//! The demo tenant. Each step finds out by itself whether it was done, so that a start interrupted anywhere is
//! completed by the next one.

use std::path::Path;

use super::credentials::DevCredentials;
use crate::client::{Client, ClientError};
use crate::commands::CommandError;
use crate::composition::SystemRandomness;

/// Makes sure that the demo tenant exists, with the user and the service key of its stored credentials.
pub(super) async fn demo(client: &Client, data_dir: &Path) -> Result<DevCredentials, CommandError> {
    let mut credentials = match DevCredentials::load(data_dir)? {
        Some(stored) if is_complete(client, &stored).await? => return Ok(stored),
        // Stored before the user is created: after a crash between the two the next start can still print them.
        Some(stored) if stored.tenant_id.is_none() => stored,
        _ => DevCredentials::generate(&SystemRandomness),
    };
    credentials.store(data_dir)?;
    let tenant = match client.create_tenant(&credentials.tenant, "Demo").await {
        Err(ClientError::Refused { code, .. }) if code == "slug_taken" => {
            client.find_tenant(&credentials.tenant).await?.id
        }
        created => created?.id,
    };
    match client.create_user(&tenant, &credentials.email, &credentials.password, Some("Demo User")).await {
        Err(ClientError::Refused { code, .. }) if code == "email_taken" => {}
        created => drop(created?),
    }
    credentials.service_key = Some(client.create_service_key(&tenant, "dev").await?.key);
    credentials.tenant_id = Some(tenant);
    credentials.store(data_dir)?;
    Ok(credentials)
}

async fn is_complete(client: &Client, stored: &DevCredentials) -> Result<bool, CommandError> {
    match (&stored.tenant_id, &stored.service_key) {
        (Some(tenant), Some(_)) => Ok(client.tenant(tenant).await?.is_some()),
        _ => Ok(false),
    }
}

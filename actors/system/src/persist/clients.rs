//! OAuth clients: to rows and back.

use super::FIRST_VERSION;
use crate::error::ServiceError;
use plinto_domain::oauth::{Client, ClientWrite};
use plinto_domain::{ClientId, Timestamp};
use plinto_storage::repositories::clients::{self, ClientRow};
use plinto_storage::{Statement, TenantVault};

pub(super) fn statement(vault: &TenantVault, write: ClientWrite) -> Statement {
    match write {
        ClientWrite::Insert { client, at } => {
            clients::insert(vault, &ClientRow { version: FIRST_VERSION, ..row(&client, at) })
        }
        ClientWrite::Replace { client, at } => clients::update(vault, &row(&client, at)),
        ClientWrite::Delete { client, expected_version } => {
            clients::delete(vault.tenant(), client.uuid(), expected_version)
        }
    }
}

fn row(client: &Client, at: Timestamp) -> ClientRow {
    ClientRow {
        client_id: client.id.uuid(),
        definition: serde_json::to_string(&client.definition).expect("a definition is plain JSON"),
        secrets: serde_json::to_string(&client.secrets).expect("hashes and times are plain JSON"),
        created_at: at.as_millis(),
        updated_at: at.as_millis(),
        version: client.version,
    }
}

/// A client as it is stored.
pub(crate) fn client(row: &ClientRow) -> Result<Client, ServiceError> {
    let read = || {
        let definition = serde_json::from_str(&row.definition).ok()?;
        let secrets = serde_json::from_str(&row.secrets).ok()?;
        Some(Client { id: ClientId::from_uuid(row.client_id), definition, secrets, version: row.version })
    };
    read().ok_or(ServiceError::Damaged("a client"))
}

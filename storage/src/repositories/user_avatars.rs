//! Pictures of users. The image is sealed.

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;
use crate::vault::TenantVault;

const TABLE: &str = "user_avatars";

statements! {
    PUT = "INSERT INTO user_avatars (tenant_id, user_id, version, image, updated_at) VALUES ($1, $2, $3, $4, $5) \
           ON CONFLICT (tenant_id, user_id) DO UPDATE SET version = excluded.version, image = excluded.image, \
           updated_at = excluded.updated_at";
    GET = "SELECT version, image, updated_at FROM user_avatars WHERE tenant_id = $1 AND user_id = $2";
    VERSION = "SELECT version FROM user_avatars WHERE tenant_id = $1 AND user_id = $2";
    REMOVE = "DELETE FROM user_avatars WHERE tenant_id = $1 AND user_id = $2";
}

/// A picture. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AvatarRow {
    /// Version of the user since it has this picture; greater for later ones.
    pub version: i64,
    /// The file; sealed at rest.
    pub image: Zeroizing<Vec<u8>>,
    /// Unix milliseconds.
    pub updated_at: i64,
}

impl std::fmt::Debug for AvatarRow {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AvatarRow").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Gives a user a picture in place of the one it may have.
pub fn put(vault: &TenantVault, user_id: Uuid, row: &AvatarRow) -> Statement {
    Statement::new(
        PUT,
        vec![
            vault.tenant().into(),
            user_id.into(),
            row.version.into(),
            vault.seal(TABLE, user_id.as_bytes(), "image", &row.image).into(),
            row.updated_at.into(),
        ],
    )
}

/// Takes the picture of a user away; without one it is the conflict `no_avatar`.
pub fn remove(tenant: Uuid, user_id: Uuid) -> Statement {
    Statement::new(REMOVE, vec![tenant.into(), user_id.into()]).expecting(1, "no_avatar")
}

/// The picture of a user.
pub async fn get(
    engine: &dyn Engine,
    vault: &TenantVault,
    user_id: Uuid,
) -> Result<Option<AvatarRow>, StorageError> {
    let statement = Statement::new(GET, vec![vault.tenant().into(), user_id.into()]);
    let rows = engine.read(Scope::of(vault.tenant()), statement).await?;
    let decode = |row| {
        let mut columns = Columns::of(TABLE, row);
        Ok(AvatarRow {
            version: columns.int("version")?,
            image: columns.sealed(vault, user_id.as_bytes(), "image")?,
            updated_at: columns.int("updated_at")?,
        })
    };
    rows.into_iter().next().map(decode).transpose()
}

/// The version of a user's picture, without the picture.
pub async fn version(engine: &dyn Engine, tenant: Uuid, user_id: Uuid) -> Result<Option<i64>, StorageError> {
    let statement = Statement::new(VERSION, vec![tenant.into(), user_id.into()]);
    let rows = engine.read(Scope::of(tenant), statement).await?;
    rows.into_iter().next().map(|row| Columns::of(TABLE, row).int("version")).transpose()
}

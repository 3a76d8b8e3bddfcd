//! Pictures of users: set by themselves and by those who administer them.

use super::Platform;
use super::users::to_domain;
use super::work::Work;
use crate::error::ServiceError;
use bytes::Bytes;
use plinto_domain::audit::Actor;
use plinto_domain::user::avatar::{NO_AVATAR, remove, set};
use plinto_domain::{TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::user_avatars::{self, AvatarRow};

/// A picture of a user: a JPEG file. `Debug` does not show it.
#[derive(Clone)]
pub struct AvatarView {
    /// The file.
    pub image: Bytes,
    /// Another picture has another one.
    pub version: i64,
    /// Since when the user has it.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for AvatarView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AvatarView").field("version", &self.version).finish_non_exhaustive()
    }
}

impl From<AvatarRow> for AvatarView {
    fn from(row: AvatarRow) -> Self {
        let image = Bytes::copy_from_slice(&row.image);
        Self { image, version: row.version, updated_at: Timestamp::from_millis(row.updated_at) }
    }
}

impl Platform {
    /// The picture of a user.
    pub async fn avatar(
        &self,
        tenant: TenantId,
        user: UserId,
        deadline: Deadline,
    ) -> Result<AvatarView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_row(user).await?;
        Ok(work.find_avatar(user).await?.ok_or(NO_AVATAR)?)
    }

    /// The picture of the user an access token speaks for.
    pub async fn own_avatar(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<AvatarView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        Ok(work.find_avatar(user).await?.ok_or(NO_AVATAR)?)
    }

    /// Makes a file the picture of a user; the picture's version.
    pub async fn set_avatar(
        &self,
        tenant: TenantId,
        user: UserId,
        file: Bytes,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<i64, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.set_avatar(user, file, actor).await
    }

    /// Makes a file the picture of the user an access token speaks for.
    pub async fn set_own_avatar(
        &self,
        tenant: TenantId,
        token: &str,
        file: Bytes,
        deadline: Deadline,
    ) -> Result<i64, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.set_avatar(user, file, Actor::User(user)).await
    }

    /// Takes the picture of a user away.
    pub async fn remove_avatar(
        &self,
        tenant: TenantId,
        user: UserId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.remove_avatar(user, actor).await
    }

    /// Takes the picture of the user an access token speaks for away.
    pub async fn remove_own_avatar(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.remove_avatar(user, Actor::User(user)).await
    }
}

impl Work {
    pub(super) async fn find_avatar(&self, user: UserId) -> Result<Option<AvatarView>, ServiceError> {
        let get = || user_avatars::get(self.engine(), self.vault(), user.uuid());
        Ok(self.read(get).await?.map(AvatarView::from))
    }

    async fn set_avatar(&self, user: UserId, file: Bytes, actor: Actor) -> Result<i64, ServiceError> {
        // Nobody's picture is not worth the work.
        self.user_row(user).await?;
        let picture = self.pictures().make(self.cell().id, file, self.deadline()).await?;
        // Read again: the user may have changed while it was made.
        let (known, now) = (to_domain(&self.user_row(user).await?)?, self.now());
        self.carry_out(set(&known, picture, now)?, actor, now).await
    }

    async fn remove_avatar(&self, user: UserId, actor: Actor) -> Result<(), ServiceError> {
        let (known, now) = (to_domain(&self.user_row(user).await?)?, self.now());
        let version = self.read(|| user_avatars::version(self.engine(), self.vault().tenant(), user.uuid()));
        let has_picture = version.await?.is_some();
        self.carry_out(remove(&known, has_picture, now)?, actor, now).await
    }
}

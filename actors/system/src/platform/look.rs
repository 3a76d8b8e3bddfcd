//! How a tenant looks to people.

use super::Platform;
use crate::error::ServiceError;
use plinto_domain::oauth::Client;
use plinto_domain::{ClientId, TenantId};
use plinto_runtime::Deadline;
use std::sync::Arc;

/// How a tenant looks: on its pages as in its mails.
#[derive(Clone, Debug)]
pub struct TenantLook {
    /// What it is called.
    pub name: String,
    /// Colour of buttons: `#` and six hexadecimal digits.
    pub color: String,
    /// An `https` image.
    pub logo_url: Option<String>,
    /// Seconds a browser stays signed in if nothing ends its session before.
    pub session_seconds: u32,
}

impl Platform {
    /// How a tenant looks.
    pub async fn look(&self, tenant: TenantId, deadline: Deadline) -> Result<TenantLook, ServiceError> {
        let cell = self.0.tenants.cell(tenant, deadline).await?;
        let mail = &cell.settings.mail;
        Ok(TenantLook {
            name: mail.name.clone().unwrap_or_else(|| cell.name.clone()),
            color: mail.color.clone(),
            logo_url: mail.logo_url.clone(),
            session_seconds: cell.settings.session.absolute_seconds,
        })
    }

    /// An application, as users are shown it; none if it is gone or disabled.
    pub async fn application(
        &self,
        tenant: TenantId,
        client: ClientId,
        deadline: Deadline,
    ) -> Result<Option<Arc<Client>>, ServiceError> {
        self.work(tenant, deadline).await?.usable_client(client).await
    }
}

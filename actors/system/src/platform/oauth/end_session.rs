//! Signing out because a relying party asks for it (OpenID Connect RP-Initiated Logout 1.0).

use super::super::Platform;
use super::browser::Browser;
use super::interactions::STRANGE_HINT;
use crate::error::ServiceError;
use plinto_domain::oauth::{OAuthCode, OAuthError};
use plinto_domain::{ClientId, TenantId};
use plinto_runtime::Deadline;

const ANOTHER_CLIENT: OAuthError =
    OAuthError::new(OAuthCode::InvalidRequest, "client_id is another one than the ID token was made for");
const STRANGE_URI: OAuthError = OAuthError::new(
    OAuthCode::InvalidRequest,
    "post_logout_redirect_uri is none of the client's; send client_id or id_token_hint with one that is registered",
);

/// What a relying party asks for (§2).
#[derive(Clone, Copy, Default)]
pub struct EndSessionRequest<'r> {
    /// The parameter `id_token_hint`.
    pub id_token_hint: Option<&'r str>,
    /// The parameter `client_id`.
    pub client_id: Option<&'r str>,
    /// The parameter `post_logout_redirect_uri`.
    pub post_logout_redirect_uri: Option<&'r str>,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogoutPlan {
    /// Whether the user must be asked first: anybody may send a browser here.
    pub ask: bool,
    /// Where to go afterwards.
    pub then: Option<String>,
}

impl Platform {
    /// What a request to sign out comes to in a browser.
    pub async fn plan_logout(
        &self,
        tenant: TenantId,
        request: EndSessionRequest<'_>,
        browser: &Browser,
        deadline: Deadline,
    ) -> Result<Result<LogoutPlan, OAuthError>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let hint = request.id_token_hint.map(|hint| work.hint(hint).ok_or(STRANGE_HINT)).transpose();
        let hint = match hint {
            Ok(hint) => hint,
            Err(error) => return Ok(Err(error)),
        };
        let named = request.client_id.map(str::parse::<ClientId>).transpose().ok().flatten();
        let client = match (&hint, named) {
            (Some(hint), Some(named)) if hint.aud != named => return Ok(Err(ANOTHER_CLIENT)),
            (Some(hint), _) => Some(hint.aud),
            (None, named) => named,
        };
        let client = match client {
            Some(client) => work.usable_client(client).await?,
            None => None,
        };
        let then = match request.post_logout_redirect_uri {
            None => None,
            Some(uri) => {
                let mut registered =
                    client.iter().flat_map(|client| &client.definition.post_logout_redirect_uris);
                if !registered.any(|known| known.admits(uri)) {
                    return Ok(Err(STRANGE_URI));
                }
                Some(uri.to_owned())
            }
        };
        // Only who was signed in to the client can have its ID token: its page did not come from just anywhere.
        let is_meant =
            hint.is_some_and(|hint| browser.accounts.iter().any(|account| account.user.session == hint.sid));
        Ok(Ok(LogoutPlan { ask: !is_meant && !browser.accounts.is_empty(), then }))
    }
}

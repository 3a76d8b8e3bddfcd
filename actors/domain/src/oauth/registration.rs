//! Clients that register themselves (RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration).

use super::definition::{ClientChange, ClientDefinition};
use super::redirect_uri::RedirectUri;
use super::registered::{AuthMethod, GrantType, IdTokenAlgorithm};
use super::scope::{SCOPES_OF_USERS, ScopeSet};
use crate::id::ClientId;
use crate::input::InvalidInput;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// Who may register clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationPolicy {
    /// Nobody but those who administer the tenant.
    #[default]
    Closed,
    /// Whoever has one of the tenant's keys with `clients:write`, as an initial access token.
    ServiceKey,
    /// Everybody. Such clients act for users who consent, and never for themselves.
    Open,
}

/// How the tenant is as an OAuth 2 authorization server.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OAuthSettings {
    /// Who may register clients.
    pub registration: RegistrationPolicy,
    /// Scopes clients that register themselves may have, besides those that say what they learn of a user.
    pub registration_scopes: Vec<String>,
    /// Resource servers they may have tokens for.
    pub registration_resources: Vec<String>,
}

impl OAuthSettings {
    /// Refuses what is no scope or resource.
    pub fn check(&self) -> Result<(), InvalidInput> {
        ScopeSet::parse("settings.oauth.registration_scopes", &self.registration_scopes)?;
        let resources = self.registration_resources.clone();
        super::definition::parse_resources("settings.oauth.registration_resources", resources).map(drop)
    }
}

/// What a client says of itself (RFC 7591 §2). What is not known is passed over.
#[derive(Clone, Default, Debug, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct RegistrationRequest {
    /// Where users are sent back to.
    pub redirect_uris: Vec<String>,
    /// Where users may be sent after they have signed out.
    pub post_logout_redirect_uris: Vec<String>,
    /// What it is called; the host of its first redirect URI if left out.
    pub client_name: Option<String>,
    /// How it proves who it is; `client_secret_basic` if left out.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// Grants it wants; `authorization_code` if left out.
    pub grant_types: Option<BTreeSet<GrantType>>,
    /// Answers it wants: `code`.
    pub response_types: Option<Vec<String>>,
    /// Scopes it wants, with one space between them.
    pub scope: Option<String>,
    /// Its public keys.
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// Its own page.
    pub client_uri: Option<String>,
    /// A picture of it.
    pub logo_uri: Option<String>,
    /// What it does with data of users.
    pub policy_uri: Option<String>,
    /// Its terms.
    pub tos_uri: Option<String>,
    /// What its ID tokens are signed with.
    pub id_token_signed_response_alg: Option<IdTokenAlgorithm>,
    /// Whether it pushes its requests.
    pub require_pushed_authorization_requests: Option<bool>,
    /// Whether it signs its requests.
    pub require_signed_request_object: Option<bool>,
    /// Whether its tokens are bound to a key.
    pub dpop_bound_access_tokens: Option<bool>,
}

impl RegistrationRequest {
    /// What such a client is, where the tenant lets it be so.
    pub fn definition(self, settings: &OAuthSettings) -> Result<ClientDefinition, Vec<InvalidInput>> {
        let refuse = |field, detail: &str| Err(vec![InvalidInput::new(field, "not_registrable", detail)]);
        if self.response_types.as_ref().is_some_and(|types| types.iter().any(|answer| answer != "code")) {
            return refuse("response_types", "the only response type is code");
        }
        let grants = self.grant_types.unwrap_or_else(|| BTreeSet::from([GrantType::AuthorizationCode]));
        if settings.registration == RegistrationPolicy::Open && grants.contains(&GrantType::ClientCredentials)
        {
            return refuse(
                "grant_types",
                "clients that register themselves act for users, not for themselves",
            );
        }
        let asked: Vec<String> =
            self.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let is_known = |scope: &String| SCOPES_OF_USERS.contains(&scope.as_str());
        let is_allowed = |scope: &String| settings.registration_scopes.contains(scope);
        if !asked.iter().all(|scope| is_known(scope) || is_allowed(scope)) {
            return refuse("scope", "clients that register themselves may not have one of these scopes");
        }
        let host = self.redirect_uris.first().and_then(|uri| url::Url::parse(uri).ok());
        let host = host.map(|uri| uri.host_str().unwrap_or_else(|| uri.scheme()).to_owned());
        ClientDefinition::of(ClientChange {
            name: Some(self.client_name.or(host).unwrap_or_else(|| "application".to_owned())),
            scopes: Some(asked.into_iter().filter(|scope| !is_known(scope)).collect()),
            resources: Some(settings.registration_resources.clone()),
            grant_types: Some(grants),
            redirect_uris: Some(self.redirect_uris),
            post_logout_redirect_uris: Some(self.post_logout_redirect_uris),
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            jwks: self.jwks.map(Some),
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            require_signed_request_object: self.require_signed_request_object,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            client_uri: self.client_uri.map(Some),
            logo_uri: self.logo_uri.map(Some),
            policy_uri: self.policy_uri.map(Some),
            tos_uri: self.tos_uri.map(Some),
            ..ClientChange::default()
        })
    }
}

/// What a client is told of itself (RFC 7591 §3.2.1).
#[derive(Serialize, utoipa::ToSchema)]
pub struct RegisteredMetadata {
    #[schema(value_type = String, example = "cli_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    client_id: ClientId,
    client_name: String,
    redirect_uris: Vec<RedirectUri>,
    post_logout_redirect_uris: Vec<RedirectUri>,
    token_endpoint_auth_method: AuthMethod,
    grant_types: BTreeSet<GrantType>,
    #[schema(value_type = Vec<String>)]
    response_types: Vec<&'static str>,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tos_uri: Option<String>,
    id_token_signed_response_alg: IdTokenAlgorithm,
    require_pushed_authorization_requests: bool,
    require_signed_request_object: bool,
    dpop_bound_access_tokens: bool,
}

impl RegisteredMetadata {
    /// Of a client.
    pub fn of(id: ClientId, definition: ClientDefinition) -> Self {
        let asks_users = definition.may_use(GrantType::AuthorizationCode);
        Self {
            client_id: id,
            client_name: definition.name.as_str().to_owned(),
            redirect_uris: definition.redirect_uris,
            post_logout_redirect_uris: definition.post_logout_redirect_uris,
            token_endpoint_auth_method: definition.token_endpoint_auth_method,
            grant_types: definition.grant_types,
            response_types: if asks_users { vec!["code"] } else { Vec::new() },
            scope: definition.scopes.with(&ScopeSet::of_users()).to_string(),
            jwks: definition.jwks,
            client_uri: definition.client_uri,
            logo_uri: definition.logo_uri,
            policy_uri: definition.policy_uri,
            tos_uri: definition.tos_uri,
            id_token_signed_response_alg: definition.id_token_signed_response_alg,
            require_pushed_authorization_requests: definition.require_pushed_authorization_requests,
            require_signed_request_object: definition.require_signed_request_object,
            dpop_bound_access_tokens: definition.dpop_bound_access_tokens,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn open() -> OAuthSettings {
        OAuthSettings {
            registration: RegistrationPolicy::Open,
            registration_scopes: vec!["tools:call".to_owned()],
            registration_resources: vec!["https://mcp.example.com/".to_owned()],
        }
    }

    fn register(change: Value) -> Result<ClientDefinition, Vec<InvalidInput>> {
        let mut said = json!({ "redirect_uris": ["https://agent.example.com/cb"], "unknown": 1 });
        for (name, value) in change.as_object().expect("an object") {
            said[name] = value.clone();
        }
        let request: RegistrationRequest = serde_json::from_value(said).expect("readable");
        request.definition(&open())
    }

    #[test]
    fn a_client_is_what_it_says_and_the_tenant_allows() {
        let made = register(json!({ "scope": "openid tools:call" })).expect("good");
        assert_eq!(
            (made.name.as_str(), made.scopes.to_string().as_str()),
            ("agent.example.com", "tools:call")
        );
        assert_eq!(made.resources, ["https://mcp.example.com/"]);
        assert!(!made.first_party && made.require_pkce && !made.may_use(GrantType::RefreshToken));
        for bad in [
            json!({ "scope": "admin" }),
            json!({ "grant_types": ["client_credentials"] }),
            json!({ "response_types": ["token"] }),
            json!({ "redirect_uris": [] }),
            json!({ "redirect_uris": ["http://agent.example.com/cb"] }),
            json!({ "logo_uri": "http://169.254.169.254/latest" }),
        ] {
            assert!(register(bad.clone()).is_err(), "{bad}");
        }
        let told = serde_json::to_value(RegisteredMetadata::of(ClientId::from_uuid(uuid::Uuid::nil()), made));
        let told = told.expect("json");
        assert_eq!(
            (&told["client_name"], &told["response_types"]),
            (&json!("agent.example.com"), &json!(["code"]))
        );
    }

    #[test]
    fn settings_are_checked() {
        assert!(open().check().is_ok());
        assert!(OAuthSettings { registration_scopes: vec!["a b".to_owned()], ..open() }.check().is_err());
        assert!(OAuthSettings { registration_resources: vec!["x".to_owned()], ..open() }.check().is_err());
    }
}

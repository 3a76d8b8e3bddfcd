//! What a client says of itself when it is registered, in the words of RFC 7591 §2 and OpenID Connect Registration §2.

use serde::{Deserialize, Serialize};

/// A grant by which tokens are given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A user's, by a code (RFC 6749 §4.1).
    AuthorizationCode,
    /// The next tokens of what a user granted (RFC 6749 §6).
    RefreshToken,
    /// The client's own (RFC 6749 §4.4).
    ClientCredentials,
}

impl GrantType {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The value of `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant a request names.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}

/// How a client proves at the token endpoint who it is (RFC 7591 §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// By its secret, in the header or in the body (RFC 6749 §2.3.1).
    #[default]
    ClientSecretBasic,
    /// The same: whoever has the secret may send it either way.
    ClientSecretPost,
    /// Not at all: a public client, which can keep no secret.
    None,
    /// By a JWT it signs with its own key (RFC 7523, OpenID Connect Core §9).
    PrivateKeyJwt,
}

impl AuthMethod {
    /// The methods there are.
    pub const ALL: [&'static str; 4] =
        ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"];

    /// Those by which a client proves anything.
    pub const CONFIDENTIAL: [&'static str; 3] =
        ["client_secret_basic", "client_secret_post", "private_key_jwt"];

    /// Whether it is by a secret of ours.
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }
}

/// The algorithm ID tokens of a client are signed with (RFC 7518 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub enum IdTokenAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what every relying party understands (OpenID Connect Core §15.1).
    #[default]
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl IdTokenAlgorithm {
    /// Those there are.
    pub const ALL: [&'static str; 3] = ["RS256", "ES256", "EdDSA"];

    /// Its JOSE name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_stored() {
        for grant in GrantType::ALL {
            assert_eq!(serde_json::to_value(grant).expect("json"), grant.as_str());
            assert_eq!(GrantType::of(grant.as_str()), Some(grant));
        }
        assert_eq!(GrantType::of("password"), None);
        let methods = [
            AuthMethod::ClientSecretBasic,
            AuthMethod::ClientSecretPost,
            AuthMethod::None,
            AuthMethod::PrivateKeyJwt,
        ];
        assert_eq!(methods.map(|method| serde_json::to_value(method).expect("json")), AuthMethod::ALL);
        let algorithms = [IdTokenAlgorithm::RS256, IdTokenAlgorithm::ES256, IdTokenAlgorithm::EdDSA];
        assert_eq!(algorithms.map(|it| serde_json::to_value(it).expect("json")), IdTokenAlgorithm::ALL);
        assert_eq!(algorithms.map(IdTokenAlgorithm::as_str), IdTokenAlgorithm::ALL);
    }
}

use std::fmt;

/// An error code of the token endpoint (RFC 6749 §5.2, RFC 8707 §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OAuthCode {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// Who asks did not prove to be the client.
    InvalidClient,
    /// There is no such grant here.
    UnsupportedGrantType,
    /// A scope is malformed or not the client's.
    InvalidScope,
    /// A resource is malformed or not the client's.
    InvalidTarget,
}

impl OAuthCode {
    /// The value of `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
        }
    }
}

/// Why the token endpoint gives nothing. The description never repeats what was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub struct OAuthError {
    /// Which kind.
    pub code: OAuthCode,
    /// What to do about it.
    pub description: &'static str,
}

impl OAuthError {
    /// One with a description.
    pub const fn new(code: OAuthCode, description: &'static str) -> Self {
        Self { code, description }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.description)
    }
}

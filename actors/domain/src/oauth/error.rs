use std::fmt;

/// An error code of the authorization server (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 8707 §2, OpenID Connect Core
/// §3.1.2.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OAuthCode {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// Who asks did not prove to be the client.
    InvalidClient,
    /// A code or refresh token is wrong, used, too old, or another client's.
    InvalidGrant,
    /// This client may not use this grant.
    UnauthorizedClient,
    /// There is no such grant here.
    UnsupportedGrantType,
    /// There is no such answer here.
    UnsupportedResponseType,
    /// A scope is malformed or not the client's.
    InvalidScope,
    /// A resource is malformed or not the client's.
    InvalidTarget,
    /// The user said no.
    AccessDenied,
    /// The user would have to sign in.
    LoginRequired,
    /// The user would have to be asked.
    ConsentRequired,
    /// A request object is within another request, or not taken here.
    RequestNotSupported,
    /// References to request objects are not taken, but for our own.
    RequestUriNotSupported,
    /// A request object is malformed, not the client's, or too old (RFC 9101 §6).
    InvalidRequestObject,
    /// A pushed request is not ours, another client's, or too old (RFC 9126 §4).
    InvalidRequestUri,
    /// A proof of possession is missing or wrong (RFC 9449 §5).
    InvalidDpopProof,
    /// Clients do not register in a request.
    RegistrationNotSupported,
    /// An access token is not good for this.
    InvalidToken,
    /// An access token does not say enough.
    InsufficientScope,
    /// A token of this kind cannot be revoked (RFC 7009 §2.2.1).
    UnsupportedTokenType,
}

impl OAuthCode {
    /// The value of `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnsupportedTokenType => "unsupported_token_type",
        }
    }
}

/// Why nothing is given. The description never repeats what was sent.
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

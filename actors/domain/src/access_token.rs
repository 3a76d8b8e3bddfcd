//! Claims of access tokens (RFC 9068) and what introspection says of them (RFC 7662).

use crate::id::{SessionId, UserId};
use crate::organization::Candidate;
use crate::randomness::Randomness;
use crate::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// The client id of Plinto's own Core API, until clients register (OAuth 2.0 comes with its own issue).
pub const FIRST_PARTY_CLIENT: &str = "plinto";

/// Claim with the id of the organization a session is active in.
pub const ORGANIZATION: &str = "org_id";
/// Claim with the slug it had when the token was issued.
pub const ORGANIZATION_SLUG: &str = "org_slug";
/// Claim with the role of the user in it.
pub const ORGANIZATION_ROLE: &str = "org_role";

/// Claims of an access token issued to a session.
#[derive(Debug, Clone, Serialize)]
pub struct AccessTokenClaims {
    /// Issuer: `{base}/t/{tenant}`.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// Audience: the tenant's own API.
    pub aud: String,
    /// Expiry, NumericDate.
    pub exp: i64,
    /// Issued at, NumericDate.
    pub iat: i64,
    /// Unique token id.
    pub jti: String,
    /// Client the token was issued to.
    pub client_id: &'static str,
    /// The session.
    pub sid: String,
    /// When the user authenticated, NumericDate.
    pub auth_time: i64,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// The organization the session is active in.
    #[serde(flatten)]
    pub organization: Option<OrganizationClaims>,
}

/// What an access token says of the organization its session is active in. The claims have the names that are usual
/// elsewhere; no standard has any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganizationClaims {
    /// Its id.
    pub org_id: String,
    /// Its slug when the token was issued.
    pub org_slug: String,
    /// Role of the user in it.
    pub org_role: String,
}

impl From<&Candidate> for OrganizationClaims {
    fn from(organization: &Candidate) -> Self {
        Self {
            org_id: organization.id.to_string(),
            org_slug: organization.slug.as_str().to_owned(),
            org_role: organization.role.as_str().to_owned(),
        }
    }
}

/// What a token for a session is made from.
#[derive(Debug)]
pub struct AccessTokenGrant<'a> {
    /// The tenant's issuer identifier.
    pub issuer: &'a str,
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// When the user authenticated.
    pub authenticated_at: Timestamp,
    /// Authentication methods.
    pub amr: &'a [String],
    /// The organization the session is active in.
    pub organization: Option<&'a Candidate>,
    /// Seconds the token is good for.
    pub lifetime_seconds: u32,
}

/// A token id: 128 random bits.
pub(crate) fn new_jti(randomness: &dyn Randomness) -> String {
    let mut jti = [0_u8; 16];
    randomness.fill(&mut jti);
    URL_SAFE_NO_PAD.encode(jti)
}

/// Makes the claims.
pub fn claims(
    grant: &AccessTokenGrant<'_>,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> AccessTokenClaims {
    let iat = now.as_seconds();
    AccessTokenClaims {
        iss: grant.issuer.to_owned(),
        sub: grant.user.to_string(),
        aud: grant.issuer.to_owned(),
        exp: iat + i64::from(grant.lifetime_seconds),
        iat,
        jti: new_jti(randomness),
        client_id: FIRST_PARTY_CLIENT,
        sid: grant.session.to_string(),
        auth_time: grant.authenticated_at.as_seconds(),
        amr: grant.amr.to_vec(),
        organization: grant.organization.map(OrganizationClaims::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_organizations_have_the_names_that_are_read() {
        let claims = OrganizationClaims {
            org_id: "org_1".to_owned(),
            org_slug: "acme".to_owned(),
            org_role: "owner".to_owned(),
        };
        let json = serde_json::to_value(&claims).expect("serializes");
        assert_eq!(json[ORGANIZATION], "org_1");
        assert_eq!(json[ORGANIZATION_SLUG], "acme");
        assert_eq!(json[ORGANIZATION_ROLE], "owner");
    }
}

//! Typed, prefixed identifiers: `usr_` and 32 lower-case hex digits of a UUIDv7 (RFC 9562 §5.7).

use crate::randomness::Randomness;
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Why a text is not an identifier of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `{prefix}_` followed by 32 lower-case hexadecimal digits")]
pub struct IdError {
    prefix: &'static str,
}

fn parse(prefix: &'static str, text: &str) -> Result<Uuid, IdError> {
    let error = IdError { prefix };
    let hex = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(error)?;
    let canonical = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !canonical {
        return Err(error);
    }
    Uuid::try_parse(hex).map_err(|_| error)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The textual prefix, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new time-ordered id (UUIDv7) from the given instant and 80 random bits.
            pub fn generate(now: Timestamp, randomness: &dyn Randomness) -> Self {
                let mut random = [0_u8; 10];
                randomness.fill(&mut random);
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// Wraps a stored UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, as stored.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A customer of the platform: the isolation boundary.
    TenantId, "ten"
);
id!(
    /// A person inside one tenant.
    UserId, "usr"
);
id!(
    /// An invitation to become a user.
    UserInvitationId, "uin"
);
id!(
    /// An e-mail address of a user. It is made from a keyed hash of the address, not from a time.
    EmailId, "eml"
);
id!(
    /// One sign-in; also the refresh token family.
    SessionId, "ses"
);
id!(
    /// A credential of a calling service or of the platform operator.
    ApiKeyId, "key"
);
id!(
    /// An application that asks for tokens (RFC 6749 §2.2): its text is the `client_id`.
    ClientId, "cli"
);
id!(
    /// What a user granted a client: from the code to the last token.
    AuthorizationId, "aut"
);
id!(
    /// A tenant's service, to which API keys belong.
    ServiceAccountId, "svc"
);
id!(
    /// A group of users inside a tenant.
    OrganizationId, "org"
);
id!(
    /// An invitation to an organization.
    InvitationId, "inv"
);
id!(
    /// A domain an organization claims.
    DomainId, "dom"
);
id!(
    /// A set of permissions with a name.
    RoleId, "rol"
);
id!(
    /// A role or a permission given to somebody.
    GrantId, "grn"
);

id!(
    /// A mail in the outbox.
    MailId, "mail"
);

id!(
    /// A record of a consent.
    ConsentId, "con"
);

id!(
    /// An import of users.
    ImportId, "imp"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::testing::Counting;

    #[test]
    fn text_form_round_trips_and_is_strict() {
        let id = UserId::generate(Timestamp::from_millis(1_700_000_000_000), &Counting::default());
        let text = id.to_string();
        assert_eq!(text.parse::<UserId>(), Ok(id));
        assert!(text.starts_with("usr_018bcfe5"));
        for bad in
            ["", "usr_", "ses_018bcfe568007000800000000000000a", &text.to_uppercase(), &format!("{text}0")]
        {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let randomness = Counting::default();
        let early = SessionId::generate(Timestamp::from_millis(1_000), &randomness);
        let late = SessionId::generate(Timestamp::from_millis(2_000), &randomness);
        assert!(early < late);
    }
}

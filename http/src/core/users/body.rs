//! How users are shown and sent.

use crate::secret::Secret;
use plinto_actors::{NewUserInput, UserView};
use plinto_domain::user::profile::ProfileInput;
use plinto_domain::{Timestamp, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A user as those who administer it see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    /// The user's id.
    #[schema(value_type = String, example = "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708")]
    pub(crate) id: UserId,
    /// `active`, `blocked`, `locked` or `deleted`.
    #[schema(value_type = String, example = "active")]
    state: &'static str,
    /// Until when it is or was locked, in milliseconds since the Unix epoch.
    #[schema(value_type = Option<i64>)]
    locked_until: Option<Timestamp>,
    /// When it will be purged, if it is being deleted, in milliseconds since the Unix epoch.
    #[schema(value_type = Option<i64>)]
    purge_at: Option<Timestamp>,
    /// Primary address.
    email: Option<String>,
    /// Whether the address was verified.
    email_verified: bool,
    /// What to call them.
    name: Option<String>,
    /// A name to sign in with.
    username: Option<String>,
    /// Their id in another system.
    external_id: Option<String>,
    /// Their phone number in E.164 form.
    phone: Option<String>,
    /// Metadata they may read.
    #[schema(value_type = Object)]
    public_metadata: Map<String, Value>,
    /// Metadata they never see.
    #[schema(value_type = Object)]
    private_metadata: Map<String, Value>,
    /// Metadata they may write; never trust it.
    #[schema(value_type = Object)]
    unsafe_metadata: Map<String, Value>,
    /// When the account was created, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// When it was last changed, in milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<UserView> for User {
    fn from(view: UserView) -> Self {
        Self {
            id: view.id,
            state: view.state.as_str(),
            locked_until: view.locked_until,
            purge_at: view.purge_at,
            email: view.email,
            email_verified: view.email_verified,
            name: view.name,
            username: view.username,
            external_id: view.external_id,
            phone: view.phone,
            public_metadata: view.public_metadata,
            private_metadata: view.private_metadata,
            unsafe_metadata: view.unsafe_metadata,
            created_at: view.created_at,
            updated_at: view.updated_at,
        }
    }
}

/// A new user. Only the address is needed; without a password the user signs in by other means.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserBody {
    /// Primary address; unique in the tenant.
    #[schema(example = "ada@example.com")]
    email: String,
    /// Whether the address counts as proved.
    #[serde(default)]
    email_verified: bool,
    /// At least as long and as hard to guess as the tenant's policy asks.
    password: Option<Secret>,
    /// What to call them.
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    /// A name to sign in with: 3 to 64 letters, digits and inner `.`, `_`, `-`; unique in the tenant.
    username: Option<String>,
    /// Their id in another system, 1 to 255 bytes; unique in the tenant.
    external_id: Option<String>,
    /// Their phone number in E.164 form; unique in the tenant.
    #[schema(example = "+41791234567")]
    phone: Option<String>,
    /// Metadata they may read: a JSON object of at most 8 KiB.
    #[schema(value_type = Option<Object>)]
    public_metadata: Option<Map<String, Value>>,
    /// Metadata they never see.
    #[schema(value_type = Option<Object>)]
    private_metadata: Option<Map<String, Value>>,
    /// Metadata they may write themselves.
    #[schema(value_type = Option<Object>)]
    unsafe_metadata: Option<Map<String, Value>>,
}

impl From<NewUserBody> for NewUserInput {
    fn from(body: NewUserBody) -> Self {
        Self {
            email: body.email,
            email_verified: body.email_verified,
            password: body.password.map(Secret::into_inner),
            profile: ProfileInput {
                name: body.name.map(Some),
                username: body.username.map(Some),
                external_id: body.external_id.map(Some),
                phone: body.phone.map(Some),
                public_metadata: body.public_metadata.map(Some),
                private_metadata: body.private_metadata.map(Some),
                unsafe_metadata: body.unsafe_metadata.map(Some),
            },
        }
    }
}

/// A change (RFC 7396): what is left out stays, `null` removes, and so within metadata.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChangeBody {
    /// What to call them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Ada King")]
    name: Option<Option<String>>,
    /// A name to sign in with.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "ada")]
    username: Option<Option<String>>,
    /// Their id in another system.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
    /// Their phone number in E.164 form.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "+41791234567")]
    phone: Option<Option<String>>,
    /// Metadata they may read.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    public_metadata: Option<Option<Map<String, Value>>>,
    /// Metadata they never see.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    private_metadata: Option<Option<Map<String, Value>>>,
    /// Metadata they may write themselves.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    unsafe_metadata: Option<Option<Map<String, Value>>>,
}

impl From<UserChangeBody> for ProfileInput {
    fn from(body: UserChangeBody) -> Self {
        Self {
            name: body.name,
            username: body.username,
            external_id: body.external_id,
            phone: body.phone,
            public_metadata: body.public_metadata,
            private_metadata: body.private_metadata,
            unsafe_metadata: body.unsafe_metadata,
        }
    }
}

/// Tells a member that is `null` from one that is left out.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

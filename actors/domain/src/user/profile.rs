//! What is known of a user, and how it is changed.

use super::identifiers::{ExternalId, PhoneNumber, Username};
use crate::denial::Denial;
use crate::input::InvalidInput;
use crate::metadata::{Metadata, MetadataPatch};
use crate::name::DisplayName;
use serde_json::{Map, Value};

/// What is known of a user besides addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What to call them.
    pub name: Option<DisplayName>,
    /// A name to sign in with.
    pub username: Option<Username>,
    /// Their id in another system.
    pub external_id: Option<ExternalId>,
    /// Their phone number.
    pub phone: Option<PhoneNumber>,
    /// What the tenant lets them read.
    pub public_metadata: Metadata,
    /// What the tenant keeps to itself.
    pub private_metadata: Metadata,
    /// What they may write themselves; the tenant must not trust it.
    pub unsafe_metadata: Metadata,
}

impl Profile {
    /// Names of what differs between two.
    pub(super) fn difference(&self, other: &Self) -> Vec<&'static str> {
        let fields = [
            ("name", self.name != other.name),
            ("username", self.username != other.username),
            ("external_id", self.external_id != other.external_id),
            ("phone", self.phone != other.phone),
            ("public_metadata", self.public_metadata != other.public_metadata),
            ("private_metadata", self.private_metadata != other.private_metadata),
            ("unsafe_metadata", self.unsafe_metadata != other.unsafe_metadata),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// A member of a change: left out, or `null`, or a value.
pub type Member<T> = Option<Option<T>>;

/// A change of a profile as it was sent. Holds personal data: no `Debug`.
#[derive(Default)]
pub struct ProfileInput {
    /// What to call them.
    pub name: Member<String>,
    /// A name to sign in with.
    pub username: Member<String>,
    /// Their id in another system.
    pub external_id: Member<String>,
    /// Their phone number.
    pub phone: Member<String>,
    /// What the tenant lets them read.
    pub public_metadata: Member<Map<String, Value>>,
    /// What the tenant keeps to itself.
    pub private_metadata: Member<Map<String, Value>>,
    /// What they may write themselves.
    pub unsafe_metadata: Member<Map<String, Value>>,
}

/// A checked change of a profile (RFC 7396): what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    name: Member<DisplayName>,
    username: Member<Username>,
    external_id: Member<ExternalId>,
    phone: Member<PhoneNumber>,
    public_metadata: Option<MetadataPatch>,
    private_metadata: Option<MetadataPatch>,
    unsafe_metadata: Option<MetadataPatch>,
}

impl UserChange {
    /// Checks a change and reports all that is wrong at once.
    pub fn parse(input: ProfileInput) -> Result<Self, Vec<InvalidInput>> {
        let mut wrong = Vec::new();
        let change = Self {
            name: member("name", input.name, DisplayName::parse, &mut wrong),
            username: member("username", input.username, Username::parse, &mut wrong),
            external_id: member("external_id", input.external_id, ExternalId::parse, &mut wrong),
            phone: member("phone", input.phone, PhoneNumber::parse, &mut wrong),
            public_metadata: metadata("public_metadata", input.public_metadata, &mut wrong),
            private_metadata: metadata("private_metadata", input.private_metadata, &mut wrong),
            unsafe_metadata: metadata("unsafe_metadata", input.unsafe_metadata, &mut wrong),
        };
        if wrong.is_empty() { Ok(change) } else { Err(wrong) }
    }

    /// The profile after the change.
    pub fn apply_to(&self, profile: &Profile) -> Result<Profile, Denial> {
        let merged = |metadata: &Metadata, patch: &Option<MetadataPatch>| match patch {
            Some(patch) => metadata.merged(patch),
            None => Ok(metadata.clone()),
        };
        Ok(Profile {
            name: self.name.clone().unwrap_or_else(|| profile.name.clone()),
            username: self.username.clone().unwrap_or_else(|| profile.username.clone()),
            external_id: self.external_id.clone().unwrap_or_else(|| profile.external_id.clone()),
            phone: self.phone.clone().unwrap_or_else(|| profile.phone.clone()),
            public_metadata: merged(&profile.public_metadata, &self.public_metadata)?,
            private_metadata: merged(&profile.private_metadata, &self.private_metadata)?,
            unsafe_metadata: merged(&profile.unsafe_metadata, &self.unsafe_metadata)?,
        })
    }
}

fn member<T>(
    field: &'static str,
    given: Member<String>,
    parse: impl Fn(&'static str, &str) -> Result<T, InvalidInput>,
    wrong: &mut Vec<InvalidInput>,
) -> Member<T> {
    match given?.map(|text| parse(field, &text)).transpose() {
        Ok(value) => Some(value),
        Err(error) => {
            wrong.push(error);
            None
        }
    }
}

fn metadata(
    field: &'static str,
    given: Member<Map<String, Value>>,
    wrong: &mut Vec<InvalidInput>,
) -> Option<MetadataPatch> {
    MetadataPatch::parse(field, given?).map_err(|error| wrong.push(error)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_member_is_named_at_once_and_left_out_ones_stay() {
        let bad = || Some(Some("\0".to_owned()));
        let input = ProfileInput {
            name: bad(),
            username: bad(),
            external_id: bad(),
            phone: bad(),
            ..ProfileInput::default()
        };
        let wrong = UserChange::parse(input).expect_err("all wrong");
        let fields: Vec<_> = wrong.iter().map(|error| error.field).collect();
        assert_eq!(fields, ["name", "username", "external_id", "phone"]);

        let input = ProfileInput {
            name: Some(Some("Ada".to_owned())),
            phone: Some(Some("+41791234567".to_owned())),
            ..ProfileInput::default()
        };
        let first = UserChange::parse(input).expect("valid").apply_to(&Profile::default()).expect("small");
        let input = ProfileInput { phone: Some(None), ..ProfileInput::default() };
        let second = UserChange::parse(input).expect("valid").apply_to(&first).expect("small");
        assert_eq!(first.difference(&second), ["phone"]);
        assert!(second.name.is_some() && second.phone.is_none());
    }
}

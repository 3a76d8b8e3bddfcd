use crate::versions::Versioned;
use plinto_actors::FlagView;
use plinto_domain::flag::{Definition, DefinitionChange, DefinitionDraft, FlagKey, FlagKind, Rule, Variant};
use plinto_domain::{InvalidInput, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A feature flag.
#[derive(Serialize, ToSchema)]
#[schema(as = Flag)]
pub(crate) struct FlagBody {
    /// Its name in programs; unique in the tenant.
    #[schema(example = "new-checkout")]
    key: String,
    /// Of which type its values are.
    #[serde(rename = "type")]
    kind: FlagKind,
    /// What it is for; may be empty.
    description: String,
    /// Whether rules are looked at; if not, everybody gets `off_variant`.
    enabled: bool,
    /// Whether users are not told of it.
    server_only: bool,
    /// Its values.
    variants: Vec<Variant>,
    /// What is served while it is not enabled.
    #[schema(example = "off")]
    off_variant: String,
    /// What is served when no rule serves.
    #[schema(example = "off")]
    default_variant: String,
    /// Who gets what: tried in order, and the first one that serves decides.
    rules: Vec<Rule>,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    created_at: Timestamp,
    /// Milliseconds since the Unix epoch.
    #[schema(value_type = i64)]
    updated_at: Timestamp,
}

impl From<FlagView> for FlagBody {
    fn from(view: FlagView) -> Self {
        let FlagView { flag, created_at, updated_at } = view;
        let definition = flag.definition;
        Self {
            key: flag.key.to_string(),
            kind: definition.kind,
            description: definition.description,
            enabled: definition.enabled,
            server_only: definition.server_only,
            variants: definition.variants,
            off_variant: definition.off_variant,
            default_variant: definition.default_variant,
            rules: definition.rules,
            created_at,
            updated_at,
        }
    }
}

pub(super) fn versioned(view: FlagView) -> Versioned<FlagBody> {
    Versioned { version: view.flag.version, body: FlagBody::from(view) }
}

/// Which flags.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlagsQuery {
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// Flags on the page, 1 to 200; 50 if left out.
    pub(super) limit: Option<u32>,
}

/// The flag a path names; the tenant before it, if any, is read by itself.
#[derive(Deserialize)]
pub(crate) struct FlagPath {
    pub(super) flag: String,
}

/// A new flag.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFlagBody {
    /// Its name in programs: 1 to 100 of a-z, 0-9, _, - and ., a letter first. It cannot be changed later.
    #[schema(example = "new-checkout")]
    key: String,
    /// Of which type its values are. It cannot be changed later.
    #[serde(rename = "type")]
    kind: FlagKind,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// Whether rules are looked at; they are if it is left out.
    enabled: Option<bool>,
    /// Whether users are not told of it; they are if it is left out.
    server_only: Option<bool>,
    /// Its values; `on` and `off` for a boolean if left out.
    variants: Option<Vec<Variant>>,
    /// What is served while it is not enabled; `off` for a boolean if left out.
    #[schema(example = "off")]
    off_variant: Option<String>,
    /// What is served when no rule serves; `off_variant` if left out.
    #[schema(example = "off")]
    default_variant: Option<String>,
    /// Who gets what.
    #[serde(default)]
    rules: Vec<Rule>,
}

impl NewFlagBody {
    pub(super) fn parse(self) -> Result<(FlagKey, Definition), Vec<InvalidInput>> {
        let draft = DefinitionDraft {
            description: self.description,
            enabled: self.enabled,
            server_only: self.server_only,
            variants: self.variants,
            off_variant: self.off_variant,
            default_variant: self.default_variant,
            rules: self.rules,
        };
        match (FlagKey::parse("key", &self.key), draft.complete(self.kind)) {
            (Ok(key), Ok(definition)) => Ok((key, definition)),
            (key, definition) => {
                Err(key.err().into_iter().chain(definition.err().into_iter().flatten()).collect())
            }
        }
    }
}

/// A change of a flag: what is left out stays, lists are replaced as a whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlagChangeBody {
    /// What it is for.
    description: Option<String>,
    /// Whether rules are looked at.
    enabled: Option<bool>,
    /// Whether users are not told of it.
    server_only: Option<bool>,
    /// All its values.
    variants: Option<Vec<Variant>>,
    /// What is served while it is not enabled.
    off_variant: Option<String>,
    /// What is served when no rule serves.
    default_variant: Option<String>,
    /// All its rules.
    rules: Option<Vec<Rule>>,
}

impl From<FlagChangeBody> for DefinitionChange {
    fn from(body: FlagChangeBody) -> Self {
        Self {
            description: body.description,
            enabled: body.enabled,
            server_only: body.server_only,
            variants: body.variants,
            off_variant: body.off_variant,
            default_variant: body.default_variant,
            rules: body.rules,
        }
    }
}

use crate::input::InvalidInput;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use utoipa::ToSchema;

use super::compiled::Compiled;

/// Of which type the values of a flag are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FlagType)]
pub enum FlagKind {
    /// `true` or `false`.
    Boolean,
    /// A text.
    String,
    /// A number.
    Number,
    /// Any JSON.
    Json,
}

impl FlagKind {
    /// Whether it is the type of a value.
    pub fn admits(self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Json => true,
        }
    }
}

/// A value a flag may have, under a name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlagVariant)]
pub struct Variant {
    /// Its name: 1 to 100 of a-z, A-Z, 0-9, _, - and .
    #[schema(example = "on")]
    pub name: String,
    /// Its value, of the flag's type.
    #[schema(value_type = Value, example = true)]
    pub value: Value,
}

/// How an attribute is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FlagOperator)]
pub enum Operator {
    /// It is one of the values; of a list, one of its members is.
    In,
    /// It is there and none of the values.
    NotIn,
    /// It is a text that begins with one of the values.
    StartsWith,
    /// It is a text that ends with one of the values.
    EndsWith,
    /// It is a number that is not less than the only value.
    AtLeast,
    /// It is a number less than the only value.
    LessThan,
    /// It is there. There are no values.
    Present,
    /// It is not there. There are no values.
    Absent,
}

/// Something that must hold for whoever is asked about.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlagCondition)]
pub struct Condition {
    /// `subject` (the id), `organization` (ids of organizations the user belongs to), `role` (keys of the roles held in
    /// the tenant or an organization), `email_domain` (of the verified primary address), `metadata.…` (a member of the
    /// user's public metadata, dots lead inwards) or `context.…` (a member of the context an evaluation is sent with).
    #[schema(example = "organization")]
    pub attribute: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what; texts, numbers or booleans, at most 1000.
    #[serde(default)]
    #[schema(value_type = Vec<Value>, example = json!(["org_0193a6f2c5d87e1bb1f3a2c4d5e6f708"]))]
    pub values: Vec<Value>,
}

impl fmt::Debug for Condition {
    /// The values may be addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("operator", &self.operator).finish_non_exhaustive()
    }
}

/// A part of all subjects.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlagShare)]
pub struct Share {
    /// The variant they get.
    #[schema(example = "on")]
    pub variant: String,
    /// How many of them, in hundredths of a percent: 2500 is a quarter.
    #[schema(minimum = 0, maximum = 10000, example = 2500)]
    pub basis_points: u32,
}

/// What is served to whom: rules are tried in order, and the first one that serves decides.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlagRule)]
pub struct Rule {
    /// All of them must hold; none are needed. At most 10.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// The variant everybody gets for whom they hold. Give either this or `rollout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "on")]
    pub variant: Option<String>,
    /// Shares of those for whom they hold, at most 10000 hundredths of a percent together. Whoever is in none of them is
    /// left to the rules that follow. Who is in which does not change while shares only grow from the last one on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Vec<Share>>,
}

/// What a flag is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Definition {
    /// Of which type its values are. Never changed.
    #[serde(rename = "type")]
    pub kind: FlagKind,
    /// What it is for; may be empty.
    pub description: String,
    /// Whether rules are looked at; if not, everybody gets `off_variant`.
    pub enabled: bool,
    /// Whether users are not told of it.
    pub server_only: bool,
    /// Its values.
    pub variants: Vec<Variant>,
    /// What is served while it is not enabled.
    pub off_variant: String,
    /// What is served when no rule serves.
    pub default_variant: String,
    /// Who gets what.
    pub rules: Vec<Rule>,
}

/// What a new flag is said to be: what is none is as usual.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DefinitionDraft {
    /// What it is for.
    pub description: String,
    /// Whether rules are looked at; they are.
    pub enabled: Option<bool>,
    /// Whether users are not told of it; they are.
    pub server_only: Option<bool>,
    /// Its values; `on` and `off` for a boolean.
    pub variants: Option<Vec<Variant>>,
    /// What is served while it is not enabled; `off` for a boolean.
    pub off_variant: Option<String>,
    /// What is served when no rule serves; otherwise what is served while it is not enabled.
    pub default_variant: Option<String>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

impl DefinitionDraft {
    /// The definition of a new flag, checked.
    pub fn complete(self, kind: FlagKind) -> Result<Definition, Vec<InvalidInput>> {
        let is_boolean = kind == FlagKind::Boolean;
        let usual = || {
            let variant = |name: &str, value: bool| Variant { name: name.to_owned(), value: value.into() };
            if is_boolean { vec![variant("on", true), variant("off", false)] } else { Vec::new() }
        };
        let off_variant =
            self.off_variant.unwrap_or_else(|| if is_boolean { "off".into() } else { String::new() });
        let definition = Definition {
            kind,
            description: self.description,
            enabled: self.enabled.unwrap_or(true),
            server_only: self.server_only.unwrap_or(false),
            variants: self.variants.unwrap_or_else(usual),
            default_variant: self.default_variant.unwrap_or_else(|| off_variant.clone()),
            off_variant,
            rules: self.rules,
        };
        definition.checked()
    }
}

/// A change of a flag: what is none stays.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DefinitionChange {
    /// What it is for.
    pub description: Option<String>,
    /// Whether rules are looked at.
    pub enabled: Option<bool>,
    /// Whether users are not told of it.
    pub server_only: Option<bool>,
    /// All its values.
    pub variants: Option<Vec<Variant>>,
    /// What is served while it is not enabled.
    pub off_variant: Option<String>,
    /// What is served when no rule serves.
    pub default_variant: Option<String>,
    /// All its rules.
    pub rules: Option<Vec<Rule>>,
}

impl Definition {
    /// Checks a definition and says everything that is wrong with it.
    pub fn checked(mut self) -> Result<Self, Vec<InvalidInput>> {
        self.description = self.description.trim().to_owned();
        let compiled = Compiled::of(&self);
        let mut errors = compiled.err().unwrap_or_default();
        errors.extend(crate::authorization::check_description(&self.description).err());
        if errors.is_empty() { Ok(self) } else { Err(errors) }
    }

    /// The definition after a change, and the names of what it changes.
    pub fn changed(&self, change: DefinitionChange) -> Result<(Self, Vec<&'static str>), Vec<InvalidInput>> {
        let (mut new, mut fields) = (self.clone(), Vec::new());
        set(&mut new.description, change.description, "description", &mut fields);
        set(&mut new.enabled, change.enabled, "enabled", &mut fields);
        set(&mut new.server_only, change.server_only, "server_only", &mut fields);
        set(&mut new.variants, change.variants, "variants", &mut fields);
        set(&mut new.off_variant, change.off_variant, "off_variant", &mut fields);
        set(&mut new.default_variant, change.default_variant, "default_variant", &mut fields);
        set(&mut new.rules, change.rules, "rules", &mut fields);
        Ok((new.checked()?, fields))
    }

    /// The value of a variant.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.variants.iter().find(|variant| variant.name == name).map(|variant| &variant.value)
    }
}

fn set<T: PartialEq>(field: &mut T, wanted: Option<T>, name: &'static str, changed: &mut Vec<&'static str>) {
    if let Some(wanted) = wanted.filter(|wanted| wanted != field) {
        *field = wanted;
        changed.push(name);
    }
}

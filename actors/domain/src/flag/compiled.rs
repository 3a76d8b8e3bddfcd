use super::FlagKey;
use super::attribute::Test;
use super::definition::{Definition, Rule};
use crate::input::InvalidInput;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The whole, in hundredths of a percent.
const WHOLE: u32 = 10_000;
/// Bounds of a definition.
const MOST_VARIANTS: usize = 50;
const MOST_RULES: usize = 50;
const MOST_CONDITIONS: usize = 10;
/// Largest definition as JSON in bytes.
const LARGEST: usize = 16 * 1024;

/// Who is asked about, and what is known of them. What is none is not known.
#[derive(Clone, Copy, Default)]
pub struct Who<'w> {
    /// An id: of a user, of a service account, or whatever else the tenant counts subjects by.
    pub subject: Option<&'w str>,
    /// Ids of the organizations they belong to.
    pub organizations: Option<&'w BTreeSet<String>>,
    /// Keys of the roles they hold in the tenant or in an organization.
    pub roles: Option<&'w BTreeSet<String>>,
    /// Domain of their verified primary address, in lower case.
    pub email_domain: Option<&'w str>,
    /// Their public metadata.
    pub metadata: Option<&'w Map<String, Value>>,
    /// What the evaluation was asked with.
    pub context: Option<&'w Map<String, Value>>,
}

/// Why a variant is served, in the words of OpenFeature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The conditions of a rule hold.
    TargetingMatch,
    /// The same, and the subject is in a share.
    Split,
    /// No rule serves.
    Default,
    /// The flag is not enabled.
    Disabled,
    /// A share was to be told, and nobody was named. The variant is the one of a flag that is not enabled.
    TargetingKeyMissing,
}

/// What is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evaluated<'f> {
    /// Name of the variant.
    pub variant: &'f str,
    /// Why.
    pub reason: Reason,
}

/// In which of 10000 equal parts a subject is for a flag.
///
/// The first eight bytes of `SHA-256("{flag}/{subject}")`, read as a number with the most significant byte first, modulo
/// 10000. A subject keeps its part for as long as the flag exists; different flags part their subjects independently.
pub fn bucket(flag: &FlagKey, subject: &str) -> u32 {
    let digest = Sha256::new().chain_update(flag.as_str()).chain_update("/").chain_update(subject).finalize();
    let first: [u8; 8] = digest[..8].try_into().expect("a digest has 32 bytes");
    // The remainder is less than ten thousand.
    (u64::from_be_bytes(first) % u64::from(WHOLE)) as u32
}

/// A definition ready to be asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Compiled {
    rules: Vec<CompiledRule>,
}

#[derive(Clone, PartialEq, Debug)]
struct CompiledRule {
    tests: Vec<Test>,
    served: Served,
}

#[derive(Clone, PartialEq, Debug)]
enum Served {
    Variant(String),
    /// The first part beyond each share, and its variant.
    Rollout(Vec<(u32, String)>),
}

impl Compiled {
    /// Compiles a definition, or says everything that is wrong with it but for its description.
    pub fn of(definition: &Definition) -> Result<Self, Vec<InvalidInput>> {
        let mut errors = variants(definition);
        let mut rules = Vec::new();
        if definition.rules.len() > MOST_RULES {
            errors.push(InvalidInput::new("rules", "too_many_rules", "a flag has at most 50 rules"));
        }
        for (index, rule) in definition.rules.iter().enumerate().take(MOST_RULES) {
            match CompiledRule::of(rule, definition) {
                Ok(rule) => rules.push(rule),
                Err(detail) => {
                    let detail = format!("rule {}: {detail}", index + 1);
                    errors.push(InvalidInput::new("rules", "invalid_rule", detail));
                }
            }
        }
        if serde_json::to_vec(definition).map_or(usize::MAX, |bytes| bytes.len()) > LARGEST {
            let detail = "a flag has at most 16 KiB as JSON";
            errors.push(InvalidInput::new("rules", "flag_too_large", detail));
        }
        if errors.is_empty() { Ok(Self { rules }) } else { Err(errors) }
    }

    /// Whether it has to be known what is stored about a user.
    pub fn needs_facts(&self) -> bool {
        self.rules.iter().flat_map(|rule| &rule.tests).any(Test::needs_facts)
    }

    /// What is served. `definition` is the one it was compiled from.
    pub fn evaluate<'f>(&'f self, key: &FlagKey, definition: &'f Definition, who: &Who<'_>) -> Evaluated<'f> {
        if !definition.enabled {
            return Evaluated { variant: &definition.off_variant, reason: Reason::Disabled };
        }
        for rule in self.rules.iter().filter(|rule| rule.tests.iter().all(|test| test.holds(who))) {
            let shares = match &rule.served {
                Served::Variant(variant) => return Evaluated { variant, reason: Reason::TargetingMatch },
                Served::Rollout(shares) => shares,
            };
            let Some(subject) = who.subject else {
                return Evaluated { variant: &definition.off_variant, reason: Reason::TargetingKeyMissing };
            };
            let part = bucket(key, subject);
            if let Some((_, variant)) = shares.iter().find(|(end, _)| part < *end) {
                return Evaluated { variant, reason: Reason::Split };
            }
        }
        Evaluated { variant: &definition.default_variant, reason: Reason::Default }
    }
}

impl CompiledRule {
    fn of(rule: &Rule, definition: &Definition) -> Result<Self, &'static str> {
        if rule.conditions.len() > MOST_CONDITIONS {
            return Err("a rule has at most 10 conditions");
        }
        let known = |name: &str| {
            definition
                .value(name)
                .map(|_| name.to_owned())
                .ok_or("a variant it serves is not among `variants`")
        };
        let served = match (&rule.variant, &rule.rollout) {
            (Some(variant), None) => Served::Variant(known(variant)?),
            (None, Some(shares)) if (1..=MOST_VARIANTS).contains(&shares.len()) => {
                let (mut end, mut ends) = (0_u32, Vec::new());
                for share in shares {
                    end = end.saturating_add(share.basis_points);
                    ends.push((end, known(&share.variant)?));
                }
                if end > WHOLE {
                    return Err("shares are at most 10000 hundredths of a percent together");
                }
                Served::Rollout(ends)
            }
            _ => return Err("give either `variant` or a `rollout` with 1 to 50 shares"),
        };
        let tests = rule.conditions.iter().map(Test::of).collect::<Result<_, _>>()?;
        Ok(Self { tests, served })
    }
}

/// What is wrong with the variants.
fn variants(definition: &Definition) -> Vec<InvalidInput> {
    let mut errors = Vec::new();
    let names: BTreeSet<&str> = definition.variants.iter().map(|variant| variant.name.as_str()).collect();
    let is_name = |name: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        (1..=100).contains(&name.len()) && name.bytes().all(allowed)
    };
    let good = (1..=MOST_VARIANTS).contains(&definition.variants.len())
        && names.len() == definition.variants.len()
        && names.iter().all(is_name);
    if !good {
        let detail =
            "a flag has 1 to 50 variants with different names, each 1 to 100 of a-z, A-Z, 0-9, _, - and .";
        errors.push(InvalidInput::new("variants", "invalid_variants", detail));
    }
    if !definition.variants.iter().all(|variant| definition.kind.admits(&variant.value)) {
        let detail = "the values of all variants are of the flag's type";
        errors.push(InvalidInput::new("variants", "wrong_value_type", detail));
    }
    for (field, name) in
        [("off_variant", &definition.off_variant), ("default_variant", &definition.default_variant)]
    {
        if !names.contains(name.as_str()) {
            errors.push(InvalidInput::new(field, "unknown_variant", "name one of the variants"));
        }
    }
    errors
}

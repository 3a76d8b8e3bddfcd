use super::compiled::Who;
use super::definition::{Condition, Operator};
use serde_json::{Map, Number, Value};
use std::collections::BTreeSet;

/// Values of one condition.
const MOST_VALUES: usize = 1_000;
/// Steps into metadata or context.
const DEEPEST: usize = 5;

/// What of a subject is looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Attribute {
    Subject,
    Organization,
    Role,
    EmailDomain,
    Metadata(Vec<String>),
    Context(Vec<String>),
}

/// What an attribute is, for somebody.
enum Found<'w> {
    Texts(&'w BTreeSet<String>),
    Text(&'w str),
    Json(&'w Value),
}

impl Attribute {
    fn parse(text: &str) -> Option<Self> {
        let inwards = |path: &str| {
            let steps: Vec<String> = path.split('.').map(str::to_owned).collect();
            let good = steps.len() <= DEEPEST && steps.iter().all(|step| (1..=64).contains(&step.len()));
            good.then_some(steps)
        };
        match text {
            "subject" => Some(Self::Subject),
            "organization" => Some(Self::Organization),
            "role" => Some(Self::Role),
            "email_domain" => Some(Self::EmailDomain),
            _ => {
                let (root, path) = text.split_once('.')?;
                match root {
                    "metadata" => inwards(path).map(Self::Metadata),
                    "context" => inwards(path).map(Self::Context),
                    _ => None,
                }
            }
        }
    }

    fn of<'w>(&self, who: &'w Who<'_>) -> Option<Found<'w>> {
        match self {
            Self::Subject => who.subject.map(Found::Text),
            Self::Organization => who.organizations.map(Found::Texts),
            Self::Role => who.roles.map(Found::Texts),
            Self::EmailDomain => who.email_domain.map(Found::Text),
            Self::Metadata(path) => inside(who.metadata?, path),
            Self::Context(path) => inside(who.context?, path),
        }
    }
}

fn inside<'w>(object: &'w Map<String, Value>, path: &[String]) -> Option<Found<'w>> {
    let (first, rest) = path.split_first()?;
    let start = object.get(first)?;
    let found = rest.iter().try_fold(start, |value, step| value.as_object()?.get(step))?;
    (!found.is_null()).then_some(Found::Json(found))
}

/// A condition ready to be asked.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Test {
    attribute: Attribute,
    operator: Operator,
    texts: BTreeSet<String>,
    numbers: Vec<Number>,
    booleans: Vec<bool>,
}

impl Test {
    /// Reads a condition; otherwise what is wrong with it.
    pub(super) fn of(condition: &Condition) -> Result<Self, &'static str> {
        let attribute = Attribute::parse(&condition.attribute).ok_or(
            "an attribute is `subject`, `organization`, `role`, `email_domain`, or `metadata.` or `context.` and at most 5 names",
        )?;
        let (mut texts, mut numbers, mut booleans) = (BTreeSet::new(), Vec::new(), Vec::new());
        for value in &condition.values {
            match value {
                Value::String(text) => drop(texts.insert(text.clone())),
                Value::Number(number) => numbers.push(number.clone()),
                Value::Bool(boolean) => booleans.push(*boolean),
                _ => return Err("values are texts, numbers or booleans"),
            }
        }
        let count = condition.values.len();
        match condition.operator {
            Operator::In | Operator::NotIn if (1..=MOST_VALUES).contains(&count) => {}
            Operator::In | Operator::NotIn => return Err("`in` and `not_in` have 1 to 1000 values"),
            Operator::StartsWith | Operator::EndsWith
                if (1..=MOST_VALUES).contains(&count) && texts.len() == count => {}
            Operator::StartsWith | Operator::EndsWith => {
                return Err("`starts_with` and `ends_with` have 1 to 1000 different texts as values");
            }
            Operator::AtLeast | Operator::LessThan if count == 1 && numbers.len() == 1 => {}
            Operator::AtLeast | Operator::LessThan => {
                return Err("`at_least` and `less_than` have one number as value");
            }
            Operator::Present | Operator::Absent if count == 0 => {}
            Operator::Present | Operator::Absent => return Err("`present` and `absent` have no values"),
        }
        Ok(Self { attribute, operator: condition.operator, texts, numbers, booleans })
    }

    /// Whether it has to be known what is stored about the user.
    pub(super) fn needs_facts(&self) -> bool {
        matches!(self.attribute, Attribute::EmailDomain | Attribute::Metadata(_))
    }

    /// Whether it holds.
    pub(super) fn holds(&self, who: &Who<'_>) -> bool {
        let Some(found) = self.attribute.of(who) else { return self.operator == Operator::Absent };
        match self.operator {
            Operator::In => self.has(&found),
            Operator::NotIn => !self.has(&found),
            Operator::StartsWith => {
                found.any_text(|text| self.texts.iter().any(|start| text.starts_with(&**start)))
            }
            Operator::EndsWith => found.any_text(|text| self.texts.iter().any(|end| text.ends_with(&**end))),
            Operator::AtLeast => self.compared(&found).is_some_and(|(left, right)| left >= right),
            Operator::LessThan => self.compared(&found).is_some_and(|(left, right)| left < right),
            Operator::Present => true,
            Operator::Absent => false,
        }
    }

    fn has(&self, found: &Found<'_>) -> bool {
        match found {
            Found::Texts(texts) => texts.iter().any(|text| self.texts.contains(text)),
            Found::Text(text) => self.texts.contains(*text),
            Found::Json(Value::Array(list)) => list.iter().any(|value| self.has_value(value)),
            Found::Json(value) => self.has_value(value),
        }
    }

    fn has_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.texts.contains(text),
            Value::Bool(boolean) => self.booleans.contains(boolean),
            // 1 and 1.0 are one number, whoever wrote it.
            Value::Number(number) => self.numbers.iter().any(|known| {
                known == number || known.as_f64().is_some_and(|known| number.as_f64() == Some(known))
            }),
            _ => false,
        }
    }

    fn compared(&self, found: &Found<'_>) -> Option<(f64, f64)> {
        let Found::Json(value) = found else { return None };
        Some((value.as_f64()?, self.numbers.first()?.as_f64()?))
    }
}

impl Found<'_> {
    fn any_text(&self, good: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|text| good(text)),
            Self::Text(text) => good(text),
            Self::Json(Value::Array(list)) => list.iter().filter_map(Value::as_str).any(good),
            Self::Json(value) => value.as_str().is_some_and(good),
        }
    }
}

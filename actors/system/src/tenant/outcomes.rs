use super::rights::SeenPrincipal;
use plinto_domain::policy::{Asked, Compiled, Outcome};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of questions and answers kept per tenant; what is asked least makes room.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// Longest question that is kept.
const LONGEST: usize = 1_024;
/// Bytes of an entry beside the question's, roughly.
const OVERHEAD: u64 = 64;
/// Length of a usual question.
const USUAL: usize = 128;

/// What a tenant's policies said to questions.
///
/// An answer depends on nothing but the question, with all that was sent beside it, and on the subject as the policies saw
/// it, which never changes: a change makes another one, with another number. So nothing here is ever out of date, and what
/// nobody can ask for any more makes room in time. Questions that are always different, those with the time in their
/// context perhaps, gain nothing and do no harm.
#[derive(Default)]
pub(crate) struct Outcomes {
    numbers: AtomicU64,
    /// Made with the first question: most tenants have no policies.
    kept: OnceLock<Cache<Box<str>, Outcome, Bytes>>,
}

/// A subject as policies see it, among all a tenant has had.
#[derive(Clone, Copy)]
pub(crate) struct SeenNumber(u64);

#[derive(Clone)]
struct Bytes;

impl Weighter<Box<str>, Outcome> for Bytes {
    fn weight(&self, question: &Box<str>, _: &Outcome) -> u64 {
        question.len() as u64 + OVERHEAD
    }
}

impl Outcomes {
    /// A number no other has.
    pub(crate) fn number(&self) -> SeenNumber {
        SeenNumber(self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    /// What the policies say, from memory if they were asked before.
    pub(crate) fn of(&self, compiled: &Compiled, seen: &SeenPrincipal, asked: &Asked<'_>) -> Outcome {
        let Some(question) = question(seen.number, asked) else {
            return compiled.evaluate(&seen.principal, asked).outcome;
        };
        let kept = self.kept.get_or_init(|| {
            Cache::with_weighter((MOST_BYTES / (USUAL as u64 + OVERHEAD)) as usize, MOST_BYTES, Bytes)
        });
        if let Some(outcome) = kept.get(&*question) {
            return outcome;
        }
        let outcome = compiled.evaluate(&seen.principal, asked).outcome;
        kept.insert(question, outcome);
        outcome
    }

    /// Bytes held, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.kept.get().map_or(0, |kept| kept.weight() as usize)
    }
}

/// All that the answer depends on; none if it is too long. An array in JSON, so that no two questions read the same.
fn question(number: SeenNumber, asked: &Asked<'_>) -> Option<Box<str>> {
    let Asked { action, kind, id, organization, resource, properties, context } = *asked;
    let all = (number.0, action, kind, id, organization, resource, properties, context);
    let mut text = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut text, &all).ok()?;
    let text = String::from_utf8(text).ok()?;
    (text.len() <= LONGEST).then(|| text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinto_domain::policy::{PolicySource, PrincipalFacts, SchemaSource};
    use serde_json::{Map, Value, json};

    const SCHEMA: &str = "entity user; entity document { open?: Bool };
        action read appliesTo { principal: user, resource: document, context: { note?: String } };";
    const POLICIES: &str = "permit(principal, action, resource) when { resource has open && resource.open };";

    fn seen(outcomes: &Outcomes, compiled: &Compiled) -> SeenPrincipal {
        let (roles, organizations) = (&[], &[]);
        let facts = PrincipalFacts {
            kind: "user",
            id: "usr_ada",
            roles,
            organizations,
            metadata: None,
            email_domain: None,
        };
        SeenPrincipal { principal: compiled.principal(&facts), until: None, number: outcomes.number() }
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn asked<'q>(resource: &'q Map<String, Value>, context: Option<&'q Map<String, Value>>) -> Asked<'q> {
        let (action, kind, id, resource) = ("read", "document", "1", Some(resource));
        Asked { action, kind, id, organization: None, resource, properties: None, context }
    }

    #[test]
    fn a_question_is_evaluated_once_and_others_apart_from_it() {
        let schema = SchemaSource::Text(SCHEMA.to_owned());
        let compiled = Compiled::of(&PolicySource { schema, policies: POLICIES.to_owned() }).unwrap();
        let outcomes = Outcomes::default();
        let (open, shut) = (object(json!({ "open": true })), object(json!({ "open": false })));
        let (ada, later) = (seen(&outcomes, &compiled), seen(&outcomes, &compiled));
        for _ in 0..2 {
            assert_eq!(outcomes.of(&compiled, &ada, &asked(&open, None)), Outcome::Permitted);
            assert_eq!(outcomes.of(&compiled, &ada, &asked(&shut, None)), Outcome::Silent);
            assert_eq!(outcomes.of(&compiled, &later, &asked(&shut, None)), Outcome::Silent);
        }
        assert_eq!(outcomes.kept.get().unwrap().len(), 3);
        let long = object(json!({ "note": "x".repeat(LONGEST) }));
        assert_eq!(outcomes.of(&compiled, &ada, &asked(&open, Some(&long))), Outcome::Permitted);
        assert_eq!(outcomes.kept.get().unwrap().len(), 3, "it is too long to be kept");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let schema = SchemaSource::Text(SCHEMA.to_owned());
        let compiled = Compiled::of(&PolicySource { schema, policies: POLICIES.to_owned() }).unwrap();
        let outcomes = Outcomes::default();
        let (open, ada) = (object(json!({ "open": true })), seen(&outcomes, &compiled));
        for turn in 0..10_000 {
            let note = object(json!({ "note": format!("{turn}{}", "x".repeat(900)) }));
            outcomes.of(&compiled, &ada, &asked(&open, Some(&note)));
        }
        assert!((1..=MOST_BYTES as usize).contains(&outcomes.bytes()), "{}", outcomes.bytes());
    }
}

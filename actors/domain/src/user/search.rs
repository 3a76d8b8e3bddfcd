//! Finding users by the beginning of their name, of a word of it, or of their primary address.
//!
//! Names and addresses are sealed, so users are found by keyed hashes of beginnings of three to eight characters. A
//! longer query is looked up by its first eight and compared with what is opened.

use super::write::UserWrite;
use crate::decision::Write;
use crate::email::EmailAddress;
use crate::id::UserId;
use crate::input::InvalidInput;
use crate::name::DisplayName;
use std::collections::BTreeSet;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Characters of the beginnings there are.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=8;
/// Words of a name at which a query may begin.
const WORDS: usize = 4;
/// Longest query in characters.
const LONGEST: usize = 64;

/// What a beginning is of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Searched {
    /// A name or a word of it.
    Name,
    /// A primary address.
    Email,
}

/// A beginning by which a user is found. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchTerm {
    /// Of what.
    pub of: Searched,
    /// Normalized, three to eight characters.
    pub beginning: String,
}

impl fmt::Debug for SearchTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchTerm({:?}, redacted)", self.of)
    }
}

/// What somebody looks for. `Debug` does not show it.
#[derive(Clone)]
pub struct SearchQuery {
    of: Searched,
    text: String,
}

impl fmt::Debug for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SearchQuery({:?}, redacted)", self.of)
    }
}

impl SearchQuery {
    /// Normalizes and checks a query.
    pub fn parse(field: &'static str, of: Searched, text: &str) -> Result<Self, InvalidInput> {
        let refused = || InvalidInput::new(field, "invalid_prefix", "a prefix has 3 to 64 characters");
        if text.len() > LONGEST * 4 {
            return Err(refused());
        }
        let text = normalized(text);
        if !(*LENGTHS.start()..=LONGEST).contains(&text.chars().count()) {
            return Err(refused());
        }
        Ok(Self { of, text })
    }

    /// The term by which it is looked up.
    pub fn term(&self) -> SearchTerm {
        SearchTerm { of: self.of, beginning: self.text.chars().take(*LENGTHS.end()).collect() }
    }

    /// Whether a user that was looked up is one that was meant.
    pub fn matches(&self, name: Option<&str>, email: Option<&str>) -> bool {
        match self.of {
            Searched::Name => {
                name.is_some_and(|name| starts(&normalized(name)).any(|at| at.starts_with(&self.text)))
            }
            Searched::Email => email.is_some_and(|email| normalized(email).starts_with(&self.text)),
        }
    }
}

fn normalized(text: &str) -> String {
    let text: String = text.nfkc().collect::<String>().to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name from each of its first words on.
fn starts(name: &str) -> impl Iterator<Item = &str> {
    let places = name.match_indices(' ').map(|(place, _)| place + 1);
    std::iter::once(0).chain(places).take(WORDS).map(|place| &name[place..])
}

fn beginnings(of: Searched, text: &str) -> impl Iterator<Item = SearchTerm> {
    let ends: Vec<usize> = text.char_indices().map(|(place, c)| place + c.len_utf8()).collect();
    LENGTHS
        .filter_map(move |length| ends.get(length - 1).copied())
        .map(move |end| SearchTerm { of, beginning: text[..end].to_owned() })
}

fn of_name(name: Option<&DisplayName>) -> BTreeSet<SearchTerm> {
    let name = name.map(|name| normalized(name.as_str())).unwrap_or_default();
    starts(&name).flat_map(|start| beginnings(Searched::Name, start)).collect()
}

fn of_email(email: Option<&EmailAddress>) -> BTreeSet<SearchTerm> {
    let email = email.map(|email| normalized(email.normalized())).unwrap_or_default();
    beginnings(Searched::Email, &email).collect()
}

fn difference(user: UserId, old: &BTreeSet<SearchTerm>, new: &BTreeSet<SearchTerm>) -> Vec<Write> {
    let removed = old.difference(new).map(|term| UserWrite::RemoveTerm { user, term: term.clone() });
    let added = new.difference(old).map(|term| UserWrite::AddTerm { user, term: term.clone() });
    removed.chain(added).map(Write::User).collect()
}

/// What is written when a name changes.
pub(super) fn moved(user: UserId, old: Option<&DisplayName>, new: Option<&DisplayName>) -> Vec<Write> {
    difference(user, &of_name(old), &of_name(new))
}

/// What is written when the primary address changes.
pub(super) fn moved_email(user: UserId, old: Option<&EmailAddress>, new: &EmailAddress) -> Vec<Write> {
    difference(user, &of_email(old), &of_email(Some(new)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn texts(terms: &BTreeSet<SearchTerm>) -> Vec<&str> {
        terms.iter().map(|term| term.beginning.as_str()).collect()
    }

    fn name(text: &str) -> DisplayName {
        DisplayName::parse("name", text).expect("valid")
    }

    #[test]
    fn names_are_found_by_each_word_and_rows_are_bounded() {
        let terms = of_name(Some(&name("Ada  LOVELACE")));
        let expected = [
            "ada", "ada ", "ada l", "ada lo", "ada lov", "ada love", "lov", "love", "lovel", "lovela",
            "lovelac", "lovelace",
        ];
        assert_eq!(texts(&terms), expected);
        assert_eq!(of_name(Some(&name("Bo"))).len(), 0, "too short to have a beginning");
        let many = (0..40).map(|word| format!("w{word:02}")).collect::<Vec<_>>().join(" ");
        assert!(of_name(Some(&name(&many))).len() <= WORDS * 6);
    }

    #[test]
    fn a_change_moves_only_what_differs() {
        let user = UserId::from_uuid(Uuid::from_u128(7));
        let writes = moved(user, Some(&name("Adam")), Some(&name("Adan")));
        let [Write::User(UserWrite::RemoveTerm { .. }), Write::User(UserWrite::AddTerm { .. })] = &writes[..]
        else {
            panic!("{writes:?}")
        };
        assert!(moved(user, Some(&name("ADA")), Some(&name("Ada"))).is_empty());
    }

    proptest! {
        #[test]
        fn whoever_has_a_name_is_found_by_every_beginning_of_it(text in "\\PC{3,20}", length in 3_usize..20) {
            if let Ok(entered) = DisplayName::parse("name", &text) {
                let beginning: String = entered.as_str().chars().take(length).collect();
                if let Ok(query) = SearchQuery::parse("name", Searched::Name, &beginning) {
                    // A capital may have another form beside its neighbours, and a composed letter beside a mark.
                    if query.matches(Some(entered.as_str()), None) {
                        prop_assert!(of_name(Some(&entered)).contains(&query.term()));
                    }
                }
            }
        }
    }
}

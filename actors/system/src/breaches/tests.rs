use super::*;
use parking_lot::Mutex;

fn password(text: &str) -> Password {
    Password::entered("password", text).expect("valid")
}

/// A list that answers what it is told, and remembers what it was asked.
struct Told {
    answer: Option<Vec<String>>,
    asked: Mutex<Vec<String>>,
}

impl Told {
    fn answering(answer: Option<&[&str]>) -> Arc<Self> {
        let answer = answer.map(|answer| answer.iter().map(|digits| (*digits).to_owned()).collect());
        Arc::new(Self { answer, asked: Mutex::default() })
    }
}

#[async_trait]
impl BreachedPasswords for Told {
    async fn range(&self, prefix: &HashPrefix) -> Result<Vec<String>, ListUnavailable> {
        self.asked.lock().push(prefix.as_str().to_owned());
        self.answer.clone().ok_or_else(|| ListUnavailable("out of order".to_owned()))
    }
}

#[test]
fn the_embedded_list_is_sorted_without_a_double_and_large() {
    let hashes = EmbeddedList::hashes();
    assert!(hashes.is_sorted_by(|one, next| one < next));
    assert!(hashes.len() > 90_000, "{}", hashes.len());
}

#[tokio::test]
async fn common_passwords_are_known_and_others_are_not() {
    let breaches = Breaches::default();
    for known in ["password", "1q2w3e4r5t6y7u8i", "qwertyuiop", "trustno1", "baseball"] {
        assert!(breaches.know(&password(known)).await.expect("is there"), "{known}");
    }
    for unknown in ["plain oat zebra lantern", "Password-of-nobody-7", "ｐ"] {
        assert!(!breaches.know(&password(unknown)).await.expect("is there"), "{unknown}");
    }
}

#[tokio::test]
async fn every_hash_of_the_embedded_list_is_in_the_range_of_its_prefix() {
    // SHA-1 of "password": 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8.
    let range = EmbeddedList.range(&HashPrefix::parse("5baa6").expect("digits")).await.expect("is there");
    assert!(range.contains(&"1E4C9B9".to_owned()), "{range:?}");
    let prefixes = EmbeddedList::hashes().iter().map(|hash| hex::encode_upper(hash)[..5].to_owned());
    let mut prefixes: Vec<_> = prefixes.chain(["00000", "FFFFF"].map(str::to_owned)).collect();
    prefixes.sort();
    prefixes.dedup();
    let mut found = 0;
    for digits in prefixes {
        let prefix = HashPrefix::parse(&digits).expect("digits");
        assert_eq!(format!("{:05X}", prefix.number()), digits);
        found += EmbeddedList.range(&prefix).await.expect("is there").len();
    }
    assert_eq!(found, EmbeddedList::hashes().len());
}

#[tokio::test]
async fn a_list_is_told_five_digits_and_its_answer_is_compared_with_the_rest() {
    // SHA-1 of "plain oat zebra lantern", by sha1sum.
    const DIGITS: &str = "D106153635369CB4B9569DB6D87BFCD7875ED4C0";
    let (prefix, rest) = DIGITS.split_at(5);
    let password = password("plain oat zebra lantern");
    for (answer, known) in [
        (vec![rest], true),
        (vec![rest.to_lowercase().as_str()], true),
        (vec![&rest[..7]], true),
        (vec!["0000000000000000000000000000000000A", rest], true),
        (vec!["0000000000000000000000000000000000A"], false),
        (vec![], false),
        (vec![""], false),
        (vec![format!("{rest}0").as_str()], false),
    ] {
        let list = Told::answering(Some(&answer));
        let breaches = Breaches::of(vec![Arc::clone(&list) as _], WhileUnavailable::Refuse);
        assert_eq!(breaches.know(&password).await.expect("is there"), known, "{answer:?}");
        assert_eq!(*list.asked.lock(), [prefix]);
    }
}

#[tokio::test]
async fn while_a_list_is_away_what_others_know_is_refused_and_the_rest_as_configured() {
    for while_unavailable in [WhileUnavailable::Accept, WhileUnavailable::Refuse] {
        let breaches = Breaches::of(vec![Told::answering(None) as _], while_unavailable);
        assert!(breaches.know(&password("qwertyuiop")).await.expect("the embedded list knows it"));
        let unknown = breaches.know(&password("plain oat zebra lantern")).await;
        match while_unavailable {
            WhileUnavailable::Accept => assert!(!unknown.expect("accepted")),
            WhileUnavailable::Refuse => {
                let error = unknown.expect_err("refused");
                assert!(matches!(error, ServiceError::Refused(Refusal::Unavailable { .. })), "{error}");
            }
        }
    }
}

#[test]
fn a_prefix_is_five_digits_and_is_not_shown() {
    for bad in ["", "5BAA", "5BAA61", "5BAAG", "5BAÄ"] {
        assert!(HashPrefix::parse(bad).is_none(), "{bad}");
    }
    let prefix = HashPrefix::parse("5baa6").expect("digits");
    assert_eq!(prefix.as_str(), "5BAA6");
    assert!(!format!("{prefix:?}").contains("5BAA6"));
}

//! Whatever any test does, no log tells a secret or who somebody is, not even at TRACE: logs of the whole suite are
//! read as they are written, those of the libraries too.

use axum::http::{HeaderMap, header};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Write;
use std::sync::{LazyLock, Mutex, Once};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Members of bodies whose values are secret or personal.
const TELLING: &[&str] = &[
    "access_token",
    "refresh_token",
    "csrf_token",
    "token",
    "challenge",
    "id_token",
    "code",
    "key",
    "secret",
    "client_secret",
    "registration_access_token",
    "password",
    "new_password",
    "current_password",
    "name",
    "email",
    "phone",
    "username",
    "private_metadata",
    "public_metadata",
    "unsafe_metadata",
];

/// Shortest value looked for: a shorter one is found in logs by chance.
const SHORTEST: usize = 10;

/// What tests gave to the platform and got from it.
#[derive(Default)]
struct Known {
    /// Values of which a line has words of its own, such as tokens.
    words: HashSet<String>,
    /// Other values, passwords and addresses, under the longest of their words.
    phrases: HashMap<String, BTreeSet<String>>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
static CANARY: Mutex<usize> = Mutex::new(0);

const CANARY_TEXT: &str = "the watch over logs is awake";

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'))
}

impl Known {
    fn learn(&mut self, value: &str) {
        let is_token =
            |word: &&str| word.len() >= 16 && word.contains(|letter: char| letter.is_ascii_digit());
        self.words.extend(words(value).filter(is_token).map(str::to_owned));
        let longest = words(value).max_by_key(|word| word.len()).unwrap_or_default();
        if (SHORTEST..100).contains(&value.len()) && value.contains(['@', ' ', '+']) && !longest.is_empty() {
            self.phrases.entry(longest.to_owned()).or_default().insert(value.to_owned());
        }
    }

    fn learn_from(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if TELLING.contains(&name.as_str()) => self.learn(text),
                        other => self.learn_from(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_from(item)),
            _ => {}
        }
    }

    fn told_by<'l>(&'l self, line: &'l str) -> Option<&'l str> {
        let of_phrase =
            |word: &str| self.phrases.get(word)?.iter().find(|phrase| line.contains(phrase.as_str()));
        words(line).find_map(|word| {
            let token = self.words.contains(word).then_some(word);
            token.or_else(|| of_phrase(word).map(String::as_str))
        })
    }
}

/// A body that goes to the platform or comes from it.
pub(crate) fn learn(body: &Value) {
    KNOWN.lock().unwrap().learn_from(body);
}

/// Cookies of an answer.
pub(crate) fn learn_cookies(headers: &HeaderMap) {
    for cookie in headers.get_all(header::SET_COOKIE) {
        let value = cookie.to_str().unwrap().split([';', '=']).nth(1).unwrap_or_default();
        KNOWN.lock().unwrap().learn(value);
    }
}

struct Reader;

impl Write for Reader {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        if text.contains(CANARY_TEXT) {
            *CANARY.lock().unwrap() += 1;
        }
        if let Some(told) = KNOWN.lock().unwrap().told_by(&text) {
            TOLD.lock().unwrap().push(format!("{told}: {text}"));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Reader {
    type Writer = Self;
    fn make_writer(&'w self) -> Self {
        Self
    }
}

/// Reads all logs of this process from now on, whoever writes them and however little they matter.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Reader);
        tracing_subscriber::registry().with(layer).init();
    });
}

/// Fails if a log has told what it must not, in this test or one beside it.
pub(crate) fn nothing_was_told() {
    let told = TOLD.lock().unwrap().clone();
    assert!(told.is_empty(), "logs tell {} times, first: {}", told.len(), told[0]);
}

#[test]
fn the_watch_reads_what_is_logged_at_trace_and_finds_what_was_learnt() {
    watch();
    tracing::trace!(target: "plinto_actors", CANARY_TEXT);
    log::trace!(target: "tokio_postgres", "{CANARY_TEXT}");
    assert_eq!(*CANARY.lock().unwrap(), 2, "events and records of the log crate");

    let mut known = Known::default();
    let body = serde_json::json!({
        "users": [{ "email": "ada@example.com", "password": "plain oat zebra lantern", "name": "Ada Lovelace" }],
        "refresh_token": "plr_ab12CD34ef56GH78", "id": "usr_01a20c138c227a638217b64c2969dd0a",
    });
    known.learn_from(&body);
    let told = |line: &str| known.told_by(line).map(str::to_owned);
    for (line, what) in [
        ("refused token=plr_ab12CD34ef56GH78", "plr_ab12CD34ef56GH78"),
        ("sign in of <ada@example.com>", "ada@example.com"),
        ("password is \"plain oat zebra lantern\"", "plain oat zebra lantern"),
        ("hello Ada Lovelace!", "Ada Lovelace"),
    ] {
        assert_eq!(told(line).as_deref(), Some(what));
    }
    assert_eq!(told("user usr_01a20c138c227a638217b64c2969dd0a signed in"), None);
}

use super::*;
use crate::account::Standing;
use crate::randomness::testing::Counting;
use crate::user::write::UserWrite;
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const BCRYPT: &str = "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m";

fn parse(line: Value) -> Result<ImportedUser, Vec<InvalidInput>> {
    ImportedUser::parse(line.to_string().as_bytes(), NOW)
}

fn codes(line: Value) -> Vec<(&'static str, &'static str)> {
    let errors = parse(line).err().unwrap_or_default();
    errors.into_iter().map(|error| (error.field, error.code)).collect()
}

fn import() -> Import {
    begin(NewImport::default(), NOW, &Counting::default()).reply
}

fn outcomes(lines: Vec<Value>, taken: &Taken, on_conflict: OnConflict) -> Vec<ImportOutcome> {
    let mut seen = Seen::default();
    lines.into_iter().map(|line| examine(parse(line).map(Arc::new), on_conflict, taken, &mut seen)).collect()
}

#[test]
fn a_line_says_everything_about_a_user() {
    let user = parse(json!({
        "id": "usr_0193a6f2c5d87e1bb1f3a2c4d5e6f708",
        "emails": [
            { "email": "ada@work.example", "verified": true },
            { "email": "ada@example.com", "verified": true, "primary": true },
        ],
        "username": "Ada", "phone": "+41 79 123 45 67", "name": "Ada Lovelace", "external_id": "crm-7",
        "public_metadata": { "plan": "gold" }, "created_at": 1_000, "state": "locked",
        "locked_until": 1_900_000_000_000_i64, "password_hash": BCRYPT,
    }))
    .expect("good");
    let emails: Vec<_> = user.emails.iter().map(|email| email.address.normalized()).collect();
    assert_eq!(emails, ["ada@example.com", "ada@work.example"], "the primary one comes first");
    assert_eq!(user.created_at, Some(Timestamp::from_millis(1_000)));
    assert!(user.password.is_some() && user.profile.username.is_some() && user.profile.phone.is_some());
    let locked =
        Standing { locked_until: Some(Timestamp::from_millis(1_900_000_000_000)), ..Standing::default() };
    assert_eq!(user.standing, locked);
    let least = parse(json!({ "email": "bob@example.com", "name": null })).expect("an address is enough");
    assert!(!least.emails[0].verified && least.password.is_none() && least.created_at.is_none());
}

#[test]
fn all_that_is_wrong_with_a_line_is_said_at_once_and_nothing_of_it_repeated() {
    let line = json!({ "email": "nobody", "name": 7, "phone": "secret", "created_at": -1, "state": "gone",
        "password_hash": "secret-md5", "secret": "secret", "public_metadata": [] });
    let errors = parse(line).expect_err("all wrong");
    let found: Vec<_> = errors.iter().map(|error| (error.field, error.code)).collect();
    assert_eq!(
        found,
        [
            ("email", "invalid_email"),
            ("name", "wrong_type"),
            ("public_metadata", "wrong_type"),
            ("state", "invalid_state"),
            ("created_at", "invalid_time"),
            ("password_hash", "unknown_password_hash"),
            ("line", "unknown_member"),
            ("phone", "invalid_phone"),
        ]
    );
    assert!(!format!("{errors:?}").contains("secret"), "{errors:?}");
}

#[test]
fn lines_that_are_none_and_lines_that_contradict_themselves_are_refused() {
    let email = |email: &str| json!({ "email": email });
    for (line, expected) in [
        (json!([]), ("line", "malformed_json")),
        (json!("text"), ("line", "malformed_json")),
        (json!({}), ("email", "email_missing")),
        (json!({ "emails": [] }), ("email", "email_missing")),
        (json!({ "email": "a@b.example", "emails": [] }), ("emails", "ambiguous_emails")),
        (json!({ "emails": ["a@b.example"] }), ("emails", "wrong_type")),
        (json!({ "emails": [{ "email": "a@b.example", "verified": "yes" }] }), ("emails", "wrong_type")),
        (json!({ "emails": [{ "email": "a@b.example", "more": 1 }] }), ("emails", "wrong_type")),
        (json!({ "emails": [email("a@b.example"), email("c@b.example")] }), ("emails", "primary_email")),
        (json!({ "emails": vec![email("a@b.example"); 11] }), ("emails", "too_many_emails")),
        (json!({ "email": "a@b.example", "state": "locked" }), ("locked_until", "locked_until_missing")),
        (json!({ "email": "a@b.example", "state": "deleted" }), ("state", "invalid_state")),
        (
            json!({ "email": "a@b.example", "created_at": NOW.as_millis() + 1 }),
            ("created_at", "invalid_time"),
        ),
        (
            json!({ "email": "a@b.example", "password_hash": BCRYPT.replace("$12$", "$20$") }),
            ("password_hash", "costly_password_hash"),
        ),
        (json!({ "email": "a@b.example", "password": "plain" }), ("line", "unknown_member")),
    ] {
        assert_eq!(codes(line.clone()), [expected], "{line}");
    }
    let twice = json!({ "emails": [{ "email": "a@b.example", "primary": true }, email("A@b.example")] });
    assert_eq!(codes(twice), [("emails", "repeated_email")]);
    let long = vec![b' '; LONGEST_LINE + 1];
    assert_eq!(ImportedUser::parse(&long, NOW).expect_err("long")[0].code, "line_too_long");
    assert_eq!(ImportedUser::parse(b"{\"email\":\xff}", NOW).expect_err("no text")[0].code, "malformed_json");
}

#[test]
fn users_errors_and_the_place_are_written_together() {
    let taken = Taken { emails: ["bob@example.com".to_owned()].into(), ..Taken::default() };
    let lines = vec![
        json!({ "email": "ada@example.com", "created_at": 5_000, "password_hash": BCRYPT }),
        json!({ "email": "BOB@example.com" }),
        json!({ "email": "Ada@example.com" }),
        json!({ "email": "nobody" }),
    ];
    let decide = |on_conflict| {
        let import = Import { on_conflict, ..import() };
        advance(&import, 1, outcomes(lines.clone(), &taken, on_conflict), NOW, &Counting::default())
            .expect("allowed")
    };
    let failing = decide(OnConflict::Fail);
    let tally = Tally { lines: 4, imported: 1, skipped: 0, failed: 3, errors: 3 };
    assert_eq!((failing.reply.tally, failing.reply.version), (tally, 2));
    let errors = failing.writes.iter().filter_map(|write| match write {
        Write::UserImport(ImportWrite::InsertError { error, .. }) => Some((error.line, error.error.code)),
        _ => None,
    });
    let errors: Vec<_> = errors.collect();
    assert_eq!(errors, [(2, "email_taken"), (3, "email_taken"), (4, "invalid_email")]);
    let [Event::UserCreated { user }] = failing.events[..] else { panic!("{:?}", failing.events) };
    assert!(user.to_string().starts_with("usr_000000001388"), "as old as the user: {user}");
    assert!(failing.writes.iter().any(|write| matches!(write, Write::User(UserWrite::AddTerm { .. }))));
    let Some(Write::UserImport(ImportWrite::Update { expected_version: 1, .. })) = failing.writes.last()
    else {
        panic!("the place is written with the users")
    };
    let skipping = decide(OnConflict::Skip).reply.tally;
    assert_eq!(skipping, Tally { lines: 4, imported: 1, skipped: 2, failed: 1, errors: 1 });
}

#[test]
fn a_dry_run_writes_nobody() {
    let import = Import { dry_run: true, ..import() };
    let lines = outcomes(vec![json!({ "email": "ada@example.com" })], &Taken::default(), OnConflict::Fail);
    let decision = advance(&import, 1, lines, NOW, &Counting::default()).expect("allowed");
    assert_eq!((decision.writes.len(), decision.events.len(), decision.reply.tally.imported), (1, 0, 1));
}

#[test]
fn lines_come_in_order_and_not_after_the_end() {
    let advance_at = |import: &Import, first| {
        let line = outcomes(vec![json!({ "email": "ada@example.com" })], &Taken::default(), OnConflict::Fail);
        advance(import, first, line, NOW, &Counting::default()).map(|decision| decision.reply)
    };
    let import = import();
    assert_eq!(advance_at(&import, 2).expect_err("a gap"), LINES_MISSING);
    let second = advance_at(&import, 1).expect("allowed");
    assert_eq!(advance_at(&second, 1).expect_err("done"), IMPORT_BUSY);
    for ending in [Ending::Complete, Ending::Cancel] {
        let ended = end(&second, ending, NOW).expect("allowed");
        assert_eq!((ended.writes.len(), ended.events.len()), (1, 1));
        let ended = ended.reply;
        assert_eq!(advance_at(&ended, 2).expect_err("ended"), IMPORT_ENDED);
        assert!(end(&ended, ending, NOW).expect("again").writes.is_empty(), "what is so is not written");
    }
    let completed = end(&second, Ending::Complete, NOW).expect("allowed").reply;
    assert_eq!(end(&completed, Ending::Cancel, NOW).expect_err("ended"), IMPORT_ENDED);
}

#[test]
fn errors_beyond_what_is_kept_are_counted() {
    let tally = Tally { errors: MOST_ERRORS - 1, ..Tally::default() };
    let import = Import { tally, ..import() };
    let lines = outcomes(vec![json!({}), json!({})], &Taken::default(), OnConflict::Fail);
    let decision = advance(&import, 1, lines, NOW, &Counting::default()).expect("allowed");
    assert_eq!((decision.reply.tally.failed, decision.reply.tally.errors), (2, MOST_ERRORS));
    assert_eq!(decision.writes.len(), 2, "one error, and the place");
}

#[test]
fn sources_are_names() {
    assert!(ImportSource::parse("source", "sha256:0a1b").is_ok());
    for bad in ["", "a b", "a\0", &"x".repeat(129), "ä"] {
        assert_eq!(ImportSource::parse("source", bad).expect_err(bad).code, "invalid_source");
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::chain::{self, Entry, Head, append, canonical_bytes, canonical_json, genesis, hash};
use super::{BadEntry, Verifier, VerifyError};
use crate::NewEntry;

const TENANT: Uuid = Uuid::from_bytes([1; 16]);

fn new(subject: &str) -> NewEntry {
    NewEntry {
        at: 1_790_000_000_000,
        event: "user.created".into(),
        actor: "system".to_owned(),
        subject: subject.to_owned(),
        data: json!({ "b": 1, "a": [true, null] }),
    }
}

fn chain_of(length: usize) -> Vec<Entry> {
    let mut head = genesis(TENANT);
    (0..length)
        .map(|index| {
            let entry = append(TENANT, &head, &new(&index.to_string()));
            head = Head { seq: entry.seq, hash: entry.hash };
            entry
        })
        .collect()
}

/// Entries written today must verify for ever: these bytes are part of the format.
#[test]
fn the_format_does_not_change() {
    assert_eq!(
        hex::encode(genesis(TENANT).hash),
        "82ab98b3f23c896846edd1a5eb90026eb971102adccb9c2def8dbbe4ccf7c06a",
    );
    let entry = append(TENANT, &genesis(TENANT), &new("usr_1"));
    assert_eq!(entry.data, r#"{"a":[true,null],"b":1}"#);
    assert_eq!(hex::encode(entry.hash), "332e2a68fece2a5f2687ba45bca9e43e8ac42475d250f24c2ab7af3562d68431",);
}

#[test]
fn canonical_json_sorts_members_and_drops_white_space() {
    let cases = [
        (r#" { "b" : 1 , "a" : { "z" : [ ] , "y" : { } } } "#, r#"{"a":{"y":{},"z":[]},"b":1}"#),
        (r#"{"\u00e9":1,"e":2,"E":3}"#, r#"{"E":3,"e":2,"é":1}"#),
        (r#"["\n\u0000\"", -1, 1.5, 18446744073709551615]"#, r#"["\n\u0000\"",-1,1.5,18446744073709551615]"#),
        ("null", "null"),
    ];
    for (text, expected) in cases {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(canonical_json(&value), expected);
    }
}

#[test]
fn each_kind_of_damage_is_named_with_its_entry() {
    type Damage = fn(&mut Vec<Entry>);
    type Check = fn(&BadEntry) -> bool;
    let cases: [(Damage, Check); 7] = [
        (|chain| chain[2].actor = "mallory".to_owned(), |bad| matches!(bad, BadEntry::Hash { seq: 3, .. })),
        (|chain| chain[2].at += 1, |bad| matches!(bad, BadEntry::Hash { seq: 3, .. })),
        (|chain| chain[2].hash[0] ^= 1, |bad| matches!(bad, BadEntry::Hash { seq: 3, .. })),
        (|chain| chain[3].prev_hash[0] ^= 1, |bad| matches!(bad, BadEntry::Previous { seq: 4, .. })),
        (|chain| drop(chain.remove(1)), |bad| *bad == BadEntry::Sequence { expected: 2, found: 3 }),
        (|chain| chain.swap(1, 2), |bad| *bad == BadEntry::Sequence { expected: 2, found: 3 }),
        (
            |chain| drop(chain.pop()),
            |bad| matches!(bad, BadEntry::Head { expected_seq: 5, found_seq: 4, .. }),
        ),
    ];
    for (damage, expected) in cases {
        let mut entries = chain_of(5);
        let last = entries.last().unwrap();
        let head = Head { seq: last.seq, hash: last.hash };
        damage(&mut entries);
        let mut verifier = Verifier::new(TENANT);
        let pushed = entries.iter().try_for_each(|entry| verifier.push(entry));
        match pushed.and_then(|()| verifier.finish(head).map(|_| ())) {
            Err(VerifyError::Bad { tenant: TENANT, bad }) => assert!(expected(&bad), "{bad:?}"),
            other => panic!("expected a bad entry, got {other:?}"),
        }
    }
}

#[test]
fn a_rewritten_entry_breaks_the_next_even_with_a_fresh_hash() {
    let mut entries = chain_of(3);
    entries[1].actor = "mallory".to_owned();
    entries[1].hash = hash(TENANT, &entries[1]);
    let mut verifier = Verifier::new(TENANT);
    verifier.push(&entries[0]).unwrap();
    verifier.push(&entries[1]).unwrap();
    let broken = verifier.push(&entries[2]);
    assert!(matches!(broken, Err(VerifyError::Bad { bad: BadEntry::Previous { seq: 3, .. }, .. })));
}

#[test]
fn a_chain_belongs_to_its_tenant() {
    let mut verifier = Verifier::new(Uuid::from_bytes([2; 16]));
    assert!(verifier.push(&chain_of(1)[0]).is_err());
}

fn text() -> impl Strategy<Value = String> {
    "[ab\u{0}]{0,3}"
}

prop_compose! {
    fn any_entry()(
        seq in 0i64..3, at in -1i64..2, event in text(), actor in text(), subject in text(),
        data in text(), prev in 0u8..2,
    ) -> Entry {
        Entry { seq, at, event, actor, subject, data, prev_hash: [prev; 32], hash: [0; 32] }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(".{0,4}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_bytes_are_injective(left in any_entry(), right in any_entry(), tenant in 0u8..2) {
        let other = Uuid::from_bytes([tenant; 16]);
        let same = canonical_bytes(Uuid::nil(), &left) == canonical_bytes(other, &right);
        prop_assert_eq!(same, left == right && other == Uuid::nil());
    }

    #[test]
    fn canonical_json_reads_back_and_is_a_fixed_point(value in any_json()) {
        let text = canonical_json(&value);
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(chain::canonical_json(&read), text);
    }

    #[test]
    fn every_chain_that_was_appended_verifies(subjects in proptest::collection::vec(text(), 0..20)) {
        let (mut head, mut verifier) = (genesis(TENANT), Verifier::new(TENANT));
        for subject in &subjects {
            let entry = append(TENANT, &head, &new(subject));
            verifier.push(&entry).unwrap();
            head = Head { seq: entry.seq, hash: entry.hash };
        }
        prop_assert_eq!(verifier.finish(head).unwrap().head.seq, subjects.len() as i64);
    }
}

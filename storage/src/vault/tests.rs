use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::{DataKey, Keys, MasterKey, Purpose, TenantVault, VaultError, fields};
use crate::conformance::{MASTER, SeededEntropy, master};

const TENANT: Uuid = Uuid::from_bytes([1; 16]);
const OTHER: Uuid = Uuid::from_bytes([2; 16]);

fn vault(tenant: Uuid, data: u8) -> TenantVault {
    let keys = Keys { data: vec![DataKey { version: 1, key: [data; 32].into() }], index: [9; 32].into() };
    TenantVault::new(tenant, keys, Arc::new(SeededEntropy::new(1))).unwrap()
}

#[test]
fn a_master_key_is_read_from_hexadecimal_and_base64() {
    let key = master();
    let forms = [
        MASTER.to_uppercase(),
        format!("  {MASTER}\n"),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned(),
    ];
    for form in forms {
        assert_eq!(MasterKey::parse(&form).unwrap().check_value(), key.check_value(), "{form}");
    }
    for bad in ["", "00", &MASTER[2..], &"zz".repeat(32), "AAECAw==", "not a key at all"] {
        let error = MasterKey::parse(bad).unwrap_err();
        assert!(bad.is_empty() || !error.to_string().contains(bad), "the text must not be repeated");
    }
    assert_eq!(MasterKey::parse(&key.to_hex()).unwrap().check_value(), key.check_value());
    assert_eq!(format!("{key:?}"), "MasterKey(..)");
    let (first, second) = (SeededEntropy::new(1), SeededEntropy::new(2));
    assert_ne!(MasterKey::generate(&first).check_value(), MasterKey::generate(&second).check_value());
}

#[test]
fn a_wrapped_key_opens_only_as_what_it_is() {
    let entropy = SeededEntropy::new(3);
    let (key, wrapped) = master().new_key(&entropy, TENANT, Purpose::Data, 1);
    assert_eq!(master().unwrap_key(&wrapped).as_deref(), Some(&*key));

    let wrong = MasterKey::parse(&"ff".repeat(32)).unwrap();
    assert!(wrong.unwrap_key(&wrapped).is_none());
    let changes: [fn(&mut super::WrappedKey); 5] = [
        |key| key.tenant = OTHER,
        |key| key.purpose = Purpose::Index,
        |key| key.version = 2,
        |key| key.bytes[20] ^= 1,
        |key| key.bytes.truncate(11),
    ];
    for change in changes {
        let (_, mut wrapped) = master().new_key(&entropy, TENANT, Purpose::Data, 1);
        change(&mut wrapped);
        assert!(master().unwrap_key(&wrapped).is_none());
    }
}

#[test]
fn wrapping_the_same_purpose_twice_gives_different_keys_and_texts() {
    let entropy = SeededEntropy::new(3);
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let (key, wrapped) = master().new_key(&entropy, TENANT, Purpose::Data, 1);
        assert!(seen.insert(key.to_vec()) && seen.insert(wrapped.bytes));
    }
}

#[test]
fn the_wire_form_is_version_nonce_ciphertext() {
    let vault = vault(TENANT, 5);
    let sealed = vault.seal("users", b"row", "name", b"Ada");
    assert_eq!(sealed.len(), 4 + 12 + 3 + 16);
    assert_eq!(sealed[..4], 1u32.to_be_bytes());
    assert_ne!(sealed, vault.seal("users", b"row", "name", b"Ada"), "each seal has its own nonce");
}

#[test]
fn what_is_too_short_is_malformed_and_what_is_unknown_says_so() {
    let vault = vault(TENANT, 5);
    assert_eq!(vault.open("t", b"r", "c", b""), Err(VaultError::Malformed));
    assert_eq!(vault.open("t", b"r", "c", &[0; 15]), Err(VaultError::Malformed));
    assert_eq!(vault.open("t", b"r", "c", &[0; 40]), Err(VaultError::UnknownVersion { version: 0 }));
    let short = [1u32.to_be_bytes().as_slice(), &[0; 12]].concat();
    assert_eq!(vault.open("t", b"r", "c", &short), Err(VaultError::Refused));
    assert_eq!(vault.derive_at(7, "p", b"i"), Err(VaultError::UnknownVersion { version: 7 }));
}

#[test]
fn derived_keys_differ_by_tenant_key_version_purpose_and_id() {
    let ours = vault(TENANT, 5);
    ours.adopt(DataKey { version: 2, key: [6; 32].into() });
    let keys = [
        ours.derive_at(1, "session", b"a").unwrap(),
        ours.derive_at(2, "session", b"a").unwrap(),
        ours.derive("session", b"b"),
        ours.derive("sessiona", b""),
        vault(OTHER, 7).derive("session", b"a"),
    ];
    let distinct: HashSet<_> = keys.iter().map(|key| key.to_vec()).collect();
    assert_eq!(distinct.len(), keys.len());
    assert_eq!(ours.derive("session", b"a"), keys[1]);
}

#[test]
fn blind_indexes_are_stable_and_separate() {
    let ours = vault(TENANT, 5);
    let before = ours.blind_index("email", b"ada@example.com");
    ours.adopt(DataKey { version: 2, key: [6; 32].into() });
    assert_eq!(ours.blind_index("email", b"ada@example.com"), before);
    assert_ne!(ours.blind_index("phone", b"ada@example.com"), before);
    assert_ne!(ours.blind_index("email", b"bob@example.com"), before);
}

#[test]
fn adopting_out_of_order_keeps_the_newest_current() {
    let vault = vault(TENANT, 5);
    let sealed = vault.seal("t", b"r", "c", b"v1");
    vault.adopt(DataKey { version: 3, key: [7; 32].into() });
    vault.adopt(DataKey { version: 2, key: [6; 32].into() });
    vault.adopt(DataKey { version: 1, key: [0; 32].into() });
    assert_eq!(vault.current_version(), 3);
    assert_eq!(vault.open("t", b"r", "c", &sealed).unwrap().as_slice(), b"v1", "a known version stays");
    assert!(!format!("{vault:?}").contains("key"));
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    // Few symbols and short lengths, so that collisions of naive encodings would be common.
    proptest::collection::vec(0u8..3, 0..5)
}

proptest! {
    #[test]
    fn the_encoding_of_fields_is_injective(
        left in proptest::collection::vec(field(), 0..5),
        right in proptest::collection::vec(field(), 0..5),
    ) {
        let encode = |parts: &[Vec<u8>]| fields(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(encode(&left) == encode(&right), left == right);
    }

    #[test]
    fn a_sealed_value_opens_where_it_stands_and_nowhere_else(
        plain in proptest::collection::vec(any::<u8>(), 0..200),
        row in field(), other_row in field(),
        column in "[a-c]{0,3}", other_column in "[a-c]{0,3}",
        other_table in prop::bool::ANY, other_tenant in prop::bool::ANY,
    ) {
        let ours = vault(TENANT, 5);
        let sealed = ours.seal("users", &row, &column, &plain);
        let opened = ours.open("users", &row, &column, &sealed);
        prop_assert_eq!(opened.as_deref(), Ok(&plain));
        // The other tenant has the very same key bytes here: the binding alone must refuse.
        let reader = if other_tenant { vault(OTHER, 5) } else { vault(TENANT, 5) };
        let table = if other_table { "emails" } else { "users" };
        let elsewhere = reader.open(table, &other_row, &other_column, &sealed);
        let same = !other_tenant && !other_table && row == other_row && column == other_column;
        prop_assert_eq!(elsewhere.is_ok(), same);
    }

    #[test]
    fn a_single_flipped_bit_is_refused(
        plain in proptest::collection::vec(any::<u8>(), 0..64),
        place in any::<prop::sample::Index>(), bit in 0u8..8,
    ) {
        let ours = vault(TENANT, 5);
        let mut sealed = ours.seal("users", b"row", "name", &plain);
        let place = place.index(sealed.len());
        sealed[place] ^= 1 << bit;
        prop_assert!(ours.open("users", b"row", "name", &sealed).is_err());
    }
}

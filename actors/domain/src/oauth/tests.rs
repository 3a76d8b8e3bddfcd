use super::*;
use crate::Write;
use crate::denial::STALE_VERSION;
use crate::id::ClientId;
use crate::precondition::Precondition;
use crate::randomness::testing::Counting;
use crate::time::Timestamp;
use proptest::prelude::*;
use std::time::Duration;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ISSUER: &str = "https://id.example.com/t/acme";

fn texts(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn client() -> Client {
    let definition = ClientDefinition::of(ClientChange {
        name: Some("billing".to_owned()),
        scopes: texts(&["invoices:write", "invoices:read"]),
        resources: texts(&["https://api.example.com/", "urn:example:ledger"]),
        ..ClientChange::default()
    });
    Client {
        id: ClientId::from_uuid(Uuid::from_u128(7)),
        definition: definition.expect("valid"),
        secrets: vec![ClientSecret::new([1; 32], NOW)],
        version: 3,
    }
}

fn granted(scope: Option<&str>, resources: &[&str]) -> Result<ClientTokenClaims, OAuthCode> {
    let request = ClientTokenRequest { scope, resources, key: None };
    let decided = grant_client_token(&client(), request, ISSUER, NOW, &Counting::default());
    decided.map(|decision| decision.reply.claims).map_err(|error| error.code)
}

#[test]
fn a_client_gets_what_it_asks_for_or_all_that_is_its_own() {
    let all = granted(None, &[]).expect("its own");
    assert_eq!(all.scope, "invoices:read invoices:write");
    let both = TokenAudience::Several(vec!["https://api.example.com/".into(), "urn:example:ledger".into()]);
    assert_eq!((all.aud, &all.sub), (both, &all.client_id));
    let some = granted(Some("invoices:read"), &["urn:example:ledger"]).expect("its own");
    assert_eq!(some.scope, "invoices:read");
    assert_eq!(some.aud, TokenAudience::One("urn:example:ledger".into()));
    assert_eq!((some.iat, some.exp), (1_800_000_000, 1_800_003_600));
}

#[test]
fn what_is_not_its_own_is_refused() {
    assert_eq!(granted(Some("invoices:read admin"), &[]), Err(OAuthCode::InvalidScope));
    for malformed in ["", " invoices:read", "invoices:read  invoices:write", "a\"b", "a\\b", "é"] {
        assert_eq!(granted(Some(malformed), &[]), Err(OAuthCode::InvalidScope), "{malformed}");
    }
    for foreign in
        ["https://api.example.com", "https://api.example.com/#f", "/relative", "", "https://other.example/"]
    {
        assert_eq!(granted(None, &[foreign]), Err(OAuthCode::InvalidTarget), "{foreign}");
    }
}

#[test]
fn a_client_without_resources_gets_tokens_for_the_issuer() {
    let mut plain = client();
    plain.definition.resources.clear();
    let decided =
        grant_client_token(&plain, ClientTokenRequest::default(), ISSUER, NOW, &Counting::default());
    assert_eq!(decided.expect("granted").reply.claims.aud, TokenAudience::One(ISSUER.into()));
}

#[test]
fn a_replaced_secret_is_good_for_the_overlap_and_the_one_before_it_no_longer() {
    let overlap = Duration::from_secs(60);
    let decision = rotate_secret(&client(), ClientSecret::new([2; 32], NOW), overlap, NOW).expect("allowed");
    let [Write::Client(ClientWrite::Replace { client: rotated, .. })] = &decision.writes[..] else {
        panic!("one write")
    };
    let later = NOW.plus(overlap);
    assert!(rotated.is_proved_by(&[2; 32], later) && rotated.is_proved_by(&[1; 32], NOW));
    assert!(!rotated.is_proved_by(&[1; 32], later) && !rotated.is_proved_by(&[3; 32], NOW));
    let again = rotate_secret(rotated, ClientSecret::new([3; 32], NOW), overlap, NOW).expect("allowed");
    let [Write::Client(ClientWrite::Replace { client: again, .. })] = &again.writes[..] else {
        panic!("one write")
    };
    assert!(!again.is_proved_by(&[1; 32], NOW) && again.is_proved_by(&[2; 32], NOW));
    let none = rotate_secret(rotated, ClientSecret::new([4; 32], NOW), Duration::ZERO, NOW).expect("allowed");
    let [Write::Client(ClientWrite::Replace { client: none, .. })] = &none.writes[..] else {
        panic!("one write")
    };
    assert_eq!(none.secrets.len(), 1);
}

#[test]
fn changes_are_checked_whole_and_written_once() {
    let all_wrong = ClientChange {
        name: Some(String::new()),
        scopes: texts(&["a b"]),
        resources: texts(&["not a uri"]),
        access_token_seconds: Some(59),
        ..ClientChange::default()
    };
    let wrong = ClientDefinition::of(all_wrong.clone());
    let fields: Vec<_> = wrong.expect_err("refused").iter().map(|wrong| wrong.field).collect();
    assert_eq!(fields, ["name"], "a new client's name comes first");
    let present = client().definition;
    let wrong = present.clone().changed(all_wrong);
    let fields: Vec<_> = wrong.expect_err("refused").iter().map(|wrong| wrong.field).collect();
    assert_eq!(fields, ["name", "scopes", "resources", "access_token_seconds"]);
    assert!(change(&client(), present.clone(), &Precondition::None, NOW).expect("allowed").writes.is_empty());
    let disabled = ClientDefinition { disabled: true, ..present };
    let stale = change(&client(), disabled.clone(), &Precondition::OneOf(vec![2]), NOW);
    assert_eq!(stale.expect_err("stale"), STALE_VERSION);
    let changed = change(&client(), disabled.clone(), &Precondition::None, NOW).expect("allowed");
    assert_eq!(changed.events[0].data()["fields"], serde_json::json!(["disabled"]));
    let off = Client { definition: disabled, ..client() };
    let refused = rotate_secret(&off, ClientSecret::new([2; 32], NOW), Duration::ZERO, NOW);
    assert_eq!(refused.expect_err("disabled"), CLIENT_DISABLED);
}

#[test]
fn definitions_are_read_as_they_were_stored() {
    let stored = serde_json::to_string(&client().definition).expect("plain JSON");
    assert_eq!(serde_json::from_str::<ClientDefinition>(&stored).expect("ours"), client().definition);
    let made = make_secret(&Counting::default());
    assert_eq!((made.text.len(), &made.text[..5]), (48, "plcs_"));
    assert!(!format!("{:?}", client().secrets).contains("0101"));
}

proptest! {
    /// Whatever is asked for, nothing is given that is not the client's.
    #[test]
    fn nothing_more_is_ever_given(scope in ".{0,60}", resource in ".{0,60}") {
        if let Ok(claims) = granted(Some(&scope), &[&resource]) {
            let own = client().definition;
            prop_assert!(ScopeSet::of_parameter(&claims.scope).expect("well formed").is_within(&own.scopes));
            prop_assert!(own.resources.contains(&resource));
        }
    }
}

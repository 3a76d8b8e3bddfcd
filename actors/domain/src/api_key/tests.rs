use super::*;
use crate::denial::STALE_VERSION;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const HASH: SecretHash = SecretHash { hash: [3; 32], key_version: 1 };

fn scopes(texts: &[&str]) -> ApiScopes {
    ApiScopes::parse("scopes", texts).expect("known")
}

fn key() -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_uuid(Uuid::from_u128(7)),
        tenant: Some(TenantId::from_uuid(Uuid::from_u128(8))),
        scopes: scopes(&["users:write"]),
        name: DisplayName::parse("name", "orders").expect("valid"),
        expires_at: None,
        revoked_at: None,
        version: 3,
    }
}

fn new(
    kind: ApiKeyKind,
    scopes: &[&str],
    expires_at: Option<Timestamp>,
) -> Result<NewApiKey, Vec<InvalidInput>> {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    NewApiKey::parse(kind, "orders", &scopes, expires_at, None, NOW)
}

#[test]
fn a_key_gives_away_only_what_it_has() {
    let wanted = || new(ApiKeyKind::Secret, &["users:read", "keys:write"], None).expect("well formed");
    let made_by = |maker: &[&str]| issue(key().id, key().tenant, wanted(), HASH, scopes(maker), NOW);
    assert!(made_by(&["users:write", "keys:write"]).is_ok());
    assert!(issue(key().id, None, wanted(), HASH, ApiScopes::all(), NOW).is_ok());
    for maker in [&["keys:write"][..], &["users:read", "keys:read"], &[]] {
        assert_eq!(made_by(maker).expect_err("more than it has"), SCOPE_NOT_HELD);
        let rotated = rotate(&key(), HASH, Duration::ZERO, scopes(maker), NOW);
        assert_eq!(rotated.expect_err("a new secret is a key, too"), SCOPE_NOT_HELD);
    }
}

#[test]
fn wishes_are_checked_whole() {
    let later = Some(NOW.plus(Duration::from_secs(1)));
    assert!(new(ApiKeyKind::Secret, &["users:read"], later).is_ok());
    assert!(new(ApiKeyKind::Publishable, &[], None).is_ok());
    let code = |wish: Result<NewApiKey, Vec<InvalidInput>>| wish.expect_err("refused")[0].code;
    assert_eq!(code(new(ApiKeyKind::Secret, &[], None)), "scopes_needed");
    assert_eq!(code(new(ApiKeyKind::Publishable, &["users:read"], None)), "scopes_not_allowed");
    assert_eq!(code(new(ApiKeyKind::Secret, &["all"], None)), "unknown_scope");
    assert_eq!(code(new(ApiKeyKind::Secret, &["users:read"], Some(NOW))), "in_the_past");
    let all = NewApiKey::parse(ApiKeyKind::Secret, "", &[], Some(NOW), None, NOW).expect_err("refused");
    assert_eq!(all.iter().map(|wrong| wrong.field).collect::<Vec<_>>(), ["name", "scopes", "expires_at"]);
    assert!(parse_overlap(2_592_000).is_ok());
    assert_eq!(parse_overlap(2_592_001).expect_err("too long").field, "overlap_seconds");
}

#[test]
fn a_replaced_secret_works_for_the_overlap() {
    let decision = rotate(&key(), HASH, Duration::from_secs(60), ApiScopes::all(), NOW).expect("allowed");
    let [Write::ApiKey(ApiKeyWrite::Rotate { previous_until, expected_version: 3, .. })] =
        decision.writes[..]
    else {
        panic!("one rotation: {:?}", decision.writes)
    };
    assert_eq!(previous_until, Timestamp::from_millis(1_060_000));
    assert_eq!(decision.events[0].data()["overlap_seconds"], 60);
}

#[test]
fn what_has_ended_is_not_rotated_and_ends_once() {
    let revoked = ApiKey { revoked_at: Some(NOW), ..key() };
    let expired = ApiKey { expires_at: Some(NOW), ..key() };
    for ended in [&revoked, &expired] {
        let refused = rotate(ended, HASH, Duration::ZERO, ApiScopes::all(), NOW);
        assert_eq!(refused.expect_err("ended"), API_KEY_ENDED);
    }
    assert!(revoke(&revoked, NOW).writes.is_empty());
    assert!(matches!(revoke(&key(), NOW).writes[..], [Write::ApiKey(ApiKeyWrite::Revoke { .. })]));
    let operators = revoke(&ApiKey { tenant: None, ..key() }, NOW);
    assert!(matches!(operators.writes[..], [Write::ApiKey(ApiKeyWrite::RevokePlatformKey { .. })]));
}

#[test]
fn a_name_is_changed_by_those_who_saw_the_present_one() {
    let name = || DisplayName::parse("name", "invoices").expect("valid");
    let stale = rename(&key(), name(), &Precondition::OneOf(vec![2]));
    assert_eq!(stale.expect_err("stale"), STALE_VERSION);
    let renamed = rename(&key(), name(), &Precondition::OneOf(vec![3])).expect("allowed");
    assert_eq!(renamed.events[0].name(), "api_key.renamed");
    assert!(!renamed.events[0].concerns_other_nodes());
    assert!(rename(&key(), key().name, &Precondition::None).expect("allowed").writes.is_empty());
}

use crate::rig::{BOUND, Node, Rig, roomy, soon};
use plinto_actors::{ApiKeyWish, Caller};
use plinto_domain::api_key::ApiKeyKind;
use plinto_domain::audit::Actor;
use plinto_domain::name::DisplayName;
use plinto_domain::precondition::Precondition;
use plinto_domain::service_account::ServiceAccountChange;
use plinto_domain::{ServiceAccountId, TenantId};
use std::time::Duration;
use tokio::time::Instant;

async fn operator(node: &Node) -> Caller {
    let key = node.platform.issue_platform_key("operator").await.expect("key");
    node.platform.authenticate(&key.text).await.expect("good")
}

fn wish(account: Option<ServiceAccountId>) -> ApiKeyWish {
    let scopes = vec!["users:read".to_owned()];
    ApiKeyWish { kind: ApiKeyKind::Secret, name: "n".to_owned(), scopes, expires_at: None, account }
}

async fn account(node: &Node, tenant: TenantId) -> ServiceAccountId {
    let name = DisplayName::parse("name", "orders").expect("valid");
    let made = node.platform.create_service_account(tenant, name, None, Actor::System, soon()).await;
    made.expect("made").id
}

/// How long it takes until a key is good, or is not.
async fn until(node: &Node, key: &str, good: bool) -> Duration {
    let started = Instant::now();
    while node.platform.authenticate(key).await.is_ok() != good {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come to hold");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_key_elsewhere_happens_here() {
    for cut in [false, true] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let operator = operator(&one).await;
        let account = account(&one, tenant).await;
        let issue = |wish| one.platform.issue_api_key(tenant, wish, &operator, soon());
        let rotated = issue(wish(None)).await.expect("made");
        let revoked = issue(wish(None)).await.expect("made");
        let disabled = issue(wish(Some(account))).await.expect("made");
        for key in [&rotated, &revoked, &disabled] {
            assert_eq!(
                two.platform.authenticate(&key.text).await.expect("good").scopes.to_string(),
                "users:read"
            );
        }
        one.line.cut(cut);
        two.line.cut(cut);
        let newer =
            one.platform.rotate_api_key(tenant, rotated.id, 0, &operator, soon()).await.expect("rotated");
        let took = until(&two, &rotated.text, false).await;
        assert!(took < BOUND, "{took:?}");
        assert!(two.platform.authenticate(&newer.text).await.is_ok());
        one.platform.revoke_api_key(tenant, revoked.id, Actor::System, soon()).await.expect("revoked");
        let took = until(&two, &revoked.text, false).await;
        assert!(took < BOUND, "{took:?}");
        for off in [true, false] {
            let change = ServiceAccountChange { disabled: Some(off), ..ServiceAccountChange::default() };
            let any = Precondition::None;
            let changed = one
                .platform
                .change_service_account(tenant, account, change, any, Actor::System, soon())
                .await;
            changed.expect("changed");
            let took = until(&two, &disabled.text, !off).await;
            assert!(took < BOUND, "{took:?}");
        }
        one.platform.delete_service_account(tenant, account, Actor::System, soon()).await.expect("deleted");
        let took = until(&two, &disabled.text, false).await;
        assert!(took < BOUND, "{took:?}");
        one.finish().await;
        two.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn uses_of_a_key_are_written_down() {
    let rig = Rig::with(roomy());
    let (one, two, tenant) = rig.pair().await;
    let operator = operator(&one).await;
    let key = one.platform.issue_api_key(tenant, wish(None), &operator, soon()).await.expect("made");
    let seen = async || two.platform.api_key(tenant, key.id, soon()).await.expect("reads").last_used_at;
    assert_eq!(seen().await, None);
    one.platform.authenticate(&key.text).await.expect("good");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(seen().await.is_some(), "the other node reads it from the row");
    one.finish().await;
    two.finish().await;
}

#[tokio::test(start_paused = true)]
async fn of_the_last_two_platform_keys_two_nodes_withdraw_one() {
    let rig = Rig::with(roomy());
    let (one, two, _) = rig.pair().await;
    let list = async || {
        let keys = one.platform.platform_api_keys(None, 100, soon()).await.expect("reads");
        keys.into_iter().filter(|key| key.revoked_at.is_none()).map(|key| key.id).collect::<Vec<_>>()
    };
    while list().await.len() < 2 {
        one.platform.issue_platform_key("more").await.expect("key");
    }
    let keys = list().await;
    for extra in &keys[2..] {
        one.platform.revoke_platform_api_key(*extra, Actor::System).await.expect("not the last one");
    }
    let (first, second) = tokio::join!(
        one.platform.revoke_platform_api_key(keys[0], Actor::System),
        two.platform.revoke_platform_api_key(keys[1], Actor::System),
    );
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    assert_eq!(list().await.len(), 1);
    one.finish().await;
    two.finish().await;
}

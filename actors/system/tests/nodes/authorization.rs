use crate::rig::{BOUND, Node, Rig, roomy, soon};
use plinto_actors::{CheckRequest, GrantDraft, RoleOrPermission};
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::authorization::{Place, Question, RoleChange, RoleDraft, RoleKey, Subject};
use plinto_domain::precondition::Precondition;
use std::time::Duration;
use tokio::time::Instant;

async fn may(node: &Node, tenant: TenantId, subject: Subject) -> bool {
    let question = Question { action: "read", kind: "doc", id: "1", organization: None };
    let request = CheckRequest { subject: Some(subject), question };
    node.platform.check(tenant, request, soon()).await.expect("answered")
}

/// How long it takes until the subject may, or may not.
async fn until(node: &Node, tenant: TenantId, subject: Subject, wanted: bool) -> Duration {
    let started = Instant::now();
    while may(node, tenant, subject).await != wanted {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come to hold");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn what_is_granted_and_changed_elsewhere_holds_here() {
    for cut in [false, true] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let subject = Subject::User(one.sign_in(tenant).await.user);
        assert!(!may(&one, tenant, subject).await && !may(&two, tenant, subject).await, "now in memory");
        one.line.cut(cut);
        two.line.cut(cut);
        let draft = RoleDraft::parse("reader", "Reader", "", "tenant", &["doc:read".into()], &[]);
        let made = one.platform.create_role(tenant, draft.expect("valid"), Actor::System, soon()).await;
        let role = made.expect("made").role.id;
        let what = RoleOrPermission::Role(RoleKey::parse("key", "reader").expect("valid"));
        let grant = GrantDraft { subject, what, place: Place::Tenant, expires_at: None };
        let grant = one.platform.create_grant(tenant, grant, Actor::System, soon()).await.expect("granted");
        assert!(may(&one, tenant, subject).await, "at once where it was granted");
        let took = until(&two, tenant, subject, true).await;
        assert!(took < BOUND, "{took:?}");

        for (permissions, wanted) in [("doc:write", false), ("doc:*", true)] {
            let change = RoleChange::parse(None, None, Some(&[permissions.to_owned()]), None).expect("valid");
            let changed =
                one.platform.change_role(tenant, role, change, Precondition::None, Actor::System, soon());
            changed.await.expect("changed");
            let took = until(&two, tenant, subject, wanted).await;
            assert!(took < BOUND, "{took:?}");
        }
        one.platform.delete_grant(tenant, grant.id, Actor::System, soon()).await.expect("taken back");
        let took = until(&two, tenant, subject, false).await;
        assert!(took < BOUND, "{took:?}");
        one.finish().await;
        two.finish().await;
    }
}

use crate::rig::{BOUND, Node, Rig, roomy, soon};
use plinto_actors::{CheckRequest, Circumstances, GrantDraft, NewPolicyVersion, RoleOrPermission};
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::authorization::{Place, Question, RoleChange, RoleDraft, RoleKey, Subject};
use plinto_domain::policy::{PolicySource, SchemaSource};
use plinto_domain::precondition::Precondition;
use std::time::Duration;
use tokio::time::Instant;

async fn may(node: &Node, tenant: TenantId, subject: Subject) -> bool {
    let question = Question { action: "read", kind: "doc", id: "1", organization: None };
    let circumstances = Circumstances::default();
    let request = CheckRequest { subject: Some(subject), question, circumstances };
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

#[tokio::test(start_paused = true)]
async fn policies_activated_elsewhere_hold_here() {
    const SCHEMA: &str = "entity user; entity doc; action read appliesTo { principal: user, resource: doc };";
    for cut in [false, true] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let subject = Subject::User(one.sign_in(tenant).await.user);
        assert!(!may(&one, tenant, subject).await && !may(&two, tenant, subject).await, "now in memory");
        one.line.cut(cut);
        two.line.cut(cut);
        for (policies, wanted) in
            [("permit(principal, action, resource);", true), ("forbid(principal, action, resource);", false)]
        {
            let schema = SchemaSource::Text(SCHEMA.to_owned());
            let source = PolicySource { schema, policies: policies.to_owned() };
            let new = NewPolicyVersion { source, note: String::new() };
            let made = one.platform.create_policy_version(tenant, new, Actor::System, soon()).await;
            let version = Some(made.expect("valid").version);
            let any = Precondition::None;
            let chosen = one.platform.activate_policy_version(tenant, version, any, Actor::System, soon());
            chosen.await.expect("activated");
            assert_eq!(may(&one, tenant, subject).await, wanted, "at once where it was activated");
            let took = until(&two, tenant, subject, wanted).await;
            assert!(took < BOUND, "{took:?}");
        }
        one.finish().await;
        two.finish().await;
    }
}

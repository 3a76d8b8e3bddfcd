use crate::rig::{BOUND, Node, Rig, roomy, soon};
use plinto_actors::FlagQuestion;
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::flag::{DefinitionChange, DefinitionDraft, FlagKey, FlagKind, Rule};
use plinto_domain::precondition::Precondition;
use plinto_domain::user::profile::{ProfileInput, UserChange};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

async fn variant(node: &Node, tenant: TenantId, subject: &str) -> Option<String> {
    let flags = ["flag".to_owned()];
    let question = FlagQuestion { subject: Some(subject), context: None, flags: Some(&flags) };
    let mut answers = node.platform.evaluate_flags(tenant, question, soon()).await.expect("answered");
    answers.pop().expect("one was asked for").served.map(|served| served.variant)
}

/// How long it takes until the flag is this for the subject.
async fn until(node: &Node, tenant: TenantId, subject: &str, wanted: Option<&str>) -> Duration {
    let started = Instant::now();
    while variant(node, tenant, subject).await.as_deref() != wanted {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not come to hold");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn flags_and_what_they_ask_of_users_follow_changes_made_elsewhere() {
    for cut in [false, true] {
        let rig = Rig::with(roomy());
        let (one, two, tenant) = rig.pair().await;
        let user = one.sign_in(tenant).await.user;
        let subject = user.to_string();
        assert_eq!(variant(&two, tenant, &subject).await, None, "now in memory");
        one.line.cut(cut);
        two.line.cut(cut);
        let key = FlagKey::parse("key", "flag").expect("valid");
        let definition = DefinitionDraft::default().complete(FlagKind::Boolean).expect("valid");
        one.platform.create_flag(tenant, key.clone(), definition, Actor::System, soon()).await.expect("made");
        assert_eq!(
            variant(&one, tenant, &subject).await.as_deref(),
            Some("off"),
            "at once where it was made"
        );
        assert!(until(&two, tenant, &subject, Some("off")).await < BOUND);

        let gold = json!({ "attribute": "metadata.plan", "operator": "in", "values": ["gold"] });
        let rules: Vec<Rule> =
            serde_json::from_value(json!([{ "conditions": [gold], "variant": "on" }])).expect("well formed");
        let change = DefinitionChange { rules: Some(rules), ..DefinitionChange::default() };
        let changed =
            one.platform.change_flag(tenant, key.clone(), change, Precondition::None, Actor::System, soon());
        changed.await.expect("changed");
        assert_eq!(variant(&two, tenant, &subject).await.as_deref(), Some("off"));
        for (plan, wanted) in [("gold", "on"), ("lead", "off")] {
            let metadata = json!({ "plan": plan }).as_object().cloned();
            let input = ProfileInput { public_metadata: Some(metadata), ..ProfileInput::default() };
            let change = UserChange::parse(input).expect("valid");
            let changed =
                one.platform.change_user(tenant, user, &change, &Precondition::None, Actor::System, soon());
            changed.await.expect("changed");
            assert_eq!(
                variant(&one, tenant, &subject).await.as_deref(),
                Some(wanted),
                "at once where it was changed"
            );
            assert!(until(&two, tenant, &subject, Some(wanted)).await < BOUND);
        }
        let deleted = one.platform.delete_flag(tenant, key, Precondition::None, Actor::System, soon());
        deleted.await.expect("deleted");
        assert!(until(&two, tenant, &subject, None).await < BOUND);
        one.finish().await;
        two.finish().await;
    }
}

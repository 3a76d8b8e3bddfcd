use crate::rig::*;
use plinto_runtime::{Change, NodeState, PassivationCause, Refusal, TreeQuery, TreeSnapshot};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

#[tokio::test(start_paused = true)]
async fn the_tree_is_bounded_and_its_summaries_complete() {
    let rig = Rig::new().await;
    for key in 0..50 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    let page = rig.system.tree_page(&TreeQuery { limit: 10, ..TreeQuery::default() });
    assert_eq!((page.nodes.len(), page.truncated), (10, true));
    assert_eq!(page.kinds[0].states, [(NodeState::Live, 50)]);
    assert_eq!(page.kinds[0].processed, 50);
    let query = TreeQuery { prefix: "/counters/4".into(), ..TreeQuery::default() };
    let page = rig.system.tree_page(&query);
    assert_eq!((page.nodes.len(), page.truncated), (11, false));
    assert_eq!(rig.counters.call(&17, soon(), Ask::Panic).await, Err(Refusal::Crashed));
    settle().await;
    let troubled = rig.system.tree_page(&TreeQuery { troubled_only: true, ..TreeQuery::default() });
    assert_eq!(troubled.nodes.len(), 1);
    assert_eq!(troubled.nodes[0].path, "/counters/17");
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn static_nodes_stand_in_the_tree_while_somebody_counts() {
    let rig = Rig::new().await;
    let listener = rig.system.register_node("/listeners/core", "listener");
    let one = listener.begin();
    let two = listener.begin();
    drop(two);
    let node = rig.system.tree().nodes[0].clone();
    assert_eq!((node.path.as_str(), node.in_flight, node.processed), ("/listeners/core", 1, 1));
    drop((one, listener));
    assert!(rig.system.tree().nodes.is_empty());
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn events_tell_an_actors_life() {
    let rig = Rig::new().await;
    let mut events = rig.system.events();
    assert_eq!(rig.add(1, 0).await, Ok(1));
    assert_eq!(rig.counters.call(&1, soon(), Ask::Panic).await, Err(Refusal::Crashed));
    tokio::time::sleep(SECOND).await;
    assert!(rig.counters.passivate(&1).await);
    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        assert_eq!((event.path.as_str(), &*event.kind), ("/counters/1", "counter"));
        seen.push(event.change);
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!(seen[0], Change::Activated);
    assert_eq!(seen[1], Change::Failed { reason: "panicked: told to".into() });
    assert!(matches!(seen[2], Change::Restarting { after_ms: 50..=100 }), "{seen:?}");
    assert_eq!(seen[3], Change::Restarted);
    assert_eq!(seen[4], Change::Passivated { cause: PassivationCause::Asked });
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn snapshots_and_events_survive_json() {
    let rig = Rig::new().await;
    let mut events = rig.system.events();
    assert_eq!(rig.add(1, 0).await, Ok(1));
    let tree = rig.system.tree();
    let json = serde_json::to_string(&tree).expect("it serialises");
    assert_eq!(serde_json::from_str::<TreeSnapshot>(&json).expect("it parses"), tree);
    let event = events.recv().await.expect("there is one");
    let json = serde_json::to_value(&event).expect("it serialises");
    assert_eq!(json["change"], "activated");
    assert_eq!(serde_json::from_value::<plinto_runtime::RuntimeEvent>(json).expect("it parses"), event);
    rig.finish().await;
}

#[tokio::test(start_paused = true)]
async fn metrics_carry_kinds_and_reasons_but_no_keys() {
    let rig = Rig::new().await;
    let mut registry = Registry::default();
    rig.system.metrics(&mut registry);
    for key in 4_711..4_714 {
        assert_eq!(rig.add(key, 0).await, Ok(1));
    }
    assert_eq!(rig.counters.call(&4_711, soon(), Ask::Panic).await, Err(Refusal::Crashed));
    assert!(rig.counters.passivate(&4_712).await);
    let slow = rig.counters.call(&4_713, soon(), |reply| Ask::Slow(SECOND, (0, 1), reply));
    let late = async {
        settle().await;
        let deadline = plinto_runtime::Deadline::after(ms(1));
        rig.counters.call(&4_713, deadline, |reply| Ask::Add((0, 2), reply)).await
    };
    let (slow, late) = futures::join!(slow, late);
    assert_eq!((slow, late), (Ok(2), Err(Refusal::DeadlineExceeded)));
    tokio::time::sleep(SECOND).await;
    let mut text = String::new();
    encode(&mut text, &registry).expect("it encodes");
    for line in [
        r#"runtime_actors{kind="counter",state="live"} 2"#,
        r#"runtime_mailbox_depth{kind="counter"} 0"#,
        r#"runtime_handle_seconds_count{kind="counter"} 5"#,
        r#"runtime_activations_total{kind="counter"} 4"#,
        r#"runtime_passivations_total{kind="counter",reason="asked"} 1"#,
        r#"runtime_crashes_total{kind="counter"} 1"#,
        r#"runtime_restarts_total{kind="counter"} 1"#,
        r#"runtime_refusals_total{kind="counter",reason="crashed"} 1"#,
        r#"runtime_refusals_total{kind="counter",reason="deadline_exceeded"} 1"#,
        r#"runtime_dropped_messages_total{kind="counter",reason="expired"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("4711") && !text.contains("/counters"), "no keys in labels");
    rig.finish().await;
}

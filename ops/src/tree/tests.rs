use std::borrow::Cow;

use plinto_runtime::{KindSummary, LimiterView, NodeState, TreeNode, TreeSnapshot};

use super::{fit, lines};

fn node(path: &str, state: NodeState) -> TreeNode {
    TreeNode {
        path: path.to_owned(),
        kind: Cow::Borrowed("kind"),
        state,
        since_ms_ago: 5,
        in_flight: 1,
        processed: 42,
        restarts: 3,
        last_failure: None,
        overloaded: 0,
        limiter: None,
    }
}

fn snapshot(nodes: Vec<TreeNode>) -> TreeSnapshot {
    let kind = KindSummary {
        kind: Cow::Borrowed("tenant"),
        states: vec![(NodeState::Live, 2)],
        in_flight: 1,
        processed: 84,
        restarts: 0,
        quarantines: 0,
        refused: 7,
        bytes: 0,
    };
    TreeSnapshot {
        system: "plinto".to_owned(),
        uptime_ms: 61_000,
        nodes,
        kinds: vec![kind],
        truncated: false,
    }
}

#[test]
fn folders_are_added_once_and_children_are_indented() {
    let mut tenant = node("/tenants/ten_1", NodeState::Live);
    tenant.limiter = Some(LimiterView { available: 9, burst: 10, refused: 1 });
    let mut failed = node("/tenants/ten_1/sessions/ses_1", NodeState::Restarting);
    failed.last_failure = Some("panicked".to_owned());
    let ledger = node("/tenants/ten_1/ledger", NodeState::Live);
    let core = node("/listeners/core", NodeState::Live);
    let text = lines(&snapshot(vec![core, tenant, ledger, failed]));
    let names: Vec<String> = text
        .iter()
        .skip_while(|line| *line != "/")
        .map(|line| line.chars().take(24).collect::<String>().trim_end().to_owned())
        .collect();
    let wanted = [
        "/",
        "  listeners",
        "    core",
        "  tenants",
        "    ten_1",
        "      ledger",
        "      sessions",
        "        ses_1",
    ];
    assert_eq!(names, wanted);
    let all = text.join("\n");
    assert!(all.starts_with("plinto (root), up "), "{all}");
    for part in ["2 live", "9/10 free, 1 refused", "restarting", "last failure: panicked"] {
        assert!(all.contains(part), "{part}\n{all}");
    }
}

#[test]
fn a_screen_is_never_overrun() {
    let nodes = (0..50).map(|number| node(&format!("/tenants/ten_{number}"), NodeState::Live)).collect();
    let fitted = fit(lines(&snapshot(nodes)), 20, 30);
    assert_eq!(fitted.len(), 19);
    assert!(fitted.iter().all(|line| line.chars().count() <= 30));
    assert!(fitted[18].starts_with("… "), "{}", fitted[18]);
    assert_eq!(fit(vec!["one".to_owned()], 20, 30), ["one"]);
}

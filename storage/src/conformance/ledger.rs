//! One chain per scope, without gap or fork, whatever happens at once.

use super::{Fixture, entry};
use crate::ledger::{
    BadEntry, By, CHANGING, Change, Checkpoint, Look, NoteSigner, Order, ROUTINE, Summary, Verifier,
    VerifyError, changes, checkpoint, export, head, look, page, prunable, verify, verify_export,
};
use crate::repositories::users;
use crate::{Receipt, Scope, Unit, UnitError};

async fn verified(fixture: &Fixture, scope: Scope) -> i64 {
    verify(fixture.engine(), scope, |_, _| {}).await.expect("the chain verifies").head.seq
}

pub async fn the_chain_goes_on_across_batches(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    assert_eq!(verified(fixture, scope).await, 0, "a new ledger is empty and verifies");
    let unit = |count: usize| Unit { statements: vec![], entries: vec![entry("user.seen", count); count] };
    let first = fixture.engine().commit(scope, "suite", vec![unit(1), unit(2)]).await.expect("commits");
    let second = fixture.engine().commit(scope, "suite", vec![unit(3)]).await.expect("commits");
    let receipts: Vec<_> = first.into_iter().chain(second).collect();
    let expected = [(1, 1), (2, 3), (4, 6)];
    for (receipt, (first_seq, last_seq)) in receipts.into_iter().zip(expected) {
        assert_eq!(receipt, Ok(Receipt { first_seq, last_seq }));
    }
    assert_eq!(verified(fixture, scope).await, 6);
}

pub async fn concurrent_commits_make_one_chain(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..32 {
        let engine = std::sync::Arc::clone(fixture.store.engine());
        tasks.spawn(async move {
            let unit = Unit { statements: vec![], entries: vec![entry("user.seen", task)] };
            let answers = engine.commit(scope, "suite", vec![unit.clone(), unit]).await.expect("commits");
            answers.into_iter().map(|answer| answer.expect("stands").first_seq).collect::<Vec<_>>()
        });
    }
    let mut seqs: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=64).collect::<Vec<_>>(), "every sequence once");
    assert_eq!(verified(fixture, scope).await, 64);
}

pub async fn a_refused_unit_leaves_no_gap(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let missing = users::update_standing(&vault, fixture.id(), users::UserState::Blocked, 1, 1);
    let good = Unit { statements: vec![], entries: vec![entry("user.seen", 1)] };
    let bad = Unit { statements: vec![missing], entries: vec![entry("user.blocked", 1)] };
    let answers =
        fixture.engine().commit(scope, "suite", vec![good.clone(), bad, good]).await.expect("commits");
    assert_eq!(answers[0], Ok(Receipt { first_seq: 1, last_seq: 1 }));
    assert_eq!(answers[1], Err(UnitError::Conflict("user_version")));
    assert_eq!(answers[2], Ok(Receipt { first_seq: 2, last_seq: 2 }));
    assert_eq!(verified(fixture, scope).await, 2);
}

pub async fn a_unit_without_entries_appends_nothing(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let insert = users::insert(&vault, &fixture.user());
    let receipt = fixture.commit(&vault, vec![insert], vec![]).await;
    assert_eq!(receipt, Ok(Receipt { first_seq: 1, last_seq: 0 }));
    assert_eq!(verified(fixture, Scope::Tenant(vault.tenant())).await, 0);
}

pub async fn pages_are_in_order(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let entries = (0..7).map(|n| entry("user.seen", n)).collect();
    fixture.commit(&vault, vec![], entries).await.expect("commits");
    let scope = Scope::Tenant(vault.tenant());
    let found = page(fixture.engine(), scope, 2, 3).await.expect("reads");
    assert_eq!(found.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(found[0].subject, "2");
    assert_eq!(found[0].data, r#"{"by":"suite","n":1}"#);
    assert!(page(fixture.engine(), scope, 7, 3).await.expect("reads").is_empty());
    let last = head(fixture.engine(), scope).await.expect("reads").expect("has a head");
    assert_eq!(last.seq, 7);
}

pub async fn changes_are_found_after_a_cursor(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let mut unit = Unit::default();
    for event in CHANGING {
        unit.entries.extend([entry("user.seen", 1), entry(event, 1)]);
    }
    fixture.engine().commit(scope, "suite", vec![unit]).await.expect("commits");
    let found = changes(fixture.engine(), scope, 0, 100).await.expect("reads");
    let names: Vec<_> = found.iter().map(|change| change.event.as_str()).collect();
    assert_eq!(names, CHANGING);
    let last = CHANGING.len() as i64 * 2;
    let every_second: Vec<_> = (2..=last).step_by(2).collect();
    assert_eq!(found.iter().map(|change| change.seq).collect::<Vec<_>>(), every_second);
    assert_eq!(found[0].subject, entry("user.seen", 1).subject);
    let rest: Vec<Change> = changes(fixture.engine(), scope, 4, 2).await.expect("reads");
    assert_eq!(rest, found[2..4]);
    let heads = fixture.engine().ledger_heads(&[vault.tenant(), fixture.id()]).await.expect("reads");
    assert_eq!(heads, [(vault.tenant(), last)]);
}

pub async fn entries_are_looked_for_by_whom_about_what_and_when(fixture: &Fixture) {
    const HOUR: i64 = 3_600_000;
    let vault = fixture.tenant("ours").await;
    let scope = Scope::Tenant(vault.tenant());
    let made = |n: usize| {
        let event = if n.is_multiple_of(4) { ROUTINE } else { "user.seen" };
        let mut new = entry(event, n % 3);
        new.at = n as i64 * HOUR;
        new.actor = format!("actor{}", n % 2);
        new
    };
    // More than are read at a time.
    fixture.commit(&vault, vec![], (1..=1_200).map(made).collect()).await.expect("commits");
    let all =
        Look { by: By::All, order: Order::OldestFirst, after: None, from: None, until: None, limit: 2_000 };
    let find = async |asked: Look<'_>| {
        let found = look(fixture.engine(), scope, &asked, |_| true).await.expect("reads");
        (found.entries.into_iter().map(|entry| entry.seq).collect::<Vec<i64>>(), found.next)
    };
    assert_eq!(find(all).await, ((1..=1_200).collect(), None));
    let downward = Look { order: Order::NewestFirst, ..all };
    assert_eq!(find(downward).await, ((1..=1_200).rev().collect(), None));
    assert_eq!(find(Look { limit: 2, ..downward }).await, (vec![1_200, 1_199], Some(1_199)));
    assert_eq!(find(Look { limit: 2, after: Some(3), ..downward }).await, (vec![2, 1], None));
    assert_eq!(find(Look { limit: 2, after: Some(1_199), ..all }).await, (vec![1_200], None));
    let expected =
        |of: &dyn Fn(i64) -> bool| (1..=1_200).filter(|n| n % 4 != 0 && of(*n)).collect::<Vec<_>>();
    assert_eq!(find(Look { by: By::Subject("2"), ..all }).await, (expected(&|n| n % 3 == 2), None));
    let mut by_actor = expected(&|n| n % 2 == 1);
    assert_eq!(find(Look { by: By::Actor("actor1"), ..all }).await, (by_actor.clone(), None));
    by_actor.reverse();
    assert_eq!(find(Look { by: By::Actor("actor1"), ..downward }).await, (by_actor, None));
    // Times only bound what is read: an hour more on either side, for clocks that differ.
    let timed = Look { from: Some(10 * HOUR), until: Some(12 * HOUR), ..all };
    assert_eq!(find(timed).await, ((9..13).collect(), None));
    let beyond = Look { from: Some(5_000 * HOUR), ..all };
    assert_eq!(find(beyond).await, (vec![], None));
    let two = Look { limit: 2, ..all };
    let picked = look(fixture.engine(), scope, &two, |entry| entry.seq % 500 == 0).await.expect("reads");
    assert_eq!(picked.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [500, 1_000]);
    assert_eq!(picked.next, None);
}

pub async fn an_export_verifies_and_names_what_was_altered(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let entries = (0..5).map(|n| entry("user.seen", n)).collect();
    fixture.commit(&vault, vec![], entries).await.expect("commits");
    let mut out = Vec::new();
    let scope = Scope::Tenant(vault.tenant());
    let head = export(fixture.engine(), scope, &mut out).await.expect("exports");
    let whole = String::from_utf8(out).expect("JSON is UTF-8");
    assert_eq!(verify_export(whole.as_bytes()).expect("verifies").head, head);

    let altered = whole.replacen(r#""subject":"2""#, r#""subject":"9""#, 1);
    let bad = bad_of(verify_export(altered.as_bytes()));
    assert!(matches!(bad, BadEntry::Hash { seq: 3, .. }), "{bad:?}");
    let mut lines: Vec<_> = whole.lines().collect();
    lines.remove(2);
    let bad = bad_of(verify_export(lines.join("\n").as_bytes()));
    assert_eq!(bad, BadEntry::Sequence { expected: 2, found: 3 });
    let cut: Vec<_> = whole.lines().take(4).collect();
    let bad = bad_of(verify_export(cut.join("\n").as_bytes()));
    assert!(matches!(bad, BadEntry::Head { expected_seq: 5, found_seq: 3, .. }), "{bad:?}");
    let bad = bad_of(verify_export(format!("{whole}nonsense\n").as_bytes()));
    assert_eq!(bad, BadEntry::Unreadable { place: "line 7".to_owned() });
    assert!(verify_export(b"".as_slice()).is_err());
}

pub async fn a_pruned_ledger_begins_at_its_checkpoint(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let (tenant, scope) = (vault.tenant(), Scope::Tenant(vault.tenant()));
    let made = |n: i64| {
        let mut new = entry("user.seen", 1);
        new.at = n;
        new
    };
    fixture.commit(&vault, vec![], (1..=9).map(made).collect()).await.expect("commits");
    let prune =
        async |cutoff, most| prunable(fixture.engine(), &vault, cutoff, 99, most).await.expect("reads");
    assert!(prune(1, 100).await.is_none(), "nothing is older");
    let first = prune(6, 3).await.expect("three may go");
    let entries = page(fixture.engine(), scope, 0, 9).await.expect("reads");
    let summary = Summary {
        first_seq: 1,
        head: crate::ledger::Head { seq: 3, hash: entries[2].hash },
        oldest_at: 1,
        newest_at: 3,
        pruned_at: 99,
    };
    assert_eq!((first.checkpoint.open(tenant), &first.summary), (Ok(summary.clone()), &summary));
    fixture.commit(&vault, first.statements.clone(), vec![]).await.expect("stands");
    let twice = fixture.commit(&vault, first.statements, vec![]).await;
    assert!(matches!(twice, Err(UnitError::Unique(_) | UnitError::Conflict("ledger_prefix"))), "{twice:?}");
    let second = prune(6, 100).await.expect("two more may go");
    assert_eq!((second.summary.first_seq, second.summary.head.seq), (4, 5));
    fixture.commit(&vault, second.statements, vec![made(10)]).await.expect("stands");
    assert_eq!(checkpoint(fixture.engine(), scope).await, Ok(Some(second.checkpoint.clone())));
    let found = verify(fixture.engine(), scope, |_, _| {}).await.expect("verifies");
    assert_eq!(
        (found.head.seq, found.begins.map(|begins| begins.summary)),
        (10, Some(second.summary.clone()))
    );
    let mut out = Vec::new();
    export(fixture.engine(), scope, &mut out).await.expect("exports");
    verify_export(out.as_slice()).expect("verifies");

    // A checkpoint of another hash, though signed by the right key, is not where this ledger goes on.
    let head = crate::ledger::Head { seq: 5, hash: [7; 32] };
    let forged = Summary { head, ..second.summary };
    let forged = Checkpoint::sign(&forged, &NoteSigner::of(&vault), tenant);
    let mut verifier = Verifier::behind(tenant, Some(&forged)).expect("its signature is good");
    let bad = bad_of(verifier.push(&entries[5]));
    assert!(matches!(bad, BadEntry::Previous { seq: 6, .. }), "{bad:?}");
    let mut altered = second.checkpoint.clone();
    altered.note = altered.note.replacen("pruned 99", "pruned 98", 1);
    assert_eq!(bad_of(Verifier::behind(tenant, Some(&altered))), BadEntry::Checkpoint { seq: 5 });
    let other = fixture.tenant("other").await;
    let foreign = Verifier::behind(other.tenant(), Some(&second.checkpoint));
    assert_eq!(bad_of(foreign), BadEntry::Checkpoint { seq: 5 }, "it is of another tenant");
    assert_eq!(verified(fixture, Scope::Platform).await, 3);
}

fn bad_of<T: std::fmt::Debug>(outcome: Result<T, VerifyError>) -> BadEntry {
    match outcome {
        Err(VerifyError::Bad { bad, .. }) => bad,
        other => panic!("expected a bad entry, got {other:?}"),
    }
}

pub async fn tenant_changes_are_audited_by_the_platform(fixture: &Fixture) {
    let vault = fixture.tenant("ours").await;
    let tenants = fixture.store.tenants();
    tenants.rotate_key(vault.tenant(), 1, vec![entry("key.rotated", 2)]).await.expect("rotates");
    tenants.delete(vault.tenant(), 2, vec![entry("tenant.deleted", 3)]).await.expect("deletes");
    let entries = page(fixture.engine(), Scope::Platform, 0, 10).await.expect("reads");
    let events: Vec<_> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, ["platform.initialized", "tenant.created", "key.rotated", "tenant.deleted"]);
    assert_eq!(verified(fixture, Scope::Platform).await, 4);
}

//! PostgreSQL gone or frozen.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};

use super::every_node_says;
use crate::HarnessError;
use crate::api::{Answer, Api, Tokens};
use crate::experiments::Progress;
use crate::experiments::shared::{Site, compare};
use crate::invariants::{Findings, Invariant};
use crate::nodes::Footprint;

/// How long it is away.
const TIME: Duration = Duration::from_secs(5);
/// A write is refused within a second; the rest is for a harness that shares two cores with everything.
const AT_ONCE: Duration = Duration::from_millis(1_500);
/// How long an introspection may take meanwhile.
const SOON: Duration = Duration::from_secs(1);
/// Callers that keep asking each node for writes meanwhile.
const CALLERS: usize = 32;
/// Memory a node may take meanwhile.
const MORE_KIB: u64 = 64 * 1024;
/// How long it may take after its return until writes are done again.
const HEALED: Duration = Duration::from_secs(10);

/// How PostgreSQL is away.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// Its processes are gone, connections are refused.
    Stopped,
    /// Its processes are frozen, connections stay open and nothing answers.
    Frozen,
}

/// A session with the node that holds it.
struct Held {
    node: usize,
    api: Api,
    tenant: String,
    email: String,
    password: String,
    tokens: Tokens,
    platform_key: String,
}

/// Writes are refused at once, held sessions validate, memory stays bounded, and it heals without a restart.
pub(super) async fn away(
    site: &Site,
    how: How,
    findings: &mut Findings,
    say: Progress<'_>,
) -> Result<(), HarnessError> {
    let held = hold(site).await?;
    let before = site.footprints()?;
    site.nodes
        .with_postgres(move |postgres| match how {
            How::Stopped => postgres.stop(),
            How::Frozen => postgres.pause(),
        })
        .await;
    let begun = Instant::now();
    let (writes, ()) = futures::join!(
        join_all(held.iter().map(|held| refused_at_once(held, how))),
        keep_calling(&held, begun + TIME),
    );
    writes.into_iter().for_each(|found| findings.add(found));
    for found in join_all(held.iter().map(|held| still_validates(held, how))).await {
        findings.add(found);
    }
    every_node_says(site, 503, "unavailable", "without PostgreSQL", findings).await;
    let after = site.footprints()?;
    memory_is_bounded(how, &before, &after, findings);
    say(format!("PostgreSQL {how:?}: {}", compare(&before, &after).join("; ")));
    site.nodes
        .with_postgres(move |postgres| match how {
            How::Stopped => postgres.start_again(),
            How::Frozen => {
                postgres.resume();
                Ok(())
            }
        })
        .await?;
    every_node_says(site, 200, "ready", "after PostgreSQL came back", findings).await;
    for found in join_all(held.iter().map(|held| healed(held, how))).await {
        findings.add(found);
    }
    site.nodes.until_all_are_sent_to().await
}

/// One session on every node, which that node has in memory.
async fn hold(site: &Site) -> Result<Vec<Held>, HarnessError> {
    let mut held = Vec::new();
    let known = site.journal.with_accounts(|accounts| {
        accounts
            .iter()
            .map(|account| (account.tenant.clone(), account.email.clone(), account.password.clone()))
            .collect::<Vec<_>>()
    });
    for ((node, api), (tenant, email, password)) in site.nodes.places().all().into_iter().zip(known) {
        let tokens = api.sign_in(&tenant, &email, &password).await.required("a sign-in on one node")?;
        let asked = api.is_active(site.nodes.platform_key(), &tokens.access_token).await;
        asked.required("the introspection of a new token")?;
        let platform_key = site.nodes.platform_key().to_owned();
        held.push(Held { node, api, tenant, email, password, tokens, platform_key });
    }
    Ok(held)
}

/// Every kind of write, on a node that knew nothing of the outage a moment before.
async fn refused_at_once(held: &Held, how: How) -> Findings {
    let Held { node, api, tenant, email, password, tokens, .. } = held;
    let mut findings = Findings::default();
    let mut judge = |call: &str, begun: Instant, status: Option<u16>, retry_after: bool, said: String| {
        let took = begun.elapsed();
        let kept = status == Some(503) && retry_after && took <= AT_ONCE;
        findings.hold(Invariant::OutageIsSurvived, kept, || {
            format!(
                "PostgreSQL {how:?}: a {call} on node {node} was answered {said} after {} ms, Retry-After: {retry_after}",
                took.as_millis()
            )
        });
    };
    for round in 0..3 {
        let begun = Instant::now();
        let (status, retry_after, said) = refusal(api.sign_in(tenant, email, password).await);
        judge("sign-in", begun, status, retry_after, said);
        let begun = Instant::now();
        let new = format!("{how:?}-{node}-{round}-{email}").to_lowercase();
        let (status, retry_after, said) = refusal(api.sign_up(tenant, &new, password).await);
        judge("sign-up", begun, status, retry_after, said);
        let begun = Instant::now();
        let (status, retry_after, said) = refusal(api.refresh(&tokens.refresh_token).await);
        judge("refresh", begun, status, retry_after, said);
    }
    findings
}

fn refusal<T>(answer: Answer<T>) -> (Option<u16>, bool, String) {
    let said = answer.summary();
    match answer {
        Answer::Refused { status, retry_after, .. } => (Some(status), retry_after, said),
        Answer::Done(_) | Answer::Lost => (None, false, said),
    }
}

/// Many callers who do not go away, so that what piles up would be seen.
async fn keep_calling(held: &[Held], until: Instant) {
    let callers = held.iter().flat_map(|held| (0..CALLERS).map(move |caller| (held, caller)));
    join_all(callers.map(|(held, caller)| async move {
        while Instant::now() < until {
            let Held { api, tenant, email, password, tokens, .. } = held;
            // What they are answered is judged elsewhere, on calls that are not so many.
            match caller % 2 {
                0 => drop(api.refresh(&tokens.refresh_token).await),
                _ => drop(api.sign_in(tenant, &format!("{caller}-{email}"), password).await),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }))
    .await;
}

async fn still_validates(held: &Held, how: How) -> Findings {
    let Held { node, api, tokens, platform_key, .. } = held;
    let mut findings = Findings::default();
    for _ in 0..10 {
        let begun = Instant::now();
        let answer = api.is_active(platform_key, &tokens.access_token).await;
        let took = begun.elapsed();
        let kept = matches!(answer, Answer::Done(true)) && took <= SOON;
        findings.hold(Invariant::OutageIsSurvived, kept, || {
            let said = answer.map(|active| format!("active: {active}"));
            let said = if let Answer::Done(said) = said { said } else { said.summary() };
            format!(
                "PostgreSQL {how:?}: on node {node} a held session was answered {said} after {} ms",
                took.as_millis()
            )
        });
    }
    findings
}

fn memory_is_bounded(how: How, before: &[Footprint], after: &[Footprint], findings: &mut Findings) {
    for (node, (before, after)) in before.iter().zip(after).enumerate() {
        let more = after.resident.saturating_sub(before.resident);
        findings.hold(Invariant::NothingLeaks, more <= MORE_KIB, || {
            format!("PostgreSQL {how:?}: node {node} took {} MiB more meanwhile", more / 1024)
        });
    }
}

/// The session that was held goes on with the token from before, and its user signs in.
async fn healed(held: &Held, how: How) -> Findings {
    let Held { node, api, tenant, email, password, tokens, .. } = held;
    let mut findings = Findings::default();
    let begun = Instant::now();
    let said = loop {
        let refreshed = api.refresh(&tokens.refresh_token).await;
        let signed_in = api.sign_in(tenant, email, password).await;
        match (&refreshed, &signed_in) {
            (Answer::Done(_), Answer::Done(_)) => return findings,
            (refreshed, signed_in)
                if begun.elapsed() > HEALED || refreshed.is_refusal(401, "invalid_grant") =>
            {
                break format!("refresh {}, sign-in {}", refreshed.summary(), signed_in.summary());
            }
            _ => sleep(Duration::from_millis(100)).await,
        }
    };
    findings.hold(Invariant::OutageIsSurvived, false, || {
        format!(
            "PostgreSQL {how:?}: {} ms after its return on node {node}: {said}",
            begun.elapsed().as_millis()
        )
    });
    findings
}

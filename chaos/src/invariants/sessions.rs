use tokio::time::Instant;

use super::{Findings, Invariant, Witness};
use crate::api::Answer;
use crate::journal::{Account, Change, Session, State};
use crate::nodes::Nodes;

/// What introspection says about a session's tokens.
struct Seen {
    access: bool,
    refresh: bool,
}

/// Holds every session of an account that `selected` names against what is known, by introspection only, and finds out
/// what became of open changes.
pub async fn account_sessions(
    witness: &Witness<'_>,
    account: &mut Account,
    mut selected: impl FnMut(&Session) -> bool,
) -> Findings {
    let mut findings = Findings::default();
    let mut everywhere = Vec::new();
    for index in 0..account.sessions.len() {
        let session = &account.sessions[index];
        let open = matches!(session.state, State::Open(_));
        if !open && !selected(session) {
            continue;
        }
        match session.state {
            State::Live => live_session(witness, session, &mut findings).await,
            State::Ended => ended_session(witness, session, &mut findings).await,
            State::Open(Change::Refresh) => open_refresh(witness, account, index, &mut findings).await,
            State::Open(change) => {
                let lives = open_sign_out(witness, account, index, &mut findings).await;
                if change == Change::SignOutEverywhere {
                    everywhere.extend(lives);
                }
            }
        }
    }
    let together = everywhere.windows(2).all(|pair| pair[0] == pair[1]);
    findings.hold(Invariant::OpenChangeIsOldOrNew, together, || {
        format!("an open sign-out of all sessions of {} ended some and not others", account.email)
    });
    findings
}

async fn seen(
    witness: &Witness<'_>,
    session: &Session,
    invariant: Invariant,
    findings: &mut Findings,
) -> Option<Seen> {
    let access = witness.is_active(&session.access, invariant, findings).await?;
    let refresh = witness.is_active(&session.refresh, invariant, findings).await?;
    Some(Seen { access, refresh })
}

async fn live_session(witness: &Witness<'_>, session: &Session, findings: &mut Findings) {
    let Session { id, generation, .. } = session;
    let Some(seen) = seen(witness, session, Invariant::SessionSurvives, findings).await else { return };
    findings
        .hold(Invariant::SessionSurvives, seen.access, || format!("the access token of {id} is not active"));
    findings.hold(Invariant::SessionSurvives, seen.refresh, || {
        format!("refresh token {generation} of {id} was acknowledged and is not active")
    });
    if let Some(replaced) = &session.replaced {
        let invariant = Invariant::RefreshTokenIsSingleUse;
        let active = witness.is_active(replaced, invariant, findings).await;
        findings.hold(invariant, active != Some(true), || {
            format!("refresh token {} of {id} was exchanged and is active", generation - 1)
        });
    }
}

async fn ended_session(witness: &Witness<'_>, session: &Session, findings: &mut Findings) {
    let invariant = Invariant::RevocationSurvives;
    let (id, ended) = (&session.id, session.ended.expect("whoever notes an end notes when"));
    let access = witness.is_refused(&session.access, ended, invariant, findings).await;
    findings.hold(invariant, access, || {
        format!("{id} ended {} ms ago and its access token is active", ended.elapsed().as_millis())
    });
    let refresh = witness.is_refused(&session.refresh, ended, invariant, findings).await;
    findings.hold(invariant, refresh, || {
        format!("{id} ended {} ms ago and its refresh token is active", ended.elapsed().as_millis())
    });
}

/// A rotation nobody heard the answer of: either the known token is current and rotates, or it was replaced, and then
/// presenting it again is an honest retry if it comes soon, and ends the session if it comes late.
async fn open_refresh(witness: &Witness<'_>, account: &mut Account, index: usize, findings: &mut Findings) {
    let invariant = Invariant::OpenChangeIsOldOrNew;
    let session = &account.sessions[index];
    let id = session.id.clone();
    let Some(before) = seen(witness, session, invariant, findings).await else { return };
    findings.hold(invariant, before.access, || format!("an open refresh ended {id}"));
    let answer = witness.api.refresh(&session.refresh).await;
    if before.refresh {
        match answer {
            Answer::Done(tokens) => account.refreshed(index, tokens),
            other => findings.hold(invariant, false, || {
                format!("the active refresh token of {id} was answered {}", other.summary())
            }),
        }
        return;
    }
    if let Answer::Done(tokens) = answer {
        // Soon enough to be an honest retry: it is answered with the token the lost answer held.
        account.refreshed(index, tokens);
        return;
    }
    findings.hold(invariant, answer.is_refusal(401, "invalid_grant"), || {
        format!("the replaced refresh token of {id} was answered {}", answer.summary())
    });
    let after = witness.is_refused(&session.access, Instant::now(), invariant, findings).await;
    findings.hold(Invariant::RefreshTokenIsSingleUse, after, || {
        format!("{id} lives although its replaced refresh token was presented")
    });
    account.reuse_detected(index);
}

/// A sign-out nobody heard the answer of: the session lives with both tokens or with none. Says which.
async fn open_sign_out(
    witness: &Witness<'_>,
    account: &mut Account,
    index: usize,
    findings: &mut Findings,
) -> Option<bool> {
    let invariant = Invariant::OpenChangeIsOldOrNew;
    let session = &mut account.sessions[index];
    let seen = seen(witness, session, invariant, findings).await?;
    findings.hold(invariant, seen.access == seen.refresh, || {
        format!("after an open sign-out only one of the two tokens of {} is active", session.id)
    });
    if seen.access {
        session.state = State::Live;
    } else {
        session.end();
    }
    Some(seen.access)
}

/// [`Invariant::SessionSurvives`] and [`Invariant::RevocationSurvives`], by using the refresh token: that of a live
/// session rotates, that of an ended one is refused.
pub async fn tokens_work_as_known(witness: &Witness<'_>, account: &mut Account, index: usize) -> Findings {
    let mut findings = Findings::default();
    let session = &account.sessions[index];
    let (id, state) = (session.id.clone(), session.state);
    let answer = witness.api.refresh(&session.refresh).await;
    match state {
        State::Live => match answer {
            Answer::Done(tokens) => account.refreshed(index, tokens),
            other => findings.hold(Invariant::SessionSurvives, false, || {
                format!("the current refresh token of {id} was answered {}", other.summary())
            }),
        },
        State::Ended => {
            findings.hold(Invariant::RevocationSurvives, answer.is_refusal(401, "invalid_grant"), || {
                format!("{id} ended and its refresh token was answered {}", answer.summary())
            });
        }
        State::Open(_) => unreachable!("open changes are looked into before tokens are used"),
    }
    findings
}

/// [`Invariant::RefreshTokenIsSingleUse`], by presenting the token before the one before the current one of a live
/// session: the one before it could be an honest retry. Ends the session.
pub async fn replaced_token_ends_the_session(
    witness: &Witness<'_>,
    account: &mut Account,
    index: usize,
) -> Findings {
    let mut findings = Findings::default();
    let invariant = Invariant::RefreshTokenIsSingleUse;
    let session = &account.sessions[index];
    let live = session.state == State::Live;
    let Some(replaced) = session.replaced.clone().filter(|_| live) else { return findings };
    findings.add(tokens_work_as_known(witness, account, index).await);
    let session = &account.sessions[index];
    let id = session.id.clone();
    let answer = witness.api.refresh(&replaced).await;
    findings.hold(invariant, answer.is_refusal(401, "invalid_grant"), || {
        format!("a replaced refresh token of {id} was answered {}", answer.summary())
    });
    let answer = witness.api.refresh(&session.refresh).await;
    findings.hold(invariant, answer.is_refusal(401, "invalid_grant"), || {
        format!("{id} had a replaced token presented, and its current one was answered {}", answer.summary())
    });
    account.reuse_detected(index);
    ended_session(witness, &account.sessions[index], &mut findings).await;
    findings
}

/// [`Invariant::RevocationSurvives`] on every node by itself: none takes a token of a session whose end was acknowledged.
pub async fn revoked_everywhere(nodes: &Nodes, accounts: &[Account]) -> Findings {
    let mut findings = Findings::default();
    for (_, api) in nodes.places().all() {
        let witness = Witness::new(&api, nodes.platform_key());
        for session in accounts.iter().flat_map(|account| &account.sessions) {
            if session.state == State::Ended {
                ended_session(&witness, session, &mut findings).await;
            }
        }
    }
    findings
}

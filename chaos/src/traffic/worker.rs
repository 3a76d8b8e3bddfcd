//! One user after the other, step by step.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::time::{Instant, sleep};

use super::{BOUND, Stop, Traffic};
use crate::api::{Answer, Tokens};
use crate::invariants::{Invariant, Violation};
use crate::journal::{Account, Change, Standing, State};
use crate::load::new_account;

/// The part of the seed that is the workers'.
const PART: u64 = 4_000;
/// For so long after the first attempt a client asks again with a token that may have been exchanged. Plinto's grace is
/// 10 s from the exchange on, and the exchange is no earlier than the first attempt.
const HONEST_RETRY: Duration = Duration::from_secs(8);
/// For so long a client asks again to be signed out.
const INSIST: Duration = Duration::from_secs(15);
/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(100);

/// What a user does next.
enum Step {
    SignIn,
    Refresh(usize),
    SignOut(usize),
    Introspect(usize),
}

impl Traffic<'_> {
    pub(super) async fn worker(&self, worker: u64, stop: &Stop) {
        let mut random = self.seed.generator(0, PART + worker);
        for turn in 0_u64.. {
            if stop.is_set() {
                return;
            }
            if random.random_ratio(1, 50) {
                self.sign_up(&format!("late-{worker}-{turn}"), &mut random).await;
            } else if let Some(mut account) = self.journal.take(&mut random) {
                self.step(&mut account, &mut random).await;
                self.journal.put(account);
            }
            sleep(self.pause.mul_f64(random.random_range(0.5..1.5))).await;
        }
    }

    async fn step(&self, account: &mut Account, random: &mut SmallRng) {
        if account.standing != Standing::Acknowledged {
            return;
        }
        match choose(account, random) {
            Step::SignIn => self.sign_in(account).await,
            Step::Refresh(index) => self.refresh(account, index).await,
            Step::SignOut(index) => self.sign_out(account, index, random.random_ratio(1, 2)).await,
            Step::Introspect(index) => self.introspect(account, index).await,
        }
    }

    async fn sign_up(&self, name: &str, random: &mut SmallRng) {
        let tenants = self.journal.tenants();
        let tenant = tenants[random.random_range(0..tenants.len())].slug.clone();
        let mut account = new_account(tenant, name, random);
        let begun = Instant::now();
        let answer = self.api.sign_up(&account.tenant, &account.email, &account.password).await;
        self.calls.note("sign-up", begun, &answer);
        match &answer {
            Answer::Done(()) => {
                account.standing = Standing::Acknowledged;
                self.journal.count(|tally| tally.sign_ups += 1);
                self.journal.put(account);
            }
            open if open.is_open() => {
                self.journal.count(|tally| tally.open += 1);
                self.journal.put(account);
            }
            _ => {}
        }
    }

    async fn sign_in(&self, account: &mut Account) {
        let begun = Instant::now();
        let answer = self.api.sign_in(&account.tenant, &account.email, &account.password).await;
        self.calls.note("sign-in", begun, &answer);
        match answer {
            Answer::Done(tokens) => {
                account.signed_in(tokens);
                self.journal.count(|tally| tally.sign_ins += 1);
            }
            open if open.is_open() => self.journal.count(|tally| tally.open += 1),
            _ => {}
        }
    }

    /// Exchanges a session's token; asks again with the same one as long as no answer tells what became of it.
    async fn refresh(&self, account: &mut Account, index: usize) {
        let first = Instant::now();
        let mut open = false;
        loop {
            let begun = Instant::now();
            let answer = self.api.refresh(&account.sessions[index].refresh).await;
            self.calls.note(if open { "refresh again" } else { "refresh" }, begun, &answer);
            open |= answer.is_open();
            match answer {
                Answer::Done(tokens) => return self.refreshed(account, index, tokens),
                Answer::Refused { status: 401, code, .. } => {
                    let id = &account.sessions[index].id;
                    let ms = first.elapsed().as_millis();
                    let found = match open {
                        true => format!("the honest retry of {id} after {ms} ms was answered 401 {code}"),
                        false => format!("the current refresh token of {id} was answered 401 {code}"),
                    };
                    let invariant =
                        if open { Invariant::HonestRetryIsServed } else { Invariant::SessionSurvives };
                    self.journal.violated([Violation { invariant, found }]);
                    account.sessions[index].end();
                    return;
                }
                _ if !open => return,
                _ if first.elapsed() + AGAIN > HONEST_RETRY => break,
                _ => sleep(AGAIN).await,
            }
        }
        account.sessions[index].state = State::Open(Change::Refresh);
        self.journal.count(|tally| tally.open += 1);
    }

    fn refreshed(&self, account: &mut Account, index: usize, tokens: Tokens) {
        let session = &account.sessions[index];
        if tokens.session_id != session.id {
            let found = format!("a refresh of {} was answered with {}", session.id, tokens.session_id);
            self.journal.violated([Violation { invariant: Invariant::SessionSurvives, found }]);
        }
        account.refreshed(index, tokens);
        self.journal.count(|tally| tally.refreshes += 1);
    }

    /// Ends a session; insists on an answer. `watched` has every node looked at before and after.
    async fn sign_out(&self, account: &mut Account, index: usize, watched: bool) {
        let (id, access) = (account.sessions[index].id.clone(), account.sessions[index].access.clone());
        if watched {
            self.watch.hold(&access).await;
        }
        let first = Instant::now();
        let mut open = false;
        loop {
            let begun = Instant::now();
            let answer = self.api.sign_out(&access).await;
            // The refusal of a token whose session is gone is what a second attempt hopes for.
            let was_done_before = open && matches!(answer, Answer::Refused { status: 401, .. });
            if !was_done_before {
                self.calls.note(if open { "sign-out again" } else { "sign-out" }, begun, &answer);
            }
            open |= answer.is_open();
            match answer {
                Answer::Done(()) => break,
                _ if was_done_before => break,
                Answer::Refused { status: 401, .. } => {
                    let found = format!("the sign-out of {id} was answered {}", answer.summary());
                    self.journal.violated([Violation { invariant: Invariant::SessionSurvives, found }]);
                    account.sessions[index].end();
                    return;
                }
                _ if !open => return,
                _ if first.elapsed() > INSIST => {
                    account.sessions[index].state = State::Open(Change::SignOut);
                    return self.journal.count(|tally| tally.open += 1);
                }
                _ => sleep(AGAIN).await,
            }
        }
        let acknowledged = Instant::now();
        account.signed_out(index);
        self.journal.count(|tally| tally.sign_outs += 1);
        if watched {
            self.watch.until_refused(&id, &access, acknowledged).await;
        }
    }

    /// Asks any node whether a session's access token is active, where the answer is known.
    async fn introspect(&self, account: &Account, index: usize) {
        let session = &account.sessions[index];
        if session.ended.is_some_and(|ended| ended.elapsed() < BOUND) {
            return;
        }
        let begun = Instant::now();
        let answer = self.api.is_active(self.platform_key, &session.access).await;
        self.calls.note("introspection", begun, &answer);
        let expected = session.state == State::Live;
        if let Answer::Done(active) = answer
            && active != expected
        {
            let invariant =
                if expected { Invariant::SessionSurvives } else { Invariant::RevocationIsBounded };
            let found = format!("under load {} was active: {active}, known: {:?}", session.id, session.state);
            self.journal.violated([Violation { invariant, found }]);
        }
    }
}

/// Mostly what users do most: show tokens, and exchange them.
fn choose(account: &Account, random: &mut SmallRng) -> Step {
    let live = account.live();
    let Some(index) = live.get(random.random_range(0..live.len().max(1))).copied() else {
        return Step::SignIn;
    };
    match random.random_range(0..100) {
        0..6 if live.len() < 4 => Step::SignIn,
        0..45 => Step::Refresh(index),
        45..55 => Step::SignOut(index),
        _ => {
            let known = |index: &usize| !matches!(account.sessions[*index].state, State::Open(_));
            let all: Vec<usize> = (0..account.sessions.len()).filter(known).collect();
            // Ended sessions pile up; those that live are asked about as often.
            if random.random_ratio(1, 2) {
                Step::Introspect(index)
            } else {
                Step::Introspect(all[random.random_range(0..all.len())])
            }
        }
    }
}

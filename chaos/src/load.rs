//! Load: many users of several tenants at once, and an operator, until the server is gone.

use futures::future::join_all;
use rand::RngExt;
use rand::rngs::SmallRng;

use crate::api::{Answer, Api};
use crate::invariants::{Invariant, Violation};
use crate::journal::{Account, Change, Journal, Standing, State, Tenant};
use crate::seed::Seed;

/// Tasks that act as users.
const USERS: u64 = 24;
/// The part of the seed that is the operator's.
const OPERATOR: u64 = 1_000;

/// Who works on what.
pub struct Load<'a> {
    /// The server.
    pub api: &'a Api,
    /// The operator's key.
    pub platform_key: &'a str,
    /// What is known.
    pub journal: &'a Journal,
    /// Where the choices come from.
    pub seed: Seed,
    /// Round of the experiment.
    pub round: usize,
}

/// What a user does next.
enum Step {
    SignIn,
    Refresh(usize),
    SignOut(usize),
    SignOutEverywhere(usize),
    Introspect(usize),
}

/// The server does not answer any more.
struct Gone;

impl Load<'_> {
    /// Works until the server is gone.
    pub async fn until_the_server_is_gone(&self) {
        let users = join_all((0..USERS).map(|user| self.user(user)));
        futures::join!(users, self.operator());
    }

    async fn user(&self, user: u64) {
        let mut random = self.seed.generator(self.round, user + 1);
        for turn in 0_u64.. {
            let signs_up = random.random_ratio(1, 25);
            let account = if signs_up { None } else { self.journal.take(&mut random) };
            let gone = match account {
                Some(mut account) => {
                    let outcome = self.step(&mut account, &mut random).await;
                    self.journal.put(account);
                    outcome
                }
                None => self.sign_up(&format!("r{}-u{user}-{turn}", self.round), &mut random).await,
            };
            if gone.is_err() {
                return;
            }
        }
    }

    async fn sign_up(&self, name: &str, random: &mut SmallRng) -> Result<(), Gone> {
        let tenants = self.journal.tenants();
        let users_of = |tenant: &&Tenant| tenant.slug.starts_with("users-");
        let tenants: Vec<_> = tenants.iter().filter(users_of).collect();
        let tenant = tenants[random.random_range(0..tenants.len())].slug.clone();
        let mut account = new_account(tenant, name, random);
        let answer = self.api.sign_up(&account.tenant, &account.email, &account.password).await;
        match &answer {
            Answer::Done(()) => {
                account.standing = Standing::Acknowledged;
                self.journal.count(|tally| tally.sign_ups += 1);
                self.journal.put(account);
            }
            open if open.is_open() => self.journal.put(account),
            _ => {}
        }
        self.settle("sign-up", &answer)
    }

    async fn step(&self, account: &mut Account, random: &mut SmallRng) -> Result<(), Gone> {
        if account.standing != Standing::Acknowledged {
            return Ok(());
        }
        match choose(account, random) {
            Step::SignIn => {
                let answer = self.api.sign_in(&account.tenant, &account.email, &account.password).await;
                let settled = self.settle("sign-in", &answer);
                if let Answer::Done(tokens) = answer {
                    account.signed_in(tokens);
                    self.journal.count(|tally| tally.sign_ins += 1);
                }
                settled
            }
            Step::Refresh(index) => {
                let answer = self.api.refresh(&account.sessions[index].refresh).await;
                let settled = self.settle("refresh", &answer);
                if answer.is_open() {
                    account.sessions[index].state = State::Open(Change::Refresh);
                } else if let Answer::Done(tokens) = answer {
                    account.refreshed(index, tokens);
                    self.journal.count(|tally| tally.refreshes += 1);
                }
                settled
            }
            Step::SignOut(index) => {
                let answer = self.api.sign_out(&account.sessions[index].access).await;
                if answer.is_open() {
                    account.sessions[index].state = State::Open(Change::SignOut);
                } else if matches!(answer, Answer::Done(())) {
                    account.signed_out(index);
                    self.journal.count(|tally| tally.sign_outs += 1);
                }
                self.settle("sign-out", &answer)
            }
            Step::SignOutEverywhere(index) => {
                let answer = self.api.sign_out_everywhere(&account.sessions[index].access).await;
                if answer.is_open() {
                    for index in account.live() {
                        account.sessions[index].state = State::Open(Change::SignOutEverywhere);
                    }
                } else if matches!(answer, Answer::Done(())) {
                    account.signed_out_everywhere();
                    self.journal.count(|tally| tally.sign_outs += 1);
                }
                self.settle("sign-out of all sessions", &answer)
            }
            Step::Introspect(index) => {
                let session = &account.sessions[index];
                let answer = self.api.is_active(self.platform_key, &session.access).await;
                let expected = session.state == State::Live;
                if let Answer::Done(active) = answer
                    && active != expected
                {
                    let found =
                        format!("under load {} was active: {active}, known: {:?}", session.id, session.state);
                    let invariant =
                        if expected { Invariant::SessionSurvives } else { Invariant::RevocationSurvives };
                    self.journal.violated([Violation { invariant, found }]);
                }
                self.settle("introspection", &answer)
            }
        }
    }

    /// The operator rotates keys, and makes and deletes tenants that nobody uses.
    async fn operator(&self) {
        let mut random = self.seed.generator(self.round, OPERATOR);
        for turn in 0_u64.. {
            let tenants = self.journal.tenants();
            let known = |prefix: &str| {
                let chosen = |tenant: &&Tenant| {
                    tenant.slug.starts_with(prefix) && tenant.standing == Standing::Acknowledged
                };
                tenants.iter().filter(chosen).cloned().collect::<Vec<_>>()
            };
            let gone = match random.random_range(0..4) {
                0 => self.make_tenant(format!("spare-r{}-{turn}", self.round)).await,
                1 => match known("spare-").pop() {
                    Some(tenant) => self.delete_tenant(tenant).await,
                    None => Ok(()),
                },
                _ => {
                    let mut used = known("users-");
                    self.rotate_keys(used.swap_remove(random.random_range(0..used.len()))).await
                }
            };
            if gone.is_err() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(random.random_range(5..30))).await;
        }
    }

    async fn make_tenant(&self, slug: String) -> Result<(), Gone> {
        let answer = self.api.create_tenant(self.platform_key, &slug).await;
        let settled = self.settle("creation of a tenant", &answer);
        if let Answer::Done(id) = answer {
            self.journal.know_tenant(Tenant { id, slug, standing: Standing::Acknowledged, rotations: 0 });
            self.journal.count(|tally| tally.administration += 1);
        }
        settled
    }

    async fn delete_tenant(&self, mut tenant: Tenant) -> Result<(), Gone> {
        let answer = self.api.delete_tenant(self.platform_key, &tenant.id).await;
        if answer.is_open() {
            tenant.standing = Standing::RemovalOpen;
        } else if matches!(answer, Answer::Done(())) {
            tenant.standing = Standing::Removed;
            self.journal.count(|tally| tally.administration += 1);
        }
        self.journal.know_tenant(tenant);
        self.settle("deletion of a tenant", &answer)
    }

    async fn rotate_keys(&self, mut tenant: Tenant) -> Result<(), Gone> {
        let answer = self.api.rotate_keys(self.platform_key, &tenant.id).await;
        if matches!(answer, Answer::Done(())) {
            tenant.rotations += 1;
            self.journal.know_tenant(tenant);
            self.journal.count(|tally| tally.administration += 1);
        }
        self.settle("rotation of keys", &answer)
    }

    /// Counts an answer, and notes a failure that breaks a promise.
    fn settle<T>(&self, call: &str, answer: &Answer<T>) -> Result<(), Gone> {
        if answer.is_open() {
            self.journal.count(|tally| tally.open += 1);
        }
        match answer {
            Answer::Lost => return Err(Gone),
            Answer::Refused { .. } if answer.is_busy() => self.journal.count(|tally| tally.busy += 1),
            Answer::Refused { .. } => {
                let found = format!("a {call} was answered {}", answer.summary());
                self.journal.violated([Violation { invariant: Invariant::NoFailureUnderLoad, found }]);
            }
            Answer::Done(_) => {}
        }
        Ok(())
    }
}

/// An account nobody has yet, with a password that is hard to guess.
pub fn new_account(tenant: String, name: &str, random: &mut SmallRng) -> Account {
    Account {
        tenant,
        email: format!("{name}@chaos.example"),
        password: hex::encode(random.random::<[u8; 10]>()),
        standing: Standing::Open,
        sessions: Vec::new(),
        expected: Vec::new(),
    }
}

/// Mostly refreshes: they are cheap, so that many of them are in flight at any moment.
fn choose(account: &Account, random: &mut SmallRng) -> Step {
    let live = account.live();
    let Some(index) = live.get(random.random_range(0..live.len().max(1))).copied() else {
        let ended = account.sessions.iter().rposition(|session| session.state == State::Ended);
        return match ended {
            Some(index) if random.random_ratio(7, 8) => Step::Introspect(index),
            _ => Step::SignIn,
        };
    };
    match random.random_range(0..100) {
        0..5 if live.len() < 4 => Step::SignIn,
        0..78 => Step::Refresh(index),
        78..88 => Step::SignOut(index),
        88..90 => Step::SignOutEverywhere(index),
        _ => Step::Introspect(index),
    }
}

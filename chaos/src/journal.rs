//! What was acknowledged, and what was in flight when nobody answered any more.
//!
//! An account is worked on by one task at a time, which takes it out of the journal and puts it back: so what happens
//! to one account has an order, and the journal never has to guess one. Different accounts run concurrently.

use parking_lot::Mutex;
use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::time::Instant;

use crate::api::Tokens;
use crate::invariants::Violation;

/// Whether something that was asked for is known to have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The answer arrived.
    Acknowledged,
    /// Asked for, never answered: it may exist or not.
    Open,
    /// Its removal was acknowledged.
    Removed,
    /// Its removal was asked for and never answered.
    RemovalOpen,
}

/// A change of a session that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Rotation of its refresh token.
    Refresh,
    /// Its end.
    SignOut,
    /// The end of all sessions of its user, in one.
    SignOutEverywhere,
}

/// What is known about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It lives; the last tokens received are good.
    Live,
    /// A change was asked for and never answered: it is as before, or changed.
    Open(Change),
    /// Its end was acknowledged, or seen.
    Ended,
}

/// A session as its owner knows it. No `Debug`: tokens.
pub struct Session {
    /// `ses_…`
    pub id: String,
    /// Last access token received.
    pub access: String,
    /// Last refresh token received.
    pub refresh: String,
    /// The refresh token before it.
    pub replaced: Option<String>,
    /// How many refresh tokens it had.
    pub generation: u32,
    /// What is known.
    pub state: State,
    /// When its end was acknowledged, or seen.
    pub ended: Option<Instant>,
}

impl Session {
    /// Its end is known now, if it was not before.
    pub fn end(&mut self) {
        self.state = State::Ended;
        self.ended.get_or_insert_with(Instant::now);
    }
}

/// An entry the ledger must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expected {
    /// Dotted name of the event.
    pub event: &'static str,
    /// `usr_…` or `ses_…`
    pub subject: String,
    /// Generation of the refresh token, where the event has one.
    pub generation: Option<u32>,
}

/// An account with everything that was acknowledged about it.
pub struct Account {
    /// Slug of its tenant.
    pub tenant: String,
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
    /// Whether the sign-up was acknowledged.
    pub standing: Standing,
    /// Its sessions, whose beginning was acknowledged.
    pub sessions: Vec<Session>,
    /// Entries for everything acknowledged.
    pub expected: Vec<Expected>,
}

impl Account {
    /// Records an acknowledged sign-in.
    pub fn signed_in(&mut self, tokens: Tokens) {
        self.standing = Standing::Acknowledged;
        if self.sessions.is_empty() {
            self.expect("user.created", tokens.user_id, None);
        }
        self.expect("session.created", tokens.session_id.clone(), None);
        self.sessions.push(Session {
            id: tokens.session_id,
            access: tokens.access_token,
            refresh: tokens.refresh_token,
            replaced: None,
            generation: 1,
            state: State::Live,
            ended: None,
        });
    }

    /// Records an acknowledged rotation of a session's refresh token.
    pub fn refreshed(&mut self, index: usize, tokens: Tokens) {
        let session = &mut self.sessions[index];
        session.replaced = Some(std::mem::replace(&mut session.refresh, tokens.refresh_token));
        session.access = tokens.access_token;
        session.generation += 1;
        session.state = State::Live;
        let (id, generation) = (session.id.clone(), session.generation);
        self.expect("session.refreshed", id, Some(generation));
    }

    /// Records the acknowledged end of a session.
    pub fn signed_out(&mut self, index: usize) {
        self.sessions[index].end();
        self.expect("session.revoked", self.sessions[index].id.clone(), None);
    }

    /// Records that a session ended because a replaced token was presented.
    pub fn reuse_detected(&mut self, index: usize) {
        self.signed_out(index);
        self.expect("session.refresh_reuse_detected", self.sessions[index].id.clone(), None);
    }

    /// Records the acknowledged end of all sessions. `user` is the account's id, as the sign-in told it.
    pub fn signed_out_everywhere(&mut self) {
        self.sessions.iter_mut().for_each(Session::end);
        if let Some(user) = self.user() {
            self.expect("user.sessions_revoked", user, None);
        }
    }

    /// Indices of the sessions that are known to live.
    pub fn live(&self) -> Vec<usize> {
        let live = |index: &usize| self.sessions[*index].state == State::Live;
        (0..self.sessions.len()).filter(live).collect()
    }

    fn user(&self) -> Option<String> {
        self.expected.iter().find(|entry| entry.event == "user.created").map(|entry| entry.subject.clone())
    }

    fn expect(&mut self, event: &'static str, subject: String, generation: Option<u32>) {
        self.expected.push(Expected { event, subject, generation });
    }
}

/// A tenant as the operator knows it.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// `ten_…`
    pub id: String,
    /// Name in URLs.
    pub slug: String,
    /// Whether its creation or deletion was acknowledged.
    pub standing: Standing,
    /// Acknowledged rotations of its keys.
    pub rotations: usize,
}

/// How much was acknowledged and how much was left open, so that an experiment that did nothing is noticed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Accounts.
    pub sign_ups: usize,
    /// Sessions.
    pub sign_ins: usize,
    /// Rotations of refresh tokens.
    pub refreshes: usize,
    /// Ends of sessions, of one or of all of a user.
    pub sign_outs: usize,
    /// Rotations of tenant keys, tenants made and deleted.
    pub administration: usize,
    /// Calls in flight whose outcome nobody heard.
    pub open: usize,
    /// Calls refused because the server was busy or full.
    pub busy: usize,
}

/// Everything known about one data directory.
#[derive(Default)]
pub struct Journal {
    accounts: Mutex<Vec<Account>>,
    tenants: Mutex<Vec<Tenant>>,
    violations: Mutex<Vec<Violation>>,
    tally: Mutex<Tally>,
}

impl Journal {
    /// Takes any account out to work on it.
    pub fn take(&self, random: &mut SmallRng) -> Option<Account> {
        let mut accounts = self.accounts.lock();
        if accounts.is_empty() {
            return None;
        }
        let index = random.random_range(0..accounts.len());
        Some(accounts.swap_remove(index))
    }

    /// Puts an account back, or in.
    pub fn put(&self, account: Account) {
        self.accounts.lock().push(account);
    }

    /// Takes all accounts out, in an order that does not depend on who finished first.
    pub fn take_all(&self) -> Vec<Account> {
        let mut accounts = std::mem::take(&mut *self.accounts.lock());
        accounts.sort_unstable_by(|a, b| a.email.cmp(&b.email));
        accounts
    }

    /// Looks at all accounts.
    pub fn with_accounts<T>(&self, look: impl FnOnce(&[Account]) -> T) -> T {
        look(&self.accounts.lock())
    }

    /// The tenants.
    pub fn tenants(&self) -> Vec<Tenant> {
        self.tenants.lock().clone()
    }

    /// Adds a tenant, or replaces what is known about it.
    pub fn know_tenant(&self, tenant: Tenant) {
        let mut tenants = self.tenants.lock();
        match tenants.iter_mut().find(|known| known.slug == tenant.slug) {
            Some(known) => *known = tenant,
            None => tenants.push(tenant),
        }
    }

    /// Notes broken promises.
    pub fn violated(&self, violations: impl IntoIterator<Item = Violation>) {
        self.violations.lock().extend(violations);
    }

    /// Takes the broken promises noted so far.
    pub fn violations(&self) -> Vec<Violation> {
        std::mem::take(&mut *self.violations.lock())
    }

    /// Counts something.
    pub fn count(&self, what: impl FnOnce(&mut Tally)) {
        what(&mut self.tally.lock());
    }

    /// What was counted.
    pub fn tally(&self) -> Tally {
        *self.tally.lock()
    }
}

//! Who is signed in in a browser, by the tickets in its cookie. A ticket is good as long as its session lives: it is asked for
//! each time.

use super::super::Platform;
use super::super::work::Work;
use super::opaque;
use crate::error::ServiceError;
use crate::session::{Ending, SessionKey};
use plinto_domain::audit::Actor;
use plinto_domain::oauth::{Opaque, OpaqueKind, SignedInUser};
use plinto_domain::session::RevocationReason;
use plinto_domain::{SessionId, TenantId};
use plinto_runtime::Deadline;

/// Accounts one browser may have at once.
const MOST_ACCOUNTS: usize = 5;

/// An account that is signed in in a browser. No `Debug`.
#[derive(Clone)]
pub struct Account {
    /// Its session's ticket.
    pub ticket: String,
    /// Who, and how they proved it.
    pub user: SignedInUser,
    /// What to call them.
    pub name: Option<String>,
    /// Address or username they know it by.
    pub label: String,
}

/// The accounts of a browser, the present one first. No `Debug`.
#[derive(Clone, Default)]
pub struct Browser {
    /// The accounts.
    pub accounts: Vec<Account>,
}

impl Browser {
    /// Who is signed in.
    pub fn user(&self) -> Option<&SignedInUser> {
        self.accounts.first().map(|account| &account.user)
    }

    /// The tickets, once a session began: it is the present one, and the only one of its user.
    pub fn with(self, ticket: &Opaque, user: &SignedInUser) -> Vec<String> {
        let others = self.accounts.into_iter().filter(|account| account.user.user != user.user);
        let tickets = [ticket.expose().to_owned()].into_iter().chain(others.map(|account| account.ticket));
        tickets.take(MOST_ACCOUNTS).collect()
    }

    /// The tickets, once the account of a session was chosen; none if it is not here.
    pub fn choosing(self, session: SessionId) -> Option<Vec<String>> {
        let (chosen, others): (Vec<_>, Vec<_>) =
            self.accounts.into_iter().partition(|account| account.user.session == session);
        let is_here = !chosen.is_empty();
        is_here.then(|| chosen.into_iter().chain(others).map(|account| account.ticket).collect())
    }
}

impl Platform {
    /// Who is signed in in a browser that presents these tickets.
    pub async fn browser(
        &self,
        tenant: TenantId,
        tickets: &[&str],
        deadline: Deadline,
    ) -> Result<Browser, ServiceError> {
        if tickets.is_empty() {
            return Ok(Browser::default());
        }
        let work = self.work(tenant, deadline).await?;
        let mut accounts = Vec::new();
        for ticket in tickets.iter().take(MOST_ACCOUNTS) {
            accounts.extend(work.account(ticket).await?);
        }
        Ok(Browser { accounts })
    }

    /// The ticket of a session that was just begun, and who began it.
    pub async fn ticket(
        &self,
        tenant: TenantId,
        session: SessionId,
        deadline: Deadline,
    ) -> Result<(Opaque, SignedInUser), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = work.signed_in(session).await?.ok_or(ServiceError::InvalidCredentials)?;
        Ok((opaque::make(work.vault(), OpaqueKind::Ticket, session.uuid(), 0)?, user))
    }

    /// Ends sessions of a browser.
    pub async fn end_browser_sessions(
        &self,
        tenant: TenantId,
        accounts: &[Account],
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let now = self.0.environment.now();
        for Account { user, .. } in accounts {
            let key = SessionKey { tenant, session: user.session };
            let ending = Ending { reason: RevocationReason::SignOut, by: Actor::User(user.user), now };
            self.0.sessions.revoke(key, ending, deadline).await?;
        }
        Ok(())
    }
}

impl Work {
    /// The account of a ticket, while its session lives.
    async fn account(&self, ticket: &str) -> Result<Option<Account>, ServiceError> {
        let Some(parts) = opaque::read(self.vault(), OpaqueKind::Ticket, ticket) else { return Ok(None) };
        let Some(user) = self.signed_in(SessionId::from_uuid(parts.of)).await? else { return Ok(None) };
        let Some(view) = self.find_user_view(user.user).await? else { return Ok(None) };
        let label = view.email.clone().or_else(|| view.username.clone());
        let (name, label) = (view.name.clone(), label.unwrap_or_else(|| user.user.to_string()));
        Ok(Some(Account { ticket: ticket.to_owned(), user, name, label }))
    }

    /// Whose a session is, and how they proved it, while it lives.
    async fn signed_in(&self, session: SessionId) -> Result<Option<SignedInUser>, ServiceError> {
        let key = SessionKey { tenant: self.cell().id, session };
        let live = self.sessions().look(key, self.now(), self.deadline()).await?;
        Ok(live.map(|session| SignedInUser {
            user: session.user,
            session: session.id,
            authenticated_at: session.authenticated_at,
            amr: session.amr,
        }))
    }
}

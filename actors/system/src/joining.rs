//! Becoming a member of organizations by the domain of a proved address: at each sign-in, and when an address is proved.

use crate::error::ServiceError;
use crate::ledger::{CommitError, LedgerHandle};
use crate::persist::{self, unit};
use crate::sealed_rows::SealedRows;
use crate::tenant::TenantCell;
use plinto_domain::account::AccountState;
use plinto_domain::audit::Actor;
use plinto_domain::authorization::Subject;
use plinto_domain::email::EmailAddress;
use plinto_domain::organization::domain::{ClaimedDomain, join};
use plinto_domain::{Decision, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::Engine;
use plinto_storage::repositories::{organization_domains, sign_in, user_emails};
use std::collections::BTreeSet;

/// What joining works with.
pub(crate) struct Joining<'a> {
    pub(crate) cell: &'a TenantCell,
    pub(crate) engine: &'a dyn Engine,
    pub(crate) rows: &'a SealedRows,
    pub(crate) ledger: &'a LedgerHandle,
    pub(crate) now: Timestamp,
}

impl Joining<'_> {
    /// Makes a user a member wherever a domain admits them. What fails is said in the log and tried again at the next
    /// sign-in: nobody is kept out for want of a membership.
    pub(crate) async fn by_domains(&self, user: UserId, deadline: Deadline) {
        if let Err(error) = self.attempt(user, deadline).await {
            tracing::warn!(tenant = %self.cell.id, %user, %error, "joining organizations by domain failed");
        }
    }

    async fn attempt(&self, user: UserId, deadline: Deadline) -> Result<(), ServiceError> {
        for domain in self.admitting(user).await? {
            let Decision { writes, events, reply: () } = join(user, domain, self.now);
            if writes.is_empty() {
                continue;
            }
            let unit = unit(&self.cell.vault, writes, &events, Actor::System, self.now);
            let committed = self.ledger.append(self.cell.id, unit, deadline).await;
            self.cell.rights.forget(Subject::User(user));
            match committed? {
                // Somebody else was faster: the user is a member, or the domain is not what it was.
                Ok(_) | Err(CommitError::Unique(_) | CommitError::Conflict(_) | CommitError::Invalid) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    /// Domains that may admit a user. Most tenants have none, which costs one look-up.
    async fn admitting(&self, user: UserId) -> Result<Vec<ClaimedDomain>, ServiceError> {
        let (vault, id) = (&*self.cell.vault, user.uuid());
        let read = || user_emails::list_proved_for_domains(self.engine, vault, id);
        let rows = self.rows.read(self.cell.id, read).await?;
        let names = rows.iter().map(|row| EmailAddress::parse("email", &row.email));
        let names = names.map(|email| email.map(|email| email.domain().to_owned()));
        let names: Result<BTreeSet<String>, _> = names.collect();
        let mut found = Vec::new();
        for name in names.map_err(|_| ServiceError::Damaged("address of a user"))? {
            let read = || organization_domains::admitting(self.engine, vault, &name, id);
            if let Some(row) = self.rows.read(self.cell.id, read).await? {
                found.push(persist::invitations::domain(&row)?);
            }
        }
        if !found.is_empty() && !self.may_join(user).await? {
            found.clear();
        }
        Ok(found)
    }

    /// Whoever is blocked or being deleted joins nothing.
    async fn may_join(&self, user: UserId) -> Result<bool, ServiceError> {
        let read = || sign_in::standing(self.engine, self.cell.id.uuid(), user.uuid());
        let standing = self.rows.read(self.cell.id, read).await?;
        let state = standing.map(|row| crate::user_view::standing(row).state(self.now));
        Ok(matches!(state, Some(AccountState::Active | AccountState::Locked)))
    }
}

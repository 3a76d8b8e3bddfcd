//! Invitations and suggestions of a signed-in user, by the addresses the user proved.

use super::super::work::Work;
use super::super::{COMMIT_WAIT, Platform, to_the_end};
use super::{ATTEMPTS, InvitationAccepted, InvitationView, OrganizationView};
use crate::error::ServiceError;
use crate::joining::Joining;
use crate::ledger::CommitError;
use crate::persist;
use crate::persist::invitations::invitation;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::id::InvitationId;
use plinto_domain::organization::domain::DomainMode;
use plinto_domain::organization::invitation::{Invitation, UNKNOWN_INVITATION, decline};
use plinto_domain::{TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::{organization_domains, organization_invitations, user_emails};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An open invitation to somebody who is signed in.
#[derive(Debug)]
pub struct MyInvitation {
    /// The invitation.
    pub invitation: InvitationView,
    /// To which organization.
    pub organization: OrganizationView,
}

impl Platform {
    /// Open invitations to proved addresses of the user an access token speaks for, in order of id, after `after`, at
    /// most `limit`.
    pub async fn my_invitations(
        &self,
        tenant: TenantId,
        token: &str,
        after: Option<InvitationId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<MyInvitation>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        let (after, now) = (after.map(InvitationId::uuid), work.now());
        let mut found = BTreeMap::new();
        for address in work.proved_addresses(user).await? {
            let open_at = Some(now.as_millis());
            let (engine, vault, address) = (work.engine(), work.vault(), address.normalized());
            let read = || organization_invitations::to_address(engine, vault, address, open_at, after, limit);
            found.extend(work.read(read).await?.into_iter().map(|row| (row.invitation_id, row)));
        }
        let mut mine = Vec::new();
        for row in found.into_values().take(limit as usize) {
            let invitation = InvitationView::of(row, now)?;
            let organization = OrganizationView::of(work.organization_row(invitation.organization).await?)?;
            mine.push(MyInvitation { invitation, organization });
        }
        Ok(mine)
    }

    /// Accepts an invitation to a proved address of the user an access token speaks for.
    pub async fn accept_my_invitation(
        &self,
        tenant: TenantId,
        token: &str,
        id: InvitationId,
        deadline: Deadline,
    ) -> Result<InvitationAccepted, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        to_the_end(async move {
            let work = work.with_deadline(Deadline::after(COMMIT_WAIT));
            for _ in 0..ATTEMPTS {
                let invitation = work.invitation_to(user, id).await?;
                let decision = work.joining(&invitation, user).await?;
                match work.carry_out_rights(decision, Actor::User(user), work.now()).await? {
                    Ok(user) => return work.accepted(&invitation, user, false).await,
                    Err(CommitError::Conflict(_) | CommitError::Unique(_) | CommitError::Invalid) => {}
                    Err(other) => return Err(other.into()),
                }
            }
            Err(ServiceError::Conflict)
        })
        .await
    }

    /// Declines one.
    pub async fn decline_my_invitation(
        &self,
        tenant: TenantId,
        token: &str,
        id: InvitationId,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        for _ in 0..ATTEMPTS {
            let (invitation, now) = (work.invitation_to(user, id).await?, work.now());
            match work.carry_out_rights(decline(&invitation, now)?, Actor::User(user), now).await? {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(ServiceError::Conflict)
    }

    /// Organizations that are suggested to the user an access token speaks for, by the domains of proved addresses.
    pub async fn suggested_organizations(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<Vec<OrganizationView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        let addresses = work.proved_addresses(user).await?;
        let mut suggested = BTreeMap::new();
        for domain in addresses.iter().map(EmailAddress::domain) {
            let (engine, vault) = (work.engine(), work.vault());
            let read = || organization_domains::admitting(engine, vault, domain, user.uuid());
            let Some(row) = work.read(read).await? else { continue };
            let domain = persist::invitations::domain(&row)?;
            if domain.mode == DomainMode::Suggested {
                let row = work.organization_row(domain.organization).await?;
                suggested.insert(domain.organization, OrganizationView::of(row)?);
            }
        }
        Ok(suggested.into_values().collect())
    }

    /// Makes a user who proved an address a member wherever its domain admits.
    pub(in crate::platform) async fn join_by_domains(&self, work: &Work, user: UserId) {
        let joining = Joining {
            cell: work.cell(),
            engine: work.engine(),
            rows: &self.0.rows,
            ledger: &self.0.ledger,
            now: work.now(),
        };
        joining.by_domains(user, work.deadline()).await;
    }
}

impl Work {
    async fn proved_addresses(&self, user: UserId) -> Result<Vec<EmailAddress>, ServiceError> {
        let list = || user_emails::list_proved(self.engine(), self.vault(), user.uuid());
        let rows = self.read(list).await?;
        let parse = |row: &user_emails::UserEmailRow| EmailAddress::parse("email", &row.email);
        let addresses: Result<_, _> = rows.iter().map(parse).collect();
        addresses.map_err(|_| ServiceError::Damaged("address of a user"))
    }

    /// An invitation to a proved address of a user; others are unknown.
    async fn invitation_to(&self, user: UserId, id: InvitationId) -> Result<Invitation, ServiceError> {
        let before = Uuid::from_u128(id.uuid().as_u128().saturating_sub(1));
        for address in self.proved_addresses(user).await? {
            let (engine, vault, address) = (self.engine(), self.vault(), address.normalized());
            let read = || organization_invitations::to_address(engine, vault, address, None, Some(before), 1);
            let found = self.read(read).await?.into_iter().next();
            if let Some(row) = found.filter(|row| row.invitation_id == id.uuid()) {
                return invitation(&row);
            }
        }
        Err(UNKNOWN_INVITATION.into())
    }
}

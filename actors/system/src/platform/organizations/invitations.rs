//! Invitations, by those who invite.

use super::super::work::Work;
use super::super::{COMMIT_WAIT, Platform, to_the_end};
use super::{ATTEMPTS, AskedBy, By};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist::invitations::{accepted_by, invitation};
use plinto_domain::authorization::RoleKey;
use plinto_domain::id::{InvitationId, OrganizationId};
use plinto_domain::organization::invitation::{
    Addressed, INVITATION_PENDING, Invitation, InvitationState, Letter, NewInvitation, UNKNOWN_INVITATION,
    invite, resend, revoke,
};
use plinto_domain::organization::{Permission, UNKNOWN_ORGANIZATION};
use plinto_domain::{Decision, InvalidInput, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::constraint;
use plinto_storage::repositories::organization_invitations::{
    self, InvitationRow, InvitationState as StoredState, ListedInvitations,
};

/// Purpose of the blind index under which invitations by members are counted.
const INVITATIONS: &str = "attempts.invitations";

/// An invitation as those who manage members see it.
#[derive(Clone)]
pub struct InvitationView {
    /// Which.
    pub id: InvitationId,
    /// To which organization.
    pub organization: OrganizationId,
    /// Whom, as whoever invited wrote it.
    pub email: String,
    /// As what.
    pub role: RoleKey,
    /// What became of it.
    pub state: InvitationState,
    /// Who invited: the id of a user or of a key.
    pub invited_by: String,
    /// Who accepted.
    pub user: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// When the last mail was sent.
    pub sent_at: Timestamp,
    /// End of its life.
    pub expires_at: Timestamp,
    /// When it was accepted, declined or revoked.
    pub ended_at: Option<Timestamp>,
}

impl std::fmt::Debug for InvitationView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationView")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl InvitationView {
    pub(in crate::platform) fn of(row: InvitationRow, now: Timestamp) -> Result<Self, ServiceError> {
        let known = invitation(&row)?;
        Ok(Self {
            id: known.id,
            organization: known.organization,
            state: known.state(now),
            role: known.role,
            user: accepted_by(&row),
            created_at: Timestamp::from_millis(row.created_at),
            sent_at: Timestamp::from_millis(row.sent_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            ended_at: row.ended_at.map(Timestamp::from_millis),
            email: row.email,
            invited_by: row.invited_by,
        })
    }
}

/// What became of each invitation of a list, in its order.
pub type Invited = Vec<Result<InvitationView, ServiceError>>;

impl Platform {
    /// Invites somebody by mail.
    pub async fn invite(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        new: NewInvitation,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<InvitationView, ServiceError> {
        let one = self.invite_all(tenant, organization, vec![Ok(new)], by, deadline).await?;
        one.into_iter().next().unwrap_or(Err(ServiceError::Conflict))
    }

    /// Invites several people by mail, one after the other, each or not as if it were alone.
    pub async fn invite_all(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        new: Vec<Result<NewInvitation, Vec<InvalidInput>>>,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<Invited, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        to_the_end(async move {
            let name = work.organization_row(organization).await?.name;
            let work = work.with_deadline(Deadline::after(COMMIT_WAIT));
            let mut invited = Vec::with_capacity(new.len());
            for new in new {
                invited.push(match new {
                    Ok(new) => work.invite(organization, &name, new, &by).await,
                    Err(wrong) => Err(wrong.into()),
                });
            }
            Ok(invited)
        })
        .await
    }

    /// Invitations to an organization in order of id, after `after`, at most `limit`; all, or those in one state.
    pub async fn invitations(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        state: Option<InvitationState>,
        (after, limit): (Option<InvitationId>, u32),
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<Vec<InvitationView>, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        work.organization_row(organization).await?;
        let (id, after, now) = (organization.uuid(), after.map(InvitationId::uuid), work.now());
        let which = listed(state, now);
        let read = || organization_invitations::list(work.engine(), work.vault(), id, which, after, limit);
        work.read(read).await?.into_iter().map(|row| InvitationView::of(row, now)).collect()
    }

    /// One invitation.
    pub async fn invitation(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        id: InvitationId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<InvitationView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        work.invitation_view(organization, id).await
    }

    /// Sends an invitation once more, with a new link in place of the old one.
    pub async fn resend_invitation(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        id: InvitationId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<InvitationView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        let known = invitation(&work.invitation_row(organization, id).await?)?;
        work.may_invite(organization, &by).await?;
        work.may_mail_to(&known.email).await?;
        let name = work.organization_row(organization).await?.name;
        to_the_end(work.change_invitation(organization, id, by, move |work, by, known| {
            Ok(resend(&by.standing, known, work.letter(&name), work.now())?)
        }))
        .await
    }

    /// Takes an invitation back.
    pub async fn revoke_invitation(
        &self,
        tenant: TenantId,
        organization: OrganizationId,
        id: InvitationId,
        by: AskedBy,
        deadline: Deadline,
    ) -> Result<InvitationView, ServiceError> {
        let (work, by) = self.organization_work(tenant, organization, by, deadline).await?;
        by.standing.require(Permission::ManageMembers)?;
        to_the_end(work.change_invitation(organization, id, by, |work, by, known| {
            Ok(revoke(&by.standing, known, work.now())?)
        }))
        .await
    }
}

fn listed(state: Option<InvitationState>, now: Timestamp) -> ListedInvitations {
    match state {
        None => ListedInvitations::All,
        Some(InvitationState::Pending) => ListedInvitations::Open(now.as_millis()),
        Some(InvitationState::Expired) => ListedInvitations::Expired(now.as_millis()),
        Some(InvitationState::Accepted) => ListedInvitations::Ended(StoredState::Accepted),
        Some(InvitationState::Declined) => ListedInvitations::Ended(StoredState::Declined),
        Some(InvitationState::Revoked) => ListedInvitations::Ended(StoredState::Revoked),
    }
}

impl Work {
    async fn invite(
        &self,
        organization: OrganizationId,
        name: &str,
        new: NewInvitation,
        by: &By,
    ) -> Result<InvitationView, ServiceError> {
        by.standing.require_all_of(&new.role)?;
        self.may_invite(organization, by).await?;
        self.may_mail_to(&new.email).await?;
        for _ in 0..ATTEMPTS {
            // The same look-ups whether or not the address has an account: their time tells nothing.
            let known = self.addressed(organization, &new).await?;
            let (now, letter) = (self.now(), self.letter(name));
            let decision = invite(&by.standing, organization, new.clone(), &known, by.actor, letter, now)?;
            match self.carry_out_rights(decision, by.actor, now).await? {
                Ok(id) => return self.invitation_view(organization, id).await,
                Err(CommitError::Unique(rule)) if rule == constraint::PENDING_INVITATION => {
                    return Err(INVITATION_PENDING.into());
                }
                // The one that had expired was sent once more or revoked in between.
                Err(CommitError::Conflict(_)) => {}
                Err(CommitError::Invalid) => return Err(UNKNOWN_ORGANIZATION.into()),
                Err(other) => return Err(other.into()),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn addressed(
        &self,
        organization: OrganizationId,
        new: &NewInvitation,
    ) -> Result<Addressed, ServiceError> {
        let (id, address) = (organization.uuid(), new.email.normalized());
        let (engine, vault) = (self.engine(), self.vault());
        let member = || organization_invitations::member_of_address(engine, vault, id, address);
        let is_member = self.read(member).await?.is_some();
        let pending = || organization_invitations::find_pending(engine, vault, id, address);
        let pending = self.read(pending).await?.as_ref().map(invitation).transpose()?;
        Ok(Addressed { is_member, pending })
    }

    /// One more mail on the word of a member, who may be anybody; the tenant's own services know what they do.
    async fn may_invite(&self, organization: OrganizationId, by: &By) -> Result<(), ServiceError> {
        if by.user.is_none() {
            return Ok(());
        }
        let index = self.vault().blind_index(INVITATIONS, organization.uuid().as_bytes());
        self.attempts().invitation(&index).await
    }

    fn letter<'w>(&'w self, organization_name: &'w str) -> Letter<'w> {
        let settings = &self.cell().settings;
        Letter {
            fresh: self.fresh(),
            organization_name,
            language: settings.mail.language,
            settings: &settings.organizations,
            randomness: self.environment().randomness(),
        }
    }

    /// Decides on an invitation and commits; once more if another change was faster.
    async fn change_invitation(
        self,
        organization: OrganizationId,
        id: InvitationId,
        by: By,
        decide: impl Fn(&Self, &By, &Invitation) -> Result<Decision<()>, ServiceError>,
    ) -> Result<InvitationView, ServiceError> {
        let work = self.with_deadline(Deadline::after(COMMIT_WAIT));
        for _ in 0..ATTEMPTS {
            let known = invitation(&work.invitation_row(organization, id).await?)?;
            let decision = decide(&work, &by, &known)?;
            match work.carry_out_rights(decision, by.actor, work.now()).await? {
                Ok(()) => return work.invitation_view(organization, id).await,
                Err(CommitError::Conflict(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(ServiceError::Conflict)
    }

    async fn invitation_row(
        &self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<InvitationRow, ServiceError> {
        let (of, invitation) = (organization.uuid(), id.uuid());
        let get = || organization_invitations::get(self.engine(), self.vault(), of, invitation);
        if let Some(row) = self.read(get).await? {
            return Ok(row);
        }
        self.organization_row(organization).await?;
        Err(UNKNOWN_INVITATION.into())
    }

    async fn invitation_view(
        &self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<InvitationView, ServiceError> {
        InvitationView::of(self.invitation_row(organization, id).await?, self.now())
    }
}

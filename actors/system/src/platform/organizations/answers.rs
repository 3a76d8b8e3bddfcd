//! Answers of those who were invited: by the link in the mail, or signed in.

use super::super::work::Work;
use super::super::{COMMIT_WAIT, Platform, to_the_end};
use super::{ATTEMPTS, OrganizationView};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::one_time::hash_of;
use crate::passwords::Chosen;
use crate::persist::invitations::invitation;
use crate::persist::organizations::membership;
use crate::tenant::ClientContext;
use plinto_domain::account::AccountState;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::name::DisplayName;
use plinto_domain::one_time::UNUSABLE;
use plinto_domain::organization::invitation::{
    ACCOUNT_UNAVAILABLE, ADDRESS_NOT_PROVED, INVITATION_ENDED, Invitation, accept, decline,
};
use plinto_domain::password::{Password, PasswordHash};
use plinto_domain::user::create::{self, NewUser};
use plinto_domain::user::profile::Profile;
use plinto_domain::{Decision, InvalidInput, TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::{organization_invitations, user_emails};

/// The account an invited address has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvitedAccount {
    /// None: accepting makes one.
    None,
    /// One whose owner proved the address.
    Proved(UserId),
    /// One whose owner did not: it may be anybody's.
    Unproved,
}

/// An invitation as whom it is for sees it.
pub struct InvitationOffer {
    /// To which organization.
    pub organization: OrganizationView,
    /// The invitation.
    pub invitation: Invitation,
    /// The account the address has.
    pub account: InvitedAccount,
}

/// What accepting an invitation came to.
pub struct InvitationAccepted {
    /// Of which organization.
    pub organization: OrganizationView,
    /// Who is a member now.
    pub user: UserId,
    /// As what.
    pub role: String,
    /// Whether the account was made for it.
    pub account_created: bool,
}

/// What somebody without an account chooses. No `Debug`: it holds a password.
#[derive(Default)]
pub struct NewAccount<'t> {
    /// To sign in with.
    pub password: Option<&'t str>,
    /// What to call them.
    pub name: Option<&'t str>,
}

impl Platform {
    /// What a link in a mail invites to.
    pub async fn invitation_offer(
        &self,
        tenant: TenantId,
        token: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<InvitationOffer, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.may_try(&client).await?;
        let invitation = work.invitation_of(token).await?;
        invitation.require_open(work.now())?;
        let account = work.invited_account(&invitation.email).await?;
        let organization = OrganizationView::of(work.organization_row(invitation.organization).await?)?;
        Ok(InvitationOffer { organization, invitation, account })
    }

    /// Accepts an invitation by the link in its mail. Without an account of the address one is made, with the address
    /// proved by the link, in the same transaction.
    pub async fn accept_invitation(
        &self,
        tenant: TenantId,
        token: &str,
        account: NewAccount<'_>,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<InvitationAccepted, ServiceError> {
        let password = account.password.map(|text| Password::entered("password", text)).transpose();
        let name = account.name.map(|name| DisplayName::parse("name", name)).transpose();
        let (password, name) = match (password, name) {
            (Ok(password), Ok(name)) => (password, name),
            (password, name) => {
                let wrong: Vec<InvalidInput> = [password.err(), name.err()].into_iter().flatten().collect();
                return Err(wrong.into());
            }
        };
        let work = self.work(tenant, deadline).await?;
        work.may_try(&client).await?;
        let invitation = work.invitation_of(token).await?;
        invitation.require_open(work.now())?;
        let account = match work.invited_account(&invitation.email).await? {
            InvitedAccount::None => Some(work.chosen_account(&invitation, password, name).await?),
            InvitedAccount::Proved(_) | InvitedAccount::Unproved => None,
        };
        let (token, platform) = (token.to_owned(), self.clone());
        to_the_end(async move {
            let work = work.with_deadline(Deadline::after(COMMIT_WAIT));
            let accepted = work.accept_by_token(&token, account).await?;
            if accepted.account_created {
                platform.join_by_domains(&work, accepted.user).await;
            }
            Ok(accepted)
        })
        .await
    }

    /// Declines an invitation by the link in its mail.
    pub async fn decline_invitation(
        &self,
        tenant: TenantId,
        token: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.may_try(&client).await?;
        let (invitation, now) = (work.invitation_of(token).await?, work.now());
        let decision = decline(&invitation, now)?;
        match work.carry_out_rights(decision, Actor::Anonymous, now).await? {
            Ok(()) => Ok(()),
            Err(CommitError::Conflict(_)) => Err(UNUSABLE.into()),
            Err(other) => Err(other.into()),
        }
    }
}

impl Work {
    /// The invitation whose mail has this token. Wrong tokens and those of invitations that ended look the same.
    async fn invitation_of(&self, token: &str) -> Result<Invitation, ServiceError> {
        let hash = hash_of(self.vault(), token).ok_or(UNUSABLE)?;
        let find = || organization_invitations::find_by_token(self.engine(), self.vault(), hash);
        let row = self.read(find).await?.ok_or(UNUSABLE)?;
        invitation(&row)
    }

    async fn invited_account(&self, email: &EmailAddress) -> Result<InvitedAccount, ServiceError> {
        let find = || user_emails::find_by_email(self.engine(), self.vault(), email.normalized());
        Ok(match self.read(find).await? {
            None => InvitedAccount::None,
            Some(row) if row.verified_at.is_some() => InvitedAccount::Proved(UserId::from_uuid(row.user_id)),
            Some(_) => InvitedAccount::Unproved,
        })
    }

    /// The account somebody chooses to have, the password hashed if the tenant's policy accepts it.
    async fn chosen_account(
        &self,
        invitation: &Invitation,
        password: Option<Password>,
        name: Option<DisplayName>,
    ) -> Result<(PasswordHash, Profile), ServiceError> {
        let Some(password) = password else {
            let advice = "there is no account with this address yet: choose a password to make one";
            return Err(InvalidInput::new("password", "password_needed", advice).into());
        };
        let policy = self.cell().settings.password;
        policy.check(&password, Some(&invitation.email), name.as_ref().map(DisplayName::as_str))?;
        let chosen = Chosen::first(password, policy);
        let hash = self.hasher().hash(self.cell().id, chosen, self.deadline()).await?;
        Ok((hash, Profile { name, ..Profile::default() }))
    }

    async fn accept_by_token(
        &self,
        token: &str,
        account: Option<(PasswordHash, Profile)>,
    ) -> Result<InvitationAccepted, ServiceError> {
        for _ in 0..ATTEMPTS {
            let (invitation, now) = (self.invitation_of(token).await?, self.now());
            let (decision, account_created) = match (self.invited_account(&invitation.email).await?, &account)
            {
                (InvitedAccount::Proved(user), _) => (self.joining(&invitation, user).await?, false),
                (InvitedAccount::Unproved, _) => return Err(ADDRESS_NOT_PROVED.into()),
                (InvitedAccount::None, Some((hash, profile))) => {
                    let (email, profile) = (invitation.email.clone(), profile.clone());
                    let new = NewUser { email, email_verified: true, profile };
                    let made = create::decide(new, Some(hash.clone()), now, self.environment().randomness());
                    let Decision { mut writes, mut events, reply: user } = made;
                    let accepted = accept(&invitation, user, None, now)?;
                    writes.extend(accepted.writes);
                    events.extend(accepted.events);
                    (Decision { writes, events, reply: user }, true)
                }
                // The account was there a moment ago.
                (InvitedAccount::None, None) => return Err(ServiceError::Conflict),
            };
            let user = decision.reply;
            match self.carry_out_rights(decision, Actor::User(user), now).await? {
                Ok(user) => return self.accepted(&invitation, user, account_created).await,
                // Somebody answered, joined, or took the address in between: look again.
                Err(CommitError::Conflict(_) | CommitError::Unique(_) | CommitError::Invalid) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(ServiceError::Conflict)
    }

    /// What makes an account a member by an invitation to its address.
    pub(super) async fn joining(
        &self,
        invitation: &Invitation,
        user: UserId,
    ) -> Result<Decision<UserId>, ServiceError> {
        let now = self.now();
        let standing = crate::user_view::standing(self.user_row(user).await?.standing);
        if matches!(standing.state(now), AccountState::Blocked | AccountState::Deleted) {
            return Err(ACCOUNT_UNAVAILABLE.into());
        }
        let present = self.member_row(invitation.organization, user).await?;
        let present = present.as_ref().map(membership).transpose()?;
        let Decision { writes, events, reply: () } = accept(invitation, user, present.as_ref(), now)?;
        Ok(Decision { writes, events, reply: user })
    }

    pub(super) async fn accepted(
        &self,
        invitation: &Invitation,
        user: UserId,
        account_created: bool,
    ) -> Result<InvitationAccepted, ServiceError> {
        let organization = invitation.organization;
        let member = self.member_row(organization, user).await?.ok_or(INVITATION_ENDED)?;
        let organization = OrganizationView::of(self.organization_row(organization).await?)?;
        Ok(InvitationAccepted { organization, user, role: member.role, account_created })
    }
}

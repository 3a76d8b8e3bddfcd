//! Invitations to become a user, made by services and operators, accepted by whoever has the link.

use super::work::Work;
use super::{Platform, taken};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::one_time::hash_of;
use crate::passwords::Chosen;
use crate::persist;
use crate::persist::user_invitations::invited;
use crate::tenant::ClientContext;
use plinto_domain::audit::Actor;
use plinto_domain::mail::Language;
use plinto_domain::name::DisplayName;
use plinto_domain::one_time::UNUSABLE;
use plinto_domain::password::Password;
use plinto_domain::recovery::RecoverySettings;
use plinto_domain::user::create::NewUser;
use plinto_domain::user::invitation::{Invitation, UNKNOWN_INVITATION, accept, invite, resend, revoke};
use plinto_domain::user::profile::{Profile, ProfileInput};
use plinto_domain::{Decision, TenantId, Timestamp, UserId, UserInvitationId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::user_emails;
use plinto_storage::repositories::user_invitations::{self, UserInvitationRow};
use serde_json::{Map, Value};

/// Who is to be invited, as it was sent.
#[derive(Default)]
pub struct UserInvitationInput {
    /// Where the invitation goes; the user's primary address afterwards.
    pub email: String,
    /// What to call them.
    pub name: Option<String>,
    /// Metadata they may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Metadata they never see.
    pub private_metadata: Option<Map<String, Value>>,
}

/// An invitation as those who administer a tenant see it.
pub struct UserInvitationView {
    /// Its id.
    pub id: UserInvitationId,
    /// Where it was sent.
    pub email: String,
    /// What to call them.
    pub name: Option<String>,
    /// Metadata they may read.
    pub public_metadata: Map<String, Value>,
    /// Metadata they never see.
    pub private_metadata: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// Whether it still can.
    pub is_open: bool,
}

impl UserInvitationView {
    fn of(invitation: Invitation, now: Timestamp) -> Self {
        let is_open = invitation.is_open(now);
        let Invitation { id, new: NewUser { email, profile, .. }, created_at, expires_at, .. } = invitation;
        Self {
            id,
            email: email.as_entered().to_owned(),
            name: profile.name.map(|name| name.as_str().to_owned()),
            public_metadata: profile.public_metadata.into_object(),
            private_metadata: profile.private_metadata.into_object(),
            created_at,
            expires_at,
            is_open,
        }
    }
}

impl Platform {
    /// Invites somebody who has no account. An older invitation to the address is void from then on.
    pub async fn invite_user(
        &self,
        tenant: TenantId,
        input: UserInvitationInput,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserInvitationView, ServiceError> {
        let profile = ProfileInput {
            name: input.name.map(Some),
            public_metadata: input.public_metadata.map(Some),
            private_metadata: input.private_metadata.map(Some),
            ..ProfileInput::default()
        };
        let new = NewUser::parse(&input.email, false, profile)?;
        let work = self.work(tenant, deadline).await?;
        // Compared now, by whoever can change it, and not when it is accepted.
        work.metadata().check(work.cell(), &Profile::default(), &new.profile, deadline).await?;
        let find = || user_emails::find_by_email(work.engine(), work.vault(), new.email.normalized());
        if work.read(find).await?.is_some() {
            return Err(ServiceError::EmailTaken);
        }
        let now = work.now();
        let decision = invite(new, work.fresh(), work.wanted(), now, work.environment().randomness());
        let invitation = work.carry_out(decision, actor, now).await?;
        work.user_invitation_view(invitation).await
    }

    /// Invitations that were neither accepted nor revoked, in the order in which they were made.
    pub async fn user_invitations(
        &self,
        tenant: TenantId,
        after: Option<UserInvitationId>,
        limit: u32,
        deadline: Deadline,
    ) -> Result<Vec<UserInvitationView>, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let after = after.map(UserInvitationId::uuid);
        let list = || user_invitations::list(work.engine(), work.vault(), after, limit);
        let (rows, now) = (work.read(list).await?, work.now());
        rows.iter().map(|row| Ok(UserInvitationView::of(to_domain(row)?, now))).collect()
    }

    /// One of them.
    pub async fn user_invitation(
        &self,
        tenant: TenantId,
        invitation: UserInvitationId,
        deadline: Deadline,
    ) -> Result<UserInvitationView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.user_invitation_view(invitation).await
    }

    /// Sends another link in place of the last one.
    pub async fn resend_user_invitation(
        &self,
        tenant: TenantId,
        invitation: UserInvitationId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserInvitationView, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let known = work.stored_user_invitation(invitation).await?;
        let now = work.now();
        let decision = resend(&known, work.fresh(), work.wanted(), now, work.environment().randomness());
        work.carry_out(decision, actor, now).await?;
        work.user_invitation_view(invitation).await
    }

    /// Makes an invitation void.
    pub async fn revoke_user_invitation(
        &self,
        tenant: TenantId,
        invitation: UserInvitationId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let known = work.stored_user_invitation(invitation).await?;
        let now = work.now();
        work.carry_out(revoke(&known), actor, now).await
    }

    /// Makes a user of whoever has the token of an invitation, with a password they choose.
    pub async fn accept_user_invitation(
        &self,
        tenant: TenantId,
        token: &str,
        password: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let password = Password::entered("password", password)?;
        let work = self.work(tenant, deadline).await?;
        work.may_try(&client).await?;
        let hash = hash_of(work.vault(), token).ok_or(UNUSABLE)?;
        let read = || user_invitations::by_token(work.engine(), work.vault(), hash);
        let row = work.read(read).await?.ok_or(UNUSABLE)?;
        let invitation = to_domain(&row)?;
        if !invitation.is_open(work.now()) {
            return Err(UNUSABLE.into());
        }
        let name = invitation.new.profile.name.as_ref().map(DisplayName::as_str);
        let policy = work.cell().settings.password;
        policy.check(&password, Some(&invitation.new.email), name)?;
        let hash = work.hasher().hash(tenant, Chosen::first(password, policy), deadline).await?;
        let now = work.now();
        let Decision { writes, events, reply: user } =
            accept(invitation, hash, now, work.environment().randomness());
        let unit = persist::unit(work.vault(), writes, &events, Actor::User(user), now);
        match work.commit(unit).await? {
            Ok(_) => {
                self.join_by_domains(&work, user).await;
                Ok(user)
            }
            // It was accepted, revoked or sent anew meanwhile.
            Err(CommitError::Conflict("invitation_version")) => Err(UNUSABLE.into()),
            // Whoever has the link reads the mail of the address, and may know that it has an account by now.
            Err(CommitError::Unique(rule)) => Err(taken(&rule).unwrap_or(ServiceError::Conflict)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Work {
    fn wanted(&self) -> (&RecoverySettings, Language) {
        let settings = &self.cell().settings;
        (&settings.recovery, settings.mail.language)
    }

    async fn stored_user_invitation(&self, id: UserInvitationId) -> Result<Invitation, ServiceError> {
        let get = || user_invitations::get(self.engine(), self.vault(), id.uuid());
        to_domain(&self.read(get).await?.ok_or(UNKNOWN_INVITATION)?)
    }

    async fn user_invitation_view(&self, id: UserInvitationId) -> Result<UserInvitationView, ServiceError> {
        Ok(UserInvitationView::of(self.stored_user_invitation(id).await?, self.now()))
    }
}

fn to_domain(row: &UserInvitationRow) -> Result<Invitation, ServiceError> {
    Ok(Invitation {
        id: UserInvitationId::from_uuid(row.invitation_id),
        new: invited(row).ok_or(ServiceError::Damaged("invitation of a user"))?,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        version: row.version,
    })
}

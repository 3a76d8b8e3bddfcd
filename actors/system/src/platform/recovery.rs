//! Addresses proved and passwords chosen anew, by mail; passwords changed by their owners.

use super::work::Work;
use super::{Platform, to_the_end};
use crate::error::ServiceError;
use crate::passwords::Chosen;
use crate::tenant::{CheckPassword, ClientContext};
use plinto_domain::account::StoredPassword;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::one_time::{Presented, Purpose, present};
use plinto_domain::password::{Password, PasswordHash, PasswordPolicy};
use plinto_domain::recovery::{Change, NewPassword, ask_to_verify, change, forgot, reset, verify};
use plinto_domain::{Decision, InvalidInput, TenantId, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::credentials::{self, CredentialKind, CredentialRow};
use plinto_storage::repositories::{password_history, user_emails};

impl Platform {
    /// Sends a link that proves an address, if there is one to prove. The answer and its time do not tell.
    pub async fn ask_to_verify_email(
        &self,
        tenant: TenantId,
        email: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let email = EmailAddress::parse("email", email)?;
        let work = self.work(tenant, deadline).await?;
        work.may_mail(&email, &client).await?;
        let recipient = work.recipient(&email).await?.filter(|(_, proved)| !proved);
        let (now, settings) = (work.now(), &work.cell().settings);
        let recipient = recipient.map(|(recipient, _)| recipient);
        let wanted = (&settings.recovery, settings.mail.language);
        let decision =
            ask_to_verify(email, recipient, work.fresh(), wanted, now, work.environment().randomness());
        work.carry_out(decision, Actor::Anonymous, now).await
    }

    /// Proves an address by the token that was sent to it.
    pub async fn verify_email(
        &self,
        tenant: TenantId,
        token: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<UserId, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.may_try(&client).await?;
        let (secret, now) = (work.secret(token).await?, work.now());
        match verify(secret.as_ref(), now) {
            Ok(decision) => {
                let user = decision.reply;
                work.use_secret(decision, user, now).await?;
                self.join_by_domains(&work, user).await;
                Ok(user)
            }
            Err(refused) => Err(work.refuse(refused, now).await),
        }
    }

    /// Sends a link to choose a new password, if there is an account. The answer and its time do not tell.
    pub async fn forgot_password(
        &self,
        tenant: TenantId,
        email: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let email = EmailAddress::parse("email", email)?;
        let work = self.work(tenant, deadline).await?;
        work.may_mail(&email, &client).await?;
        let recipient = work.recipient(&email).await?.map(|(recipient, _)| recipient);
        let (now, settings) = (work.now(), &work.cell().settings);
        let wanted = (&settings.recovery, settings.mail.language);
        let decision = forgot(email, recipient, work.fresh(), wanted, now, work.environment().randomness());
        work.carry_out(decision, Actor::Anonymous, now).await
    }

    /// Sets a new password by the token that was sent for it. Once begun it goes on to its end, also if the caller
    /// leaves: sessions that end must hear of it.
    pub async fn reset_password(
        &self,
        tenant: TenantId,
        token: &str,
        password: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let password = Password::entered("password", password)?;
        let work = self.work(tenant, deadline).await?;
        work.may_try(&client).await?;
        let stored = work.secret(token).await?;
        let (secret, user) = match present(stored.as_ref(), &[Purpose::ResetPassword], None, work.now()) {
            Presented::Good { secret, user } => (secret.clone(), user),
            Presented::Refused(refused) => return Err(work.refuse(refused, work.now()).await),
        };
        let present = work.present_password(user).await?;
        let new = work.chosen(user, password, present, Some(&secret.email), "password").await?;
        let platform = self.clone();
        to_the_end(async move {
            let settings = &work.cell().settings;
            let wanted = (&settings.recovery, settings.mail.language);
            let decision = reset(&secret, user, new, wanted, work.now(), work.environment().randomness());
            platform.set_password(&work, user, decision).await?;
            platform.join_by_domains(&work, user).await;
            Ok(())
        })
        .await
    }

    /// Changes the password of the user an access token speaks for, who has to know the current one. Once begun it goes
    /// on to its end, also if the caller leaves.
    pub async fn change_password(
        &self,
        tenant: TenantId,
        token: &str,
        (current, new): (&str, &str),
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let (current, new) = passwords(current, new)?;
        let work = self.work(tenant, deadline).await?;
        let verified = self.authorize(work.cell(), token, deadline).await?;
        let (user, session) = (verified.user, verified.session);
        let email = work.primary_email(user).await?;
        // Its version is read before it is checked: what is changed is what was checked.
        let present = work.present_password(user).await?;
        let check = CheckPassword { user, password: current, client };
        self.0.tenants.check_password(tenant, check, deadline).await?;
        let password = work.chosen(user, new, present, email.as_ref(), "new_password").await?;
        let wanted = Change { user, session, email, password };
        let platform = self.clone();
        to_the_end(async move {
            let settings = &work.cell().settings;
            let policy = (&settings.recovery, settings.mail.language);
            let decision = change(wanted, policy, work.now(), work.environment().randomness());
            platform.set_password(&work, user, decision).await
        })
        .await
    }

    async fn set_password(
        &self,
        work: &Work,
        user: UserId,
        decision: Decision<()>,
    ) -> Result<(), ServiceError> {
        let committed = work.use_secret(decision, user, work.now()).await;
        let told = match &committed {
            Ok(()) => self.tell_sessions(work.cell(), user).await,
            // It may have been committed or not.
            Err(error) if error.leaves_open() => Err(ServiceError::Conflict),
            Err(_) => Ok(()),
        };
        if told.is_err() {
            // Who is concerned is not known: every session of the tenant reads its row again.
            self.0.sessions.drain_tenant(work.cell().id).await;
        }
        committed
    }
}

fn passwords(current: &str, new: &str) -> Result<(Password, Password), ServiceError> {
    let fields = (Password::entered("current_password", current), Password::entered("new_password", new));
    match fields {
        (Ok(current), Ok(new)) => Ok((current, new)),
        (current, new) => {
            Err(ServiceError::Invalid([current.err(), new.err()].into_iter().flatten().collect()))
        }
    }
}

impl Work {
    async fn present_password(&self, user: UserId) -> Result<Option<StoredPassword>, ServiceError> {
        let kind = CredentialKind::Password;
        let get = || credentials::get(self.engine(), self.vault(), user.uuid(), kind);
        let stored = |row: CredentialRow| StoredPassword {
            hash: PasswordHash::from_phc(row.secret.to_string()),
            version: row.version,
        };
        Ok(self.read(get).await?.map(stored))
    }

    async fn primary_email(&self, user: UserId) -> Result<Option<EmailAddress>, ServiceError> {
        let id = user.uuid();
        let rows = self.read(|| user_emails::list_primary(self.engine(), self.vault(), id, id)).await?;
        let parse = |row: user_emails::UserEmailRow| EmailAddress::parse("email", &row.email);
        let email = rows.into_iter().next().map(parse).transpose();
        email.map_err(|_| ServiceError::Damaged("e-mail address of a user"))
    }

    /// A new password the tenant's policy accepts, hashed.
    async fn chosen(
        &self,
        user: UserId,
        password: Password,
        replaces: Option<StoredPassword>,
        email: Option<&EmailAddress>,
        field: &'static str,
    ) -> Result<NewPassword, ServiceError> {
        let view = self.user_view(user).await?;
        let policy = self.cell().settings.password;
        let checked = policy.check(&password, email, view.name.as_deref());
        checked.map_err(|wrong| InvalidInput { field, ..wrong })?;
        let former = self.remembered(user, replaces.as_ref(), &policy).await?;
        let chosen = Chosen { password, field, policy, former };
        let hash = self.hasher().hash(self.cell().id, chosen, self.deadline()).await?;
        Ok(NewPassword { hash, replaces, kept: policy.kept() })
    }

    /// The passwords of a user that a new one must differ from.
    async fn remembered(
        &self,
        user: UserId,
        present: Option<&StoredPassword>,
        policy: &PasswordPolicy,
    ) -> Result<Vec<PasswordHash>, ServiceError> {
        if policy.history == 0 {
            return Ok(Vec::new());
        }
        let list = || password_history::list(self.engine(), self.vault(), user.uuid(), policy.kept());
        let former = self.read(list).await?;
        let former = former.into_iter().map(|row| PasswordHash::from_phc(row.secret.to_string()));
        Ok(present.map(|present| present.hash.clone()).into_iter().chain(former).collect())
    }
}

//! Signing in by mail: a challenge for the browser that asks, a link or a code for the mail.

use super::Platform;
use crate::error::ServiceError;
use crate::one_time::hash_sent;
use crate::tenant::{ClientContext, SignInByMailRequest, SignedIn};
use plinto_domain::TenantId;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::one_time::UNUSABLE;
use plinto_domain::organization::OrganizationName;
use plinto_domain::passwordless::{Ask, MailMethod, check, code, confirm, start};
use plinto_domain::recovery::Fresh;
use plinto_runtime::Deadline;
use zeroize::Zeroizing;

/// What the browser that asked keeps. No `Debug`: it is half of what is good for a session.
pub struct Challenge {
    /// The secret.
    pub text: Zeroizing<String>,
    /// Seconds for which it is good.
    pub expires_in: u32,
}

impl Platform {
    /// Mails a link or a code, if there is an account. The answer and its time do not tell.
    pub async fn ask_to_sign_in(
        &self,
        tenant: TenantId,
        email: &str,
        method: MailMethod,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<Challenge, ServiceError> {
        let email = EmailAddress::parse("email", email)?;
        let work = self.work(tenant, deadline).await?;
        let settings = &work.cell().settings;
        method.check(&settings.recovery)?;
        work.may_mail(&email, &client).await?;
        let recipient = work.recipient(&email).await?.map(|(recipient, _)| recipient);
        let (now, randomness) = (work.now(), work.environment().randomness());
        let challenge = work.fresh();
        let text = match method {
            MailMethod::Link => work.fresh().text,
            MailMethod::Code => code(randomness),
        };
        let hash = hash_sent(work.vault(), &challenge.hash, &text).expect("what is made here is short");
        let sent = Fresh { text, hash };
        let ask = Ask { email, recipient, method, challenge: challenge.hash, sent };
        let decision = start(ask, (&settings.recovery, settings.mail.language), now, randomness);
        work.carry_out(decision, Actor::Anonymous, now).await?;
        let expires_in = settings.recovery.passwordless_minutes * 60;
        Ok(Challenge { text: Zeroizing::new(challenge.text), expires_in })
    }

    /// Signs in whoever has the challenge and what was mailed for it: a code or the token of a link, or nothing more
    /// once the link was confirmed. With an organization, named by id or slug, only if its policy is met.
    pub async fn sign_in_by_mail(
        &self,
        tenant: TenantId,
        challenge: Zeroizing<String>,
        presented: Option<Zeroizing<String>>,
        organization: Option<&str>,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<SignedIn, ServiceError> {
        let parse = |name| OrganizationName::parse("organization", name);
        let organization = organization.map(parse).transpose()?;
        let request = SignInByMailRequest { challenge, presented, organization, client };
        self.0.tenants.sign_in_by_mail(tenant, request, deadline).await
    }

    /// Says that the link was opened, and its button pressed, in the browser that has the challenge: from then on the
    /// challenge alone is enough.
    pub async fn confirm_sign_in(
        &self,
        tenant: TenantId,
        challenge: &str,
        token: &str,
        client: ClientContext,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.may_try(&client).await?;
        let (stored, now) = (work.secret(challenge).await?, work.now());
        let sent = stored.as_ref().and_then(|stored| hash_sent(work.vault(), &stored.id, token));
        if stored.is_some() && sent.is_none() {
            return Err(UNUSABLE.into());
        }
        match check(stored.as_ref(), sent.as_ref(), now) {
            Ok((secret, user)) => {
                let method = MailMethod::of(secret.purpose).ok_or(UNUSABLE)?;
                method.check(&work.cell().settings.recovery)?;
                work.use_secret(confirm(secret, user), user, now).await
            }
            Err(refused) => Err(work.refuse(refused, now).await),
        }
    }
}

//! What capabilities that send and take one-time secrets have in common.

use super::work::Work;
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::one_time::{fresh, hash_of, stored};
use crate::persist;
use crate::tenant::ClientContext;
use plinto_domain::address::Network;
use plinto_domain::audit::Actor;
use plinto_domain::email::EmailAddress;
use plinto_domain::one_time::{StoredSecret, UNUSABLE};
use plinto_domain::recovery::{Fresh, Recipient};
use plinto_domain::{Decision, Denial, Timestamp, UserId};
use plinto_storage::repositories::{one_time_tokens, user_emails};

/// Purpose of the blind index under which mails to an address are counted.
const MAILS: &str = "attempts.mails";

impl Work {
    /// A new secret, for a mail or a browser.
    pub(super) fn fresh(&self) -> Fresh {
        fresh(self.vault(), self.environment().randomness())
    }

    /// The secret that was presented, if it is one of ours.
    pub(super) async fn secret(&self, presented: &str) -> Result<Option<StoredSecret>, ServiceError> {
        let Some(hash) = hash_of(self.vault(), presented) else { return Ok(None) };
        let row = self.read(|| one_time_tokens::get(self.engine(), self.vault(), hash)).await?;
        row.map(stored).transpose()
    }

    /// One more mail to an address on somebody's word, who may not even be its owner. Counted whether or not there is
    /// an account, so that the limit tells nothing.
    pub(super) async fn may_mail(
        &self,
        email: &EmailAddress,
        client: &ClientContext,
    ) -> Result<(), ServiceError> {
        self.may_try(client).await?;
        self.may_mail_to(email).await
    }

    /// One more mail to an address, on the word of somebody who is known.
    pub(super) async fn may_mail_to(&self, email: &EmailAddress) -> Result<(), ServiceError> {
        let index = self.vault().blind_index(MAILS, email.normalized().as_bytes());
        self.attempts().recipient(&index).await
    }

    /// One more attempt from a network.
    pub(super) async fn may_try(&self, client: &ClientContext) -> Result<(), ServiceError> {
        match client.address.map(Network::of) {
            Some(network) => self.attempts().network(self.vault(), network).await,
            None => Ok(()),
        }
    }

    /// The account an address stands for, and whether the address was proved. Mail goes to addresses of users as they
    /// wrote them; to one that is neither primary nor proved no secret is sent, as it may be anybody's.
    pub(super) async fn recipient(
        &self,
        email: &EmailAddress,
    ) -> Result<Option<(Recipient, bool)>, ServiceError> {
        let find = || user_emails::find_by_email(self.engine(), self.vault(), email.normalized());
        let Some(row) = self.read(find).await? else { return Ok(None) };
        let proved = row.verified_at.is_some();
        if !proved && !row.is_primary {
            return Ok(None);
        }
        let email = EmailAddress::parse("email", &row.email)
            .map_err(|_| ServiceError::Damaged("e-mail address of a user"))?;
        Ok(Some((Recipient { user: UserId::from_uuid(row.user_id), email }, proved)))
    }

    /// Carries out what using a secret leads to. Of two who use it at once one is told that it is unusable.
    pub(super) async fn use_secret<R>(
        &self,
        decision: Decision<R>,
        user: UserId,
        now: Timestamp,
    ) -> Result<R, ServiceError> {
        let Decision { writes, events, reply } = decision;
        let unit = persist::unit(self.vault(), writes, &events, Actor::User(user), now);
        match self.commit(unit).await? {
            Ok(_) => Ok(reply),
            Err(CommitError::Conflict("token_version")) => Err(UNUSABLE.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Counts a refused attempt, and answers why it was refused.
    pub(super) async fn refuse(&self, refused: Decision<Denial>, now: Timestamp) -> ServiceError {
        let Decision { writes, events, reply: why } = refused;
        if writes.is_empty() {
            return why.into();
        }
        let unit = persist::unit(self.vault(), writes, &events, Actor::Anonymous, now);
        match self.commit(unit).await {
            // Somebody else presented it at the same time; theirs was counted.
            Ok(Ok(_) | Err(CommitError::Conflict(_))) => why.into(),
            Ok(Err(error)) => error.into(),
            Err(error) => error,
        }
    }
}

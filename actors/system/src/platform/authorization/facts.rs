//! What flags and policies ask of a user beside its rights: read when one of them does, and kept with the rights.

use super::super::work::Work;
use crate::error::ServiceError;
use crate::tenant::{Facts, SubjectRights};
use plinto_domain::UserId;
use plinto_domain::authorization::Subject;
use plinto_domain::metadata::Metadata;
use plinto_storage::NewEntry;
use plinto_storage::repositories::{user_emails, users};

/// Events that change what is kept of the user they are about.
const DESCRIBING: &[&str] = &[
    "user.changed",
    "user.email_added",
    "user.email_proved",
    "user.email_removed",
    "user.email_verified",
    "user.erased",
    "user.primary_email_changed",
    "user.purged",
];

/// The users of whom something is told that is kept in memory.
pub(in crate::platform) fn described(entries: &[NewEntry]) -> Vec<UserId> {
    let telling = entries.iter().filter(|entry| DESCRIBING.contains(&&*entry.event));
    telling.filter_map(|entry| entry.subject.parse().ok()).collect()
}

impl Work {
    /// What is known of a subject; none for one that is no user of the tenant.
    pub(in crate::platform) async fn facts<'r>(
        &self,
        subject: Subject,
        rights: &'r SubjectRights,
    ) -> Result<Option<&'r Facts>, ServiceError> {
        let Subject::User(user) = subject else { return Ok(None) };
        rights.facts.get_or_try_init(|| self.read_facts(user)).await.map(Option::as_ref)
    }

    async fn read_facts(&self, user: UserId) -> Result<Option<Facts>, ServiceError> {
        let id = user.uuid();
        let Some(row) = self.read(|| users::get(self.engine(), self.vault(), id)).await? else {
            return Ok(None);
        };
        let emails = self.read(|| user_emails::list_primary(self.engine(), self.vault(), id, id)).await?;
        let verified = emails.into_iter().next().filter(|email| email.verified_at.is_some());
        let email_domain = verified.and_then(|email| Some(email.email.rsplit_once('@')?.1.to_lowercase()));
        let metadata = match row.profile.public_metadata.as_deref() {
            None => Metadata::default(),
            Some(text) => Metadata::from_json(text).ok_or(ServiceError::Damaged("metadata of a user"))?,
        };
        Ok(Some(Facts { metadata: metadata.into_object(), email_domain }))
    }
}

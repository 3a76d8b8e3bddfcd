//! All users of a tenant, one a line, in the form an import takes.

use super::Platform;
use super::work::Work;
use crate::error::ServiceError;
use crate::user_view::{standing, user_metadata};
use plinto_domain::account::AccountState;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::user::import::ImportEvent;
use plinto_domain::{Decision, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::repositories::credentials::{self, CredentialKind, CredentialRow};
use plinto_storage::repositories::user_emails::{self, UserEmailRow};
use plinto_storage::repositories::users::{self, Span, UserRow};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Users that are read at once.
const PAGE: u32 = 200;

/// An export under way. Users are in the order of their ids, so each comes once, as it is when it is read; those made
/// after the export began are left out, and so are those that are being deleted.
pub struct UserExport {
    platform: Platform,
    tenant: TenantId,
    password_hashes: bool,
    after: Option<Uuid>,
    before: Uuid,
    _place: OwnedSemaphorePermit,
}

/// A line.
#[derive(Serialize)]
struct Line {
    id: UserId,
    emails: Vec<LineEmail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    public_metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    private_metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    unsafe_metadata: Map<String, Value>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked_until: Option<Timestamp>,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
}

#[derive(Serialize)]
struct LineEmail {
    email: String,
    verified: bool,
    primary: bool,
}

impl Platform {
    /// Begins an export; it is on record before the first line leaves.
    pub async fn user_export(
        &self,
        tenant: TenantId,
        password_hashes: bool,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<UserExport, ServiceError> {
        let place = self.bulk_place(tenant, deadline).await?;
        let work = self.work(tenant, deadline).await?;
        let now = work.now();
        let event = Event::UserImport(ImportEvent::Exported { tenant, password_hashes });
        work.carry_out(Decision { writes: Vec::new(), events: vec![event], reply: () }, actor, now).await?;
        let before = first_id_after(now);
        Ok(UserExport { platform: self.clone(), tenant, password_hashes, after: None, before, _place: place })
    }
}

/// Above every id made until then (UUIDv7).
fn first_id_after(now: Timestamp) -> Uuid {
    let millis = u128::try_from(now.as_millis()).unwrap_or(0).saturating_add(1).min((1 << 48) - 1);
    Uuid::from_u128(millis << 80)
}

impl UserExport {
    /// The next lines; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        loop {
            let work = self.platform.patient_work(self.tenant).await?;
            let span = Span { before: self.before, ..Span::after(self.after, PAGE) };
            let now = work.now();
            let read = || users::list(work.engine(), work.vault(), span, None, now.as_millis());
            let found: Vec<UserRow> = work.read(read).await?.into_iter().map(|(user, _)| user).collect();
            let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(None) };
            let between = (first.user_id, last.user_id);
            self.after = Some(last.user_id);
            let lines = self.lines(&work, found, between, now).await?;
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
    }

    async fn lines(
        &self,
        work: &Work,
        found: Vec<UserRow>,
        (first, last): (Uuid, Uuid),
        now: Timestamp,
    ) -> Result<Vec<u8>, ServiceError> {
        let read = || user_emails::list_between(work.engine(), work.vault(), first, last);
        let mut emails: HashMap<Uuid, Vec<UserEmailRow>> = HashMap::new();
        for email in work.read(read).await? {
            emails.entry(email.user_id).or_default().push(email);
        }
        let mut hashes = HashMap::new();
        if self.password_hashes {
            let kind = CredentialKind::Password;
            let read = || credentials::list_between(work.engine(), work.vault(), first, last, kind);
            let found = work.read(read).await?.into_iter();
            hashes.extend(found.map(|CredentialRow { user_id, secret, .. }| (user_id, secret)));
        }
        let mut lines = Vec::new();
        for user in found {
            let id = user.user_id;
            let emails = emails.remove(&id).unwrap_or_default();
            // Who has no address any more was purged between the two reads.
            if let Some(line) =
                line(user, emails, hashes.remove(&id), now)?.filter(|line| !line.emails.is_empty())
            {
                serde_json::to_writer(&mut lines, &line).expect("texts and numbers always serialize");
                lines.push(b'\n');
            }
        }
        Ok(lines)
    }
}

fn line(
    row: UserRow,
    emails: Vec<UserEmailRow>,
    password_hash: Option<Zeroizing<String>>,
    now: Timestamp,
) -> Result<Option<Line>, ServiceError> {
    let standing = standing(row.standing);
    let state = standing.state(now);
    if state == AccountState::Deleted {
        return Ok(None);
    }
    let profile = row.profile;
    Ok(Some(Line {
        id: UserId::from_uuid(row.user_id),
        emails: emails
            .into_iter()
            .map(|row| LineEmail {
                email: row.email,
                verified: row.verified_at.is_some(),
                primary: row.is_primary,
            })
            .collect(),
        username: profile.username,
        phone: profile.phone,
        name: profile.name,
        external_id: profile.external_id,
        public_metadata: metadata(profile.public_metadata)?,
        private_metadata: metadata(profile.private_metadata)?,
        unsafe_metadata: metadata(profile.unsafe_metadata)?,
        state: state.as_str(),
        locked_until: standing.locked_until.filter(|until| *until > now),
        created_at: row.created_at,
        password_hash: password_hash.map(|hash| hash.to_string()),
    }))
}

fn metadata(stored: Option<String>) -> Result<Map<String, Value>, ServiceError> {
    Ok(user_metadata(stored.as_deref())?.into_object())
}

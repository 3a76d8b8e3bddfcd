//! Everything about one user: given out, or erased.

use super::consents::ConsentView;
use super::work::Work;
use super::{
    ApplicationView, AuditEntry, AvatarView, COMMIT_WAIT, InvitationView, Platform, UserView, to_the_end,
};
use crate::error::ServiceError;
use crate::ledger::CommitError;
use crate::persist;
use crate::session::SessionKey;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::email::EmailAddress;
use plinto_domain::id::OrganizationId;
use plinto_domain::privacy::{ErasedSession, Held, LEGAL_HOLD, PrivacyEvent, erase};
use plinto_domain::user::UNKNOWN_USER;
use plinto_domain::{Decision, SessionId, TenantId, Timestamp, UserId};
use plinto_runtime::Deadline;
use plinto_storage::Scope;
use plinto_storage::ledger::{self, By, Look, Order};
use plinto_storage::repositories::organization_invitations;
use plinto_storage::repositories::sessions::{self, ClientInfo, SessionRow};
use plinto_storage::repositories::user_emails::{self, UserEmailRow};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Applications of a user: as many as the tenant has clients, and some that are gone.
const MOST_APPLICATIONS: u32 = 10_000;
/// Rows read at a time.
const PAGE: u32 = 500;
/// Entries of the ledger in one export at most; what is beyond is asked of the ledger itself.
const MOST_ENTRIES: usize = 20_000;
/// How often erasing is tried again when a session of the user began or ended meanwhile.
const ATTEMPTS: u32 = 5;

/// Everything that is stored about a user.
pub struct SubjectData {
    /// The user.
    pub profile: UserView,
    /// Its picture.
    pub avatar: Option<AvatarView>,
    /// Addresses, oldest first.
    pub emails: Vec<SubjectEmail>,
    /// Sessions, newest first, ended ones included.
    pub sessions: Vec<SubjectSession>,
    /// Consents, newest first.
    pub consents: Vec<ConsentView>,
    /// Applications the user lets have something.
    pub applications: Vec<ApplicationView>,
    /// Organizations the user belongs to.
    pub memberships: Vec<SubjectMembership>,
    /// Invitations to the user's addresses, and those the user accepted.
    pub invitations: Vec<InvitationView>,
    /// Entries of the ledger by the user or about it and its sessions, oldest first; refreshes are left out.
    pub audit: Vec<AuditEntry>,
    /// Whether all of them are there.
    pub audit_is_complete: bool,
    /// When it was put together.
    pub at: Timestamp,
}

/// An address of a user.
pub struct SubjectEmail {
    /// The address.
    pub email: String,
    /// When it was verified.
    pub verified_at: Option<Timestamp>,
    /// Whether mail goes here.
    pub is_primary: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A membership of a user.
pub struct SubjectMembership {
    /// In which organization.
    pub organization: OrganizationId,
    /// As what.
    pub role: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// A session of a user.
pub struct SubjectSession {
    /// The session.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// How the user proved itself.
    pub amr: Vec<String>,
    /// From which address.
    pub address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// The organization it is active in.
    pub organization: Option<OrganizationId>,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
    /// Why.
    pub revoked_reason: Option<String>,
}

impl From<SessionRow> for SubjectSession {
    fn from(row: SessionRow) -> Self {
        let ClientInfo { address, user_agent } = row.client.unwrap_or_default();
        Self {
            id: SessionId::from_uuid(row.session_id),
            created_at: Timestamp::from_millis(row.created_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            amr: row.amr,
            address,
            user_agent,
            organization: row.organization.map(|active| OrganizationId::from_uuid(active.organization_id)),
            revoked_at: row.revoked_at.map(Timestamp::from_millis),
            revoked_reason: row.revoked_reason,
        }
    }
}

impl Platform {
    /// Everything about a user. That it was given out is audited.
    pub async fn subject_data(
        &self,
        tenant: TenantId,
        user: UserId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<SubjectData, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        work.subject_data(user, actor).await
    }

    /// The same, for the user an access token speaks for.
    pub async fn own_data(
        &self,
        tenant: TenantId,
        token: &str,
        deadline: Deadline,
    ) -> Result<SubjectData, ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let user = self.authorize(work.cell(), token, deadline).await?.user;
        work.subject_data(user, Actor::User(user)).await
    }

    /// Erases a user: every row of it goes, its sessions end, its address is free. The ledger keeps that it happened.
    /// Once begun it goes on to its end, also if the caller leaves.
    pub async fn erase_user(
        &self,
        tenant: TenantId,
        user: UserId,
        actor: Actor,
        deadline: Deadline,
    ) -> Result<(), ServiceError> {
        let work = self.work(tenant, deadline).await?;
        let platform = self.clone();
        to_the_end(async move { platform.erase(&work, user, actor).await }).await
    }

    async fn erase(&self, work: &Work, user: UserId, actor: Actor) -> Result<(), ServiceError> {
        for _ in 0..ATTEMPTS {
            work.require_user(user).await?;
            let held = work.is_held(Held::User(user)).await?;
            let sessions: Vec<ErasedSession> = work.sessions_of(user).await?.iter().map(erased).collect();
            let now = work.now();
            let Decision { mut writes, mut events, reply: () } = erase(user, held, &sessions)?;
            let leaving = work.leaving_everything(user).await?;
            // Before the rows they are about.
            writes.splice(0..0, leaving.writes);
            events.splice(0..0, leaving.events);
            let unit = persist::unit(work.vault(), writes, &events, actor, now);
            let tenant = work.cell().id;
            let outcome = self.0.ledger.append(tenant, unit, Deadline::after(COMMIT_WAIT)).await;
            work.forget_rights_of(user);
            match outcome {
                Ok(Ok(_)) => {
                    for ErasedSession { session, .. } in sessions {
                        self.0.sessions.was_revoked(SessionKey { tenant, session });
                    }
                    return Ok(());
                }
                // A session or a membership came or went: look again.
                Ok(Err(CommitError::Conflict(
                    "user_sessions" | "member_version" | "organization_owners",
                ))) => {}
                Ok(Err(CommitError::Conflict("legal_hold"))) => return Err(LEGAL_HOLD.into()),
                Ok(Err(CommitError::Conflict("unknown_user"))) => return Err(UNKNOWN_USER.into()),
                Ok(Err(other)) => return Err(other.into()),
                Err(error) => {
                    if error.leaves_open() {
                        // It may have been committed: every session of the tenant reads its row again.
                        self.0.sessions.drain_tenant(tenant).await;
                    }
                    return Err(error);
                }
            }
        }
        Err(ServiceError::Conflict)
    }
}

fn erased(row: &SessionRow) -> ErasedSession {
    ErasedSession { session: SessionId::from_uuid(row.session_id), ended: row.revoked_at.is_some() }
}

impl Work {
    async fn subject_data(&self, user: UserId, actor: Actor) -> Result<SubjectData, ServiceError> {
        let (id, now) = (user.uuid(), self.now());
        let profile = Arc::unwrap_or_clone(self.user_view(user).await?);
        let avatar = self.find_avatar(user).await?;
        let emails = self.read(|| user_emails::list_for_user(self.engine(), self.vault(), id)).await?;
        let owned = emails.clone().into_iter().map(|row| SubjectEmail {
            email: row.email,
            verified_at: row.verified_at.map(Timestamp::from_millis),
            is_primary: row.is_primary,
            created_at: Timestamp::from_millis(row.created_at),
        });
        let sessions = self.sessions_of(user).await?;
        let (audit, audit_is_complete) = self.entries_of(user, &sessions).await?;
        let consents = self.all_consents(user).await?;
        let applications = self.applications(user, None, MOST_APPLICATIONS).await?;
        let memberships = self.membership_rows(user).await?.into_iter().map(|row| SubjectMembership {
            organization: OrganizationId::from_uuid(row.organization_id),
            role: row.role,
            created_at: Timestamp::from_millis(row.created_at),
        });
        let memberships = memberships.collect();
        let invitations = self.invitations_to(user, &emails).await?;
        let event = Event::Privacy(PrivacyEvent::SubjectExported { user });
        let exported = Decision { writes: Vec::new(), events: vec![event], reply: () };
        self.carry_out(exported, actor, now).await?;
        let sessions = sessions.into_iter().map(SubjectSession::from).collect();
        let emails = owned.collect();
        Ok(SubjectData {
            profile,
            avatar,
            emails,
            sessions,
            consents,
            applications,
            memberships,
            invitations,
            audit,
            audit_is_complete,
            at: now,
        })
    }

    /// Invitations to addresses of a user, whatever became of them, and those the user accepted by another one since.
    async fn invitations_to(
        &self,
        user: UserId,
        emails: &[UserEmailRow],
    ) -> Result<Vec<InvitationView>, ServiceError> {
        let (engine, vault, now) = (self.engine(), self.vault(), self.now());
        let accepted = || organization_invitations::accepted_by(engine, vault, user.uuid());
        let accepted = self.read(accepted).await?.into_iter();
        let mut found: BTreeMap<_, _> = accepted.map(|row| (row.invitation_id, row)).collect();
        for email in emails {
            let address = EmailAddress::parse("email", &email.email);
            let address = address.map_err(|_| ServiceError::Damaged("address of a user"))?;
            let mut after = None;
            loop {
                let read = || {
                    let address = address.normalized();
                    organization_invitations::to_address(engine, vault, address, None, after, PAGE)
                };
                let page = self.read(read).await?;
                let ended = page.len() < PAGE as usize;
                after = page.last().map(|row| row.invitation_id);
                found.extend(page.into_iter().map(|row| (row.invitation_id, row)));
                if ended {
                    break;
                }
            }
        }
        found.into_values().map(|row| InvitationView::of(row, now)).collect()
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionRow>, ServiceError> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let list = || sessions::list_for_user(self.engine(), self.vault(), user.uuid(), PAGE, cursor);
            let page = self.read(list).await?;
            let ended = page.len() < PAGE as usize;
            cursor = page.last().map(|row| row.session_id);
            found.extend(page);
            if ended {
                return Ok(found);
            }
        }
    }

    async fn all_consents(&self, user: UserId) -> Result<Vec<ConsentView>, ServiceError> {
        let (mut found, mut cursor) = (Vec::<ConsentView>::new(), None);
        loop {
            let page = self.consents(user, cursor, PAGE).await?;
            let ended = page.len() < PAGE as usize;
            cursor = page.last().map(|consent| consent.id);
            found.extend(page);
            if ended {
                return Ok(found);
            }
        }
    }

    /// What the ledger says by and about a user and its sessions, and whether that is all of it.
    async fn entries_of(
        &self,
        user: UserId,
        sessions: &[SessionRow],
    ) -> Result<(Vec<AuditEntry>, bool), ServiceError> {
        let user = user.to_string();
        let sessions = sessions.iter().map(|row| SessionId::from_uuid(row.session_id).to_string());
        let sessions: Vec<String> = sessions.collect();
        let asked = [By::Actor(&user), By::Subject(&user)].into_iter();
        let asked = asked.chain(sessions.iter().map(|session| By::Subject(session)));
        let scope = Scope::Tenant(self.cell().id.uuid());
        let mut found = BTreeMap::new();
        for by in asked {
            let mut after = None;
            loop {
                let look =
                    Look { by, order: Order::OldestFirst, after, from: None, until: None, limit: PAGE };
                let page = self.read(|| ledger::look(self.engine(), scope, &look, |_| true)).await?;
                for entry in page.entries {
                    found.insert(entry.seq, AuditEntry::try_from(entry)?);
                }
                if found.len() > MOST_ENTRIES {
                    return Ok((found.into_values().take(MOST_ENTRIES).collect(), false));
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok((found.into_values().collect(), true))
    }
}

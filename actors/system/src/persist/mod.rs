//! From decisions to statements: the only place that maps the domain's writes and events to storage.

pub(crate) mod authorization;
pub(crate) mod authorizations;
pub(crate) mod clients;
pub(crate) mod flags;
pub(crate) mod invitations;
mod keys;
pub(crate) mod organizations;
pub(crate) mod policies;
mod privacy;
mod session_places;
pub(crate) mod user_imports;
pub(crate) mod user_invitations;
pub(crate) mod users;

pub(crate) use privacy::held_id;

use crate::mail::SealedMail;
use plinto_domain::audit::{Actor, Event};
use plinto_domain::decision::{NewSession, Write};
use plinto_domain::mail::{DeliveryWrite, OutgoingMail};
use plinto_domain::one_time::OneTimeWrite;
use plinto_domain::recovery::RecoveryWrite;
use plinto_domain::session::SessionWrite;
use plinto_domain::{SessionId, TenantId, Timestamp, UserId};
use plinto_storage::repositories::credentials::{self, CredentialKind, CredentialRow};
use plinto_storage::repositories::one_time_tokens::{self, OneTimeTokenRow};
use plinto_storage::repositories::outbox::{self, MailRow, MailState};
use plinto_storage::repositories::password_history::{self, FormerPasswordRow};
use plinto_storage::repositories::sessions::{self, ClientInfo, Rotation, SessionRow};
use plinto_storage::repositories::user_emails;
use plinto_storage::{Expect, NewEntry, Statement, TenantVault, Unit};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Version of a row when it is new.
const FIRST_VERSION: i64 = 1;
/// Stored for an instant that has not come.
const NEVER: i64 = 0;

/// A decision's writes and events as one unit of work.
pub(crate) fn unit(
    vault: &TenantVault,
    writes: Vec<Write>,
    events: &[Event],
    actor: Actor,
    now: Timestamp,
) -> Unit {
    let statements = writes.into_iter().flat_map(|write| statements(vault, write, now)).collect();
    Unit { statements, entries: entries(events, actor, now) }
}

/// Events as ledger entries.
pub(crate) fn entries(events: &[Event], actor: Actor, now: Timestamp) -> Vec<NewEntry> {
    let entry = |event: &Event| NewEntry {
        at: now.as_millis(),
        event: event.name().into(),
        actor: actor.label(),
        subject: event.subject(),
        data: event.data(),
    };
    events.iter().map(entry).collect()
}

fn statements(vault: &TenantVault, write: Write, now: Timestamp) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        Write::User(write) => users::statements(vault, write),
        Write::UserImport(write) => user_imports::statements(vault, write),
        Write::UserInvitation(write) => user_invitations::statements(vault, write, now),
        Write::InsertPassword { user, hash, at } => vec![credentials::insert(
            vault,
            &CredentialRow {
                user_id: user.uuid(),
                kind: CredentialKind::Password,
                secret: Zeroizing::new(hash.as_phc().to_owned()),
                created_at: at.as_millis(),
                updated_at: at.as_millis(),
                version: FIRST_VERSION,
            },
        )],
        Write::ReplacePasswordHash { user, hash, expected_version, at } => {
            let kind = CredentialKind::Password;
            let mut update = credentials::update(
                vault,
                user.uuid(),
                kind,
                hash.as_phc(),
                at.as_millis(),
                expected_version,
            );
            // Another sign-in may have renewed the hash meanwhile: that is no reason to refuse this one.
            update.expect = Expect::Any;
            vec![update]
        }
        Write::OneTime(write) => one_time(vault, write),
        Write::Recovery(write) => vec![recover(vault, write)],
        Write::Mail(mail) => vec![queue_mail(vault, mail)],
        Write::MailDelivery(write) => deliver_mail(tenant, write, now),
        Write::Organization(write) => organizations::statements(vault, write),
        Write::Authorization(write) => authorization::statements(vault, write),
        Write::Flag(write) => vec![flags::statement(vault, write)],
        Write::Policy(write) => vec![policies::statement(vault, write)],
        Write::Client(write) => vec![clients::statement(vault, write)],
        Write::Authorized(write) => authorizations::statements(vault, write),
        Write::UseProof(proof) => authorizations::use_proof(vault, &proof, now),
        Write::ClientConsent(write) => vec![authorizations::consent_statement(vault, write)],
        Write::InsertSession(new) => insert_session(vault, new),
        Write::RotateRefresh {
            session,
            generation,
            token_hash,
            idle_expires_at,
            at,
            client,
            expected_version,
        } => {
            let rotation = Rotation {
                session_id: session.uuid(),
                expected_version,
                generation: generation.into(),
                hash: token_hash,
                idle_expires_at: idle_expires_at.as_millis(),
                rotated_at: at.as_millis(),
                client,
            };
            vec![sessions::rotate_refresh(tenant, &rotation)]
        }
        Write::RevokeSession { session, reason, at } => {
            vec![sessions::revoke(tenant, session.uuid(), at.as_millis(), reason.as_str())]
        }
        Write::Privacy(write) => privacy::statements(vault, write),
        Write::RevokeUserSessions { user, kept, reason, at } => {
            let (user, at, reason) = (user.uuid(), at.as_millis(), reason.as_str());
            vec![match kept {
                None => sessions::revoke_all_for_user(tenant, user, at, reason),
                Some(kept) => sessions::revoke_others_of_user(tenant, user, kept.uuid(), at, reason),
            }]
        }
        Write::Session(write) => vec![session_statement(vault, write)],
        Write::ApiKey(write) => keys::of_key(write),
        Write::ServiceAccount(write) => keys::of_account(write),
    }
}

fn session_statement(vault: &TenantVault, write: SessionWrite) -> Statement {
    match write {
        SessionWrite::Place(placement) => session_places::place(vault.tenant(), &placement),
        SessionWrite::Reauthenticate {
            session,
            generation,
            token_hash,
            idle_expires_at,
            at,
            client,
            expected_version,
        } => {
            let rotation = Rotation {
                session_id: session.uuid(),
                expected_version,
                generation: generation.into(),
                hash: token_hash,
                idle_expires_at: idle_expires_at.as_millis(),
                rotated_at: at.as_millis(),
                client,
            };
            sessions::reauthenticate(vault.tenant(), &rotation)
        }
        SessionWrite::WithinLimit { session, user, most, at } => {
            sessions::within_limit(vault.tenant(), session.uuid(), user.uuid(), at.as_millis(), most)
        }
    }
}

/// That a session was seen, which is on no record.
pub(crate) fn seen(tenant: TenantId, session: SessionId, at: Timestamp) -> Unit {
    let statements = vec![sessions::note_seen(tenant.uuid(), session.uuid(), at.as_millis())];
    Unit { statements, entries: Vec::new() }
}

fn one_time(vault: &TenantVault, write: OneTimeWrite) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        OneTimeWrite::Issue(new) => {
            let row = OneTimeTokenRow {
                token_hash: new.id,
                purpose: new.purpose.as_str().to_owned(),
                user_id: new.user.map(UserId::uuid),
                email: new.email.as_entered().to_owned(),
                sent_hash: new.sent,
                attempts: 0,
                created_at: new.at.as_millis(),
                expires_at: new.expires_at.as_millis(),
                used_at: None,
                version: FIRST_VERSION,
            };
            vec![one_time_tokens::insert(vault, &row)]
        }
        OneTimeWrite::Use { id, at, expected_version } => {
            // Whoever uses one removes those that expired: it needs no transaction of its own.
            vec![
                one_time_tokens::use_up(tenant, id, at.as_millis(), expected_version),
                one_time_tokens::purge(tenant, at.as_millis()),
            ]
        }
        OneTimeWrite::Miss { id, expected_version } => {
            vec![one_time_tokens::miss(tenant, id, expected_version)]
        }
        OneTimeWrite::Confirm { id, expected_version } => {
            vec![one_time_tokens::confirm(tenant, id, expected_version)]
        }
        OneTimeWrite::Withdraw { user, purpose, at } => {
            vec![one_time_tokens::withdraw(tenant, user.uuid(), purpose.as_str(), at.as_millis())]
        }
    }
}

fn recover(vault: &TenantVault, write: RecoveryWrite) -> Statement {
    match write {
        RecoveryWrite::EmailVerified { user, email, at } => {
            user_emails::prove(vault, email.normalized(), user.uuid(), at.as_millis())
        }
        RecoveryWrite::RemovePassword { user } => {
            credentials::remove(vault.tenant(), user.uuid(), CredentialKind::Password)
        }
        RecoveryWrite::SetPassword { user, hash, expected_version, at } => {
            let kind = CredentialKind::Password;
            credentials::update(vault, user.uuid(), kind, hash.as_phc(), at.as_millis(), expected_version)
        }
        RecoveryWrite::RememberPassword { user, former, at } => {
            let row = FormerPasswordRow {
                version: former.version,
                secret: Zeroizing::new(former.hash.as_phc().to_owned()),
                replaced_at: at.as_millis(),
            };
            password_history::insert(vault, user.uuid(), &row)
        }
        RecoveryWrite::ForgetPasswords { user, kept } => {
            password_history::prune(vault.tenant(), user.uuid(), kept)
        }
    }
}

fn queue_mail(vault: &TenantVault, mail: OutgoingMail) -> Statement {
    let kind = mail.message.kind().to_owned();
    let sealed = SealedMail { to: mail.to.deliverable(), message: mail.message };
    let row = MailRow {
        mail_id: mail.mail.uuid(),
        kind,
        language: mail.language.tag().to_owned(),
        state: MailState::Waiting,
        attempts: 0,
        next_attempt_at: mail.at.as_millis(),
        useful_until: mail.useful_until.as_millis(),
        created_at: mail.at.as_millis(),
        once: mail.once,
        message: Some(Zeroizing::new(serde_json::to_string(&sealed).expect("texts always serialize"))),
        version: FIRST_VERSION,
    };
    outbox::insert(vault, &row)
}

fn deliver_mail(tenant: Uuid, write: DeliveryWrite, now: Timestamp) -> Vec<Statement> {
    match write {
        DeliveryWrite::Claim { mail, until, expected_version } => {
            vec![outbox::claim(tenant, mail.uuid(), until.as_millis(), expected_version)]
        }
        DeliveryWrite::Postpone { mail, until, expected_version } => {
            vec![outbox::postpone(tenant, mail.uuid(), until.as_millis(), expected_version)]
        }
        DeliveryWrite::Finish { mail, sent, keep_until, expected_version } => {
            let state = if sent { MailState::Sent } else { MailState::Failed };
            let finish = outbox::finish(tenant, mail.uuid(), state, keep_until.as_millis(), expected_version);
            // Whoever finishes one removes those that were kept long enough: it needs no transaction of its own.
            std::iter::once(finish).chain(outbox::purge(tenant, now.as_millis())).collect()
        }
    }
}

fn insert_session(vault: &TenantVault, new: NewSession) -> Vec<Statement> {
    let session = new.session.uuid();
    let row = SessionRow {
        session_id: session,
        user_id: new.user.uuid(),
        created_at: new.at.as_millis(),
        authenticated_at: new.at.as_millis(),
        expires_at: new.expires_at.as_millis(),
        idle_expires_at: new.idle_expires_at.as_millis(),
        amr: new.amr,
        client: Some(ClientInfo { address: new.client.address, user_agent: new.client.user_agent }),
        refresh_generation: 1,
        refresh_hash: new.refresh_hash,
        rotated_at: NEVER,
        refresh_client: None,
        key_version: new.key_version,
        revoked_at: None,
        revoked_reason: None,
        version: FIRST_VERSION,
        last_seen_at: new.at.as_millis(),
        organization: None,
    };
    let seat = new.seat.as_ref().map(|seat| session_places::seat(vault.tenant(), session, seat));
    std::iter::once(sessions::insert(vault, &row)).chain(seat).collect()
}

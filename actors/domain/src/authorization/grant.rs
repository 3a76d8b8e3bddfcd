use super::catalogue::RoleCatalogue;
use super::changes::{AuthorizationWrite, ROLE_LEVEL, UNKNOWN_ROLE};
use super::events::AuthorizationEvent;
use super::permission::Permission;
use super::resource::ResourceRef;
use super::role::RoleLevel;
use crate::audit::Event;
use crate::decision::{Decision, Write};
use crate::denial::{Denial, DenialKind};
use crate::id::{GrantId, OrganizationId, RoleId, ServiceAccountId, UserId};
use crate::time::Timestamp;
use uuid::Uuid;

/// Grants of one subject.
const MOST_GRANTS: usize = 1_000;

/// There is no such grant.
pub const UNKNOWN_GRANT: Denial = Denial::new(
    DenialKind::Unknown,
    "unknown_grant",
    "Unknown grant",
    "there is no such grant in the tenant",
);
/// There is nobody of this id to grant something to.
pub const UNKNOWN_SUBJECT: Denial = Denial::new(
    DenialKind::Conflict,
    "unknown_subject",
    "Unknown subject",
    "there is no such user or service account in the tenant",
);
/// The subject holds the same grant.
pub const ALREADY_GRANTED: Denial = Denial::new(
    DenialKind::Conflict,
    "already_granted",
    "Already granted",
    "the subject holds this grant; delete it first to give it another expiry",
);
/// The grant would have expired before it begins.
pub const EXPIRY_PASSED: Denial = Denial::new(
    DenialKind::Conflict,
    "expiry_passed",
    "Expiry has passed",
    "`expires_at` is not in the future",
);
/// The subject has as many grants as it may.
pub const TOO_MANY_GRANTS: Denial = Denial::new(
    DenialKind::Conflict,
    "too_many_grants",
    "Too many grants",
    "a subject has at most 1000 grants; use roles or wildcards, or delete expired ones",
);

/// Somebody who may be granted something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A service account.
    Service(ServiceAccountId),
}

/// What kind of subject.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubjectKind {
    /// Users.
    User,
    /// Service accounts.
    Service,
}

impl SubjectKind {
    /// The name as stored and shown: `user` or `service_account`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service_account",
        }
    }

    /// Reads [`as_str`](Self::as_str) back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Service].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Subject {
    /// The subject of a kind and a stored id.
    pub const fn of(kind: SubjectKind, id: Uuid) -> Self {
        match kind {
            SubjectKind::User => Self::User(UserId::from_uuid(id)),
            SubjectKind::Service => Self::Service(ServiceAccountId::from_uuid(id)),
        }
    }

    /// Reads a typed id, such as `usr_…`.
    pub fn parse_id(text: &str) -> Option<Self> {
        let user = text.parse().ok().map(Self::User);
        user.or_else(|| text.parse().ok().map(Self::Service))
    }

    /// What kind it is.
    pub const fn kind(self) -> SubjectKind {
        match self {
            Self::User(_) => SubjectKind::User,
            Self::Service(_) => SubjectKind::Service,
        }
    }

    /// The bare id, as stored.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Service(id) => id.uuid(),
        }
    }

    /// The typed id, such as `usr_…`.
    pub fn id_text(self) -> String {
        match self {
            Self::User(id) => id.to_string(),
            Self::Service(id) => id.to_string(),
        }
    }
}

/// What is granted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Granted {
    /// A role with all it inherits.
    Role(RoleId),
    /// One permission.
    Permission(Permission),
}

/// Where a grant holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// Everywhere in the tenant.
    Tenant,
    /// For what belongs to an organization.
    Organization(OrganizationId),
    /// On one resource.
    Resource(ResourceRef),
}

/// What is granted to whom, where.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GrantTerms {
    /// To whom.
    pub subject: Subject,
    /// What.
    pub granted: Granted,
    /// Where.
    pub place: Place,
    /// From when on it counts for nothing; none is never.
    pub expires_at: Option<Timestamp>,
}

/// A grant.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Grant {
    /// Which.
    pub id: GrantId,
    /// What, to whom, where.
    pub terms: GrantTerms,
}

impl Grant {
    /// Whether it counts at an instant.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.terms.expires_at.is_none_or(|end| now < end)
    }
}

/// Grants something. `held` is how many grants the subject has.
pub fn create(
    id: GrantId,
    terms: GrantTerms,
    roles: &RoleCatalogue,
    held: usize,
    now: Timestamp,
) -> Result<Decision<GrantId>, Denial> {
    if let Granted::Role(role) = terms.granted {
        let level = roles.get(role).ok_or(UNKNOWN_ROLE)?.level;
        let fits = match terms.place {
            Place::Tenant => level == RoleLevel::Tenant,
            Place::Organization(_) => level == RoleLevel::Organization,
            Place::Resource(_) => true,
        };
        if !fits {
            return Err(ROLE_LEVEL);
        }
    }
    if terms.expires_at.is_some_and(|end| end <= now) {
        return Err(EXPIRY_PASSED);
    }
    if held >= MOST_GRANTS {
        return Err(TOO_MANY_GRANTS);
    }
    let event = AuthorizationEvent::GrantCreated { grant: id, subject: terms.subject };
    let write = AuthorizationWrite::InsertGrant { grant: Grant { id, terms }, at: now };
    Ok(Decision {
        writes: vec![Write::Authorization(write)],
        events: vec![Event::Authorization(event)],
        reply: id,
    })
}

/// Takes a grant back.
pub fn delete(grant: &Grant) -> Decision<()> {
    let event = AuthorizationEvent::GrantDeleted { grant: grant.id, subject: grant.terms.subject };
    Decision {
        writes: vec![Write::Authorization(AuthorizationWrite::DeleteGrant { grant: grant.id })],
        events: vec![Event::Authorization(event)],
        reply: (),
    }
}

//! The organization a session is active in. It is only ever written together with a look at the membership and the
//! policy it rests on, and taken away in the unit that ends the membership.

use uuid::Uuid;

use super::sessions::ActiveOrganization;
use crate::engine::{Columns, Engine, Scope, Statement};
use crate::error::StorageError;

statements! {
    SEAT = "UPDATE sessions SET organization_id = $2, organization_role = $3, organization_until = $4 \
            WHERE tenant_id = $1 AND session_id = $5 AND EXISTS \
            (SELECT 1 FROM organization_members e JOIN organizations o \
             ON o.tenant_id = e.tenant_id AND o.organization_id = e.organization_id \
             WHERE e.tenant_id = $1 AND e.organization_id = $2 AND e.user_id = sessions.user_id AND e.role = $3 \
             AND o.policy_version = $6)";
    ENTER = "UPDATE sessions SET refresh_generation = $2, refresh_hash = $3, idle_expires_at = $4, rotated_at = $5, \
             refresh_client = $6, authenticated_at = $7, last_seen_at = $8, organization_id = $9, \
             organization_role = $10, organization_until = $11, version = version + 1 \
             WHERE tenant_id = $1 AND session_id = $12 AND version = $13 AND revoked_at IS NULL AND EXISTS \
             (SELECT 1 FROM organization_members e JOIN organizations o \
              ON o.tenant_id = e.tenant_id AND o.organization_id = e.organization_id \
              WHERE e.tenant_id = $1 AND e.organization_id = $9 AND e.user_id = sessions.user_id AND e.role = $10 \
              AND o.policy_version = $14)";
    LEAVE = "UPDATE sessions SET refresh_generation = $2, refresh_hash = $3, idle_expires_at = $4, rotated_at = $5, \
             refresh_client = $6, authenticated_at = $7, last_seen_at = $8, organization_id = NULL, \
             organization_role = NULL, organization_until = NULL, version = version + 1 \
             WHERE tenant_id = $1 AND session_id = $9 AND version = $10 AND revoked_at IS NULL";
    MEMBER_LEAVES = "UPDATE sessions SET organization_id = NULL, organization_role = NULL, organization_until = NULL, \
                     version = version + 1 WHERE tenant_id = $1 AND organization_id = $2 AND user_id = $3";
    ALL_LEAVE = "UPDATE sessions SET organization_id = NULL, organization_role = NULL, organization_until = NULL, \
                 version = version + 1 WHERE tenant_id = $1 AND organization_id = $2";
    SET_ROLE = "UPDATE sessions SET organization_role = $2, version = version + 1 \
                WHERE tenant_id = $1 AND organization_id = $3 AND user_id = $4";
    CANDIDATE_BY_ID = "SELECT o.organization_id, o.slug, e.role, o.policy, o.policy_version \
                       FROM organization_members e \
                       JOIN organizations o ON o.tenant_id = e.tenant_id AND o.organization_id = e.organization_id \
                       WHERE e.tenant_id = $1 AND e.organization_id = $2 AND e.user_id = $3";
    CANDIDATE_BY_SLUG = "SELECT o.organization_id, o.slug, e.role, o.policy, o.policy_version \
                         FROM organization_members e \
                         JOIN organizations o ON o.tenant_id = e.tenant_id AND o.organization_id = e.organization_id \
                         WHERE o.tenant_id = $1 AND o.slug = $2 AND e.tenant_id = $1 AND e.user_id = $3";
}

/// Makes a session that is inserted in the same unit active in an organization, while its user has that role there and
/// the policy has that version; otherwise the conflict `session_organization`.
pub fn seat(
    tenant: Uuid,
    session_id: Uuid,
    organization: &ActiveOrganization,
    policy_version: i64,
) -> Statement {
    let ActiveOrganization { organization_id, role, until } = organization;
    let params = vec![
        tenant.into(),
        (*organization_id).into(),
        role.as_str().into(),
        (*until).into(),
        session_id.into(),
        policy_version.into(),
    ];
    Statement::new(SEAT, params).expecting(1, "session_organization")
}

/// A session with its refresh token, in an organization or in none.
pub struct Placement<'a> {
    /// Which session.
    pub session_id: Uuid,
    /// Its version as last seen.
    pub expected_version: i64,
    /// Generation of its refresh token.
    pub generation: i64,
    /// Hash of its refresh token.
    pub hash: [u8; 32],
    /// Idle expiry, unix milliseconds.
    pub idle_expires_at: i64,
    /// When the refresh token was last rotated, unix milliseconds; 0 if never.
    pub rotated_at: i64,
    /// Blind index of the client that asked for that rotation, if it is known.
    pub client: Option<[u8; 32]>,
    /// When the user last proved itself, unix milliseconds.
    pub authenticated_at: i64,
    /// When it is seen, unix milliseconds.
    pub seen_at: i64,
    /// Where it is active, and the version of the policy that was met.
    pub organization: Option<(&'a ActiveOrganization, i64)>,
}

/// Places a live session of that version; otherwise, or if the membership or the policy is another by now, the conflict
/// `session_version`.
pub fn place(tenant: Uuid, placement: &Placement<'_>) -> Statement {
    let mut params = vec![
        tenant.into(),
        placement.generation.into(),
        placement.hash.into(),
        placement.idle_expires_at.into(),
        placement.rotated_at.into(),
        placement.client.into(),
        placement.authenticated_at.into(),
        placement.seen_at.into(),
    ];
    let (session_id, version) = (placement.session_id, placement.expected_version);
    let text = match placement.organization {
        None => {
            params.extend([session_id.into(), version.into()]);
            LEAVE
        }
        Some((ActiveOrganization { organization_id, role, until }, policy_version)) => {
            params.extend([(*organization_id).into(), role.as_str().into(), (*until).into()]);
            params.extend([session_id.into(), version.into(), policy_version.into()]);
            ENTER
        }
    };
    Statement::new(text, params).expecting(1, "session_version")
}

/// Has the sessions of a user who is no member any more leave the organization.
pub fn member_leaves(tenant: Uuid, organization_id: Uuid, user_id: Uuid) -> Statement {
    Statement::new(MEMBER_LEAVES, vec![tenant.into(), organization_id.into(), user_id.into()])
}

/// Has all sessions leave an organization that goes.
pub fn all_leave(tenant: Uuid, organization_id: Uuid) -> Statement {
    Statement::new(ALL_LEAVE, vec![tenant.into(), organization_id.into()])
}

/// Gives the sessions of a member that are active in the organization the member's new role.
pub fn set_role(tenant: Uuid, organization_id: Uuid, user_id: Uuid, role: &str) -> Statement {
    Statement::new(SET_ROLE, vec![tenant.into(), role.into(), organization_id.into(), user_id.into()])
}

/// How an organization is named.
#[derive(Clone, Copy, Debug)]
pub enum Name<'a> {
    /// By its id.
    Id(Uuid),
    /// By its slug.
    Slug(&'a str),
}

/// An organization a user belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CandidateRow {
    /// Which.
    pub organization_id: Uuid,
    /// Its name in URLs.
    pub slug: String,
    /// Role of the user in it.
    pub role: String,
    /// Its policy, as JSON.
    pub policy: String,
    /// Version of the policy.
    pub policy_version: i64,
}

/// The organization of a name, if the user belongs to it.
pub async fn candidate(
    engine: &dyn Engine,
    tenant: Uuid,
    name: Name<'_>,
    user_id: Uuid,
) -> Result<Option<CandidateRow>, StorageError> {
    let (text, name) = match name {
        Name::Id(id) => (CANDIDATE_BY_ID, id.into()),
        Name::Slug(slug) => (CANDIDATE_BY_SLUG, slug.into()),
    };
    let statement = Statement::new(text, vec![tenant.into(), name, user_id.into()]);
    let row = engine.read(Scope::of(tenant), statement).await?.into_iter().next();
    row.map(|row| {
        let mut columns = Columns::of("organizations", row);
        let (organization_id, slug) = (columns.uuid("organization_id")?, columns.text("slug")?);
        let role = columns.of_table("organization_members").text("role")?;
        let columns = columns.of_table("organizations");
        let (policy, policy_version) = (columns.text("policy")?, columns.int("policy_version")?);
        Ok(CandidateRow { organization_id, slug, role, policy, policy_version })
    })
    .transpose()
}

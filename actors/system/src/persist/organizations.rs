//! Organizations and their members: to rows and back.

use super::{FIRST_VERSION, invitations};
use crate::error::ServiceError;
use plinto_domain::authorization::RoleKey;
use plinto_domain::id::OrganizationId;
use plinto_domain::metadata::Metadata;
use plinto_domain::name::DisplayName;
use plinto_domain::organization::{
    Candidate, Membership, Organization, OrganizationName, OrganizationPolicy, OrganizationSlug,
    OrganizationWrite,
};
use plinto_domain::{Timestamp, UserId};
use plinto_storage::repositories::organization_members::{self, OrganizationMemberRow};
use plinto_storage::repositories::organization_policies;
use plinto_storage::repositories::organizations::{self, OrganizationRow, OrganizationUpdate};
use plinto_storage::repositories::session_organizations::{self, CandidateRow, Name};
use plinto_storage::repositories::{organization_domains, organization_invitations};
use plinto_storage::{Statement, TenantVault};

pub(super) fn statements(vault: &TenantVault, write: OrganizationWrite) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        OrganizationWrite::Insert { organization, slug, name, metadata, owner, at } => {
            let row = OrganizationRow {
                organization_id: organization.uuid(),
                slug: slug.as_str().to_owned(),
                name: name.as_str().to_owned(),
                metadata: metadata.to_json().unwrap_or_default(),
                owners: 1,
                created_at: at.as_millis(),
                updated_at: at.as_millis(),
                version: FIRST_VERSION,
            };
            let owner = member_row(organization, owner, &RoleKey::owner(), at);
            vec![organizations::insert(vault, &row), organization_members::insert(tenant, &owner)]
        }
        OrganizationWrite::Update { organization, slug, name, metadata, expected_version, at } => {
            let update = OrganizationUpdate {
                organization_id: organization.uuid(),
                slug: slug.as_str(),
                name: name.as_str(),
                metadata: &metadata.to_json().unwrap_or_default(),
                at: at.as_millis(),
                expected_version,
            };
            vec![organizations::update(vault, &update)]
        }
        OrganizationWrite::SetPolicy { organization, policy, expected_version, at } => {
            let policy = serde_json::to_string(&policy).expect("plain values always serialize");
            let (id, at) = (organization.uuid(), at.as_millis());
            vec![organization_policies::set(tenant, id, &policy, at, expected_version)]
        }
        OrganizationWrite::Delete { organization, expected_version } => {
            let id = organization.uuid();
            let mut statements = vec![session_organizations::all_leave(tenant, id)];
            statements.extend(organization_domains::remove_all(tenant, id));
            statements.push(organization_invitations::remove_all(tenant, id));
            statements.push(organization_members::remove_all(tenant, id));
            statements.push(organizations::remove(tenant, id, expected_version));
            statements
        }
        OrganizationWrite::InsertMember { organization, user, role, at } => {
            let row = member_row(organization, user, &role, at);
            let owners = i64::from(role.is_owner());
            // Also where the number stays: it says whether the organization is still there.
            let count = organizations::count_owners(tenant, organization.uuid(), owners);
            let back = organization_domains::come_back(tenant, row.organization_id, row.user_id);
            vec![count, back, organization_members::insert(tenant, &row)]
        }
        OrganizationWrite::SetRole { member, role, at } => {
            let more = i64::from(role.is_owner()) - i64::from(member.role.is_owner());
            let count = organizations::count_owners(tenant, member.organization.uuid(), more);
            std::iter::once(count).chain(set_role(vault, &member, &role, at)).collect()
        }
        OrganizationWrite::RemoveMember { member, departed_at } => {
            let (organization, user) = (member.organization.uuid(), member.user.uuid());
            let less = -i64::from(member.role.is_owner());
            let count = organizations::count_owners(tenant, organization, less);
            let leaves = session_organizations::member_leaves(tenant, organization, user);
            let remove = organization_members::remove(tenant, organization, user, member.version);
            let departed = departed_at
                .map(|at| organization_domains::depart(tenant, organization, user, at.as_millis()));
            [Some(count), Some(leaves), Some(remove), departed].into_iter().flatten().collect()
        }
        OrganizationWrite::Invitation(write) => vec![invitations::statement(vault, write)],
        OrganizationWrite::Domain(write) => vec![invitations::domain_statement(vault, write)],
        OrganizationWrite::TransferOwnership { from, to, at } => {
            let (admin, owner) = (RoleKey::admin(), RoleKey::owner());
            let roles = [set_role(vault, &from, &admin, at), set_role(vault, &to, &owner, at)];
            roles.into_iter().flatten().collect()
        }
    }
}

/// The role of a member, also in the sessions that are active there.
fn set_role(vault: &TenantVault, member: &Membership, role: &RoleKey, at: Timestamp) -> [Statement; 2] {
    let (organization, user) = (member.organization.uuid(), member.user.uuid());
    let (tenant, version, role) = (vault.tenant(), member.version, role.as_str());
    [
        organization_members::set_role(tenant, organization, user, role, at.as_millis(), version),
        session_organizations::set_role(tenant, organization, user, role),
    ]
}

fn member_row(
    organization: OrganizationId,
    user: UserId,
    role: &RoleKey,
    at: Timestamp,
) -> OrganizationMemberRow {
    OrganizationMemberRow {
        organization_id: organization.uuid(),
        user_id: user.uuid(),
        role: role.as_str().to_owned(),
        created_at: at.as_millis(),
        updated_at: at.as_millis(),
        version: FIRST_VERSION,
    }
}

/// A stored organization as rules see it.
pub(crate) fn organization(row: &OrganizationRow) -> Result<Organization, ServiceError> {
    let damaged = |_| ServiceError::Damaged("a field of an organization");
    Ok(Organization {
        id: OrganizationId::from_uuid(row.organization_id),
        slug: OrganizationSlug::parse("slug", &row.slug).map_err(damaged)?,
        name: DisplayName::parse("name", &row.name).map_err(damaged)?,
        metadata: metadata(row)?,
        version: row.version,
    })
}

/// A stored policy.
pub(crate) fn policy(text: &str) -> Result<OrganizationPolicy, ServiceError> {
    serde_json::from_str(text).map_err(|_| ServiceError::Damaged("the policy of an organization"))
}

/// How an organization is looked up.
pub(crate) fn name(name: &OrganizationName) -> Name<'_> {
    match name {
        OrganizationName::Id(id) => Name::Id(id.uuid()),
        OrganizationName::Slug(slug) => Name::Slug(slug.as_str()),
    }
}

/// An organization a user belongs to, as rules see it.
pub(crate) fn candidate(row: &CandidateRow) -> Result<Candidate, ServiceError> {
    let slug = OrganizationSlug::parse("slug", &row.slug);
    Ok(Candidate {
        id: OrganizationId::from_uuid(row.organization_id),
        slug: slug.map_err(|_| ServiceError::Damaged("a field of an organization"))?,
        role: role(&row.role)?,
        policy: policy(&row.policy)?,
        policy_version: row.policy_version,
    })
}

/// What a tenant keeps with a stored organization.
pub(crate) fn metadata(row: &OrganizationRow) -> Result<Metadata, ServiceError> {
    let read =
        if row.metadata.is_empty() { Some(Metadata::default()) } else { Metadata::from_json(&row.metadata) };
    read.ok_or(ServiceError::Damaged("metadata of an organization"))
}

/// A stored member as rules see it.
pub(crate) fn membership(row: &OrganizationMemberRow) -> Result<Membership, ServiceError> {
    Ok(Membership {
        organization: OrganizationId::from_uuid(row.organization_id),
        user: UserId::from_uuid(row.user_id),
        role: role(&row.role)?,
        version: row.version,
    })
}

/// A stored role.
pub(crate) fn role(key: &str) -> Result<RoleKey, ServiceError> {
    RoleKey::parse("role", key).map_err(|_| ServiceError::Damaged("the role of a member"))
}

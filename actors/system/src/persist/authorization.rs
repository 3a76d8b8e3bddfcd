//! Roles and grants: to rows and back.

use crate::error::ServiceError;
use plinto_domain::Timestamp;
use plinto_domain::authorization::{
    AuthorizationWrite, Grant, GrantTerms, Granted, Permission, Place, ResourceRef, Role, RoleKey, RoleLevel,
    Subject, SubjectKind,
};
use plinto_domain::id::{GrantId, OrganizationId, RoleId};
use plinto_domain::name::DisplayName;
use plinto_storage::repositories::grants::{self, GrantRow};
use plinto_storage::repositories::role_sets;
use plinto_storage::repositories::roles::{self, RoleRow};
use plinto_storage::{Statement, TenantVault};

pub(super) fn statements(vault: &TenantVault, write: AuthorizationWrite) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        AuthorizationWrite::AdvanceRoles { expected_version } => {
            vec![role_sets::advance(tenant, expected_version)]
        }
        AuthorizationWrite::InsertRole { role, at } => vec![roles::insert(tenant, &role_row(&role, at))],
        AuthorizationWrite::ReplaceRole { role, at } => vec![roles::update(tenant, &role_row(&role, at))],
        AuthorizationWrite::DeleteRole { role, expected_version } => {
            vec![roles::delete(tenant, role.uuid(), expected_version)]
        }
        AuthorizationWrite::InsertGrant { grant, at } => grants::insert(vault, &grant_row(&grant, at)).into(),
        AuthorizationWrite::DeleteGrant { grant } => vec![grants::delete(tenant, grant.uuid())],
    }
}

fn role_row(role: &Role, at: Timestamp) -> RoleRow {
    RoleRow {
        role_id: role.id.uuid(),
        key: role.key.to_string(),
        name: role.name.as_str().to_owned(),
        description: role.description.clone(),
        level: role.level.as_str().to_owned(),
        permissions: role.permissions.iter().map(ToString::to_string).collect(),
        inherits: role.inherits.iter().map(ToString::to_string).collect(),
        created_at: at.as_millis(),
        updated_at: at.as_millis(),
        version: role.version,
    }
}

fn grant_row(grant: &Grant, at: Timestamp) -> GrantRow {
    let terms = &grant.terms;
    let (role, permission) = match &terms.granted {
        Granted::Role(role) => (Some(role.uuid()), None),
        Granted::Permission(permission) => (None, Some(permission.to_string())),
    };
    let (organization, resource) = match &terms.place {
        Place::Tenant => (None, None),
        Place::Organization(organization) => (Some(organization.uuid()), None),
        Place::Resource(resource) => (None, Some(resource.to_string())),
    };
    GrantRow {
        grant_id: grant.id.uuid(),
        subject_kind: terms.subject.kind().as_str().to_owned(),
        subject_id: terms.subject.uuid(),
        role_id: role,
        permission,
        organization_id: organization,
        resource,
        created_at: at.as_millis(),
        expires_at: terms.expires_at.map(Timestamp::as_millis),
    }
}

/// A role as it is stored.
pub(crate) fn role(row: &RoleRow) -> Result<Role, ServiceError> {
    let read = || {
        let permissions = row.permissions.iter().map(|text| Permission::parse("permissions", text).ok());
        let inherits = row.inherits.iter().map(|text| RoleKey::parse("inherits", text).ok());
        Some(Role {
            id: RoleId::from_uuid(row.role_id),
            key: RoleKey::parse("key", &row.key).ok()?,
            name: DisplayName::parse("name", &row.name).ok()?,
            description: row.description.clone(),
            level: RoleLevel::parse(&row.level)?,
            permissions: permissions.collect::<Option<_>>()?,
            inherits: inherits.collect::<Option<_>>()?,
            version: row.version,
        })
    };
    read().ok_or(ServiceError::Damaged("a role"))
}

/// A grant as it is stored.
pub(crate) fn grant(row: &GrantRow) -> Result<Grant, ServiceError> {
    let read = || {
        let granted = match (row.role_id, row.permission.as_deref()) {
            (Some(role), None) => Granted::Role(RoleId::from_uuid(role)),
            (None, Some(text)) => Granted::Permission(Permission::parse("permission", text).ok()?),
            _ => return None,
        };
        let place = match (row.organization_id, row.resource.as_deref()) {
            (None, None) => Place::Tenant,
            (Some(id), None) => Place::Organization(OrganizationId::from_uuid(id)),
            (None, Some(text)) => Place::Resource(ResourceRef::parse("resource", text).ok()?),
            _ => return None,
        };
        let subject = Subject::of(SubjectKind::parse(&row.subject_kind)?, row.subject_id);
        let expires_at = row.expires_at.map(Timestamp::from_millis);
        let terms = GrantTerms { subject, granted, place, expires_at };
        Some(Grant { id: GrantId::from_uuid(row.grant_id), terms })
    };
    read().ok_or(ServiceError::Damaged("a grant"))
}

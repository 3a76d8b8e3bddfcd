//! Invitations to organizations and domains of organizations: to rows and back.

use super::FIRST_VERSION;
use crate::error::ServiceError;
use plinto_domain::email::EmailAddress;
use plinto_domain::id::{DomainId, InvitationId, OrganizationId};
use plinto_domain::organization::domain::{self, ClaimedDomain, DomainName, DomainWrite};
use plinto_domain::organization::invitation::{self, Ending, Invitation, InvitationWrite};
use plinto_domain::{Timestamp, UserId};
use plinto_storage::repositories::organization_domains::{self, DomainAt, DomainMode, DomainRow};
use plinto_storage::repositories::organization_invitations::{
    self, InvitationAt, InvitationRow, InvitationState,
};
use plinto_storage::{Statement, TenantVault};
use uuid::Uuid;

pub(super) fn statement(vault: &TenantVault, write: InvitationWrite) -> Statement {
    let tenant = vault.tenant();
    let at_version =
        |organization: OrganizationId, invitation: InvitationId, expected_version| InvitationAt {
            organization_id: organization.uuid(),
            invitation_id: invitation.uuid(),
            expected_version,
        };
    match write {
        InvitationWrite::Insert {
            invitation,
            organization,
            email,
            role,
            token,
            invited_by,
            at,
            expires_at,
        } => {
            let row = InvitationRow {
                organization_id: organization.uuid(),
                invitation_id: invitation.uuid(),
                email: email.as_entered().to_owned(),
                role: role.as_str().to_owned(),
                state: InvitationState::Pending,
                token_hash: Some(token),
                invited_by,
                user_id: None,
                created_at: at.as_millis(),
                sent_at: at.as_millis(),
                expires_at: expires_at.as_millis(),
                ended_at: None,
                version: FIRST_VERSION,
            };
            organization_invitations::insert(vault, email.normalized(), &row)
        }
        InvitationWrite::Renew { organization, invitation, token, at, expires_at, expected_version } => {
            let which = at_version(organization, invitation, expected_version);
            organization_invitations::renew(tenant, which, token, at.as_millis(), expires_at.as_millis())
        }
        InvitationWrite::End { organization, invitation, ending, at, expected_version } => {
            let which = at_version(organization, invitation, expected_version);
            let (state, user) = ended(ending);
            organization_invitations::end(tenant, which, state, user, at.as_millis())
        }
    }
}

fn ended(ending: Ending) -> (InvitationState, Option<Uuid>) {
    match ending {
        Ending::Accepted(user) => (InvitationState::Accepted, Some(user.uuid())),
        Ending::Declined => (InvitationState::Declined, None),
        Ending::Revoked => (InvitationState::Revoked, None),
        Ending::Expired => (InvitationState::Expired, None),
    }
}

pub(super) fn domain_statement(vault: &TenantVault, write: DomainWrite) -> Statement {
    let tenant = vault.tenant();
    let seen = |domain: &ClaimedDomain| DomainAt {
        organization_id: domain.organization.uuid(),
        domain_id: domain.id.uuid(),
        expected_version: domain.version,
    };
    match write {
        DomainWrite::Insert { domain, at } => {
            let row = DomainRow {
                organization_id: domain.organization.uuid(),
                domain_id: domain.id.uuid(),
                domain: domain.name.as_str().to_owned(),
                challenge: domain.challenge,
                mode: mode_row(domain.mode),
                role: domain.role.as_str().to_owned(),
                verified_at: None,
                created_at: at.as_millis(),
                updated_at: at.as_millis(),
                version: FIRST_VERSION,
            };
            organization_domains::insert(vault, &row)
        }
        DomainWrite::Update { domain, mode, role, at } => {
            organization_domains::update(tenant, seen(&domain), mode_row(mode), role.as_str(), at.as_millis())
        }
        DomainWrite::Verify { domain, at } => {
            organization_domains::verify(tenant, seen(&domain), at.as_millis())
        }
        DomainWrite::Stand { domain } => organization_domains::stand(tenant, seen(&domain)),
        DomainWrite::Remove { domain } => organization_domains::remove(tenant, seen(&domain)),
    }
}

fn mode_row(mode: domain::DomainMode) -> DomainMode {
    match mode {
        domain::DomainMode::Automatic => DomainMode::Automatic,
        domain::DomainMode::Suggested => DomainMode::Suggested,
    }
}

/// A stored invitation as rules see it.
pub(crate) fn invitation(row: &InvitationRow) -> Result<Invitation, ServiceError> {
    let email = EmailAddress::parse("email", &row.email);
    Ok(Invitation {
        id: InvitationId::from_uuid(row.invitation_id),
        organization: OrganizationId::from_uuid(row.organization_id),
        email: email.map_err(|_| ServiceError::Damaged("address of an invitation"))?,
        role: super::organizations::role(&row.role)?,
        stored: match row.state {
            InvitationState::Pending => invitation::InvitationState::Pending,
            InvitationState::Accepted => invitation::InvitationState::Accepted,
            InvitationState::Declined => invitation::InvitationState::Declined,
            InvitationState::Revoked => invitation::InvitationState::Revoked,
            InvitationState::Expired => invitation::InvitationState::Expired,
        },
        expires_at: Timestamp::from_millis(row.expires_at),
        version: row.version,
    })
}

/// Who accepted a stored invitation.
pub(crate) fn accepted_by(row: &InvitationRow) -> Option<UserId> {
    row.user_id.map(UserId::from_uuid)
}

/// A stored domain as rules see it.
pub(crate) fn domain(row: &DomainRow) -> Result<ClaimedDomain, ServiceError> {
    let name = DomainName::stored(&row.domain);
    Ok(ClaimedDomain {
        id: DomainId::from_uuid(row.domain_id),
        organization: OrganizationId::from_uuid(row.organization_id),
        name,
        challenge: row.challenge.clone(),
        mode: match row.mode {
            DomainMode::Automatic => domain::DomainMode::Automatic,
            DomainMode::Suggested => domain::DomainMode::Suggested,
        },
        role: super::organizations::role(&row.role)?,
        verified: row.verified_at.is_some(),
        version: row.version,
    })
}

//! Sessions in organizations, to rows.

use super::NEVER;
use plinto_domain::Timestamp;
use plinto_domain::session::{Placement, Seat};
use plinto_storage::Statement;
use plinto_storage::repositories::session_organizations;
use plinto_storage::repositories::sessions::ActiveOrganization;
use uuid::Uuid;

/// The seat of a session that is inserted in the same unit.
pub(super) fn seat(tenant: Uuid, session: Uuid, seat: &Seat) -> Statement {
    session_organizations::seat(tenant, session, &active_organization(seat), seat.policy_version())
}

fn active_organization(seat: &Seat) -> ActiveOrganization {
    let active = seat.organization();
    ActiveOrganization {
        organization_id: active.id.uuid(),
        role: active.role.as_str().to_owned(),
        until: active.until.map(Timestamp::as_millis),
    }
}

/// A session with its refresh token in its place.
pub(super) fn place(tenant: Uuid, placement: &Placement) -> Statement {
    let seat = placement.seat.as_ref().map(|seat| (active_organization(seat), seat.policy_version()));
    let placement = session_organizations::Placement {
        session_id: placement.session.uuid(),
        expected_version: placement.expected_version,
        generation: placement.generation.into(),
        hash: placement.token_hash,
        idle_expires_at: placement.idle_expires_at.as_millis(),
        rotated_at: placement.rotated_at.map_or(NEVER, Timestamp::as_millis),
        client: placement.client,
        authenticated_at: placement.authenticated_at.as_millis(),
        seen_at: placement.at.as_millis(),
        organization: seat.as_ref().map(|(organization, policy)| (organization, *policy)),
    };
    session_organizations::place(tenant, &placement)
}

//! Statements of holds, consents and erasure.

use plinto_domain::privacy::{Held, PrivacyWrite};
use plinto_storage::repositories::consents::{self, ConsentRow};
use plinto_storage::repositories::erasure;
use plinto_storage::repositories::legal_holds::{self, LegalHoldRow, WHOLE_TENANT};
use plinto_storage::{Statement, TenantVault};
use uuid::Uuid;

/// Under which id a hold is stored.
pub(crate) fn held_id(held: Held) -> Uuid {
    match held {
        Held::User(user) => user.uuid(),
        Held::Tenant(_) => WHOLE_TENANT,
    }
}

pub(super) fn statements(vault: &TenantVault, write: PrivacyWrite) -> Vec<Statement> {
    let tenant = vault.tenant();
    match write {
        PrivacyWrite::PlaceHold { held, reason, by, at } => {
            let row = LegalHoldRow {
                user_id: held_id(held),
                reason: reason.as_str().to_owned(),
                placed_by: by.label(),
                placed_at: at.as_millis(),
            };
            let there = match held {
                Held::User(user) => Some(legal_holds::user_is_there(tenant, user.uuid())),
                Held::Tenant(_) => None,
            };
            there.into_iter().chain([legal_holds::insert(vault, &row)]).collect()
        }
        PrivacyWrite::LiftHold { held } => vec![legal_holds::delete(tenant, held_id(held))],
        PrivacyWrite::RecordConsent { user, consent, by } => vec![consents::insert(
            tenant,
            user.uuid(),
            &ConsentRow {
                consent_id: consent.id.uuid(),
                purpose: consent.terms.purpose().to_owned(),
                document: consent.terms.version().to_owned(),
                granted: consent.granted,
                actor: by.label(),
                at: consent.at.as_millis(),
            },
        )],
        PrivacyWrite::EraseUser { user, sessions } => {
            let mut statements = vec![legal_holds::none_of_user(tenant, user.uuid())];
            statements.extend(erasure::of_user(tenant, user.uuid(), sessions));
            statements
        }
    }
}

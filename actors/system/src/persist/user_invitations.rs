//! What decisions about invitations to become a user write.

use super::FIRST_VERSION;
use plinto_domain::Timestamp;
use plinto_domain::user::create::NewUser;
use plinto_domain::user::invitation::UserInvitationWrite;
use plinto_domain::user::profile::ProfileInput;
use plinto_storage::repositories::user_invitations::{self, UserInvitationRow};
use plinto_storage::{Statement, TenantVault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// For how long one that has expired is still there to be sent again.
const KEPT_MILLIS: i64 = 30 * 86_400_000;

/// What is sealed of who is invited, besides the address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedProfile {
    name: Option<String>,
    public_metadata: Map<String, Value>,
    private_metadata: Map<String, Value>,
}

pub(super) fn statements(vault: &TenantVault, write: UserInvitationWrite, now: Timestamp) -> Vec<Statement> {
    let tenant = vault.tenant();
    // Whoever changes one removes those that expired long ago: it needs no transaction of its own.
    let purge = user_invitations::purge(tenant, now.as_millis().saturating_sub(KEPT_MILLIS));
    match write {
        UserInvitationWrite::Invite { invitation, new, token, at, expires_at } => {
            let row = UserInvitationRow {
                invitation_id: invitation.uuid(),
                token_hash: token,
                email: new.email.as_entered().to_owned(),
                profile: sealed(&new),
                created_at: at.as_millis(),
                expires_at: expires_at.as_millis(),
                version: FIRST_VERSION,
            };
            let normalized = new.email.normalized();
            let replace = user_invitations::replace(vault, normalized);
            vec![purge, replace, user_invitations::insert(vault, normalized, &row)]
        }
        UserInvitationWrite::Renew { invitation, token, expires_at, expected_version } => {
            let (id, expires_at) = (invitation.uuid(), expires_at.as_millis());
            vec![user_invitations::renew(tenant, id, token, expires_at, expected_version), purge]
        }
        UserInvitationWrite::Remove { invitation, expected_version } => {
            vec![user_invitations::remove(tenant, invitation.uuid(), expected_version), purge]
        }
    }
}

fn sealed(new: &NewUser) -> Zeroizing<String> {
    let profile = SealedProfile {
        name: new.profile.name.as_ref().map(|name| name.as_str().to_owned()),
        public_metadata: new.profile.public_metadata.clone().into_object(),
        private_metadata: new.profile.private_metadata.clone().into_object(),
    };
    Zeroizing::new(serde_json::to_string(&profile).expect("plain JSON always serializes"))
}

/// Who is invited, as it was sealed; nothing if it has another form.
pub(crate) fn invited(row: &UserInvitationRow) -> Option<NewUser> {
    let SealedProfile { name, public_metadata, private_metadata } =
        serde_json::from_str(&row.profile).ok()?;
    let input = ProfileInput {
        name: name.map(Some),
        public_metadata: Some(Some(public_metadata)),
        private_metadata: Some(Some(private_metadata)),
        ..ProfileInput::default()
    };
    NewUser::parse(&row.email, false, input).ok()
}
